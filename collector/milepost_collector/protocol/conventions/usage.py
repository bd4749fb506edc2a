"""Counts of tokens as producers state them to inclusive ones: input with what was cached, output with reasoning.

Some producers state parts that add up to the whole, and do not say so. What tells them from the others: the name of the
count, a total that only fits one reading, or parts that are larger than the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple

from milepost.wire import Usage
from milepost_collector.protocol.conventions.values import MAX_COST_USD, MAX_COUNT

# Fields of which one makes a span one with usage.
STATED = frozenset(
    {"input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
     "uncached_input_tokens", "plain_output_tokens", "cost_usd", "input_cost_usd", "output_cost_usd"}
)  # fmt: skip
_COSTS = frozenset({"cost_usd", "input_cost_usd", "output_cost_usd"})


class Side(NamedTuple):
    """Input or output. readings: what the whole can be, the likeliest first. parts: tokens that must lie within."""

    name: str
    readings: tuple[int | None, ...]
    parts: int
    stated: int | None


def usage_of(
    stated: Mapping[str, Any], kind: str, model: str | None, provider: str | None, problems: list[str]
) -> Usage:
    """Return inclusive usage. stated: counts and costs by field. problems: gets what contradicted itself."""
    get = stated.get
    cache_read, cache_write, reasoning = get("cache_read_tokens"), get("cache_write_tokens"), get("reasoning_tokens")
    given, made = get("input_tokens"), get("output_tokens")
    total = get("total_tokens")
    cached = (cache_read or 0) + (cache_write or 0)
    uncached, plain = get("uncached_input_tokens"), get("plain_output_tokens")
    if (
        given is None
        or made is None
        or cached > given
        or (reasoning or 0) > made
        or (total is not None and total != given + made)
        or (uncached is not None and uncached + cached != given)
        or (plain is not None and plain + (reasoning or 0) != made)
    ):
        sent = _side("input", given, uncached, cached)
        received = _side("output", made, plain, reasoning or 0)
        given, made = _whole(sent, received, total, problems)
        given, made = _with_total(given, made, total, kind, problems)
        if cached > (given or 0):
            cache_read = cache_write = None
        if (reasoning or 0) > (made or 0):
            reasoning = None
    return Usage(
        model=model,
        provider=provider,
        input_tokens=given,
        output_tokens=made,
        cache_read_tokens=cache_read,
        cache_write_tokens=cache_write,
        reasoning_tokens=reasoning,
        cost_usd=_cost(stated),
    )


def _side(name: str, whole: int | None, rest: int | None, parts: int) -> Side:
    if whole is not None and whole != rest:
        return Side(name, (whole, whole + parts) if parts else (whole,), parts, whole)
    if rest is not None:  # stated as what is left without the parts; some state the whole so all the same
        return Side(name, (rest + parts, rest) if parts else (rest,), parts, None)
    return Side(name, (parts or None,), parts, None)


def _whole(sent: Side, received: Side, total: int | None, problems: list[str]) -> tuple[int | None, int | None]:
    """Return the readings of both sides that agree with each other."""
    readings = [
        (given, made)
        for given, made in product(sent.readings, received.readings)
        if _holds(given, sent.parts) and _holds(made, received.parts)
    ]
    fitting = [one for one in readings if total is not None and (one[0] or 0) + (one[1] or 0) == total]
    chosen = (fitting or readings or [(None, None)])[0]
    if not readings:
        problems.append(
            f"{sent.parts} cached and {received.parts} reasoning tokens are more than can be counted; left out"
        )
        return _small(sent), _small(received)
    for side, value in zip((sent, received), chosen, strict=True):
        if side.stated is not None and value != side.stated:
            why = "the total says so" if fitting else "they are more than it"
            part = "cached" if side is sent else "reasoning"
            problems.append(f"{side.parts} {part} tokens were added to the {side.stated} of {side.name}: {why}")
    return chosen


def _holds(whole: int | None, parts: int) -> bool:
    return whole is None or parts <= whole <= MAX_COUNT


def _small(side: Side) -> int | None:
    fitting = [value for value in side.readings if value is not None and value <= MAX_COUNT]
    return min(fitting) if fitting else None


def _with_total(
    given: int | None, made: int | None, total: int | None, kind: str, problems: list[str]
) -> tuple[int | None, int | None]:
    """Return both sides with the one that is missing as the rest of the total."""
    if total is None or (given is not None and made is not None):
        return given, made
    if given is None and made is None:
        if kind == "llm" and total:
            problems.append(f"only a total of {total} tokens was stated; it is counted as input")
        return total, None
    if given is None:
        return (total - made if made is not None and total > made else None), made
    return given, (total - given if kind == "llm" and total > given else None)


def _cost(stated: Mapping[str, Any]) -> float | None:
    if _COSTS.isdisjoint(stated):
        return None
    cost: float | None = stated.get("cost_usd")
    if cost is not None:
        return cost
    parts = [value for name in ("input_cost_usd", "output_cost_usd") if (value := stated.get(name)) is not None]
    return min(sum(parts), MAX_COST_USD) if parts else None
