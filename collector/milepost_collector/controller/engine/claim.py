"""Ready assignments become leases: chosen by order and limits, numbered, and handed over with all an agent needs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec

from milepost.wire.tasks import PRIORITIES
from milepost.wire.worker import StepMemory, TaskLease
from milepost_collector.controller.engine import asks
from milepost_collector.controller.engine.budgets.gate import Gate
from milepost_collector.controller.engine.budgets.reservations import left_of
from milepost_collector.controller.engine.choosing import LOOK_AGAIN_MS, Chooser
from milepost_collector.controller.engine.contract import expectations
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.engine.limits import Limits, saturated
from milepost_collector.controller.engine.queueing import working_status
from milepost_collector.controller.engine.unit import Unit, names_in, settings_of
from milepost_collector.controller.rows import AssignmentRow, PayloadRow, TaskRow, WorkerRow
from milepost_collector.controller.store.interface import Candidate, ClaimQuery, Polling, Tx

_MAX_ROUNDS = 20  # of looking past saturated names and keys, in one poll


def claim(unit: Unit, polling: Polling, slots: int, chance: random.Random, chooser: Chooser) -> list[AssignmentRow]:
    """Lease up to `slots` ready assignments to a worker that polls; return them."""
    worker = polling.worker
    limits = Limits(unit.tx, any_set=polling.has_limits)
    gate = Gate(unit, worker) if polling.has_budgets else None
    without: dict[str, set[str]] = {"name": set(), "key": set()}
    for scope, value, wait_ms in limits.used_up():
        _leave_out(unit, without, scope, value, wait_ms)
    taken: list[Candidate] = []
    left: list[Candidate] = []  # for agents that suit them better
    for _ in range(_MAX_ROUNDS):
        wanted = slots - len(taken)
        if wanted <= 0:
            break
        query = _query(worker, without, wanted + len(taken) + len(left))
        found, refused = _look(unit, query, gate, [*taken, *left])
        others = _for_others(unit, worker, found[:wanted], chooser)
        left += others
        more = _take(unit, worker, [row for row in found[:wanted] if row not in others], limits, without, taken)
        if not refused and (not (more or others) or len(found) < wanted):
            break
    if limits.changed:
        unit.tx.upsert(list(limits.changed.values()))
    return _lease(unit, worker, taken, chance, gate)


def _look(unit: Unit, query: ClaimQuery, gate: Gate | None, seen: Sequence[Candidate]) -> tuple[list[Candidate], bool]:
    """Return what may be leased as budgets allow, and whether they refused some, so that it is worth looking again."""
    if gate is None:
        return [row for row in unit.tx.candidates(query) if row not in seen], False
    known = {(row.assignment.task_id, row.assignment.position) for row in seen} | gate.refused
    query = msgspec.structs.replace(query, limit=query.limit + len(gate.refused))
    new = [row for row in unit.tx.candidates(query) if (row.assignment.task_id, row.assignment.position) not in known]
    admitted = gate.admit(new)
    return admitted, len(admitted) < len(new)


def hand_over(tx: Tx, leased: Sequence[AssignmentRow], tasks: dict[str, TaskRow]) -> list[TaskLease]:
    """Return what workers get for their leases."""
    payloads = tx.payloads([row.task_id for row in leased])
    return [_task_lease(tx, row, tasks[row.task_id], payloads[row.task_id]) for row in leased]


def _for_others(unit: Unit, worker: WorkerRow, found: Sequence[Candidate], chooser: Chooser) -> list[Candidate]:
    """Return what is kept for agents that suit it better, for a while."""
    kept = []
    for candidate in found:
        if candidate.assignment.agent is None and (wait_ms := chooser.wait_ms(unit.tx, worker, candidate)):
            unit.effects.look_again(min(wait_ms, LOOK_AGAIN_MS))
            kept.append(candidate)
    return kept


def _query(worker: WorkerRow, without: dict[str, set[str]], limit: int) -> ClaimQuery:
    return ClaimQuery(
        agent=worker.agent,
        teams=tuple(names_in(worker.teams)),
        names=None if worker.any_task else tuple(names_in(worker.tasks)),
        abilities=tuple(names_in(worker.abilities)),
        without_keys=tuple(sorted(without["key"])),
        without_names=tuple(sorted(without["name"])),
        limit=limit,
    )


def _take(
    unit: Unit,
    worker: WorkerRow,
    found: Sequence[Candidate],
    limits: Limits,
    without: dict[str, set[str]],
    taken: list[Candidate],
) -> bool:
    """Take what the limits allow; tell whether it is worth looking further."""
    if not limits:
        taken.extend(found)
        return False
    for candidate in found:
        row = candidate.assignment
        obstacle = saturated(limits, worker.agent, row)
        if obstacle is None:
            limits.take(worker.agent, row.name, row.key)
            taken.append(candidate)
            continue
        scope, value, wait_ms = obstacle
        _leave_out(unit, without, scope, value, wait_ms)
        if scope == "agent":
            return False
    return bool(found)


def _leave_out(unit: Unit, without: dict[str, set[str]], scope: str, value: str, wait_ms: int | None) -> None:
    """Look no more at what is at a limit, until a rate admits it again."""
    if wait_ms is not None:
        unit.effects.fall_due(unit.now + wait_ms)
    if scope in without:
        without[scope].add(value)


def _lease(
    unit: Unit, worker: WorkerRow, taken: Sequence[Candidate], chance: random.Random, gate: Gate | None
) -> list[AssignmentRow]:
    unit.take(taken)
    leased = []
    for chosen, _ in taken:
        task = unit.tasks[chosen.task_id]
        row = next(known for known in unit.of(task) if known.position == chosen.position)
        _begin(unit, task, row, worker, chance)
        if gate is not None:
            gate.begin(row)
        leased.append(row)
    if gate is not None:
        gate.write()
    return leased


def _begin(unit: Unit, task: TaskRow, row: AssignmentRow, worker: WorkerRow, chance: random.Random) -> None:
    settings = settings_of(task)
    task.attempt += 1
    row.state = "leased"
    row.attempt = task.attempt
    row.worker_id, row.held_by = worker.id, worker.agent
    row.run_id = f"{chance.getrandbits(128) or 1:032x}"
    row.leased_at, row.started_at = unit.now, None
    row.lease_ms = settings.heartbeat_ms
    row.expires_at = unit.now + settings.heartbeat_ms
    row.timeout_at = None if settings.timeout_ms is None else unit.now + settings.timeout_ms
    row.cut_off_at = row.stop = row.stop_reason = None
    row.budget_count = 0
    unit.change_assignment(row)
    task.last_run_id, task.last_agent = row.run_id, worker.agent
    if task.started_at is None:
        task.started_at = unit.now
    if row.ask_state is not None:
        asks.consume(unit, row)
    task.progress = task.phase = None
    unit.move(task, "leased", working_status(unit, task), assignment=row)
    unit.effects.fall_due(row.expires_at)
    unit.effects.fall_due(row.timeout_at)


def _task_lease(tx: Tx, row: AssignmentRow, task: TaskRow, payload: PayloadRow) -> TaskLease:
    settings = settings_of(task)
    assert row.run_id is not None
    assert row.lease_ms is not None
    remembers = settings.memory and row.attempt > 1
    checkpoint = tx.newest_checkpoint(task.id, row.position) if remembers else None
    steps = tx.steps(task.id, row.position) if remembers else []
    return TaskLease(
        task_id=task.id,
        name=task.name,
        attempt=row.attempt,
        run_id=row.run_id,
        lease_ms=row.lease_ms,
        agent=row.held_by,
        input=raw(payload.input),
        context=raw(payload.context),
        priority=PRIORITIES[task.priority],
        tags=names_in(task.tags),
        deadline=to_datetime(task.deadline_at),
        timeout_ms=settings.timeout_ms,
        cancel_grace_ms=settings.cancel_grace_ms,
        failures=row.failures,
        checkpoint=raw(checkpoint.state) if checkpoint else None,
        checkpoint_sequence=checkpoint.sequence if checkpoint else None,
        steps=[
            StepMemory(name=step.name, input_digest=step.input_digest, attempt=step.attempt, result=raw(step.result))
            for step in steps
        ],
        answers=[] if row.ask_state is None else asks.answers(tx, row),
        origin_run_id=task.origin_run_id,
        origin_span_id=task.origin_span_id,
        scheduled_for=to_datetime(task.scheduled_for),
        deliverables=list(expectations(task.deliverables)),
        budget=left_of(tx, row.run_id) if row.budget_count else None,
    )


def raw(text: str | None) -> Any:
    """Return stored JSON as it goes into an answer, without decoding it."""
    return None if text is None else msgspec.Raw(text.encode())
