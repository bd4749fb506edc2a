"""Answers to asks, and what follows from them for the task: all of it in one transaction.

Who may answer: anybody where an ask names no approvers. Otherwise `by` must be one of them, or `team` one of those
written `team:NAME`. There are no accounts: a name is what its bearer says, so approvers keep apart who should decide,
and the API's keys keep out who must not.

Approvals count towards the quorum when they come from different people and agree: on the same option, and on the same
action. So an edit begins the count anew. One rejection rejects.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from milepost.wire.asks import (
    AskCreate,
    AskDefinition,
    AskKind,
    AskOption,
    CancelAskRequest,
    DecideRequest,
    DelegateRequest,
    ReceivedRequest,
    digest_of_action,
)
from milepost_collector.controller.engine.asks import (
    MAX_VALUE_BYTES,
    Asker,
    Source,
    check_quorum,
    check_size,
    close,
    find_ask,
    open_asks,
    record,
    source_of,
)
from milepost_collector.controller.engine.fallbacks import ASK_KEY as FALLBACK_KEY
from milepost_collector.controller.engine.outcomes import carry_on, finish, give_up, stop_cancelled, stop_if_asked
from milepost_collector.controller.engine.queueing import enqueue, hold, release_lease, working_status
from milepost_collector.controller.engine.schemas import check_value
from milepost_collector.controller.engine.unit import Unit, names_in
from milepost_collector.controller.rows import AskRow, AssignmentRow, DecisionRow, TaskRow
from milepost_collector.controller.store.interface import Find
from milepost_collector.errors import ConflictError, InvalidParameterError, NotApproverError
from milepost_collector.protocol.durations import spoken

BATCH = 200  # of each kind in one transaction of the clock's


class Choice(Struct, kw_only=True, frozen=True):
    """What a request comes to. edited: JSON of the action instead of the ask's. value: JSON."""

    status: str  # approved, rejected or answered
    option: str | None = None
    edited: str | None = None
    value: str | None = None


# Asking.


def suspend(unit: Unit, asker: Asker, task: TaskRow, assignment: AssignmentRow, definition: AskDefinition) -> None:
    """End the attempt that asks, and have its assignment wait for the answer; go on at once if there is one already.
    An attempt that is being cancelled asks nothing.

    Raises:
        ConflictError: it has asked too often.
        InvalidParameterError: the ask cannot be answered.
        ValueTooLargeError: it is too large.
    """
    if task.stop == "cancel":
        stop_cancelled(unit, task, assignment, assignment.stop_reason or "cancelled")
        return
    row = asker.open(unit, source_of(task, assignment), definition)
    reason = f"asked: {row.title}"
    unit.end_attempt(assignment, "paused", reason=reason)
    assignment.ask_state = "open" if row.status == "open" else "answered"
    if stop_if_asked(unit, task, assignment):
        pass
    elif row.status == "open":
        _hold(unit, task, assignment, row)
    else:
        enqueue(unit, assignment)
        carry_on(unit, task, "yielded", assignment, reason)
    release_lease(assignment)


def park(
    unit: Unit, asker: Asker, task: TaskRow, assignment: AssignmentRow, definition: AskDefinition, kind: AskKind
) -> AskRow:
    """Ask on behalf of an assignment that no worker holds, and take it out of the queue until there is an answer.

    Raises:
        ConflictError: it has asked too often.
        InvalidParameterError: the ask cannot be answered.
    """
    row = asker.open(unit, source_of(task, assignment), definition, kind)
    if row.status == "open":
        assignment.ask_state = "open"
        _hold(unit, task, assignment, row)
    return row


def ask_for_run(unit: Unit, asker: Asker, request: AskCreate) -> tuple[str, bool]:
    """Return the ask of a run that no task of the controller stands behind, and whether it was made just now.

    Raises:
        ConflictError: the run has asked too often.
        InvalidParameterError: the ask cannot be answered.
        ValueTooLargeError: it is too large.
    """
    if request.on_expiry == "cancel":
        raise InvalidParameterError("on_expiry", "cancel", "a run without a task goes on; use continue or fail")
    source = Source(owner=request.run_id, run_id=request.run_id, span_id=request.span_id, agent=request.agent)
    row, is_new = asker.made(unit, source, request)
    return row.id, is_new


