"""The messages of a span: the best of the places that may hold them, each read by its form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from milepost_collector.protocol.foreign import ForeignSpan, SpanEvent
from milepost_collector.protocol.messages.chunks import joined_chunks
from milepost_collector.protocol.messages.events import event_item, event_side, is_message_event
from milepost_collector.protocol.messages.flattened import unflatten
from milepost_collector.protocol.messages.message import Found, Message
from milepost_collector.protocol.messages.parts import Part, content_parts, tool_call
from milepost_collector.protocol.messages.shapes import conversation, merged, message_list, messages_of
from milepost_collector.protocol.messages.table import PLACES, Place, load_table
from milepost_collector.protocol.messages.values import json_text, parsed, parsed_container

Attributes = dict[str, Any]
Fields = list[tuple[Place, Any]]

DETAILS_EVENT = "gen_ai.client.inference.operation.details"


def span_messages(span: ForeignSpan) -> Found:
    """Return the messages that a span sent to a model and got back; nothing for spans of tools and the like.

    Each side comes from one source, the richest one: attributes before events, structured before flattened. Never
    raises for what was sent. Safe in any thread.
    """
    attributes = span.attributes
    if not span.events and PLACES.has_none(attributes):
        return Found([], [])
    kind = span_kind(attributes)
    if kind == "none":
        return Found([], [])
    found = _of_places(attributes, is_model=kind == "model")
    if span.events and not (found.input and found.output):
        found = _with_events(found, span.events)
    _name_results(found)
    return _without_repetition(found)


def event_messages(name: str, attributes: Attributes, body: Any) -> Found:
    """Return the messages of a log record or of an event that stands alone.

    name: the event's, as "gen_ai.user.message". body: a record's, None for events. Never raises for what was sent.
    """
    if is_message_event(name):
        messages = messages_of(*event_item(name, attributes, body))
        return Found([], messages) if event_side(name) == "output" else Found(messages, [])
    held = parsed_container(body)
    found = attribute_messages({**attributes, **held} if isinstance(held, dict) else attributes)
    _name_results(found)
    return found


def attribute_messages(attributes: Attributes) -> Found:
    """Return the messages of attributes that are known to belong to a call of a model."""
    return _of_places(attributes, is_model=True)


def span_kind(attributes: Attributes) -> str:
    """Return what kind of span attributes tell of: model, none (no messages whatever it holds) or "" for others."""
    found = ""
    for name, kinds in load_table().kinds.items():
        value = attributes.get(name)
        if type(value) is str:
            kind = kinds.get(value) or kinds.get(value.strip('"'), "")
            if kind == "none":
                return kind
            found = found or kind
    return found


def _of_places(attributes: Attributes, *, is_model: bool) -> Found:
    grouped: dict[int, Fields] = {}
    for name, value in attributes.items():
        if (place := PLACES[name]) is not None:
            grouped.setdefault(place.rank, []).append((place, value))
    sides: dict[str, list[Message]] = {"input": [], "output": [], "system": []}
    settled: set[str] = set()
    for rank in sorted(grouped):
        fields = grouped[rank]
        source = fields[0][0].source
        wanted = {"input", "output"} if source.side == "both" else {source.side}
        if wanted <= settled:
            continue
        for side, messages in READERS[source.form](fields, source.side, is_model).items():
            if side not in settled and _size(messages) > _size(sides[side]):
                sides[side] = messages
        if not source.lossy:
            settled |= {side for side in wanted if sides[side]}
    return Found(_with_system(sides["system"], sides["input"]), sides["output"])


def _size(messages: list[Message]) -> int:
    return sum(len(message.parts) for message in messages)


def _with_system(system: list[Message], messages: list[Message]) -> list[Message]:
    """Put the system prompt, sent apart, before the messages, unless they begin with it."""
    if not system or (messages and messages[0].role in ("system", "developer")):
        return messages
    return system + messages


def _read_messages(fields: Fields, side: str, is_model: bool) -> dict[str, list[Message]]:
    value = parsed_container(fields[0][1])
    if isinstance(value, str):
        return {side: conversation(value, _role(side), is_model=True)}
    return {side: merged(_known(value, _role(side)))}


def _known(value: Any, role: str) -> list[Message]:
    """Return messages of a value that holds nothing else, whatever it looks like."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        found = [message for item in value for message in messages_of(item, role)]
        if found:
            return found
    return conversation(value, role, is_model=True)


def _read_value(fields: Fields, side: str, is_model: bool) -> dict[str, list[Message]]:
    for _, value in fields:
        if found := conversation(parsed(value), _role(side), is_model=is_model):
            return {side: found}
    return {}


