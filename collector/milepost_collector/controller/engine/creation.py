"""Tasks are made: checked, given an id, put into the queue or behind what they wait for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from milepost.wire.tasks import PRIORITIES, TaskCreate, TaskSettings
from milepost_collector.controller.engine.budgets import keeping
from milepost_collector.controller.engine.choosing import needs_texts
from milepost_collector.controller.engine.contract import expectations_text
from milepost_collector.controller.engine.dependencies import resolve, skip_if_failed, take_outputs, wanted_rows
from milepost_collector.controller.engine.instants import from_datetime
from milepost_collector.controller.engine.outcomes import finish
from milepost_collector.controller.engine.queueing import enqueue, new_assignments
from milepost_collector.controller.engine.teams import fallback_text
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import IdempotencyRow, PayloadRow, TaskRow
from milepost_collector.errors import ConflictError, InvalidParameterError, ValueTooLargeError

_encode = msgspec.json.Encoder(order="deterministic").encode


class Created(Struct, frozen=True):
    """A task that a request stands for. made: False: an earlier request with the same idempotency key made it."""

    task_id: str
    made: bool


class Origin(Struct, kw_only=True, frozen=True):
    """What made a task, beside its request."""

    schedule_id: str | None = None
    scheduled_for: int | None = None


class Creator:
    """Makes tasks. new_id: returns ids that rise with time. max_value_bytes: of input and context, as JSON."""

    def __init__(self, new_id: Callable[[int], str], max_value_bytes: int) -> None:
        self._new_id = new_id
        self._max_value_bytes = max_value_bytes

    def create(
        self, unit: Unit, request: TaskCreate, *, by: str | None = None, origin: Origin | None = None
    ) -> Created:
        """Return the request's task: a new one, or the one that its idempotency key has made before.

        Raises:
            ConflictError: the idempotency key stands for another request.
            InvalidParameterError: the request contradicts itself, or depends on a task that does not exist.
            ValueTooLargeError: the input or context is too large.
        """
        digest = ""
        if request.idempotency_key is not None:
            digest = _digest(request)
            if (earlier := self._earlier(unit, request.idempotency_key, digest)) is not None:
                return Created(earlier, made=False)
        task, payload = self._rows(unit.now, request, by, origin or Origin())
        edges = wanted_rows(task.id, request.dependencies)
        task.open_dependencies = resolve(unit, edges, request.settings.on_upstream_failure) if edges else 0
        task.status = "blocked" if task.open_dependencies else "pending"
        assignments = new_assignments(task, unit.now)
        unit.add(task)
        unit.add(payload)
        for edge in edges:
            unit.add(edge)
        if request.budget is not None:
            keeping.of_new_task(unit, task, request.budget, self._new_id)
        if request.idempotency_key is not None:
            unit.add_key(_idempotency(request.idempotency_key, digest, task))
        unit.tasks[task.id] = task
        unit.add_assignments(assignments)
        unit.record(task, "created", task.status, by=task.created_by)
        unit.effects.fall_due(task.deadline_at)
        if task.status == "pending":
            if edges:
                unit.flush_inserts()
                take_outputs(unit, task)
            for assignment in assignments:
                enqueue(unit, assignment, task.run_at)
        else:
            skip_if_failed(unit, task, edges, finish)
        return Created(task.id, made=True)

    def check_size(self, field: str, text: str | None) -> None:
        """Refuse a value that is too large.

        Raises:
            ValueTooLargeError: it is over the limit.
        """
        if text is not None and (size := len(text.encode())) > self._max_value_bytes:
            raise ValueTooLargeError(field, size, self._max_value_bytes)

    def _earlier(self, unit: Unit, key: str, digest: str) -> str | None:
        earlier = unit.keys.get(key) or unit.tx.idempotency((key,)).get(key)
        if earlier is None:
            return None
        if earlier.digest != digest:
            raise ConflictError(
                f"idempotency key {key!r} has made task {earlier.task_id} from another request; use a new key"
            )
        return earlier.task_id

    def _rows(self, now: int, request: TaskCreate, by: str | None, origin: Origin) -> tuple[TaskRow, PayloadRow]:
        check_executors(request)
        needs, _ = needs_texts(request.needs)
        run_id, span_id = parse_traceparent(request.traceparent)
        task = TaskRow(
            id=self._new_id(now),
            name=request.name,
            description=request.description,
            type=request.type,
            status="pending",
            priority=PRIORITIES.index(request.priority),
            settings=settings_text(request.settings),
            created_at=now,
            updated_at=now,
            agent=request.agent,
            agents=text_or_none(request.agents) if request.agents else None,
            team=request.team,
            tags=text_or_none(request.tags) or "[]",
            app=request.app,
            key=request.key,
            created_by=request.created_by or by,
            idempotency_key=request.idempotency_key,
            run_at=milliseconds("run_at", request.run_at),
            deadline_at=milliseconds("deadline", request.deadline),
            schedule_id=origin.schedule_id,
            scheduled_for=origin.scheduled_for,
            origin_run_id=run_id,
            origin_span_id=span_id,
            deliverables=expectations_text(request.deliverables),
            batch=request.batch,
            needs=needs,
            fallback=fallback_text(request.fallback, team=request.team),
        )
        payload = PayloadRow(task_id=task.id, input=text_or_none(request.input), context=text_or_none(request.context))
        self.check_size("input", payload.input)
        self.check_size("context", payload.context)
        return task, payload


def check_executors(request: TaskCreate) -> None:
    """Refuse a request that names its executors in more than one way, or too few of them; or a budget of nothing.

    Raises:
        InvalidParameterError: names the field.
    """
    given = [name for name in ("agent", "agents", "team") if getattr(request, name)]
    if len(given) > 1:
        raise InvalidParameterError(given[1], getattr(request, given[1]), f"{given[0]} is given too; give one of them")
    agents = request.agents or []
    if len(set(agents)) < len(agents):
        raise InvalidParameterError("agents", agents, "name each agent once")
    completion = request.settings.completion
    if isinstance(completion, int) and completion > max(len(agents), 1):
        raise InvalidParameterError("settings.completion", completion, f"there are only {max(len(agents), 1)} agents")
    if request.budget is not None:
        keeping.check(request.budget, "budget")


def milliseconds(field: str, instant: datetime | None) -> int | None:
    """Return an instant as milliseconds since the Unix epoch.

    Raises:
        InvalidParameterError: it has no offset.
    """
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise InvalidParameterError(field, instant.isoformat(), "add the offset, for example Z or +02:00")
    return from_datetime(instant)


def text_or_none(value: Any) -> str | None:
    """Return a value as JSON text, None for None."""
    return None if value is None else msgspec.json.encode(value).decode()


def settings_text(settings: TaskSettings) -> str:
    """Return settings as JSON, defaults left out."""
    return msgspec.json.encode(settings).decode()


def parse_traceparent(text: str | None) -> tuple[str | None, str | None]:
    """Return run and span id of a W3C traceparent; (None, None) when it is not one: an origin is only a hint."""
    parts = (text or "").split("-")
    if len(parts) < 4 or len(parts[1]) != 32 or len(parts[2]) != 16:
        return None, None
    return parts[1].lower(), parts[2].lower()


def _digest(request: TaskCreate) -> str:
    """Return what makes a request the same as another; a repeat may come from another span, or in another batch."""
    return hashlib.sha256(_encode(msgspec.structs.replace(request, traceparent=None, batch=None))).hexdigest()


def _idempotency(key: str, digest: str, task: TaskRow) -> IdempotencyRow:
    return IdempotencyRow(key=key, digest=digest, task_id=task.id, created_at=task.created_at)