def _hold(unit: Unit, task: TaskRow, assignment: AssignmentRow, row: AskRow) -> None:
    hold(unit, assignment)
    task.reason = f"asked: {row.title}"
    if task.status == "paused":
        unit.move(task, "asked", "paused", assignment=assignment, reason=task.reason)
    else:
        carry_on(unit, task, "asked", assignment, task.reason)


# Answering.


def decide(unit: Unit, ask_id: str, request: DecideRequest) -> None:
    """Take what a person says.

    Raises:
        ConflictError: it is decided, by somebody or otherwise; or the action is another than the one looked at.
        InvalidParameterError: the decision does not fit the ask.
        NotApproverError: it is not this person's to decide.
        NotFoundError: there is no such ask.
    """
    row = _locked(unit, ask_id)
    _refuse_closed(row)
    _refuse_other_action(row, request.action_digest)
    _admit(row, request.by, request.team)
    choice = _choice(row, request)
    said = _said(unit, row)
    if choice.status == "approved":
        if row.quorum > 1 and request.by is None:
            raise InvalidParameterError("by", None, f"{row.quorum} different people must approve; say who you are")
        if any(earlier.by == request.by for earlier in _agreed(said) if row.quorum > 1):
            raise ConflictError(f"{request.by} has approved ask {row.id} already; {row.quorum} different people must")
    decision = _note(unit, row, said, request, "edit" if choice.edited else _KINDS[choice.status], choice.option)
    if choice.edited is not None:
        row.edited_action, row.edited_digest = choice.edited, digest_of_action(msgspec.json.decode(choice.edited))
    row.edited, row.option, row.value = row.edited_action is not None, choice.option, choice.value
    if choice.status == "approved":
        row.approvals = sum(each.option == choice.option for each in _agreed([*said, decision]))
        if row.approvals < row.quorum:
            _received(unit, row)
            unit.tx.update([row])
            record(unit, row, "decided", by=request.by, reason=request.reason)
            return
    _settle(unit, row, choice.status, by=request.by, via=request.via, reason=request.reason)


def delegate(unit: Unit, ask_id: str, request: DelegateRequest) -> None:
    """Let others decide instead.

    Raises:
        ConflictError: it is decided already.
        InvalidParameterError: they are too few.
        NotApproverError: it is not this person's to delegate.
        NotFoundError: there is no such ask.
    """
    row = _locked(unit, ask_id)
    _refuse_closed(row)
    _admit(row, request.by, request.team)
    others = list(dict.fromkeys(request.to))
    check_quorum("to", row.quorum - row.approvals, others)
    _note(unit, row, _said(unit, row), request, "delegate", None, to=others)
    row.approvers = _text(others)
    unit.tx.update([row])
    record(unit, row, "delegated", by=request.by, reason=request.reason or f"to {', '.join(others)}"[:500])


def cancel(unit: Unit, ask_id: str, request: CancelAskRequest) -> None:
    """Take an ask back; the code that asked goes on and is told.

    Raises:
        ConflictError: it is decided already.
        NotFoundError: there is no such ask.
    """
    row = _locked(unit, ask_id)
    _refuse_closed(row)
    _settle(unit, row, "cancelled", by=request.by, reason=request.reason)


def received(unit: Unit, ask_id: str, request: ReceivedRequest) -> None:
    """Note that an ask has reached somebody; only the first time counts.

    Raises:
        NotFoundError: there is no such ask.
    """
    row = _locked(unit, ask_id)
    if row.received_at is None:
        _received(unit, row, request.by)
        unit.tx.update([row])


def expire_due(unit: Unit) -> bool:
    """End asks whose time is over; tell whether there may be more."""
    due = unit.tx.due_asks(BATCH)
    unit.load([row.task_id for row in due if row.task_id is not None])
    for stale in due:
        row = find_ask(unit.tx, stale.id, lock=True)
        if row.status == "open" and row.expires_at is not None and row.expires_at <= unit.now:
            _expire(unit, row)
    return len(due) == BATCH


def alarm(unit: Unit) -> bool:
    """Tell of open asks that nobody has received for too long; tell whether there may be more."""
    silent = unit.tx.alarming_asks(BATCH)
    for stale in silent:
        row = _locked(unit, stale.id)
        if row.alarm_at is not None and row.alarm_at <= unit.now:
            row.alarm_at, row.alarmed_at = None, unit.now
            unit.tx.update([row])
            record(unit, row, "alarmed", reason="nobody has received it")
    return len(silent) == BATCH


