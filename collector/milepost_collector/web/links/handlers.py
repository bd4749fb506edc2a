"""`POST /api/asks/{ask_id}/links` makes a link; `/approve/{token}` is where it leads.

GET and HEAD decide nothing and note nothing: programs look at links before people do. POST decides or delegates, once,
when it brings the proof that goes with the form: an HMAC under the token, of the ask and of the action that was looked
at, so that no other page can send it and nothing is approved that was not on screen. The token itself is kept nowhere.
Whoever delegates gets links to pass on, one for each of the others and good no longer than this one was.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from milepost.wire.asks import Ask, DecideRequest, DelegateRequest
from milepost.wire.links import Link, LinkRequest
from milepost_collector.controller import views
from milepost_collector.controller.engine import links
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.rows import LinkRow
from milepost_collector.controller.store.interface import Tx
from milepost_collector.errors import (
    BodyTooLargeError,
    ConflictError,
    InvalidParameterError,
    MalformedBodyError,
    NotApproverError,
    NotFoundError,
    ValueTooLargeError,
)
from milepost_collector.web.body import collect
from milepost_collector.web.controller.bodies import Body, answer
from milepost_collector.web.controller.building import CHANGING
from milepost_collector.web.endpoint import Endpoint
from milepost_collector.web.events import JSON
from milepost_collector.web.links.answers import answer_of, fields_of
from milepost_collector.web.links.page import HEADERS, form_page, handed_on_page, outcome_page, plain_page
from milepost_collector.web.state import services

HTML = "text/html"
FORM = "application/x-www-form-urlencoded"
TOKEN_BYTES = 32
MAX_FORM_BYTES = 1024 * 1024
MAX_FIELDS = 100
MAX_NAMES = 20  # that one link is handed on to

_request = Body(LinkRequest)


async def post_link(request: Request) -> Response:
    """Make a link and tell its address, once."""
    ask_id, wanted = request.path_params["ask_id"], await _request.read(request)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = await services(request).controller.write(lambda engine, tx: engine.make_link(tx, ask_id, token, wanted))
    base = (wanted.base_url or str(request.base_url)).rstrip("/")
    made = Link(
        id=row.id,
        ask_id=ask_id,
        to=row.approver,
        url=f"{base}/approve/{token}",
        created_at=to_datetime(row.created_at),
        expires_at=to_datetime(row.expires_at),
    )
    return answer(made, 201)


async def get_approve(request: Request) -> Response:
    """Show the ask of a link, and a form while it can be decided."""
    if (late := _too_fast(request)) is not None:
        return late
    token = request.path_params["token"]
    try:
        link, ask, now = await services(request).controller.read(lambda tx: _look(tx, token))
    except NotFoundError:
        return _unknown()
    if (over := _over(link, ask, now)) is not None:
        return over
    return _html(form_page(ask, link.approver, _proof(token, ask)))


async def post_approve(request: Request) -> Response:
    """Decide the ask of a link."""
    if (late := _too_fast(request)) is not None:
        return late
    token, controller = request.path_params["token"], services(request).controller
    try:
        link, ask, now = await controller.read(lambda tx: _look(tx, token))
    except NotFoundError:
        return _unknown()
    if (over := _over(link, ask, now)) is not None:
        return over
    form: Mapping[str, str] = {}
    try:
        form = await _read_form(request)
        _check_proof(token, ask, form)
        if form.get("decision") == "delegate":
            return await _hand_on(request, token, ask, form)
        wanted = _decision(ask, form)
        await controller.write(lambda engine, tx: engine.use_link(tx, token, wanted))
    except (InvalidParameterError, ValueTooLargeError) as error:
        return _html(form_page(ask, link.approver, _proof(token, ask), wrong=str(error), form=form), 400)
    except (BodyTooLargeError, MalformedBodyError) as error:
        return _html(plain_page("This was not taken", str(error)), 413 if isinstance(error, BodyTooLargeError) else 400)
    except (ConflictError, NotApproverError) as error:
        _, ask, _ = await controller.read(lambda tx: _look(tx, token))
        return _html(outcome_page(ask, f"This was not taken: {error}.", is_bad=True), 409)
    _, ask, _ = await controller.read(lambda tx: _look(tx, token))
    return _html(outcome_page(ask, f"Thank you, {link.approver}. {_told(ask)}"))


async def _hand_on(request: Request, token: str, ask: Ask, form: Mapping[str, str]) -> Response:
    """Let others decide; show the addresses of their links."""
    controller = services(request).controller
    wanted = _delegation(form)
    tokens = {name: secrets.token_urlsafe(TOKEN_BYTES) for name in wanted.to}
    await controller.write(lambda engine, tx: engine.hand_on_link(tx, token, wanted, tokens))
    base = _base_url(request, token)
    _, ask, _ = await controller.read(lambda tx: _look(tx, token))
    return _html(handed_on_page(ask, {name: f"{base}/approve/{other}" for name, other in tokens.items()}))


def _base_url(request: Request, token: str) -> str:
    """Return where the page was reached: behind a proxy only the browser knows, and tells it of this page alone."""
    page, _, rest = request.headers.get("referer", "").rpartition(f"/approve/{token}")
    is_told = page.startswith(("http://", "https://")) and not rest
    return (page if is_told else str(request.base_url)).rstrip("/")


def _look(tx: Tx, token: str) -> tuple[LinkRow, Ask, int]:
    link = links.find(tx, token)
    sent = msgspec.json.encode(views.ask(tx, link.ask_id))  # what is stored as JSON is not decoded in views
    return link, msgspec.json.decode(sent, type=Ask), tx.now


def _over(link: LinkRow, ask: Ask, now: int) -> Response | None:
    """Return the page for a link that decides nothing any more; None: it does."""
    if link.used_at is not None:
        return _html(outcome_page(ask, f"This link has been used. {_told(ask)}"), 410)
    if ask.status != "open":
        return _html(outcome_page(ask, f"Nothing is left to decide. {_told(ask)}"), 409)
    if link.expires_at <= now:
        return _html(outcome_page(ask, "This link has expired; ask for another one.", is_bad=True), 410)
    return None


def _told(ask: Ask) -> str:
    if ask.status == "open":
        return f"It stays open: {ask.approvals} of {ask.quorum} approvals."
    by = f" by {ask.answer.by}" if ask.answer is not None and ask.answer.by else ""
    return f"It is {ask.status}{by}."


def _check_proof(token: str, ask: Ask, form: Mapping[str, str]) -> None:
    if not hmac.compare_digest(form.get("proof", ""), _proof(token, ask, form.get("digest", ""))):
        raise InvalidParameterError("form", None, "it is not this page's; look at it again, then decide")


def _delegation(form: Mapping[str, str]) -> DelegateRequest:
    names = list(dict.fromkeys(name.strip() for name in form.get("to", "").split(",") if name.strip()))
    if not 0 < len(names) <= MAX_NAMES:
        raise InvalidParameterError(
            "to", form.get("to", "")[:200], f"give one to {MAX_NAMES} names, with commas between"
        )
    try:
        return msgspec.convert({"to": names, "reason": form.get("reason", "")[:2_000]}, DelegateRequest)
    except msgspec.ValidationError as error:
        raise InvalidParameterError("to", form["to"][:200], f"give names as they are; {error}") from error


def _edited(form: Mapping[str, str]) -> Any:
    text = form.get("action", "")
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidParameterError("action", None, f"it is not JSON: {error}") from error


def _decision(ask: Ask, form: Mapping[str, str]) -> DecideRequest:
    digest = form.get("digest", "")
    decision = form.get("decision", "")
    if decision not in ("approve", "reject", "answer", "edit"):
        raise InvalidParameterError("decision", decision[:50], "press one of the buttons")
    option = form.get("option") or None
    value = UNSET
    if decision == "answer" and ask.kind == "question" and option is None:
        value = answer_of(fields_of(ask.schema), form)
    if decision == "reject" and option is not None and any(one.name == option and one.approves for one in ask.options):
        option = None  # it says what would have been approved
    reason = form.get("reason", "")[:2_000]
    action = _edited(form) if decision == "edit" else UNSET
    return DecideRequest(
        decision=decision,  # type: ignore[arg-type]  # one of these, as checked above
        option=option,
        action=action,
        value=value,
        reason=reason,
        action_digest=digest,
    )


def _proof(token: str, ask: Ask, digest: str | None = None) -> str:
    shown = digest if digest is not None else ask.edited_digest or ask.action_digest
    return hmac.new(token.encode(), f"decide {ask.id} {shown}".encode(), hashlib.sha256).hexdigest()


async def _read_form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise MalformedBodyError(f"the body is {kind or 'of no type'}; send the page's form, {FORM}")
    body = await collect(request.stream(), MAX_FORM_BYTES)
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))
    except ValueError as error:
        raise MalformedBodyError(f"the body is not a form: {error}") from error


def _too_fast(request: Request) -> Response | None:
    address = request.client.host if request.client else ""
    wait_s = services(request).link_pace.wait_s(address, time.monotonic())
    if wait_s == 0:
        return None
    page = plain_page("Too many tries", "Wait a moment, then open the link again.")
    return HTMLResponse(page, 429, {**HEADERS, "Retry-After": str(math.ceil(wait_s))})


def _unknown() -> Response:
    return _html(plain_page("This link is not known", "It is incomplete, or what it was for has been deleted."), 404)


def _html(page: str, status: int = 200) -> Response:
    return HTMLResponse(page, status, HEADERS)


_PAGE_ERRORS = {HTML: None}
LINK_ENDPOINTS = (
    Endpoint(
        path="/api/asks/{ask_id}/links",
        method="POST",
        handler=post_link,
        summary="Make a one-time link by which one approver can decide.",
        body={JSON: LinkRequest},
        answers={JSON: Link},
        status=201,
        errors=(*CHANGING, 403),
    ),
    Endpoint(
        path="/approve/{token}",
        handler=get_approve,
        summary="The page of a link: what is asked, and a form. Decides nothing.",
        answers={HTML: None},
        errors=(404, 409, 410, 429, 503),
        refusals=_PAGE_ERRORS,
    ),
    Endpoint(
        path="/approve/{token}",
        method="POST",
        handler=post_approve,
        summary="Decide or delegate by a link, once.",
        body={FORM: None},
        answers={HTML: None},
        errors=(400, 404, 409, 410, 413, 429, 503),
        refusals=_PAGE_ERRORS,
    ),
)
