"""Budgets as they stand, with what draws on them and what happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from milepost.wire.budgets import (
    Budget,
    BudgetDetail,
    BudgetEvent,
    BudgetLimits,
    BudgetList,
    BudgetPeriod,
    BudgetRun,
)
from milepost_collector.controller.engine.budgets.amounts import (
    NOTHING,
    Amounts,
    definition_of,
    hard_limits,
    limits_of,
    reached,
    soft_limits,
    to_wire,
    told,
    value,
)
from milepost_collector.controller.engine.budgets.ledger import find_budgets, is_over, period_at, used_up
from milepost_collector.controller.engine.budgets.lineage import behind, key_of, keys_in, origins, own_keys
from milepost_collector.controller.engine.budgets.stopping import running
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.rows import (
    BudgetEventRow,
    BudgetHoldRow,
    BudgetPeriodRow,
    BudgetRow,
    BudgetRunRow,
    ChargeRow,
    ReservationRow,
    TaskRow,
)
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import InvalidParameterError, NotFoundError

RUNS, PERIODS, EVENTS = 100, 90, 100
_MANY = 100_000


def budget(tx: Tx, budget_id: str) -> Budget:
    """Return a budget.

    Raises:
        NotFoundError: there is none.
    """
    return _Assembly(tx).budget(_find(tx, budget_id))


def budget_detail(tx: Tx, budget_id: str) -> BudgetDetail:
    """Return a budget with the runs that draw on it, its former periods and what happened to it.

    Raises:
        NotFoundError: there is none.
    """
    row = _find(tx, budget_id)
    of_it = {"budget_id": budget_id}
    old = Find(equal=of_it, order=("period",), descending=True, limit=PERIODS)
    events = Find(equal=of_it, order=("sequence",), descending=True, limit=EVENTS)
    return BudgetDetail(
        budget=_Assembly(tx).budget(row),
        runs=_runs(tx, row),
        periods=[_period(found) for found in tx.find(BudgetPeriodRow, old)],
        events=[budget_event(found) for found in tx.find(BudgetEventRow, events)],
    )


def budgets(tx: Tx, *, scopes: Sequence[str], cursor: str | None, limit: int) -> BudgetList:
    """Return a page of budgets, by scope and value. scopes: of these; none: of all but single tasks.

    Raises:
        InvalidParameterError: the cursor is not one that this has given.
    """
    after = _read_cursor(cursor)
    wanted = list(scopes) or ["agent", "name", "project", "team"]
    found: list[BudgetRow] = []
    for scope in sorted(wanted):
        if after is None or after[0] < f"{scope};":  # the sign after the colon: all its keys come before
            found += _of_scope(tx, scope, after, limit + 1 - len(found))
        if len(found) > limit:
            break
    assembly = _Assembly(tx)
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    return BudgetList(
        budgets=[assembly.budget(row) for row in page],
        next_cursor=None if last is None else msgspec.json.encode([last.key, last.per]).decode(),
    )


def of_task(tx: Tx, task: TaskRow) -> list[Budget]:
    """Return the budgets that a task draws on, the nearest first: of itself, then of those that asked for it."""
    if not tx.find(BudgetRow, Find(limit=1)):
        return []
    newest = tx.find(
        BudgetRunRow, Find(equal={"task_id": task.id}, order=("began_at", "run_id"), descending=True, limit=1)
    )
    agent = task.agent or task.last_agent
    keys = [*(keys_in(newest[0]) if newest else []), *own_keys(task, agent), *behind(task, origins(tx, [task]))]
    ranks = {key: rank for rank, key in reversed(list(enumerate(keys)))}
    rows = sorted(find_budgets(tx, list(ranks)), key=lambda row: (ranks[row.key], row.per))
    assembly = _Assembly(tx)
    return [assembly.budget(row) for row in rows]


def holding(tx: Tx, task_ids: Sequence[str]) -> dict[str, BudgetRow]:
    """Return which budgets hold queued tasks back."""
    if not task_ids:
        return {}
    holds = tx.find(BudgetHoldRow, Find(one_of={"task_id": task_ids}, order=("task_id", "position"), limit=_MANY))
    ids = {row.budget_id for row in holds}
    rows = {row.id: row for row in tx.find(BudgetRow, Find(one_of={"id": ids}, limit=len(ids)))} if ids else {}
    return {row.task_id: rows[row.budget_id] for row in holds if row.budget_id in rows}


def used_up_for(tx: Tx, task: TaskRow) -> BudgetRow | None:
    """Return the used-up budget that will keep a task from being leased: one of its own, or of all who may take it."""
    if not tx.find(BudgetRow, Find(limit=1)):
        return None
    keys = [*own_keys(task, task.agent), *behind(task, origins(tx, [task]))]
    empty = {row.key: row for row in find_budgets(tx, keys) if used_up(row, tx.now)}
    if empty:
        return next(empty[key] for key in keys if key in empty)
    agents = {key_of("agent", row.agent) for row in tx.workers() if row.polled_until >= tx.now}
    spent = [row for row in find_budgets(tx, sorted(agents)) if used_up(row, tx.now)]
    return spent[0] if agents and {row.key for row in spent} == agents else None


def budget_event(row: BudgetEventRow) -> BudgetEvent:
    """Return something that happened to a budget."""
    scope, _, named = row.key.partition(":")
    return BudgetEvent(
        budget_id=row.budget_id,
        event=row.event,
        time=to_datetime(row.time),
        scope=scope,
        value=named,
        per=row.per,
        period=row.period,
        measure=row.measure,
        used=value(row.measure or "", row.used),
        limit=value(row.measure or "", row.budget_limit),
        task_id=row.task_id,
        by=row.by,
        reason=row.reason,
    )


def _find(tx: Tx, budget_id: str) -> BudgetRow:
    found = tx.find(BudgetRow, Find(equal={"id": budget_id}, limit=1))
    if not found:
        raise NotFoundError("budget", budget_id)
    return found[0]


def _of_scope(tx: Tx, scope: str, after: tuple[str, str] | None, limit: int) -> list[BudgetRow]:
    """Return budgets of a scope: keys from `scope:` on, up to where another scope would begin."""
    begin = (f"{scope}:", "") if after is None or after[0] < f"{scope}:" else after
    rows = tx.find(BudgetRow, Find(order=("key", "per"), after=begin, limit=limit))
    return [row for row in rows if row.key.startswith(f"{scope}:")]


class _Assembly:
    """Puts the budgets of one answer together; what they share is looked up once."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._running: dict[str, int] | None = None

    def budget(self, row: BudgetRow) -> Budget:
        """Return a budget in its present period, be it begun in the store or not."""
        is_new = is_over(row, self._tx.now)
        period, ends_at = period_at(row.per, row.zone, self._tx.now) if is_new else (row.period, row.ends_at)
        used = NOTHING if is_new else Amounts.of(row, "used")
        hard = limits_of(row) if is_new else hard_limits(row)
        state, measure = _state(row, used, hard)
        scope, _, named = row.key.partition(":")
        return Budget(
            id=row.id,
            scope=scope,  # type: ignore[arg-type]
            value=named,
            per=row.per,  # type: ignore[arg-type]
            zone=row.zone,
            definition=definition_of(row),
            limits=to_wire(hard),
            soft_limits=to_wire(soft_limits(row)),
            raised=BudgetLimits() if is_new else _raised(row),
            used=told(used),
            reserved=told(Amounts.of(row, "reserved")),
            state=state,
            grace_ms=row.grace_ms,
            finish=row.finish,
            created_at=to_datetime(row.created_at),
            updated_at=to_datetime(row.updated_at),
            period=period,
            reached=measure,
            resets_at=to_datetime(ends_at),
            running=self._counts().get(row.key, 0),
            waiting=self._tx.count(BudgetHoldRow, Find(equal={"budget_id": row.id})),
            set_by=row.set_by,
        )

    def _counts(self) -> dict[str, int]:
        if self._running is None:
            self._running = {}
            for run in running(self._tx):
                for key in keys_in(run):
                    self._running[key] = self._running.get(key, 0) + 1
        return self._running


