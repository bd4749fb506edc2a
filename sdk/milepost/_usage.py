"""Tokens and cost of a span, added up per model and provider."""

from __future__ import annotations

import math
import threading

from milepost import wire
from milepost._capture import clean_text, text_of

__all__ = ["UsageTotals"]

_LARGEST_COUNT = 9_007_199_254_740_991  # the wire's Count
_MAX_NAME = 1_000
_LARGEST_COST = 1e9  # the wire's Dollars
_TOKENS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
)  # fmt: skip


class UsageTotals:
    """One `wire.Usage` per (model, provider); numbers given several times for the same model are added up.

    May be added to from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # re-entrant: a signal handler may record while its thread is in here
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
        named = _name(model), _name(provider)
        with self._lock:
            usage = self._by_model.setdefault(named, wire.Usage(model=named[0], provider=named[1]))
            for name, count in checked.items():
                setattr(usage, name, min((getattr(usage, name) or 0) + count, _LARGEST_COUNT))
            if cost is not None:
                usage.cost_usd = min((usage.cost_usd or 0.0) + cost, _LARGEST_COST)

    def items(self) -> list[wire.Usage]:
        with self._lock:
            return list(self._by_model.values())


def _name(value: object) -> str | None:
    """Return a model's or provider's name as text, also of an enumeration's member."""
    return None if value is None else clean_text(text_of(value, _MAX_NAME))


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