def _expire(unit: Unit, row: AskRow) -> None:
    assert row.expires_at is not None
    reason = f"nobody has answered {row.title!r} in {spoken(row.expires_at - row.created_at)}"
    if row.on_expiry == "continue":
        _settle(unit, row, "expired", reason=reason)
        return
    close(unit, row, "expired", reason=reason)
    found = _waiting(unit, row)
    if found is None:
        return
    task, assignment = found
    if row.on_expiry == "cancel":
        finish(unit, task, "cancelled", "cancelled", assignment=assignment, reason=reason)
    else:
        assignment.ask_state = "answered"
        give_up(unit, task, assignment, "ApprovalExpired", reason)


def _settle(
    unit: Unit, row: AskRow, status: str, *, by: str | None = None, via: str | None = None, reason: str = ""
) -> None:
    """Close an ask, and let what waited for it go on."""
    if by is not None:
        _received(unit, row, by)
    close(unit, row, status, by=by, via=via, reason=reason)
    if (found := _waiting(unit, row)) is not None:
        _go_on(unit, *found, row)


def _waiting(unit: Unit, row: AskRow) -> tuple[TaskRow, AssignmentRow] | None:
    """Return what an ask was all that it waited for; None: nothing is, or its task is finished."""
    task = None if row.task_id is None else unit.tasks.get(row.task_id)
    if task is None or row.owner is None or open_asks(unit.tx, row.owner):
        return None
    found = next((each for each in unit.of(task) if each.position == row.position), None)
    return None if found is None or found.ask_state != "open" else (task, found)


def _go_on(unit: Unit, task: TaskRow, assignment: AssignmentRow, row: AskRow) -> None:
    assignment.ask_state = "answered"
    unit.change_assignment(assignment)
    if row.key == FALLBACK_KEY:  # whoever took the task over has said what becomes of it
        if row.status == "rejected":
            give_up(unit, task, assignment, "GivenUp", row.reason or f"{row.decided_by or 'a person'} gave it up")
            return
        assignment.failures = assignment.losses = 0
    reason = f"{row.status}: {row.reason}" if row.reason else row.status
    if task.status == "paused" or task.stop is not None:  # it goes on with what it was told when it is resumed
        unit.move(task, "answered", task.status, assignment=assignment, by=row.decided_by, reason=reason)
        return
    enqueue(unit, assignment)
    unit.move(task, "answered", working_status(unit, task), assignment=assignment, by=row.decided_by, reason=reason)
    task.reason = None


# A decision.

_KINDS = {"approved": "approve", "rejected": "reject", "answered": "answer"}


def _choice(row: AskRow, request: DecideRequest) -> Choice:
    if row.kind == "question":
        return _reply(row, request)
    if request.value is not UNSET:
        raise InvalidParameterError("value", None, f"this ask is an {row.kind}; approve, edit or reject it")
    option = _option(row, request.option)
    decision = request.decision
    if decision == "answer":
        if option is None:
            raise InvalidParameterError("option", None, f"choose one of {_names(row)}, or approve or reject")
        decision = "approve" if option.approves else "reject"
    if decision == "reject":
        if option is not None and option.approves:
            raise InvalidParameterError("option", option.name, "it approves; leave it out, or send decision approve")
        return Choice(status="rejected", option=option.name if option else None)
    return _approval(row, request, option)


def _approval(row: AskRow, request: DecideRequest, option: AskOption | None) -> Choice:
    if option is None:
        option = _only_option(row)
    if option is not None and not option.approves:
        raise InvalidParameterError("option", option.name, "it does not approve; send decision reject")
    chosen = option.name if option else None
    if request.decision != "edit":
        if request.action is not UNSET:
            raise InvalidParameterError("action", None, "send decision edit to approve another action")
        return Choice(status="approved", option=chosen)
    if row.action is None:
        raise InvalidParameterError("decision", "edit", "this ask has no action; approve or reject it")
    if request.action is UNSET:
        raise InvalidParameterError("action", None, "give the action as it should be")
    check_size("action", request.action, MAX_VALUE_BYTES)
    if row.schema is not None:
        check_value("action", request.action, msgspec.json.decode(row.schema))
    is_same = digest_of_action(request.action) == (row.edited_digest or row.action_digest)
    edited = None if is_same else msgspec.json.encode(request.action).decode()
    return Choice(status="approved", option=chosen, edited=edited)


