"""Counting answers for /metrics. Pure ASGI middleware."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from milepost_collector.web.health import Metrics


class Counting:
    """Counts every answer by method, route and status, with the time until it began."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.perf_counter()

        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = scope.get("milepost.route", "other")
                self._metrics.count(_method(scope), route, message["status"], time.perf_counter() - begin)
            await send(message)

        await self._app(scope, receive, count)


def _method(scope: Scope) -> str:
    """Return the method; unknown ones are one label, for a client can make up any number."""
    method: str = scope["method"]
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
