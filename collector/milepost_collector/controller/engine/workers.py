"""Workers: they register, poll for attempts and commands, and go away."""

from __future__ import annotations

import random

from milepost.wire.worker import (
    Command,
    Held,
    PollAnswer,
    PollRequest,
    RegisterAnswer,
    RegisterRequest,
)
from milepost_collector.controller.engine.choosing import Chooser
from milepost_collector.controller.engine.claim import claim, hand_over
from milepost_collector.controller.engine.outcomes import yield_lease
from milepost_collector.controller.engine.teams import abilities, text_of
from milepost_collector.controller.engine.unit import Unit, names_in
from milepost_collector.controller.rows import AgentRow, AssignmentRow, WorkerRow
from milepost_collector.controller.store.interface import Polling
from milepost_collector.errors import NotFoundError

MAX_WAIT_MS = 20_000  # of one poll; proxies tend to cut connections that are silent for 30 s
_SEEN_EVERY_MS = 2_000  # a poll that changes nothing is written down no more often than that
_MARGIN_MS = 5_000  # beyond its next poll before a worker counts as gone


def register(unit: Unit, request: RegisterRequest, worker_id: str, max_value_bytes: int) -> RegisterAnswer:
    """Make a worker known; its agent takes over the names that it handles."""
    teams, tasks = sorted(set(request.teams)), sorted(set(request.tasks))
    known = unit.tx.agent(request.agent) or AgentRow(name=request.agent)
    known.teams, known.tasks, known.last_poll_at = text_of(teams), text_of(tasks), unit.now
    known.capabilities, known.labels = text_of(sorted(set(request.capabilities))), text_of(request.labels)
    unit.tx.upsert([known])
    unit.tx.insert(
        [
            WorkerRow(
                id=worker_id,
                agent=request.agent,
                concurrency=request.concurrency,
                tasks=text_of(tasks),
                teams=text_of(sorted({*teams, *names_in(known.joined)})),
                abilities=text_of(abilities(known)),
                any_task=request.any,
                started_at=unit.now,
                last_poll_at=unit.now,
                polled_until=unit.now + MAX_WAIT_MS + _MARGIN_MS,
                host_name=request.host_name,
                process_id=request.process_id,
                sdk_version=request.sdk_version,
            )
        ]
    )
    return RegisterAnswer(worker_id=worker_id, max_wait_ms=MAX_WAIT_MS, max_value_bytes=max_value_bytes)


def unregister(unit: Unit, worker_id: str) -> None:
    """Forget a worker; what it still holds goes back to the queue."""
    worker = unit.tx.worker(worker_id)
    if worker is None:
        return
    for row in _loaded(unit, unit.tx.held_by(worker_id)):
        yield_lease(unit, unit.tasks[row.task_id], row, "its worker went away and handed it back")
    unit.tx.delete([worker])


def poll(unit: Unit, request: PollRequest, chance: random.Random, chooser: Chooser) -> PollAnswer:
    """Renew a worker's leases, tell it what to stop, and hand it work for its free slots.

    Raises:
        NotFoundError: the worker is not known.
    """
    polling = unit.tx.polling(request.worker_id)
    if polling is None:
        raise NotFoundError("worker", request.worker_id)
    worker = polling.worker
    leases = {(row.task_id, row.attempt): row for row in unit.tx.held_by(worker.id)}
    held = {(item.task_id, item.attempt): item for item in request.held}
    adopted, lost = _adopt(unit, worker, [item for key, item in held.items() if key not in leases])
    leases |= adopted
    _note_started(unit, leases, held)
    _renew(unit, worker, [row for key, row in leases.items() if key in held])
    again = [row for key, row in leases.items() if key not in held]
    fresh = _claim_free(unit, polling, request, len(leases), chance, chooser)
    again = _loaded(unit, again)
    commands = [_command(row) for key, row in leases.items() if key in held and row.stop is not None]
    answer = PollAnswer(
        leases=hand_over(unit.tx, [*again, *fresh], unit.tasks) if again or fresh else [],
        commands=[*commands, *lost],
        poll_within_ms=_poll_within([*leases.values(), *fresh]),
    )
    _seen(unit, worker, request.draining, answer.poll_within_ms, served=bool(fresh))
    return answer


