"""Tokens and cost of a span, added up per model and provider."""

from __future__ import annotations

import math

from milepost import wire

__all__ = ["UsageTotals"]

_LARGEST_COUNT = 9_007_199_254_740_991  # the wire's Count
_TOKENS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
)  # fmt: skip


class UsageTotals:
    """One `wire.Usage` per (model, provider); numbers given several times for the same model are added up."""

    def __init__(self) -> None:
        self._by_model: dict[tuple[str | None, str | None], wire.Usage] = {}

    def add(
        self, model: str | None, provider: str | None, tokens: dict[str, int | None], cost_usd: float | None
    ) -> None:
        """Add one call's numbers.

        tokens: by the names of `wire.Usage`; None: not known, which is not 0.

        Raises:
            ValueError: a number is negative, not finite or not whole.
        """
        checked = {name: _count(name, tokens[name]) for name in _TOKENS if tokens.get(name) is not None}
        cost = None if cost_usd is None else _cost(cost_usd)
        usage = self._by_model.setdefault((model, provider), wire.Usage(model=model, provider=provider))
        for name, count in checked.items():
            setattr(usage, name, min((getattr(usage, name) or 0) + count, _LARGEST_COUNT))
        if cost is not None:
            usage.cost_usd = (usage.cost_usd or 0.0) + cost

    def items(self) -> list[wire.Usage]:
        return list(self._by_model.values())


def _count(name: str, value: int | None) -> int:
    number = int(value)  # type: ignore[arg-type]
    if number < 0 or number != value:
        raise ValueError(f"{name} must be a whole number of at least 0, got {value!r}")
    return number


def _cost(value: float) -> float:
    cost = float(value)
    if not math.isfinite(cost) or cost < 0:
        raise ValueError(f"cost_usd must be a finite number of at least 0, got {value!r}")
    return cost
