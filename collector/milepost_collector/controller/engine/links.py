"""One-time links: made for one approver of one open ask, and used up by what they carry, in its transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import msgspec

from milepost.wire.asks import DecideRequest, DelegateRequest
from milepost.wire.links import LinkRequest
from milepost_collector.controller.engine import answering
from milepost_collector.controller.engine.asks import find_ask
from milepost_collector.controller.engine.unit import Unit, names_in
from milepost_collector.controller.rows import LinkRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import ConflictError, NotApproverError, NotFoundError

MAX_LINKS = 1_000  # of one ask


def digest_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def make(unit: Unit, link_id: str, ask_id: str, token: str, request: LinkRequest) -> LinkRow:
    """Make a link to an open ask.

    Raises:
        ConflictError: the ask is decided, or has too many links.
        NotApproverError: it is not for this person or team.
        NotFoundError: there is no such ask.
    """
    ask = find_ask(unit.tx, ask_id)
    if ask.status != "open":
        raise ConflictError(f"ask {ask_id} is {ask.status}; nothing is left to decide by a link")
    approvers = names_in(ask.approvers)
    if approvers and request.to not in approvers:
        raise NotApproverError(ask_id, request.to, approvers)
    if unit.tx.count(LinkRow, Find(equal={"ask_id": ask_id})) >= MAX_LINKS:
        raise ConflictError(f"ask {ask_id} has {MAX_LINKS} links already, no more are allowed; use one of them")
    row = LinkRow(
        id=link_id,
        ask_id=ask_id,
        approver=request.to,
        token_digest=digest_of(token),
        created_at=unit.now,
        expires_at=unit.now + request.expires_in_ms,
        created_by=request.by,
    )
    unit.tx.insert([row])
    return row


def find(tx: Tx, token: str, *, lock: bool = False) -> LinkRow:
    """Return the link of a token.

    Raises:
        NotFoundError: there is none; the text does not repeat the token.
    """
    found = tx.find(LinkRow, Find(equal={"token_digest": digest_of(token)}, limit=1), lock=lock)
    if not found:
        raise NotFoundError("link", "of this token")
    return found[0]


def use(unit: Unit, token: str, request: DecideRequest) -> str:
    """Decide an ask by a link, once; return the ask's id. What is refused leaves the link as it was.

    Raises:
        ConflictError: the link is used or has expired, or the ask is decided, or its action is another by now.
        InvalidParameterError: the answer does not fit.
        NotFoundError: there is no such link.
    """
    known = find(unit.tx, token)
    said = msgspec.structs.replace(request, by=known.approver, team=None, via="link")
    answering.decide(unit, known.ask_id, said)  # locks the task and the ask, in the order that everybody locks them
    _use_up(unit, token)
    return known.ask_id


def hand_on(
    unit: Unit, token: str, request: DelegateRequest, tokens: Mapping[str, str], new_id: Callable[[], str]
) -> list[LinkRow]:
    """Let others decide instead, once; return the link of each, which is good for as long as this one was.

    tokens: of their links, by the names in `request.to`.

    Raises:
        ConflictError: the link is used or has expired, or the ask is decided.
        InvalidParameterError: they are too few.
        NotApproverError: the ask is somebody else's by now.
        NotFoundError: there is no such link.
    """
    known = find(unit.tx, token)
    said = msgspec.structs.replace(request, by=known.approver, team=None, via="link")
    answering.delegate(unit, known.ask_id, said)
    used = _use_up(unit, token)
    left_ms = used.expires_at - unit.now
    return [
        make(unit, new_id(), known.ask_id, other, LinkRequest(to=name, expires_in_ms=left_ms, by=known.approver))
        for name, other in tokens.items()
    ]


def _use_up(unit: Unit, token: str) -> LinkRow:
    link = find(unit.tx, token, lock=True)
    if link.used_at is not None:
        raise ConflictError("this link has been used; it decides once")
    if link.expires_at <= unit.now:
        raise ConflictError("this link has expired; ask for another one")
    link.used_at = unit.now
    unit.tx.update([link])
    return link
