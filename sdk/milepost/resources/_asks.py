"""Operations on asks: functions that say what is asked, and ask nothing; and waiting for an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from milepost.errors import AskNotAnsweredError, UnavailableError
from milepost.resources._exchange import Flow, Sleep
from milepost.resources._operation import Operation, path_of, query_of
from milepost.resources._pages import Listing
from milepost.resources._values import build, given_only, text_list, to_id
from milepost.wire.asks import (
    Ask,
    AskCreate,
    AskFilter,
    AskKind,
    AskList,
    AskStatus,
    CancelAskRequest,
    Channel,
    DecideRequest,
    DelegateRequest,
    ReceivedRequest,
)

__all__ = [
    "answer",
    "approve",
    "cancel",
    "create",
    "delegate",
    "edit",
    "get",
    "listing",
    "received",
    "reject",
    "waiting",
]

LONGEST_POLL_S = 20.0  # of one request; proxies tend to cut connections that are silent for 30 s
LONGEST_AWAY_S = 60.0  # a collector that is being replaced; after this it is gone
AWAY_PAUSE_S = 1.0
MARGIN_S = 1.0  # that an answer may take beyond the wait it was asked for


def create(ask: AskCreate) -> Operation[Ask]:
    """Ask on behalf of a run; asked again with the same key and action, it is the same ask."""
    return Operation(method="POST", path=path_of("asks"), answer=Ask, body=ask, repeatable=True)


def get(ask: Ask | str, *, wait_ms: int = 0) -> Operation[Ask]:
    """Return an ask as it stands. wait_ms: answer when it is closed, at the latest after so long, 60,000 at most.

    Raises:
        NotFoundError: there is no such ask.
    """
    query = query_of({"wait_ms": wait_ms or None})
    return Operation(method="GET", path=_path(ask), answer=Ask, query=query, repeatable=True)


def listing(
    *,
    status: AskStatus | Sequence[AskStatus] = (),
    kind: AskKind | Sequence[AskKind] = (),
    agent: str | Sequence[str] = (),
    approver: str | Sequence[str] = (),
    task_id: str | None = None,
    run_id: str | None = None,
    text: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Listing[AskList, Ask]:
    """List asks: open ones the soonest to expire first, then the others, the newest first.

    approver: those for this person or `team:NAME`, or for anybody. text: part of a title, details, action, key or id.
    limit: of one page.
    """
    several = {"status": status, "kind": kind, "agent": agent, "approver": approver}
    given = {name: text_list(value) for name, value in several.items()}
    wanted = build(AskFilter, given | given_only({"task_id": task_id, "run_id": run_id, "text": text}))
    query = {name: getattr(wanted, name) for name in AskFilter.__struct_fields__}
    pages = query_of(query | {"limit": limit, "cursor": cursor})
    return Listing(Operation(method="GET", path=path_of("asks"), answer=AskList, query=pages), lambda page: page.asks)


def approve(
    ask: Ask | str,
    *,
    option: str | None = None,
    reason: str = "",
    by: str | None = None,
    team: str | None = None,
    action_digest: str | None = None,
    via: Channel = "api",
) -> Operation[Ask]:
    """Approve what is asked.

    by: who; needed where approvers are named or several must approve. team: which of the approvers' teams he decides
    for. action_digest: of the action that was looked at; refused when the ask's is another by now.

    Raises:
        ConflictError: it is decided already, by somebody that the text names, or the action is another.
        InvalidRequestError: something is missing, or does not fit.
        NotFoundError: there is no such ask.
    """
    return _decide(ask, "approve", option=option, reason=reason, by=by, team=team, via=via, action_digest=action_digest)


def reject(
    ask: Ask | str,
    *,
    option: str | None = None,
    reason: str = "",
    by: str | None = None,
    team: str | None = None,
    via: Channel = "api",
) -> Operation[Ask]:
    """Reject what is asked, or decline to answer. by, team: as in `approve`.

    Raises:
        ConflictError: it is decided already, by somebody that the text names.
        NotFoundError: there is no such ask.
    """
    return _decide(ask, "reject", option=option, reason=reason, by=by, team=team, via=via)


def edit(
    ask: Ask | str,
    action: Any,
    *,
    option: str | None = None,
    reason: str = "",
    by: str | None = None,
    team: str | None = None,
    action_digest: str | None = None,
    via: Channel = "api",
) -> Operation[Ask]:
    """Approve another action than the one asked for: the code that asked gets it instead. The rest as in `approve`.

    Raises:
        ConflictError: it is decided already, by somebody that the text names, or the action is another.
        InvalidRequestError: the action does not fit the ask's schema, or there was none to edit.
        NotFoundError: there is no such ask.
    """
    return _decide(
        ask, "edit", action=action, option=option, reason=reason, by=by, team=team, via=via, action_digest=action_digest
    )


def answer(
    ask: Ask | str,
    value: Any | UnsetType = UNSET,
    *,
    option: str | None = None,
    reason: str = "",
    by: str | None = None,
    team: str | None = None,
    via: Channel = "api",
) -> Operation[Ask]:
    """Answer a question with a value, or an ask with one of its options. by, team: as in `approve`.

    Raises:
        ConflictError: it is decided already, by somebody that the text names.
        InvalidRequestError: the value does not fit the ask's schema; `field` tells where.
        NotFoundError: there is no such ask.
    """
    return _decide(ask, "answer", value=value, option=option, reason=reason, by=by, team=team, via=via)


def delegate(
    ask: Ask | str,
    to: str | Sequence[str],
    *,
    reason: str = "",
    by: str | None = None,
    team: str | None = None,
    via: Channel = "api",
) -> Operation[Ask]:
    """Let others decide instead. to: names, or `team:NAME`. by, team: as in `approve`.

    Raises:
        ConflictError: it is decided already.
        InvalidRequestError: they are fewer than must approve.
        NotFoundError: there is no such ask.
    """
    given = {"to": text_list(to), "reason": reason, "via": via}
    body = build(DelegateRequest, given | given_only({"by": by, "team": team}))
    return Operation(method="POST", path=_path(ask, "delegate"), answer=Ask, body=body)


def cancel(ask: Ask | str, *, reason: str = "", by: str | None = None) -> Operation[Ask]:
    """Take an ask back: the code that asked goes on and is told.

    Raises:
        ConflictError: it is decided already.
        NotFoundError: there is no such ask.
    """
    body = build(CancelAskRequest, given_only({"reason": reason, "by": by}))
    return Operation(method="POST", path=_path(ask, "cancel"), answer=Ask, body=body)


def received(ask: Ask | str, *, by: str | None = None) -> Operation[Ask]:
    """Tell that an ask has reached somebody, so that it raises no alarm.

    Raises:
        NotFoundError: there is no such ask.
    """
    body = build(ReceivedRequest, given_only({"by": by}))
    return Operation(method="POST", path=_path(ask, "received"), answer=Ask, body=body, repeatable=True)


def waiting(
    ask: Ask | str,
    *,
    timeout_s: float | None,
    patience_s: float,
    send: Callable[[Operation[Ask]], Flow[Ask]],
    clock: Callable[[], float],
    away_s: float | None = LONGEST_AWAY_S,
) -> Flow[Ask]:
    """Wait until an ask is closed, and return it.

    patience_s: how long a request may take. send: how an operation is sent. clock: monotonic, in seconds. away_s: how
    long the collector may be away; None: for ever.

    Raises:
        AskNotAnsweredError: it is still open after timeout_s.
        NotFoundError: there is no such ask.
        UnavailableError: the collector was away for too long.
    """
    began = answered = clock()
    seen: Ask | None = None
    while True:
        left_s = None if timeout_s is None else max(timeout_s - (clock() - began), 0.0)
        try:
            seen = yield from send(get(ask, wait_ms=int(_poll_s(left_s, patience_s) * 1_000)))
            answered = clock()
        except UnavailableError:
            if (away_s is not None and clock() - answered > away_s) or (left_s is not None and left_s <= 0):
                raise
            yield Sleep(AWAY_PAUSE_S)
            continue
        if seen.status != "open":
            return seen
        if timeout_s is not None and clock() - began >= timeout_s:
            raise AskNotAnsweredError(seen, timeout_s)


def _poll_s(left_s: float | None, patience_s: float) -> float:
    """Return how long a request may wait: less than its sender's patience, and no longer than there is time."""
    longest_s = min(max(patience_s - MARGIN_S, patience_s / 2), LONGEST_POLL_S)
    return longest_s if left_s is None else min(left_s, longest_s)


def _decide(ask: Ask | str, decision: str, **given: Any) -> Operation[Ask]:
    body = build(DecideRequest, {"decision": decision} | given_only(given))
    return Operation(method="POST", path=_path(ask, "decide"), answer=Ask, body=body)


def _path(ask: Ask | str, *more: str) -> str:
    return path_of("asks", to_id(ask), *more)
