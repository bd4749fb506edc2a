"""Asks: what is put to a person by an attempt, a run or the controller itself, and its end.

An ask belongs to an owner: one executor of a task, as long as the task is open, or a run. It is known there by its key:
whoever asks again with the same action gets the ask that there is, with another action the old one is invalidated,
even when it has been approved. What an answer means for the task is in `answering`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from milepost.wire.asks import Answer, AskDefinition, AskKind, digest_of_action
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.engine.schemas import check_schema
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import AskEventRow, AskRow, AssignmentRow, TaskRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import ConflictError, InvalidParameterError, NotFoundError, ValueTooLargeError

MAX_ASKS = 200  # of one owner: all their answers go with a lease
MAX_VALUE_BYTES = 256 * 1024  # of an action or an answer, as JSON
MAX_SCHEMA_BYTES = 64 * 1024
_ALL = 100_000  # of a task: more than it can have


class Source(Struct, kw_only=True, frozen=True):
    """Who asks."""

    owner: str
    task_id: str | None = None
    position: int | None = None
    attempt: int | None = None
    agent: str | None = None
    run_id: str | None = None
    span_id: str | None = None


class Asker:
    """Opens asks. new_id: returns ids that rise with time. alarm_ms: how long nobody may have received an ask before
    that is an alarm."""

    def __init__(self, new_id: Callable[[int], str], alarm_ms: int) -> None:
        self._new_id = new_id
        self._alarm_ms = alarm_ms

    def open(self, unit: Unit, source: Source, definition: AskDefinition, kind: AskKind | None = None) -> AskRow:
        """Return the ask that a definition stands for; see `made`."""
        return self.made(unit, source, definition, kind)[0]

    def made(
        self, unit: Unit, source: Source, definition: AskDefinition, kind: AskKind | None = None
    ) -> tuple[AskRow, bool]:
        """Return the ask that a definition stands for, and whether it is new: its owner's key may have one already.

        kind: instead of the definition's.

        Raises:
            ConflictError: its owner has asked too often.
            InvalidParameterError: the definition contradicts itself.
            ValueTooLargeError: the action or schema is too large.
        """
        kind = kind or definition.kind
        check_definition(definition, kind)
        digest = digest_of_action(definition.action)
        known = [row for row in _of_owner(unit.tx, source.owner) if row.status != "invalidated"]
        same = next((row for row in known if row.key == definition.key), None)
        if same is not None and (same.kind, same.action_digest) == (kind, digest):
            return same, False
        if same is not None:
            close(unit, same, "invalidated", reason="the action has changed")
        if len(known) >= MAX_ASKS:
            raise ConflictError(
                f"{source.owner} has made {MAX_ASKS} asks already, no more are allowed; ask for several at once"
            )
        row = self._row(unit.now, source, definition, kind, digest)
        unit.tx.insert([row])
        record(unit, row, "opened")
        unit.effects.fall_due(row.expires_at)
        unit.effects.fall_due(row.alarm_at)
        return row, True

    def _row(self, now: int, source: Source, definition: AskDefinition, kind: str, digest: str) -> AskRow:
        return AskRow(
            id=self._new_id(now),
            owner=source.owner,
            key=definition.key,
            kind=kind,
            status="open",
            title=definition.title,
            details=definition.details,
            action=_text(definition.action),
            action_digest=digest,
            options=_text(definition.options) or "[]",
            schema=_text(definition.schema),
            approvers=_text(list(dict.fromkeys(definition.approvers))) or "[]",
            quorum=definition.quorum,
            on_expiry=definition.on_expiry,
            created_at=now,
            expires_at=None if definition.timeout_ms is None else now + definition.timeout_ms,
            alarm_at=now + self._alarm_ms,
            task_id=source.task_id,
            position=source.position,
            attempt=source.attempt,
            agent=source.agent,
            run_id=source.run_id,
            span_id=source.span_id,
        )


def source_of(task: TaskRow, assignment: AssignmentRow) -> Source:
    """Return who asks when an assignment does, or the controller on its behalf."""
    return Source(
        owner=_owner(assignment),
        task_id=task.id,
        position=assignment.position,
        attempt=assignment.attempt or None,
        agent=assignment.held_by or assignment.agent or task.last_agent,
        run_id=assignment.run_id or task.last_run_id,
    )


def check_definition(definition: AskDefinition, kind: str) -> None:
    """Refuse an ask that cannot be answered.

    Raises:
        InvalidParameterError: names the field.
        ValueTooLargeError: the action or schema is too large.
    """
    check_size("action", definition.action, MAX_VALUE_BYTES)
    _check_options(definition, kind)
    if kind == "question" and definition.quorum > 1:
        raise InvalidParameterError("quorum", definition.quorum, "a question has one answer; ask an approval instead")
    check_quorum("quorum", definition.quorum, definition.approvers)
    if definition.schema is not None:
        check_size("schema", definition.schema, MAX_SCHEMA_BYTES)
        check_schema(definition.schema)


def check_quorum(field: str, quorum: int, approvers: list[str]) -> None:
    """Refuse a quorum that cannot be reached.

    Raises:
        InvalidParameterError: there are fewer approvers, and none is a team.
    """
    people = set(approvers)
    if people and quorum > len(people) and not any(name.startswith("team:") for name in people):
        raise InvalidParameterError(field, quorum, f"there are only {len(people)} approvers; name more, or a team")


def _check_options(definition: AskDefinition, kind: str) -> None:
    names = [option.name for option in definition.options]
    if len(set(names)) < len(names):
        raise InvalidParameterError("options", names, "name each option once")
    if names and kind != "question" and not any(option.approves for option in definition.options):
        raise InvalidParameterError("options", names, "let at least one of them approve")


def check_size(field: str, value: Any, limit: int) -> None:
    """Refuse a value that takes too much as JSON.

    Raises:
        ValueTooLargeError: it is over the limit.
    """
    if value is not None and (size := len(msgspec.json.encode(value))) > limit:
        raise ValueTooLargeError(field, size, limit)


# What is there.


def find_ask(tx: Tx, ask_id: str, *, lock: bool = False) -> AskRow:
    """Return an ask. lock: until the end of the transaction; its task must be locked before.

    Raises:
        NotFoundError: there is none.
    """
    found = tx.find(AskRow, Find(equal={"id": ask_id}, limit=1), lock=lock)
    if not found:
        raise NotFoundError("ask", ask_id)
    return found[0]


def open_asks(tx: Tx, owner: str) -> list[AskRow]:
    """Return what an owner waits for."""
    return [row for row in _of_owner(tx, owner) if row.status == "open"]


def answers(tx: Tx, assignment: AssignmentRow) -> list[Answer]:
    """Return what an assignment is told, the oldest ask first."""
    return [answer(row) for row in _of_owner(tx, _owner(assignment)) if row.status not in ("open", "invalidated")]


def answer(row: AskRow) -> Answer:
    """Return what became of an ask that is closed, as the code that asked is told."""
    assert row.decided_at is not None
    edited = row.edited_action is not None and row.status == "approved"
    return Answer(
        key=row.key,
        ask_id=row.id,
        action_digest=row.action_digest,
        status=row.status,  # type: ignore[arg-type]
        decided_at=to_datetime(row.decided_at),
        option=row.option,
        edited=edited,
        action=raw(row.edited_action if edited else row.action),
        value=raw(row.value),
        reason=row.reason,
        by=row.decided_by,
    )


def raw(text: str | None) -> Any:
    """Return stored JSON as it goes into an answer, without decoding it."""
    return None if text is None else msgspec.Raw(text.encode())


def _text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _of_owner(tx: Tx, owner: str) -> list[AskRow]:
    return tx.find(AskRow, Find(equal={"owner": owner}, order=("created_at", "id"), limit=_ALL), lock=True)


def _owner(assignment: AssignmentRow) -> str:
    return f"{assignment.task_id}/{assignment.position}"


# What happens to it.


def record(unit: Unit, row: AskRow, event: str, *, by: str | None = None, reason: str = "") -> None:
    """Write down that something happened to an ask."""
    unit.add(
        AskEventRow(
            ask_id=row.id, event=event, time=unit.now, task_id=row.task_id, run_id=row.run_id, by=by, reason=reason
        )
    )
    unit.effects.asks.add(row.id)
    unit.effects.changed = True


def close(
    unit: Unit, row: AskRow, status: str, *, by: str | None = None, via: str | None = None, reason: str = ""
) -> None:
    """End an ask. What waits for it is not looked at."""
    row.status = status
    row.decided_at, row.decided_by, row.decided_via, row.reason = unit.now, by, via, reason
    row.alarm_at = None
    unit.tx.update([row])
    record(unit, row, status, by=by, reason=reason)


def consume(unit: Unit, assignment: AssignmentRow) -> None:
    """Note that the attempt which is just being leased is the first to get answers that nobody has got."""
    fresh = [
        row
        for row in _of_owner(unit.tx, _owner(assignment))
        if row.consumed_by is None and row.status not in ("open", "invalidated")
    ]
    for row in fresh:
        row.consumed_by = assignment.attempt
    unit.tx.update(fresh)


def cancel_all(unit: Unit, task: TaskRow, reason: str) -> None:
    """End what a task waits for: it is over."""
    for row in unit.tx.find(AskRow, Find(equal={"task_id": task.id, "status": "open"}, limit=_ALL), lock=True):
        close(unit, row, "cancelled", reason=reason)


def forget_answers(unit: Unit, task: TaskRow) -> None:
    """Let a task that is opened anew ask anew: answers were given for what was known then."""
    for row in unit.tx.find(
        AskRow, Find(equal={"task_id": task.id}, order=("created_at", "id"), limit=_ALL), lock=True
    ):
        if row.status == "open":
            close(unit, row, "cancelled", reason="the task was opened anew")
        if row.owner is not None:
            row.owner = None
            unit.tx.update([row])