def _reply(row: AskRow, request: DecideRequest) -> Choice:
    option = _option(row, request.option)
    if request.decision == "reject":
        return Choice(status="rejected", option=option.name if option else None)
    if request.decision != "answer":
        raise InvalidParameterError("decision", request.decision, "this ask is a question; answer it, or reject it")
    if option is not None and request.value is UNSET:
        return Choice(status="answered", option=option.name, value=_text(option.name))
    if request.value is UNSET:
        raise InvalidParameterError("value", None, "give the answer")
    check_size("value", request.value, MAX_VALUE_BYTES)
    if row.schema is not None:
        check_value("value", request.value, msgspec.json.decode(row.schema))
    return Choice(status="answered", option=option.name if option else None, value=_text(request.value))


def _options(row: AskRow) -> list[AskOption]:
    return msgspec.json.decode(row.options, type=list[AskOption])


def _option(row: AskRow, name: str | None) -> AskOption | None:
    if name is None:
        return None
    found = next((option for option in _options(row) if option.name == name), None)
    if found is None:
        raise InvalidParameterError("option", name, f"use one of {_names(row)}")
    return found


def _only_option(row: AskRow) -> AskOption | None:
    """Return the option that an approval without one means: the only one that approves; None where there are none."""
    approving = [option for option in _options(row) if option.approves]
    if len(approving) > 1:
        raise InvalidParameterError("option", None, f"choose one of {', '.join(option.name for option in approving)}")
    return approving[0] if approving else None


def _names(row: AskRow) -> str:
    return ", ".join(option.name for option in _options(row)) or "none: this ask has no options"


def _refuse_closed(row: AskRow) -> None:
    if row.status == "open":
        return
    assert row.decided_at is not None
    when = datetime.fromtimestamp(row.decided_at / 1_000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    who = f" by {row.decided_by}" if row.decided_by else ""
    how = f" via {row.decided_via}" if row.decided_via else ""
    raise ConflictError(f"ask {row.id} is {row.status}{who} since {when}{how}; it cannot be decided again")


def _refuse_other_action(row: AskRow, digest: str | None) -> None:
    current = row.edited_digest or row.action_digest
    if digest is not None and digest != current:
        raise ConflictError(f"the action of ask {row.id} is another by now (digest {current}); look at it again")


def _admit(row: AskRow, by: str | None, team: str | None) -> None:
    approvers = names_in(row.approvers)
    if not approvers:
        return
    if by is None:
        raise InvalidParameterError("by", None, f"this ask is for {', '.join(approvers)}; say who you are")
    if by not in approvers and (team is None or f"team:{team}" not in approvers):
        raise NotApproverError(row.id, by, approvers)


def _said(unit: Unit, row: AskRow) -> list[DecisionRow]:
    return unit.tx.find(DecisionRow, Find(equal={"ask_id": row.id}, order=("number",), limit=10_000))


def _agreed(said: list[DecisionRow]) -> list[DecisionRow]:
    """Return the approvals of the action as it stands."""
    edits = [place for place, decision in enumerate(said) if decision.decision == "edit"]
    current = said[edits[-1] :] if edits else said
    return [decision for decision in current if decision.decision in ("approve", "edit")]


def _note(
    unit: Unit,
    row: AskRow,
    said: list[DecisionRow],
    request: DecideRequest | DelegateRequest,
    decision: str,
    option: str | None,
    to: list[str] | None = None,
) -> DecisionRow:
    noted = DecisionRow(
        ask_id=row.id,
        number=len(said) + 1,
        decision=decision,
        at=unit.now,
        via=request.via,
        by=request.by,
        team=request.team,
        reason=request.reason,
        option=option,
        delegated_to=_text(to or []),
    )
    unit.tx.insert([noted])
    return noted


def _received(unit: Unit, row: AskRow, by: str | None = None) -> None:
    if row.received_at is None:
        row.received_at, row.alarm_at = unit.now, None
        record(unit, row, "received", by=by)


def _locked(unit: Unit, ask_id: str) -> AskRow:
    """Return an ask, locked after its task, as every transaction locks them."""
    task_id = find_ask(unit.tx, ask_id).task_id
    if task_id is not None:
        unit.load((task_id,))
    return find_ask(unit.tx, ask_id, lock=True)


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
