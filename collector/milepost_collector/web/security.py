"""Who may ask: only this machine, and no foreign page in its browsers. Pure ASGI middleware."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from milepost_collector.config import is_loopback
from milepost_collector.web.problems import problem

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'self'; "
        "object-src 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ENCODED_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


class Security:
    """Refuses requests for other hosts and from other origins, and adds the security headers to every answer.

    The Host check stops DNS rebinding: a page of evil.example whose name suddenly means 127.0.0.1 still sends its own
    name. The Origin check stops pages from sending on a reader's behalf. Deliveries to triggers are let through: they
    come under whatever name a tunnel or proxy has outside, and prove themselves by their signatures. So are one-time
    links, which prove themselves by their token and its form. host: the address the collector listens on.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then run the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                own = {name for name, _ in given}  # a page may be stricter
                message["headers"] = [*given, *(header for header in _ENCODED_HEADERS if header[0] not in own)]
            await send(message)

        refusal = None if _is_delivery(scope) or _is_link(scope) else self._refusal(Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send_secured)

    def _refusal(self, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if not self._is_own_host(host):
            return problem(
                421,
                f"host {host!r} is not this collector; ask for http://127.0.0.1 or http://localhost with its port",
                field="Host",
                value=host,
            )
        origin = headers.get("origin")
        if origin is not None and not _same_origin(origin, host):
            return problem(
                403,
                f"origin {origin!r} may not use this collector; only its own pages may",
                field="Origin",
                value=origin,
            )
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return problem(403, "pages of other sites may not use this collector", field="Sec-Fetch-Site")
        return None

    def _is_own_host(self, host: str) -> bool:
        return _is_own(host, self._host)


def _is_link(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")).startswith("/approve/")


def _is_delivery(scope: Scope) -> bool:
    path: str = scope["path"]
    return scope["method"] == "POST" and path.removeprefix(scope.get("root_path", "")).startswith("/api/hooks/")


@lru_cache(maxsize=100)  # it is the same in almost every request
def _is_own(host: str, own: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return is_loopback(name) or name == own.lower()


def _same_origin(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()
