"""Grants: an attempt reserves before it spends, and is refused what would exceed any budget that it draws on.

What a run uses is taken from its oldest reservations first, so that nothing counts as used and reserved at once. A
reservation is given back when the telemetry of what was spent on it has been acknowledged; it is free with the next
reading of the run's totals, which knows all of that. The reservations of an attempt that has ended are free when the
end of its run is recorded. Telemetry that does not come keeps nothing for longer than `SETTLE_MS`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
from msgspec import Struct

from milepost.wire.budgets import BudgetLeft, ReserveRequest
from milepost_collector.controller.engine.budgets.amounts import (
    NANO,
    NOTHING,
    Amounts,
    Limits,
    exceeded,
    figure,
    hard_limits,
    least,
    left,
    limits_of,
    spoken,
)
from milepost_collector.controller.engine.budgets.ledger import Ledger, described, find_budgets, is_over, used_up
from milepost_collector.controller.engine.budgets.lineage import PROJECT, key_of, keys_in, lineage_text
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import BudgetRow, BudgetRunRow, BudgetTurnRow, ReservationRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import BudgetExceededError

SETTLE_MS = 30_000
PLAIN_RUN_MS = 86_400_000  # so long is a run without a task known to draw on budgets, from when it last reserved
MOST_PER_RUN = 1_000  # reservations of a run at a time


class Refusal(Struct, kw_only=True, frozen=True):
    """Why a reservation is not granted. waits: there would be enough if others used nothing of what they reserved."""

    reason: str
    budget_id: str | None = None
    waits: bool = False


def find_run(tx: Tx, run_id: str) -> BudgetRunRow | None:
    """Return a run that draws on budgets."""
    found = tx.find(BudgetRunRow, Find(equal={"run_id": run_id}, limit=1))
    return found[0] if found else None


def reserve(unit: Unit, run: BudgetRunRow, number: int, asked: Amounts, expires_ms: int) -> Refusal | None:
    """Grant a run so much more, in all its budgets or in none; return why not. Repeated, it grants nothing twice."""
    known = _of_runs(unit.tx, [run.run_id])
    if any(row.number == number for row in known):
        return None
    if len(known) >= MOST_PER_RUN:
        return Refusal(reason=f"the run has {MOST_PER_RUN} reservations; give some back first")
    ledger = Ledger(unit)
    budgets = ledger.lock_keys(keys_in(run))
    turn = _turn(unit.tx, run) if run.finishing else None
    refusal = None if turn is None else _beyond_turn(run, known, asked, turn)
    for row in budgets:
        refusal = refusal or _beyond(unit, row, asked, finishing=turn is not None)
    if refusal is None:
        for row in budgets:
            Amounts.of(row, "reserved").plus(asked).put(row, "reserved")
            ledger.change(row)
        ledger.note(_reservation(unit, run, number, asked, expires_ms, budgets))
    ledger.flush()
    return refusal


def _reservation(
    unit: Unit, run: BudgetRunRow, number: int, asked: Amounts, expires_ms: int, budgets: Iterable[BudgetRow]
) -> ReservationRow:
    row = ReservationRow(
        run_id=run.run_id,
        number=number,
        budgets=msgspec.json.encode([budget.id for budget in budgets]).decode(),
        created_at=unit.now,
        free_at=unit.now + expires_ms,
        task_id=run.task_id,
    )
    asked.put(row, "left")
    return row


def _beyond(unit: Unit, row: BudgetRow, asked: Amounts, *, finishing: bool) -> Refusal | None:
    """Return why a budget does not allow it. In its last turn a task goes beyond what is used up already."""
    if finishing and used_up(row, unit.now):
        return None
    used, limits = Amounts.of(row, "used"), hard_limits(row)
    measure = exceeded(used.plus(Amounts.of(row, "reserved")), asked, limits)
    if measure is None:
        return None
    place = Amounts._fields.index(measure)
    reserved = Amounts.of(row, "reserved")[place]
    text = (
        f"budget of {described(row)}: {figure(measure, asked[place])} asked for, {figure(measure, used[place])} used "
        f"and {figure(measure, reserved)} reserved of {spoken(measure, limits[place] or 0)}; "
        "ask for less, or have it raised"
    )
    return Refusal(reason=text, budget_id=row.id, waits=exceeded(used, asked, limits) is None)


def _beyond_turn(
    run: BudgetRunRow, known: Sequence[ReservationRow], asked: Amounts, turn: BudgetTurnRow
) -> Refusal | None:
    used = Amounts.of(run, "used")
    for row in known:
        used = used.plus(Amounts.of(row, "left"))
    measure = exceeded(used, asked, limits_of(turn))
    if measure is None:
        return None
    limit = limits_of(turn)[Amounts._fields.index(measure)] or 0
    reason = f"the turn to finish may use {spoken(measure, limit)}; hand back what there is"
    return Refusal(reason=reason, budget_id=turn.budget_id)


def for_plain_run(unit: Unit, request: ReserveRequest) -> BudgetLeft:
    """Reserve for a run that no task stands behind, or give that back. From the first time on its usage counts.

    Raises:
        BudgetExceededError: a budget does not allow it.
    """
    run = find_run(unit.tx, request.run_id)
    until = unit.now + max(request.expires_ms, PLAIN_RUN_MS)
    if run is None:
        keys = [key_of("agent", request.agent)] if request.agent else []
        run = BudgetRunRow(
            run_id=request.run_id,
            lineage=lineage_text([*keys, PROJECT], ()),
            began_at=unit.now,
            agent=request.agent,
            ended_at=until,
        )
        unit.tx.insert([run])
        unit.effects.metered.add(run.run_id)
    elif run.task_id is None:
        run.ended_at = until
        unit.tx.update([run])
    if request.release:
        release(unit, run.run_id, request.number)
    else:
        asked = Amounts(usd=round(request.usd * NANO), tokens=request.tokens, tool_calls=request.tool_calls)
        refusal = reserve(unit, run, request.number, asked, request.expires_ms)
        if refusal is not None:
            raise BudgetExceededError(refusal.reason, refusal.budget_id, waits=refusal.waits)
    return left_of(unit.tx, run.run_id) or BudgetLeft()


def release(unit: Unit, run_id: str, number: int | None = None) -> None:
    """Have a run's reservation freed once what was spent on it is known; without a number all of them, as it ended."""
    rows = [row for row in _of_runs(unit.tx, [run_id]) if number in (None, row.number)]
    for row in rows:
        row.free_at = min(row.free_at, unit.now + SETTLE_MS)
        if number is not None and row.released_at is None:
            row.released_at = unit.now
    if rows:
        unit.tx.update(rows)
        unit.effects.metered.add(run_id)


