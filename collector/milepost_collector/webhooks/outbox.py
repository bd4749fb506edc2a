"""From the controller's logs to deliveries: read in a snapshot, written in one transaction with the position.

So nothing that is logged is left out, and nothing becomes two deliveries to one webhook, wherever a process is killed
and however many collectors follow the same store: who finds that the position has been moved on begins again there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

from milepost_collector.controller.rows import (
    AskEventRow,
    AskRow,
    BudgetEventRow,
    DeliverableRow,
    DeliveryRow,
    InstantRow,
    PositionRow,
    TaskRow,
    TransitionRow,
    WebhookRow,
)
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.webhooks.events import (
    Happening,
    of_ask,
    of_budget,
    of_deliverable,
    of_instant,
    of_transition,
    transition_type,
)
from milepost_collector.webhooks.subscriptions import Subscription, delivery, wanted_types

FOLLOWER = "webhooks"
LOGS = "logs"  # of tasks, schedules, asks, deliverables and budgets
FOLLOWED = ("active", "paused")  # a disabled webhook is told nothing of what happens meanwhile
AT_ONCE = 1_000  # rows of a log

NewId = Callable[[int], str]


class Place(Struct, kw_only=True, frozen=True):
    """How far each log has been followed."""

    transitions: str = ""
    instants: str = ""
    asks: str = ""
    deliverables: str = ""
    budgets: str = ""


class Stretch(NamedTuple):
    """What a stretch of the logs comes to. reached: where it ends. more: there may be more already."""

    deliveries: list[DeliveryRow]
    reached: str
    more: bool


def subscriptions(tx: Tx) -> list[Subscription]:
    """Return what the webhooks want that are told."""
    rows = tx.find(WebhookRow, Find(one_of={"status": FOLLOWED}, order=("id",)))
    return [Subscription.of(row) for row in rows]


def position_of(tx: Tx, source: str, *, lock: bool = False) -> str | None:
    """Return how far something has been followed; None: nobody has begun."""
    found = tx.find(PositionRow, Find(equal={"follower": FOLLOWER, "source": source}), lock=lock)
    return found[0].position if found else None


def begin(tx: Tx) -> None:
    """Follow the logs from their ends on, unless somebody is told of them already."""
    if not tx.count(WebhookRow, Find(one_of={"status": FOLLOWED})):
        followed = (TransitionRow, InstantRow, AskEventRow, DeliverableRow, BudgetEventRow)
        ends = (tx.log_end(row) for row in followed)
        place = Place(**dict(zip(Place.__struct_fields__, ends, strict=True)))
        tx.upsert([PositionRow(follower=FOLLOWER, source=LOGS, position=_encode(place))])


def read_logs(tx: Tx, position: str, new_id: NewId) -> Stretch | None:
    """Return the deliveries of what was logged after a position; None: there is nobody to tell."""
    found = subscriptions(tx)
    if not found:
        return None
    place = msgspec.json.decode(position, type=Place)
    transitions, transitions_reached = tx.transitions_after(place.transitions, AT_ONCE)
    instants, instants_reached = tx.instants_after(place.instants, AT_ONCE)
    asks, asks_reached = tx.ask_events_after(place.asks, AT_ONCE)
    deliverables, deliverables_reached = tx.deliverables_after(place.deliverables, AT_ONCE)
    budgets, budgets_reached = tx.budget_events_after(place.budgets, AT_ONCE)
    typed = [(kind, row) for row in transitions if (kind := transition_type(row)) and wanted_types(found, kind)]
    happened = [
        *_of_tasks(tx, typed),
        *_of_schedules(tx, [row for row in instants if wanted_types(found, f"schedule.{row.status}")]),
        *_of_asks(tx, [row for row in asks if wanted_types(found, f"ask.{row.event}")]),
        *_of_deliverables(tx, deliverables if wanted_types(found, "deliverable.attached") else []),
        *_of_budgets(tx, [row for row in budgets if wanted_types(found, f"budget.{row.event}")]),
    ]
    reached = Place(
        transitions=transitions_reached,
        instants=instants_reached,
        asks=asks_reached,
        deliverables=deliverables_reached,
        budgets=budgets_reached,
    )
    read = (transitions, instants, asks, deliverables, budgets)
    return Stretch(
        list(deliveries(happened, found, tx.now, new_id)),
        _encode(reached),
        more=any(len(rows) == AT_ONCE for rows in read),
    )


def deliveries(
    happened: Sequence[Happening], wanted: Sequence[Subscription], now: int, new_id: NewId
) -> Iterator[DeliveryRow]:
    """Yield a delivery for every webhook that wants an event; they share the event's id."""
    for happening in happened:
        event_id = None
        for subscription in wanted:
            if subscription.wants(happening):
                event_id = event_id or f"evt_{new_id(now)}"
                yield delivery(new_id(now), event_id, subscription.webhook_id, happening, now)


def write(tx: Tx, source: str, expected: str, stretch: Stretch) -> bool:
    """Write deliveries with the position they lead to; False, and nothing, if the position is not the expected one."""
    if position_of(tx, source, lock=True) != expected:
        return False
    with tx.together():
        tx.update([PositionRow(follower=FOLLOWER, source=source, position=stretch.reached)])
        if stretch.deliveries:
            tx.insert(stretch.deliveries)
    return True


def _of_tasks(tx: Tx, rows: Sequence[tuple[str, TransitionRow]]) -> Iterator[Happening]:
    tasks = _tasks(tx, {row.task_id for _, row in rows})
    return (of_transition(kind, row, tasks.get(row.task_id)) for kind, row in rows)


def _of_schedules(tx: Tx, rows: Sequence[InstantRow]) -> Iterator[Happening]:
    schedules = {schedule_id: tx.schedule(schedule_id, lock=False) for schedule_id in {row.schedule_id for row in rows}}
    names = {schedule_id: row.name for schedule_id, row in schedules.items() if row is not None}
    return (of_instant(row, names.get(row.schedule_id)) for row in rows)


def _of_asks(tx: Tx, rows: Sequence[AskEventRow]) -> Iterator[Happening]:
    ids = {row.ask_id for row in rows}
    asks = {ask.id: ask for ask in tx.find(AskRow, Find(one_of={"id": ids}))} if ids else {}
    tasks = _tasks(tx, {row.task_id for row in rows if row.task_id})
    return (of_ask(row, asks.get(row.ask_id), tasks.get(row.task_id or "")) for row in rows)


def _of_deliverables(tx: Tx, rows: Sequence[DeliverableRow]) -> Iterator[Happening]:
    tasks = _tasks(tx, {row.task_id for row in rows if row.task_id})
    return (of_deliverable(row, tasks.get(row.task_id or "")) for row in rows)


def _of_budgets(tx: Tx, rows: Sequence[BudgetEventRow]) -> Iterator[Happening]:
    tasks = _tasks(tx, {row.task_id for row in rows if row.task_id})
    return (of_budget(row, tasks.get(row.task_id or "")) for row in rows)


def _tasks(tx: Tx, ids: set[str]) -> dict[str, TaskRow]:
    return {**tx.finished(ids, lock=False), **tx.tasks(ids, lock=False)} if ids else {}


def _encode(place: Place) -> str:
    return msgspec.json.encode(place).decode()
