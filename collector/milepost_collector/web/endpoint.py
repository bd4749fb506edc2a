"""What is known of an address: the router and /openapi.json are both made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One address.

    status: of the usual answer. also: further statuses with the same answer. answers, body: media types and the type of
    each, None when it has no schema. is_body_optional: the body may be left out. errors: statuses beside 500. refusals:
    media types of these errors, None for problem details.
    """

    path: str
    handler: Handler
    summary: str
    answers: dict[str, Any]
    method: str = "GET"
    status: int = 200
    also: tuple[int, ...] = ()
    parameters: type[Struct] | None = None
    body: dict[str, Any] | None = None
    is_body_optional: bool = False
    errors: tuple[int, ...] = ()
    refusals: dict[str, Any] | None = None