def _claim_free(
    unit: Unit, polling: Polling, request: PollRequest, held: int, chance: random.Random, chooser: Chooser
) -> list[AssignmentRow]:
    slots = polling.worker.concurrency - held
    if slots <= 0 or request.draining or polling.is_paused:
        return []
    return claim(unit, polling, slots, chance, chooser)


def _adopt(
    unit: Unit, worker: WorkerRow, items: list[Held]
) -> tuple[dict[tuple[str, int], AssignmentRow], list[Command]]:
    """Take over leases that this process had under an earlier worker id; tell which are lost.

    The attempt number is what fences: whoever holds the newest one is its worker.
    """
    if not items:
        return {}, []
    unit.load([item.task_id for item in items])
    adopted, lost = {}, []
    for item in items:
        known = unit.assignments.get(item.task_id, ())
        rows = [row for row in known if row.state == "leased" and row.attempt == item.attempt]
        for row in rows:
            adopted[item.task_id, item.attempt] = row
            row.worker_id = worker.id
            unit.change_assignment(row)
        if not rows:
            lost.append(Command(kind="lost", task_id=item.task_id, attempt=item.attempt, reason="the lease is over"))
    return adopted, lost


def _note_started(unit: Unit, leases: dict[tuple[str, int], AssignmentRow], held: dict[tuple[str, int], Held]) -> None:
    begun = [row for key, row in leases.items() if key in held and held[key].started and row.started_at is None]
    for row in _loaded(unit, begun):
        start(unit, row, held[row.task_id, row.attempt].age_ms)


def start(unit: Unit, row: AssignmentRow, age_ms: int = 0) -> None:
    """Note that the code of a leased attempt runs, and has for so long."""
    task = unit.tasks[row.task_id]
    row.started_at = row.moved_at = max(unit.now - age_ms, row.leased_at or 0)
    unit.change_assignment(row)
    unit.move(task, "started", "in_progress", assignment=row)


def _renew(unit: Unit, worker: WorkerRow, rows: list[AssignmentRow]) -> None:
    """Prolong leases that have used up a quarter of their time: not each poll is worth a write."""
    due = [
        row
        for row in rows
        if row.expires_at is not None and row.lease_ms is not None and row.expires_at - unit.now < row.lease_ms * 3 // 4
    ]
    for row in _loaded(unit, due):
        assert row.lease_ms is not None
        row.expires_at = unit.now + row.lease_ms
        unit.change_assignment(row)


def _loaded(unit: Unit, rows: list[AssignmentRow]) -> list[AssignmentRow]:
    """Return the unit's own copies of leases, with their tasks loaded; those that have ended meanwhile are left out."""
    task_ids = dict.fromkeys(row.task_id for row in rows)
    unit.load(task_ids)
    wanted = {(row.task_id, row.attempt) for row in rows}
    own = [row for task_id in task_ids for row in unit.assignments.get(task_id, ())]
    return [row for row in own if row.state == "leased" and (row.task_id, row.attempt) in wanted]


def _poll_within(leases: list[AssignmentRow]) -> int:
    shortest = min((row.lease_ms for row in leases if row.lease_ms is not None), default=3 * MAX_WAIT_MS)
    return min(MAX_WAIT_MS, shortest // 3)


def _seen(unit: Unit, worker: WorkerRow, draining: bool, within_ms: int, *, served: bool) -> None:
    """Note that a worker polled, unless what is stored says nearly the same: workers of an agent share its row."""
    until = unit.now + within_ms + _MARGIN_MS
    is_new = unit.now - worker.last_poll_at >= _SEEN_EVERY_MS or abs(until - worker.polled_until) >= _SEEN_EVERY_MS
    if not is_new and draining == worker.draining:
        return
    worker.last_poll_at, worker.polled_until, worker.draining = unit.now, until, draining
    unit.tx.update([worker])
    unit.tx.note_poll(worker.agent, served=served)


def _command(row: AssignmentRow) -> Command:
    return Command(
        kind="cancel" if row.stop == "cancel" else "pause",
        task_id=row.task_id,
        attempt=row.attempt,
        reason=row.stop_reason or "",
    )
