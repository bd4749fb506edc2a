"""Events and log records that carry one message each: the conventions' older form, and Strands' reading of it."""

from __future__ import annotations

from typing import Any

from milepost_collector.protocol.messages.shapes import EVENT_ROLES
from milepost_collector.protocol.messages.values import parsed_container

Attributes = dict[str, Any]

BODY_ATTRIBUTE = "gen_ai.event.content"  # where Azure's SDK puts the body of an event that has none


def is_message_event(name: str) -> bool:
    """Tell whether events of this name carry a message."""
    return name in EVENT_ROLES


def event_side(name: str) -> str:
    """Return whether such an event is of the input or of the output."""
    return "output" if name == "gen_ai.choice" else "input"


def event_item(name: str, attributes: Attributes, body: Any) -> tuple[dict[str, Any], str]:
    """Return an event's message as an object of its fields, and the role its name gives it."""
    said = _fields(attributes, body)
    role = EVENT_ROLES[name]
    inner = parsed_container(said.get("message"))
    if isinstance(inner, dict):
        said = {**{key: value for key, value in said.items() if key != "message"}, **inner}
    elif inner is not None:
        said = {**said, "content": inner}
    for key in ("content", "tool_calls"):
        if type(said.get(key)) is str:
            said[key] = _blocks(said[key])
    if role == "tool" or "role" not in said:
        said["role"] = role
    if role == "assistant":
        # The index and the reason to finish are not the message's; Strands adds the next message, a tool's result.
        said = {key: value for key, value in said.items() if key not in ("index", "finish_reason", "tool.result", "id")}
    return said, role


def _fields(attributes: Attributes, body: Any) -> dict[str, Any]:
    given = parsed_container(body if body is not None else attributes.get(BODY_ATTRIBUTE))
    if isinstance(given, dict):
        return dict(given)
    if given is not None:
        return {"content": given}
    return dict(attributes)


def _blocks(text: str) -> Any:
    """Return the content blocks or calls that a text of JSON spells out; a text that is only text stays one."""
    if text[:2] not in ("[{", "[ "):
        return text
    value = parsed_container(text)
    return value if isinstance(value, list) and all(isinstance(block, dict) for block in value) else text
