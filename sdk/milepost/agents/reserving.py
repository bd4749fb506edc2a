"""Reservations: what an attempt asks for before it spends, and what it may still use."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from milepost.wire.budgets import BudgetLeft
from milepost.wire.worker import ReportResult, ReservationAsked, ReservationReleased, TaskLease

__all__ = ["Reservation", "Reserving"]

_SHORTEST_S, _LONGEST_S = 1.0, 86_400.0


class Reservation:
    """So much that may be spent, whatever others spend. Give it back with `release`, or at the end of a `with` block.

    What was spent on it is known from the attempt's telemetry; so what is left is free for others only a few seconds
    after it was given back. May be used from any thread, and released more than once.
    """

    def __init__(self, usd: float, tokens: int, tool_calls: int, on_release: Callable[[], None]) -> None:
        self.usd = usd
        self.tokens = tokens
        self.tool_calls = tool_calls
        self._on_release: Callable[[], None] | None = on_release

    def release(self) -> None:
        """Spend nothing more on it. Returns at once."""
        on_release, self._on_release = self._on_release, None
        if on_release is not None:
            on_release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"Reservation(usd={self.usd!r}, tokens={self.tokens!r}, tool_calls={self.tool_calls!r})"


class Reserving:
    """The reservations of one attempt. left: what it may still use, as far as the collector has told."""

    def __init__(self, lease: TaskLease) -> None:
        self._lease = lease
        self._lock = threading.Lock()
        self._number = 0
        self.left = lease.budget or BudgetLeft()

    def ask(self, usd: float, tokens: int, tool_calls: int, expires_s: float) -> ReservationAsked:
        """Return the report that asks for so much.

        Raises:
            ValueError: an amount is below 0, none is above, or it expires too soon or late.
        """
        check_amounts(usd, tokens, tool_calls, expires_s)
        with self._lock:
            self._number += 1
            number = self._number
        return ReservationAsked(
            task_id=self._lease.task_id,
            attempt=self._lease.attempt,
            number=number,
            usd=usd,
            tokens=tokens,
            tool_calls=tool_calls,
            expires_ms=int(expires_s * 1_000),
        )

    def give_back(self, asked: ReservationAsked) -> ReservationReleased:
        """Return the report that gives a reservation back."""
        return ReservationReleased(task_id=asked.task_id, attempt=asked.attempt, number=asked.number)

    def learn(self, result: ReportResult) -> None:
        """Note what is left."""
        if result.budget is not None:
            self.left = result.budget


def check_amounts(usd: float, tokens: int, tool_calls: int, expires_s: float) -> None:
    """Refuse what cannot be reserved.

    Raises:
        ValueError: an amount is below 0, none is above, or it expires too soon or late.
    """
    for name, amount in (("usd", usd), ("tokens", tokens), ("tool_calls", tool_calls)):
        if not (math.isfinite(amount) and amount >= 0):
            raise ValueError(f"{name} must be a number from 0, got {amount!r}")
    if not (usd or tokens or tool_calls):
        raise ValueError("reserve nothing is no use: give usd, tokens or tool_calls above 0")
    if not _SHORTEST_S <= expires_s <= _LONGEST_S:
        raise ValueError(f"expires_s must be from {_SHORTEST_S:g} to {_LONGEST_S:g}, got {expires_s!r}")
