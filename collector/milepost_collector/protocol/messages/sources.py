"""The messages of a span: the best of the places that may hold them, each read by its form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from milepost_collector.protocol.foreign import ForeignSpan, SpanEvent
from milepost_collector.protocol.messages.chunks import joined_chunks
from milepost_collector.protocol.messages.events import event_item, event_side, is_message_event
from milepost_collector.protocol.messages.message import Found, Message
from milepost_collector.protocol.messages.parts import Part, content_parts, tool_call
from milepost_collector.protocol.messages.recall import history_of, of_flattened
from milepost_collector.protocol.messages.shapes import conversation, merged, message_list, messages_of
from milepost_collector.protocol.messages.table import Candidates, Layout, Place, layout_of, load_table
from milepost_collector.protocol.messages.values import json_text, parsed, parsed_container

Attributes = dict[str, Any]
Fields = list[tuple[Place, Any]]

REMEMBERED_PROMPTS = 256
MAX_PROMPT = 16_384  # characters of one; in all 12 MB at most, if they are ASCII

KINDS = tuple(load_table().kinds.items())
# Events whose attributes are like those of a span, and hold whole conversations.
CONVERSATION_EVENTS = (
    "gen_ai.client.inference.operation.details",
    "gen_ai.content.prompt",
    "gen_ai.content.completion",
)


def span_messages(span: ForeignSpan) -> Found:
    """Return the messages that a span sent to a model and got back; nothing for spans of tools and the like.

    Each side comes from one source, the richest one: attributes before events, structured before flattened. Never
    raises for what was sent. Safe in any thread.
    """
    layout = layout_of(span.attributes)
    if layout is None and not span.events:
        return Found([], [])
    kind = span_kind(span.attributes)
    if kind == "none":
        return Found([], [])
    found = _of_layout(span.attributes, layout, is_model=kind == "model")
    if span.events and not (found.input and found.output):
        found = _with_events(found, span.events)
    return _tidied(found)


def event_messages(name: str, attributes: Attributes, body: Any) -> Found:
    """Return the messages of a log record or of an event that stands alone.

    name: the event's, as "gen_ai.user.message". body: a record's, None for events. Never raises for what was sent.
    """
    if is_message_event(name):
        messages = messages_of(*event_item(name, attributes, body))
        return Found([], messages) if event_side(name) == "output" else Found(messages, [])
    held = parsed_container(body)
    return _tidied(attribute_messages({**attributes, **held} if isinstance(held, dict) else attributes))


def attribute_messages(attributes: Attributes) -> Found:
    """Return the messages of attributes that are known to belong to a call of a model."""
    return _of_layout(attributes, layout_of(attributes), is_model=True)


def span_kind(attributes: Attributes) -> str:
    """Return what kind of span attributes tell of: model, none (no messages whatever it holds) or "" for others."""
    for name, kinds in KINDS:
        value = attributes.get(name)
        if value is not None and type(value) is str and (kind := kinds.get(value) or kinds.get(value.strip('"'))):
            return kind
    return ""


def _of_layout(attributes: Attributes, layout: Layout | None, *, is_model: bool) -> Found:
    if layout is None:
        return Found([], [])
    given = _best(layout.given, attributes, "input", is_model)
    if layout.system:
        given = _with_system(_best(layout.system, attributes, "system", is_model), given)
    return Found(given, _best(layout.answer, attributes, "output", is_model))


def _best(candidates: Candidates, attributes: Attributes, side: str, is_model: bool) -> list[Message]:
    """Return the messages of the first source that has any, of a later one only if that first one may lose some."""
    best: list[Message] = []
    for source, places in candidates:
        fields = [(place, attributes[place.name]) for place in places]
        messages = READERS[source.form](fields, side, is_model)
        if not best or _size(messages) > _size(best):
            best = messages
        if best and not source.lossy:
            break
    return best


def _size(messages: list[Message]) -> int:
    return sum(len(message.parts) for message in messages)


def _with_system(system: list[Message], messages: list[Message]) -> list[Message]:
    """Put the system prompt, sent apart, before the messages, unless they begin with it."""
    if not system or (messages and messages[0].role in ("system", "developer")):
        return messages
    return system + messages


def _read_messages(fields: Fields, side: str, is_model: bool) -> list[Message]:
    given = fields[0][1]
    if side == "input" and type(given) is str and (history := history_of(given)) is not None:
        return history
    value = parsed_container(given)
    role = _role(side)
    if isinstance(value, list):
        # Whatever they look like: the attribute holds nothing but messages.
        found = [message for item in value if isinstance(item, dict) for message in messages_of(item, role)]
        if found:
            return merged(found)
    return [] if _is_broken(value) else conversation(value, role, is_model=True)


def _read_value(fields: Fields, side: str, is_model: bool) -> list[Message]:
    for _, value in fields:
        if side == "input" and type(value) is str and (history := history_of(value)) is not None:
            return history
        value = parsed(value)
        if not _is_broken(value) and (found := conversation(value, _role(side), is_model=is_model)):
            return found
    return []


def _is_broken(value: Any) -> bool:
    """Tell whether a value is a text that was to be JSON and is none, because it was cut off: not what was said."""
    return type(value) is str and value[:2] in ("[{", "[[", '{"', "{'")


def _read_repr(fields: Fields, side: str, is_model: bool) -> list[Message]:
    return _read_value(fields, side, True)


def _read_flat(fields: Fields, side: str, is_model: bool) -> list[Message]:
    return of_flattened(((place.number, place.path, value) for place, value in fields), _role(side))


def _read_answer(fields: Fields, side: str, is_model: bool) -> list[Message]:
    """Read an answer whose reasoning, text and calls are attributes of their own."""
    given = {place.path: value for place, value in reversed(fields)}
    parts: list[Part] = []
    if given.get("reasoning"):
        parts += [{**part, "type": "reasoning"} for part in content_parts(given["reasoning"]) if "content" in part]
    text = given.get("text") or given.get("object")
    parts += content_parts(text if type(text) is str or text is None else json_text(text))
    calls = parsed_container(given.get("toolCalls"))
    parts += [tool_call(call) for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return [Message("assistant", parts)] if parts else []


def _read_history(fields: Fields, side: str, is_model: bool) -> list[Message]:
    """Read all messages of a run. The last answer and what follows it, a confirmation of its call, are the output."""
    value = parsed_container(fields[0][1])
    return _half(message_list(value, "user") if isinstance(value, list) else [], side)


def _half(messages: list[Message], side: str) -> list[Message]:
    """Return what stands before the last answer, or the last answer and what stands after it."""
    answers = [place for place, message in enumerate(messages) if message.role == "assistant"]
    end = answers[-1] if answers else len(messages)
    return messages[:end] if side == "input" else messages[end:]


def _read_events(fields: Fields, side: str, is_model: bool) -> list[Message]:
    """Read events as Pydantic AI lists them in an attribute."""
    values = parsed_container(fields[0][1])
    sides: dict[str, list[Message]] = {"input": [], "output": []}
    for item in values if isinstance(values, list) else []:
        name = item.get("event.name") if isinstance(item, dict) else None
        if type(name) is str and is_message_event(name):
            sides[event_side(name)] += messages_of(*event_item(name, {}, item))
    # Instrumentations that have no event for the answer end with it.
    return merged(sides[side]) if sides["output"] else _half(merged(sides["input"]), side)


def _read_system(fields: Fields, side: str, is_model: bool) -> list[Message]:
    given = fields[0][1]
    prompt = _remembered_prompt(given) if type(given) is str and len(given) <= MAX_PROMPT else _prompt(given)
    return [] if prompt is None else [prompt]


def _prompt(given: Any) -> Message | None:
    parts = content_parts(parsed(given))
    return Message("system", parts) if parts else None


# A system prompt comes with every call of an agent.
_remembered_prompt = lru_cache(REMEMBERED_PROMPTS)(_prompt)


READERS: dict[str, Callable[[Fields, str, bool], list[Message]]] = {
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
    told, said = Found([], []), Found([], [])  # by events of one message each, by events of whole conversations
    for event in events:
        if event.name in CONVERSATION_EVENTS:
            part = attribute_messages(event.attributes)
            said = Found(_continued(said.input, part.input), _continued(said.output, part.output))
        elif is_message_event(event.name):
            side = told.output if event_side(event.name) == "output" else told.input
            side += messages_of(*event_item(event.name, event.attributes, None))
    given = _with_system(_only_system(found), said.input or merged(told.input))
    answer = said.output or merged(told.output) or joined_chunks(events)
    return Found(_better(found.input, given), found.output or answer)


def _continued(messages: list[Message], more: list[Message]) -> list[Message]:
    """Return messages and what follows them; a later event may repeat them."""
    return more if more[: len(messages)] == messages else messages + more


def _only_system(found: Found) -> list[Message]:
    """Return the system prompt if it is all that the attributes hold of the input."""
    return found.input if len(found.input) == 1 and found.input[0].role == "system" else []


def _better(messages: list[Message], others: list[Message]) -> list[Message]:
    return others if len(others) > len(messages) and len(messages) <= 1 else messages


def _tidied(found: Found) -> Found:
    """Name the results of tools, and leave out of the output what it repeats of the input, as states of agents do."""
    given, answer = found.input, found.output
    if any([message.role == "tool" for message in given]):
        given, answer = _with_names(given, answer)
    length = len(given)
    if length and len(answer) > length and answer[:length] == given:
        answer = answer[length:]
    return Found(given, answer)


def _with_names(given: list[Message], answer: list[Message]) -> tuple[list[Message], list[Message]]:
    """Give results of tools the name that their call has, so that they are the same message however they were sent."""
    names = {
        part["id"]: part["name"]
        for message in (*given, *answer)
        if message.role == "assistant"
        for part in message.parts
        if part["type"] == "tool_call" and "id" in part and "name" in part
    }
    return [_named(message, names) for message in given], [_named(message, names) for message in answer]


def _named(message: Message, names: dict[str, str]) -> Message:
    part = message.parts[0]
    if message.role != "tool" or part["type"] != "tool_result" or "name" in part or part.get("id") not in names:
        return message
    return Message(message.role, [{**part, "name": names[part["id"]]}])
