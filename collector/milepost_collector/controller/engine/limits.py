"""Limits on what may run at once, counted from live leases, and on how often attempts may begin."""

from __future__ import annotations

import msgspec

from milepost.wire.agents import Limit
from milepost_collector.controller.rows import AssignmentRow, LimitRow, RateRow
from milepost_collector.controller.store.interface import Tx, Usage
from milepost_collector.errors import InvalidParameterError, NotFoundError

EACH = "*"  # the limit of every value that has none of its own
_SLICES = 64  # of a rate's period: what begins within one of them counts as having begun at its last instant

_decode_begun = msgspec.json.Decoder(list[tuple[int, int]]).decode


class Limits:
    """The limits in force during one transaction, and how much of them is left.

    lock: nobody else begins attempts under limits until the transaction ends; not for merely looking. any_set: False
    when it is known that there are none.
    """

    def __init__(self, tx: Tx, *, lock: bool = True, any_set: bool = True) -> None:
        self._now = tx.now
        self._limits = {(row.scope, row.value): row for row in tx.limits()} if any_set else {}
        self._rates: dict[tuple[str, str], RateRow] = {}
        self._usage = Usage(agents={}, names={}, keys={})
        self.changed: dict[tuple[str, str], RateRow] = {}
        if self._limits:
            if lock:
                tx.lock_limits()
            self._usage = tx.usage()
            self._rates = {(row.scope, row.value): row for row in tx.rates()}

    def __bool__(self) -> bool:
        return bool(self._limits)

    def blocking(self, agent: str, name: str, key: str | None) -> tuple[LimitRow, int | None] | None:
        """Return the limit that keeps an attempt from beginning now, and in milliseconds when a rate admits it."""
        for scope, value, used in self._scopes(agent, name, key):
            if (obstacle := self._obstacle(scope, value, used)) is not None:
                return obstacle
        return None

    def used_up(self) -> list[tuple[str, str, int | None]]:
        """Return scope, value and wait of the names and keys that are known to be at a limit: what is queued under them
        need not be looked at, however much of it there is."""
        used = {("name", name): count for name, count in self._usage.names.items()}
        used |= {("key", key): count for key, count in self._usage.keys.items()}
        found = []
        for scope, value in dict.fromkeys((*used, *self._rates, *self._limits)):
            if scope == "agent" or value == EACH:
                continue
            if (obstacle := self._obstacle(scope, value, used.get((scope, value), 0))) is not None:
                found.append((scope, value, obstacle[1]))
        return found

    def take(self, agent: str, name: str, key: str | None) -> None:
        """Count an attempt that begins."""
        for counts, value in ((self._usage.agents, agent), (self._usage.names, name), (self._usage.keys, key)):
            if value is not None:
                counts[value] = counts.get(value, 0) + 1
        for scope, value, _ in self._scopes(agent, name, key):
            limit = self._limit(scope, value)
            if limit is not None and limit.rate is not None and limit.per_ms is not None:
                self._note(scope, value, limit.per_ms)

    def _obstacle(self, scope: str, value: str, used: int) -> tuple[LimitRow, int | None] | None:
        limit = self._limit(scope, value)
        if limit is None:
            return None
        if limit.concurrency is not None and used >= limit.concurrency:
            return limit, None
        wait_ms = self._rate_wait_ms(limit, scope, value)
        return (limit, wait_ms) if wait_ms > 0 else None

    def _scopes(self, agent: str, name: str, key: str | None) -> list[tuple[str, str, int]]:
        scopes = [
            ("agent", agent, self._usage.agents.get(agent, 0)),
            ("name", name, self._usage.names.get(name, 0)),
        ]
        return scopes if key is None else [*scopes, ("key", key, self._usage.keys.get(key, 0))]

    def _limit(self, scope: str, value: str) -> LimitRow | None:
        return self._limits.get((scope, value)) or self._limits.get((scope, EACH))

    def _rate_wait_ms(self, limit: LimitRow, scope: str, value: str) -> int:
        """Return how long until fewer attempts than the rate allows have begun in the period before."""
        if limit.rate is None or limit.per_ms is None:
            return 0
        begun = self._begun(scope, value, limit.per_ms)
        surplus = sum(count for _, count in begun) - limit.rate + 1
        for at, count in begun:
            surplus -= count
            if surplus <= 0 < surplus + count:
                return at + limit.per_ms - self._now
        return 0

    def _begun(self, scope: str, value: str, per_ms: int) -> list[tuple[int, int]]:
        """Return when how many began in the period that ends now. What lies ahead is of a clock that was set back."""
        row = self._rates.get((scope, value))
        begun = [] if row is None else _decode_begun(row.begun)
        return [(at, count) for at, count in begun if self._now - per_ms < at <= self._now]

    def _note(self, scope: str, value: str, per_ms: int) -> None:
        begun, slice_ms, count = self._begun(scope, value, per_ms), max(per_ms // _SLICES, 1), 1
        if begun and begun[-1][0] // slice_ms == self._now // slice_ms:
            count += begun.pop()[1]
        row = RateRow(scope=scope, value=value, begun=msgspec.json.encode([*begun, (self._now, count)]).decode())
        self._rates[scope, value] = self.changed[scope, value] = row


def idle_rates(tx: Tx) -> list[RateRow]:
    """Return what is stored of rates of which nothing is used up any more."""
    periods = {(row.scope, row.value): row.per_ms or 0 for row in tx.limits()}
    found = []
    for row in tx.rates():
        per_ms = periods.get((row.scope, row.value), periods.get((row.scope, EACH), 0))
        begun = _decode_begun(row.begun)
        if not begun or begun[-1][0] <= tx.now - per_ms:
            found.append(row)
    return found


def saturated(limits: Limits, agent: str, assignment: AssignmentRow) -> tuple[str, str, int | None] | None:
    """Return scope, value and wait of what keeps an assignment from being leased to an agent."""
    found = limits.blocking(agent, assignment.name, assignment.key)
    if found is None:
        return None
    limit, wait_ms = found
    value = {"agent": agent, "name": assignment.name, "key": assignment.key or ""}[limit.scope]
    return limit.scope, value, wait_ms


def set_limit(tx: Tx, limit: Limit) -> None:
    """Set or replace a limit.

    Raises:
        InvalidParameterError: it limits nothing, or gives half a rate.
    """
    if limit.concurrency is None and limit.rate is None:
        raise InvalidParameterError("concurrency", None, "give concurrency, or rate with per_ms, or both")
    if (limit.rate is None) != (limit.per_ms is None):
        raise InvalidParameterError("per_ms", limit.per_ms, "rate and per_ms go together")
    tx.upsert([LimitRow(**msgspec.structs.asdict(limit))])


def delete_limit(tx: Tx, scope: str, value: str) -> None:
    """Remove a limit.

    Raises:
        NotFoundError: there is none.
    """
    found = [row for row in tx.limits() if (row.scope, row.value) == (scope, value)]
    if not found:
        raise NotFoundError("limit", f"{scope} {value}")
    tx.delete(found)
