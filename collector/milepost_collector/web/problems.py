"""Errors as RFC 9457 problem details: every error answer of the collector is made here."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from milepost.errors import MilepostError
from milepost_collector.errors import (
    BodyTooLargeError,
    ConflictError,
    ControllerBusyError,
    DeliverableStoreError,
    DigestMismatchError,
    InvalidParameterError,
    MalformedBodyError,
    NotApproverError,
    NotFoundError,
    QueryInterruptedError,
    QueryMemoryError,
    QueryRejectedError,
    QueryTimeoutError,
    QueueFullError,
    StorageUnavailableError,
    UnsupportedEncodingError,
    UploadStalledError,
    ValueTooLargeError,
)
from milepost_collector.protocol.api import Problem
from milepost_collector.triggers.errors import (
    DeliveryFailedError,
    DeliveryLimitedError,
    DeliveryRefusedError,
    TriggerChangedError,
)

logger = logging.getLogger("milepost.web")

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
CHALLENGES = {"basic": 'Basic realm="Milepost"', "bearer": "Bearer"}
# Attributes of errors that answers show.
_EXTENSIONS = ("field", "value", "limit", "remedy", "legal", "position", "end")


class NotAcceptableError(MilepostError):
    """None of the formats there are is acceptable. value: the Accept header. allowed: the formats."""

    def __init__(self, value: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"Accept {value!r} excludes every format there is; accept one of {', '.join(allowed)}")
        self.field = "Accept"
        self.value = value
        self.allowed = allowed


STATUSES: dict[type[MilepostError], int] = {
    InvalidParameterError: 400,
    MalformedBodyError: 400,
    QueryRejectedError: 400,
    NotApproverError: 403,
    DeliveryRefusedError: 401,
    DigestMismatchError: 400,
    NotFoundError: 404,
    NotAcceptableError: 406,
    UploadStalledError: 408,
    ConflictError: 409,
    BodyTooLargeError: 413,
    ValueTooLargeError: 413,
    UnsupportedEncodingError: 415,
    DeliveryFailedError: 422,
    QueryMemoryError: 422,
    DeliveryLimitedError: 429,
    QueueFullError: 503,
    ControllerBusyError: 503,
    StorageUnavailableError: 503,
    TriggerChangedError: 503,
    DeliverableStoreError: 503,
    QueryInterruptedError: 503,
    QueryTimeoutError: 504,
}


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **extensions: Any) -> Response:
    """Return an error answer. extensions: field, value, limit, remedy, legal, position, end."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **extensions)
    return Response(msgspec.json.encode(body), status, media_type=MEDIA_TYPE, headers=headers)


def milepost_problem(error: MilepostError) -> Response:
    """Return the answer for one of our own errors."""
    status = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), None)
    if status is None:
        return unexpected_problem(error)
    extensions = {name: getattr(error, name) for name in _EXTENSIONS if hasattr(error, name)}
    return problem(status, str(error), headers=_headers(error, status), **extensions)


def unexpected_problem(error: BaseException) -> Response:
    """Log an error nobody foresaw and return an answer that names only the log entry."""
    error_id = secrets.token_hex(6)
    logger.error("unexpected error %s", error_id, exc_info=error)
    return problem(500, f"an unexpected error happened; the collector's log has it under {error_id}")


async def handle_milepost_error(request: Request, error: Exception) -> Response:
    """Answer for one of our own errors; an exception handler for Starlette."""
    assert isinstance(error, MilepostError)
    return milepost_problem(error)


async def handle_http_exception(request: Request, error: Exception) -> Response:
    """Answer for Starlette's 404, 405 and the like."""
    assert isinstance(error, HTTPException)
    detail = error.detail
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        detail = f"{request.method} is not allowed for {request.url.path}; use {allowed}"
    elif error.status_code == 404:
        detail = f"there is nothing at {request.url.path}; GET /openapi.json lists what there is"
    return problem(error.status_code, detail, headers=dict(error.headers or {}))


class UnexpectedErrors:
    """Middleware that turns any exception into a 500, or cuts the answer off when it had begun."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            logger.debug("a client went away before it had sent all of %s %s", scope["method"], scope["path"])
        except Exception as error:
            if started:  # the client sees a body that ends too early, which is the truth
                raise
            await unexpected_problem(error)(scope, receive, send)


def _headers(error: MilepostError, status: int) -> dict[str, str] | None:
    if isinstance(error, DeliveryRefusedError):  # RFC 9110 section 15.5.2 wants a challenge
        return {"WWW-Authenticate": CHALLENGES.get(error.scheme, f'Signature scheme="{error.scheme}"')}
    if status not in (429, 503):
        return None
    return {"Retry-After": str(getattr(error, "retry_after_s", RETRY_AFTER_S))}
