"""Budgets of one transaction: found by their keys, turned over when their period is over, charged with usage."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from milepost_collector.controller.engine.budgets.amounts import (
    NOTHING,
    Amounts,
    hard_limits,
    of_limit,
    reached,
    soft_limits,
)
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import (
    BudgetEventRow,
    BudgetPeriodRow,
    BudgetRow,
    BudgetRunRow,
    ChargeRow,
    Row,
)
from milepost_collector.controller.store.interface import Find, Tx

MOST = 10_000  # budgets, or charges, looked at in one transaction


class Ledger:
    """Locked budgets, changed in memory and written by `flush`."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._tx = unit.tx
        self.budgets: dict[str, BudgetRow] = {}
        self._changed: dict[str, BudgetRow] = {}
        self._charges: dict[tuple[str, str, str], ChargeRow] = {}
        self._charged: dict[tuple[str, str, str], ChargeRow] = {}
        self._other: list[Row] = []

    def lock_keys(self, keys: Collection[str]) -> list[BudgetRow]:
        """Return the budgets of keys, locked, in their present periods."""
        return self._take(find_budgets(self._tx, keys, lock=True))

    def lock_ids(self, ids: Collection[str]) -> list[BudgetRow]:
        """Return budgets by id, locked, in their present periods; those that are gone are left out."""
        missing = [budget_id for budget_id in ids if budget_id not in self.budgets]
        if missing:
            query = Find(one_of={"id": missing}, order=("id",), limit=MOST)
            self._take(self._tx.find(BudgetRow, query, lock=True))
        return [self.budgets[budget_id] for budget_id in ids if budget_id in self.budgets]

    def _take(self, rows: Iterable[BudgetRow]) -> list[BudgetRow]:
        taken = []
        for row in rows:
            known = self.budgets.setdefault(row.id, row)
            if is_over(known, self._unit.now):
                self._turn_over(known)
            taken.append(known)
        return taken

    def change(self, row: BudgetRow) -> None:
        """Note that a budget was changed."""
        self._changed[row.id] = row

    def note(self, row: Row) -> None:
        """Write a new row at the end."""
        self._other.append(row)

    def charge(self, runs: Iterable[tuple[BudgetRunRow, Collection[BudgetRow]]]) -> None:
        """Have what runs used, in all, counted once in each of their budgets."""
        wanted = [(run, list(rows)) for run, rows in runs]
        self._load_charges([run.run_id for run, rows in wanted if rows])
        for run, rows in wanted:
            used = Amounts.of(run, "used")
            for row in rows:
                self._charge_one(run, row, used)

    def _charge_one(self, run: BudgetRunRow, row: BudgetRow, used: Amounts) -> None:
        counted = [charge for key, charge in self._charges.items() if key[:2] == (row.id, run.run_id)]
        before = NOTHING
        for charge in counted:
            before = before.plus(Amounts.of(charge, "used"))
        more = used.minus(before)
        if more == NOTHING:
            return
        self._add(run, row, more.most(NOTHING))
        self._take_back(row, counted, more.least(NOTHING))

    def _add(self, run: BudgetRunRow, row: BudgetRow, more: Amounts) -> None:
        if more == NOTHING:
            return
        key = (row.id, run.run_id, row.period)
        charge = self._charges.get(key)
        if charge is None:
            charge = ChargeRow(budget_id=row.id, run_id=run.run_id, period=row.period, task_id=run.task_id)
        self._count(charge, more)
        Amounts.of(row, "used").plus(more).put(row, "used")
        self.change(row)

    def _take_back(self, row: BudgetRow, counted: Iterable[ChargeRow], less: Amounts) -> None:
        """Correct what was counted too much, the newest period first: there it was counted last."""
        for charge in sorted(counted, key=lambda charge: charge.period, reverse=True):
            if less == NOTHING:
                return
            part = less.most(NOTHING.minus(Amounts.of(charge, "used")))
            self._count(charge, part)
            less = less.minus(part)
            if charge.period == row.period:
                Amounts.of(row, "used").plus(part).put(row, "used")
                self.change(row)
            else:
                self._correct_period(row, charge.period, part)

    def _correct_period(self, row: BudgetRow, period: str, part: Amounts) -> None:
        for old in self._tx.find(BudgetPeriodRow, Find(equal={"budget_id": row.id, "period": period})):
            Amounts.of(old, "used").plus(part).most(NOTHING).put(old, "used")
            self._tx.update([old])

    def _count(self, charge: ChargeRow, more: Amounts) -> None:
        Amounts.of(charge, "used").plus(more).put(charge, "used")
        key = (charge.budget_id, charge.run_id, charge.period)
        self._charges[key] = self._charged[key] = charge

    def _load_charges(self, run_ids: Collection[str]) -> None:
        if not run_ids:
            return
        query = Find(one_of={"run_id": run_ids}, order=("budget_id", "run_id", "period"), limit=MOST)
        for charge in self._tx.find(ChargeRow, query):
            self._charges.setdefault((charge.budget_id, charge.run_id, charge.period), charge)

    def _turn_over(self, row: BudgetRow) -> None:
        """End a period that is over, and begin the one of now."""
        old = BudgetPeriodRow(
            budget_id=row.id,
            period=row.period,
            ended_at=row.ends_at or self._unit.now,
            task_id=row.task_id,
            soft_at=row.soft_at,
            hard_at=row.hard_at,
        )
        Amounts.of(row, "used").put(old, "used")
        for name, limit in zip(Amounts._fields, hard_limits(row), strict=True):
            setattr(old, f"limit_{name}", limit)
        was_soft = row.soft_at is not None
        NOTHING.put(row, "used")
        NOTHING.put(row, "raised")
        row.soft_at = row.hard_at = None
        self._ease(row)
        row.period, row.ends_at = period_at(row.per, row.zone, self._unit.now)
        self.change(row)
        self._other.append(old)
        if was_soft:
            self._other.append(event(self._unit, row, "reset"))

    def _ease(self, row: BudgetRow) -> None:
        """Note that there may be more left of a budget than there was."""
        row.eased_at = self._unit.now
        self._unit.eased_budgets.add(row.id)

    def mark(self) -> None:
        """Note which limits have been reached, once per period each, or are not any more."""
        for row in self.budgets.values():
            used = Amounts.of(row, "used")
            if row.soft_at is None and (measure := reached(used, soft_limits(row))) is not None:
                row.soft_at = self._unit.now
                self.change(row)
                self._other.append(reaching(self._unit, row, "soft", measure))
            measure = reached(used, hard_limits(row))
            if row.hard_at is None and measure is not None:
                row.hard_at = self._unit.now
                self.change(row)
                self._other.append(reaching(self._unit, row, "hard", measure))
            elif row.hard_at is not None and measure is None:
                row.hard_at = None
                self._unit.eased_budgets.add(row.id)
                self.change(row)

    def flush(self) -> None:
        """Write what has changed."""
        self.mark()
        if self._changed:
            self._tx.update(list(self._changed.values()))
        if self._charged:
            self._tx.upsert(list(self._charged.values()))
        periods = [row for row in self._other if isinstance(row, BudgetPeriodRow)]
        others = [row for row in self._other if not isinstance(row, BudgetPeriodRow)]
        if periods:
            self._tx.upsert(periods)
        if others:
            self._tx.insert(others)
            self._unit.effects.changed = True
        self._changed, self._charged, self._other = {}, {}, []