def _read_repr(fields: Fields, side: str, is_model: bool) -> dict[str, list[Message]]:
    return _read_value(fields, side, True)


def _read_flat(fields: Fields, side: str, is_model: bool) -> dict[str, list[Message]]:
    items = unflatten((place.number, place.path, value) for place, value in fields)
    return {side: message_list(items, _role(side))}


def _read_answer(fields: Fields, side: str, is_model: bool) -> dict[str, list[Message]]:
    """Read an answer whose reasoning, text and calls are attributes of their own."""
    given = {place.path: value for place, value in reversed(fields)}
    parts: list[Part] = []
    if given.get("reasoning"):
        parts += [{**part, "type": "reasoning"} for part in content_parts(given["reasoning"]) if "content" in part]
    text = given.get("text") or given.get("object")
    parts += content_parts(text if type(text) is str or text is None else json_text(text))
    calls = parsed_container(given.get("toolCalls"))
    parts += [tool_call(call) for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return {side: [Message("assistant", parts)]} if parts else {}


def _read_history(fields: Fields, side: str, is_model: bool) -> dict[str, list[Message]]:
    """Read all messages of a run. The last answer and what follows it, a confirmation of its call, are the output."""
    value = parsed_container(fields[0][1])
    messages = message_list(value, "user") if isinstance(value, list) else []
    answers = [place for place, message in enumerate(messages) if message.role == "assistant"]
    end = answers[-1] if answers else len(messages)
    return {"input": messages[:end], "output": messages[end:]}


def _read_events(fields: Fields, side: str, is_model: bool) -> dict[str, list[Message]]:
    """Read events as Pydantic AI lists them in an attribute."""
    values = parsed_container(fields[0][1])
    found: dict[str, list[Message]] = {"input": [], "output": []}
    for item in values if isinstance(values, list) else []:
        name = item.get("event.name") if isinstance(item, dict) else None
        if type(name) is str and is_message_event(name):
            found[event_side(name)] += messages_of(*event_item(name, {}, item))
    return {side: merged(messages) for side, messages in found.items()}


def _read_system(fields: Fields, side: str, is_model: bool) -> dict[str, list[Message]]:
    parts = content_parts(parsed(fields[0][1]))
    return {"system": [Message("system", parts)]} if parts else {}


READERS: dict[str, Callable[[Fields, str, bool], dict[str, list[Message]]]] = {
    "messages": _read_messages,
    "value": _read_value,
    "repr": _read_repr,
    "flat": _read_flat,
    "answer": _read_answer,
    "history": _read_history,
    "events": _read_events,
    "system": _read_system,
}


def _role(side: str) -> str:
    return "user" if side == "input" else "assistant"


def _with_events(found: Found, events: Iterable[SpanEvent]) -> Found:
    """Fill the sides that attributes left empty from the span's events, stream chunks if there is nothing better."""
    sides: dict[str, list[Message]] = {"input": [], "output": []}
    details: Attributes = {}
    for event in events:
        if is_message_event(event.name):
            sides[event_side(event.name)] += messages_of(*event_item(event.name, event.attributes, None))
        elif event.name == DETAILS_EVENT:
            details.update(event.attributes)
    said = attribute_messages(details) if details else Found([], [])
    given = _with_system(_only_system(found), said.input or merged(sides["input"]))
    answer = said.output or merged(sides["output"]) or joined_chunks(events)
    return Found(_better(found.input, given), found.output or answer)


def _only_system(found: Found) -> list[Message]:
    """Return the system prompt if it is all that the attributes hold of the input."""
    return found.input if len(found.input) == 1 and found.input[0].role == "system" else []


def _better(messages: list[Message], others: list[Message]) -> list[Message]:
    return others if len(others) > len(messages) and len(messages) <= 1 else messages


def _without_repetition(found: Found) -> Found:
    """Leave out of the output what it repeats of the input: states of agents hold the whole conversation."""
    length = len(found.input)
    if length and len(found.output) > length and found.output[:length] == found.input:
        return Found(found.input, found.output[length:])
    return found


def _name_results(found: Found) -> None:
    """Give results of tools the name that their call has, so that they are the same message however they were sent."""
    names: dict[str, str] = {}
    for message in (*found.input, *found.output):
        for part in message.parts:
            kind = part["type"]
            if kind == "tool_call" and "id" in part and "name" in part:
                names[part["id"]] = part["name"]
            elif kind == "tool_result" and "name" not in part and part.get("id") in names:
                part["name"] = names[part["id"]]
