"""Whether limits are kept, counted from leases alone."""

from __future__ import annotations

from collections.abc import Sequence

from milepost.wire.agents import Limit
from milepost_collector.controller.rows import AssignmentRow


class LimitsKept:
    """The limits that have been set. known: by scope and value."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Limit] = {}
        self._fresh: dict[tuple[str, str], None] = {}  # set in the transaction that is being checked
        self._begun: dict[tuple[str, str], list[int]] = {}  # when attempts began, by scope and value

    def set(self, limit: Limit) -> None:
        """Note a limit; what the same transaction began is not held against it."""
        self.known[limit.scope, limit.value] = limit
        self._fresh[limit.scope, limit.value] = None

    def drop(self, scope: str, value: str) -> None:
        """Note that a limit is gone."""
        self.known.pop((scope, value), None)
        self._begun.clear()

    def check(self, leases: Sequence[AssignmentRow], begun: Sequence[AssignmentRow], now: int) -> None:
        """Check what has begun.

        Raises:
            AssertionError: a limit is exceeded.
        """
        for row in begun:
            for scope, field in (("agent", "held_by"), ("name", "name"), ("key", "key")):
                value = getattr(row, field)
                limit = self._limit(scope, value)
                if limit is None:
                    continue
                used = sum(getattr(lease, field) == value for lease in leases)
                assert limit.concurrency is None or used <= limit.concurrency, f"{used} at once exceed {limit}"
                self._check_rate(scope, value, limit, now)
        if self._fresh:
            self._begun.clear()
            self._fresh.clear()

    def _limit(self, scope: str, value: str | None) -> Limit | None:
        if value is None:
            return None
        key = (scope, value) if (scope, value) in self.known else (scope, "*")
        return None if key in self._fresh else self.known.get(key)

    def _check_rate(self, scope: str, value: str, limit: Limit, now: int) -> None:
        if limit.rate is None or limit.per_ms is None:
            return
        begun = self._begun.setdefault((scope, value), [])
        begun.append(now)
        recent = [at for at in begun if now - limit.per_ms < at <= now]  # the clock may have been set back
        assert len(recent) <= limit.rate, f"{len(recent)} attempts of {scope} {value} within {limit.per_ms} ms, {limit}"