def _state(row: BudgetRow, used: Amounts, hard: Any) -> tuple[Any, str | None]:
    if (measure := reached(used, hard)) is not None:
        return "hard", measure
    if (measure := reached(used, soft_limits(row))) is not None:
        return "soft", measure
    return "open", None


def _raised(row: BudgetRow) -> BudgetLimits:
    usd, tokens, wall_ms, tool_calls = (amount or None for amount in Amounts.of(row, "raised"))
    return to_wire((usd, tokens, wall_ms, tool_calls))


def _runs(tx: Tx, row: BudgetRow) -> list[BudgetRun]:
    """Return the newest runs that draw or drew on a budget."""
    charges: dict[str, Amounts] = {}
    for charge in tx.find(ChargeRow, Find(equal={"budget_id": row.id}, limit=_MANY)):
        before = charges.get(charge.run_id, NOTHING)
        charges[charge.run_id] = before.plus(Amounts.of(charge, "used"))
    ids = {*charges, *(run.run_id for run in running(tx) if row.key in keys_in(run))}
    query = Find(one_of={"run_id": ids}, order=("began_at", "run_id"), descending=True, limit=RUNS)
    runs = tx.find(BudgetRunRow, query) if ids else []
    left = _left(tx, [run.run_id for run in runs])
    return [
        BudgetRun(
            run_id=run.run_id,
            used=told(charges.get(run.run_id, NOTHING)),
            reserved=told(left.get(run.run_id, NOTHING)),
            began_at=to_datetime(run.began_at),
            task_id=run.task_id,
            attempt=run.attempt or None,
            agent=run.agent,
            ended_at=None if run.task_id is None else to_datetime(run.ended_at),
        )
        for run in runs
    ]


def _left(tx: Tx, run_ids: Sequence[str]) -> dict[str, Amounts]:
    found: dict[str, Amounts] = {}
    if run_ids:
        for row in tx.find(ReservationRow, Find(one_of={"run_id": run_ids}, limit=_MANY)):
            found[row.run_id] = found.get(row.run_id, NOTHING).plus(Amounts.of(row, "left"))
    return found


def _period(row: BudgetPeriodRow) -> BudgetPeriod:
    state = "hard" if row.hard_at is not None else "soft" if row.soft_at is not None else "open"
    return BudgetPeriod(
        period=row.period,
        used=told(Amounts.of(row, "used")),
        limits=to_wire(limits_of(row)),
        state=state,  # type: ignore[arg-type]
        ended_at=to_datetime(row.ended_at),
    )


def _read_cursor(cursor: str | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(cursor, type=tuple[str, str])
    except msgspec.DecodeError as error:
        raise InvalidParameterError("cursor", cursor, "use next_cursor of the page before") from error