def find_budgets(tx: Tx, keys: Collection[str], *, lock: bool = False) -> list[BudgetRow]:
    """Return the budgets of keys, by id."""
    if not keys:
        return []
    return tx.find(BudgetRow, Find(one_of={"key": keys}, order=("id",), limit=MOST), lock=lock)


def is_over(row: BudgetRow, now: int) -> bool:
    """Tell whether a budget's period, as stored, is over."""
    return row.ends_at is not None and row.ends_at <= now


def used_up(row: BudgetRow, now: int) -> str | None:
    """Return the measure of which nothing is left now, if there is one."""
    return None if is_over(row, now) else reached(Amounts.of(row, "used"), hard_limits(row))


def period_at(per: str, zone: str, now: int) -> tuple[str, int | None]:
    """Return the name of the period at an instant, and when it ends; in milliseconds since the Unix epoch."""
    if per == "total":
        return "", None
    local = datetime.fromtimestamp(now / 1_000, ZoneInfo(zone))
    following = local.date() + timedelta(days=1)
    begin = datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(zone))
    ends_at = int(begin.astimezone(UTC).timestamp() * 1_000)
    while datetime.fromtimestamp(ends_at / 1_000, ZoneInfo(zone)).date() < following:
        ends_at += 60_000  # midnight is skipped by a clock change: the day begins with the first minute there is
    return local.date().isoformat(), max(ends_at, now + 1)


def described(row: BudgetRow | BudgetEventRow) -> str:
    """Return a budget's name for people: `agent amy per day`."""
    scope, _, value = row.key.partition(":")
    what = "the project" if scope == "project" else f"{scope} {value}"
    return f"{what} per day" if row.per == "day" else what


def standing(row: BudgetRow, measure: str) -> str:
    """Return how a budget stands, for people: `$4.10 of $4 used`."""
    place = Amounts._fields.index(measure)
    limit = hard_limits(row)[place]
    return f"{of_limit(measure, Amounts.of(row, 'used')[place], limit or 0)} used"


def event(unit: Unit, row: BudgetRow, name: str, *, by: str | None = None, reason: str = "") -> BudgetEventRow:
    """Return a line of what happens to a budget."""
    return BudgetEventRow(
        budget_id=row.id,
        key=row.key,
        per=row.per,
        event=name,
        time=unit.now,
        period=row.period,
        task_id=row.task_id,
        by=by,
        reason=reason,
    )


def reaching(unit: Unit, row: BudgetRow, name: str, measure: str) -> BudgetEventRow:
    """Return the line that tells that a limit was reached."""
    place = Amounts._fields.index(measure)
    limits = soft_limits(row) if name == "soft" else hard_limits(row)
    told = event(unit, row, name, reason=f"budget of {described(row)}: {standing(row, measure)}")
    told.measure, told.used, told.budget_limit = measure, Amounts.of(row, "used")[place], limits[place]
    return told
