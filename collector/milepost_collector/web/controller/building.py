"""How the addresses of things that are kept are described: with the errors that each kind of them has."""

from __future__ import annotations

from typing import Any

from milepost_collector.web.endpoint import Endpoint, Handler
from milepost_collector.web.events import JSON

READING = (400, 503)
FINDING = (400, 404, 503)
CHANGING = (400, 404, 409, 413, 415, 503)


def get(path: str, handler: Handler, kind: Any, summary: str, parameters: Any = None) -> Endpoint:
    """Return a GET of JSON."""
    errors = FINDING if "{" in path else READING
    return Endpoint(
        path=path, handler=handler, summary=summary, parameters=parameters, answers={JSON: kind}, errors=errors
    )


def change(method: str, path: str, handler: Handler, taken: Any, kind: Any, summary: str, **more: Any) -> Endpoint:
    """Return what takes one struct and answers with another."""
    return Endpoint(
        path=path,
        method=method,
        handler=handler,
        summary=summary,
        body={JSON: taken},
        answers={JSON: kind},
        errors=CHANGING,
        **more,
    )


def command(path: str, handler: Handler, taken: Any, kind: Any, summary: str) -> Endpoint:
    """Return a POST whose body may be left out."""
    return change("POST", path, handler, taken, kind, summary, is_body_optional=True)


def delete(path: str, handler: Handler, summary: str) -> Endpoint:
    """Return a DELETE."""
    return Endpoint(
        path=path, method="DELETE", handler=handler, summary=summary, answers={}, status=204, errors=(404, 409, 503)
    )