def settle(unit: Unit, ledger: Ledger, run_ids: Collection[str], ended: Collection[str], as_of: int) -> None:
    """Free what nothing more will be counted against: reservations given back before the totals were read, and all of
    runs whose end is among them."""
    rows = [
        row
        for row in _of_runs(unit.tx, run_ids)
        if row.run_id in ended or (row.released_at is not None and row.released_at <= as_of)
    ]
    for row in rows:
        _give_back(ledger, row, Amounts.of(row, "left"))
    if rows:
        unit.tx.delete(rows)


def absorb(unit: Unit, ledger: Ledger, more: dict[str, Amounts]) -> None:
    """Take what runs used anew from what they have reserved. more: by run."""
    spent = {run_id: amounts for run_id, amounts in more.items() if amounts.most(NOTHING) != NOTHING}
    changed: list[ReservationRow] = []
    gone: list[ReservationRow] = []
    for row in _of_runs(unit.tx, spent):
        before = Amounts.of(row, "left")
        part = before.least(spent[row.run_id].most(NOTHING))
        if part == NOTHING:
            continue
        spent[row.run_id] = spent[row.run_id].minus(part)
        before.minus(part).put(row, "left")
        _give_back(ledger, row, part)
        (gone if before == part else changed).append(row)
    if changed:
        unit.tx.update(changed)
    if gone:
        unit.tx.delete(gone)


def free_due(unit: Unit, ledger: Ledger, limit: int) -> bool:
    """Free reservations whose time is over; tell whether there may be more."""
    rows = unit.tx.find(ReservationRow, Find(before={"free_at": unit.now + 1}, order=("free_at",), limit=limit))
    ledger.lock_ids(sorted({budget_id for row in rows for budget_id in _budgets(row)}))
    for row in rows:
        _give_back(ledger, row, Amounts.of(row, "left"))
    if rows:
        unit.tx.delete(rows)
    return len(rows) == limit


def left_of(tx: Tx, run_id: str | None) -> BudgetLeft | None:
    """Return what a run may still use, over all its budgets; None: it draws on none."""
    run = None if run_id is None else find_run(tx, run_id)
    if run is None:
        return None
    turn = _turn(tx, run) if run.finishing else None
    found: Limits = (None, None, None, None)
    for row in find_budgets(tx, keys_in(run)):
        if not (turn is not None and used_up(row, tx.now)):
            found = least(found, _left_in(row, tx.now))
    if turn is not None:
        found = least(found, left(Amounts.of(run, "used"), limits_of(turn)))
    usd, tokens, wall_ms, tool_calls = found
    return BudgetLeft(
        usd=None if usd is None else usd / NANO,
        tokens=tokens,
        wall_ms=wall_ms,
        tool_calls=tool_calls,
        finishing=bool(run.finishing),
    )


def _left_in(row: BudgetRow, now: int) -> Limits:
    reserved = Amounts.of(row, "reserved")
    if is_over(row, now):
        return left(reserved, limits_of(row))
    return left(Amounts.of(row, "used").plus(reserved), hard_limits(row))


def _give_back(ledger: Ledger, row: ReservationRow, part: Amounts) -> None:
    for budget in ledger.lock_ids(_budgets(row)):
        Amounts.of(budget, "reserved").minus(part).put(budget, "reserved")
        ledger.change(budget)


def _budgets(row: ReservationRow) -> list[str]:
    return msgspec.json.decode(row.budgets, type=list[str])


def _of_runs(tx: Tx, run_ids: Iterable[str]) -> list[ReservationRow]:
    ids = list(run_ids)
    if not ids:
        return []
    query = Find(one_of={"run_id": ids}, order=("run_id", "number"), limit=len(ids) * MOST_PER_RUN)
    return tx.find(ReservationRow, query, lock=True)


def _turn(tx: Tx, run: BudgetRunRow) -> BudgetTurnRow | None:
    found = tx.find(BudgetTurnRow, Find(equal={"task_id": run.task_id}, limit=1))
    return found[0] if found else None
