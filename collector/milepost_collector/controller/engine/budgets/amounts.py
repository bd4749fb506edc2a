"""Amounts: one whole number for each measure, and how they are held against limits. Pure."""

from __future__ import annotations

from typing import NamedTuple, Self, TypeVar

import msgspec

from milepost.wire import budgets as wire
from milepost_collector.controller.rows import BudgetRow
from milepost_collector.protocol import durations

MEASURES = wire.MEASURES
_NOUNS = {"usd": "", "tokens": " tokens", "wall_ms": " of running", "tool_calls": " tool calls"}
NANO = 1_000_000_000  # of a USD: costs of single calls are some millionths

T = TypeVar("T")


class Amounts(NamedTuple):
    """So much of each measure, from 0; of a difference also less."""

    usd: int = 0
    tokens: int = 0
    wall_ms: int = 0
    tool_calls: int = 0

    @classmethod
    def of(cls, row: object, prefix: str) -> Self:
        """Return what a row has in its columns `prefix_…`; nothing set counts as 0."""
        return cls(*(getattr(row, f"{prefix}_{name}") or 0 for name in MEASURES))

    def put(self, row: object, prefix: str) -> None:
        """Write the amounts into a row."""
        for name, amount in zip(MEASURES, self, strict=True):
            setattr(row, f"{prefix}_{name}", amount)

    def plus(self, other: Amounts) -> Amounts:
        """Return the sum."""
        return Amounts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def minus(self, other: Amounts) -> Amounts:
        """Return the difference."""
        return Amounts(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))

    def least(self, other: Amounts) -> Amounts:
        """Return the smaller of each measure."""
        return Amounts(*(min(mine, theirs) for mine, theirs in zip(self, other, strict=True)))

    def most(self, other: Amounts) -> Amounts:
        """Return the larger of each measure."""
        return Amounts(*(max(mine, theirs) for mine, theirs in zip(self, other, strict=True)))


NOTHING = Amounts()
Limits = tuple[int | None, int | None, int | None, int | None]


def limits_of(row: object) -> Limits:
    """Return a row's limits as they were set."""
    usd, tokens, wall_ms, tool_calls = (getattr(row, f"limit_{name}") for name in MEASURES)
    return usd, tokens, wall_ms, tool_calls


def hard_limits(row: BudgetRow) -> Limits:
    """Return a budget's limits in this period, with what it was raised by."""
    return _added(limits_of(row), Amounts.of(row, "raised"))


def soft_limits(row: BudgetRow) -> Limits:
    """Return from which amounts on a warning is due: those given, else a part of the limits."""
    given = tuple(getattr(row, f"soft_{name}") for name in MEASURES)
    part = [None if limit is None else int(limit * row.soft) for limit in hard_limits(row)]
    usd, tokens, wall_ms, tool_calls = (
        own if own is not None else found for own, found in zip(given, part, strict=True)
    )
    return usd, tokens, wall_ms, tool_calls


def part_of(limits: Limits, fraction: float) -> Limits:
    """Return a part of limits, at least one of each that is not 0."""
    usd, tokens, wall_ms, tool_calls = (
        None if limit is None else max(int(limit * fraction), min(limit, 1)) for limit in limits
    )
    return usd, tokens, wall_ms, tool_calls


def reached(used: Amounts, limits: Limits) -> str | None:
    """Return the first measure of which as much is used as the limit, or more."""
    for name, amount, limit in zip(MEASURES, used, limits, strict=True):
        if limit is not None and amount >= limit:
            return name
    return None


def exceeded(used: Amounts, asked: Amounts, limits: Limits) -> str | None:
    """Return the first measure that is asked for and of which there is not so much left."""
    for name, amount, more, limit in zip(MEASURES, used, asked, limits, strict=True):
        if limit is not None and more > 0 and amount + more > limit:
            return name
    return None


def left(used: Amounts, limits: Limits) -> Limits:
    """Return how much may still be used, from 0."""
    usd, tokens, wall_ms, tool_calls = (
        None if limit is None else max(limit - amount, 0) for amount, limit in zip(used, limits, strict=True)
    )
    return usd, tokens, wall_ms, tool_calls


def least(one: Limits, other: Limits) -> Limits:
    """Return the narrower of each limit."""
    usd, tokens, wall_ms, tool_calls = (
        mine if theirs is None else theirs if mine is None else min(mine, theirs)
        for mine, theirs in zip(one, other, strict=True)
    )
    return usd, tokens, wall_ms, tool_calls


def value(measure: str, amount: int | None) -> float | None:
    """Return an amount of one measure as it is told: money in USD."""
    if amount is None:
        return None
    return amount / NANO if measure == "usd" else amount


def figure(measure: str, amount: int) -> str:
    """Return an amount for people without what it is of: $1.25, 8,000, 4 min 24 s."""
    if measure == "usd":
        return f"${amount / NANO:,.2f}" if amount % (NANO // 100) == 0 else f"${amount / NANO:,.6f}".rstrip("0")
    return durations.spoken(amount) if measure == "wall_ms" else f"{amount:,}"


def spoken(measure: str, amount: int) -> str:
    """Return an amount for people: $1.25, 8,000 tokens, 10 min of running, 3 tool calls."""
    return figure(measure, amount) + _NOUNS[measure]


def of_limit(measure: str, amount: int, limit: int) -> str:
    """Return how much of a limit an amount is: $1.25 of $4.00, 800 of 8,000 tokens, 0 s of 10 min of running."""
    return f"{figure(measure, amount)} of {spoken(measure, limit)}"


def _added(limits: Limits, more: Amounts) -> Limits:
    usd, tokens, wall_ms, tool_calls = (
        None if limit is None else limit + extra for limit, extra in zip(limits, more, strict=True)
    )
    return usd, tokens, wall_ms, tool_calls


def from_wire(limits: wire.BudgetLimits) -> Limits:
    """Return limits as whole numbers."""
    usd = None if limits.usd is None else round(limits.usd * NANO)
    return usd, limits.tokens, limits.wall_ms, limits.tool_calls


def to_wire(limits: Limits) -> wire.BudgetLimits:
    """Return limits as clients see them."""
    usd, tokens, wall_ms, tool_calls = limits
    return wire.BudgetLimits(
        usd=None if usd is None else usd / NANO, tokens=tokens, wall_ms=wall_ms, tool_calls=tool_calls
    )


def definition_of(row: BudgetRow) -> wire.TaskBudget:
    """Return a budget as it was set."""
    usd, tokens, wall_ms, tool_calls = (getattr(row, f"soft_{name}") for name in MEASURES)
    softer = to_wire((usd, tokens, wall_ms, tool_calls))
    return wire.TaskBudget(
        **msgspec.structs.asdict(to_wire(limits_of(row))),
        soft=row.soft,
        soft_limits=None if softer == wire.BudgetLimits() else softer,
        grace_ms=row.grace_ms,
        finish=row.finish,
    )


def told(amounts: Amounts) -> wire.Amounts:
    """Return amounts as clients see them."""
    return wire.Amounts(
        usd=amounts.usd / NANO, tokens=amounts.tokens, wall_ms=amounts.wall_ms, tool_calls=amounts.tool_calls
    )
