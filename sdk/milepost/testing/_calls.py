"""A call as the server remembers it, and what every API has to be able to do with one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from milepost.testing._replies import Failure, Reply, Usage
from milepost.testing._requests import ModelRequest
from milepost.testing._text import as_json

__all__ = ["Dialect", "Event", "ModelCall", "arguments_of", "text_of"]


@dataclass(kw_only=True)
class ModelCall:
    """What the server was asked and what it answered.

    status: of the HTTP answer, 0 when there was none. id: of the response, as the client was told. model: that
    answered. reply: None when it failed, then failure says how. usage: zeros when it failed. told_usage: False for a
    stream whose client did not ask for usage. completed: False while the answer is on its way, and for good when the
    client went away before its end. created: seconds since the Unix epoch.
    """

    request: ModelRequest
    status: int = 200
    id: str = ""
    model: str = ""
    reply: Reply | None = None
    failure: Failure | None = None
    usage: Usage = field(default_factory=Usage)
    told_usage: bool = True
    completed: bool = False
    created: int = 0


# The name of a server-sent event (None: without) and its data.
Event = tuple[str | None, dict[str, Any] | str]


class Dialect(Protocol):
    """One API: its way of asking, of answering, of streaming, of failing."""

    path: str  # the end of the URL's path
    id_prefix: str
    call_id_prefix: str

    def read(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> ModelRequest:
        """Return the request. Raises ValueError, KeyError, TypeError or AttributeError when it is malformed."""
        ...

    def tells_usage(self, request: ModelRequest) -> bool:
        """Return whether the answer to a request carries usage."""
        ...

    def whole(self, call: ModelCall) -> dict[str, Any]:
        """Return the answer in one piece."""
        ...

    def events(self, call: ModelCall) -> Iterator[Event]:
        """Return the answer in pieces."""
        ...

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Return the body of an error."""
        ...


def text_of(content: Any) -> str:
    """Return the text of a message's content: a string, or parts, of which those without text say nothing."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        return text_of(content["text"] if "text" in content else content.get("content"))
    return "".join(text_of(part) for part in content or ())


def arguments_of(text: Any) -> dict[str, Any]:
    """Return a tool call's arguments, which OpenAI writes as JSON text and models sometimes write wrong."""
    try:
        arguments = json.loads(text) if isinstance(text, str) and text else text
    except ValueError:
        arguments = {"text": text}
    return arguments if isinstance(arguments, dict) else {"value": as_json(arguments)} if arguments else {}
