"""A question's JSON Schema as fields of an HTML form, and the form as an answer.

Text, numbers, yes or no, and choices have fields, alone or as the properties of an object; for everything else the form
takes JSON and shows the schema. Whether an answer fits is judged by the controller, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct

from milepost_collector.errors import InvalidParameterError

MOST_FIELDS = 40
WHOLE = "value"  # the field of an answer that is no object
_PLAIN = frozenset({"title", "description", "type", "properties", "required", "additionalProperties", "$schema"})
_TYPES = ("string", "integer", "number", "boolean")


class Field(Struct, frozen=True, kw_only=True):
    """One field of a form. name: of its form element. choices: JSON, of a choice."""

    name: str
    title: str
    help: str
    kind: Literal["text", "number", "boolean", "choice", "json"]
    required: bool
    choices: tuple[str, ...] = ()


def fields_of(schema: Mapping[str, Any] | None) -> list[Field]:
    """Return the fields for an answer: one for the whole, or one for each property."""
    if schema is None:
        return [Field(name=WHOLE, title="Your answer", help="", kind="text", required=True)]
    properties = schema.get("properties")
    if schema.get("type") == "object" and isinstance(properties, dict) and 0 < len(properties) <= MOST_FIELDS:
        required = schema.get("required", [])
        known = set(schema) <= _PLAIN and set(required) <= set(properties)
        if known:
            return [_field(f"{WHOLE}.{name}", name, part, name in required) for name, part in properties.items()]
    return [_field(WHOLE, "Your answer", schema, True)]


def _field(name: str, title: str, schema: Any, required: bool) -> Field:
    schema = schema if isinstance(schema, dict) else {}
    about: dict[str, Any] = {
        "name": name,
        "title": str(schema.get("title") or title),
        "help": str(schema.get("description") or ""),
        "required": required,
    }
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return Field(**about, kind="choice", choices=tuple(msgspec.json.encode(choice).decode() for choice in choices))
    kind = schema.get("type")
    if kind not in _TYPES or "const" in schema or "anyOf" in schema or "oneOf" in schema:
        about["help"] = " ".join(
            filter(None, (about["help"], f"JSON that fits {msgspec.json.encode(schema).decode()}"))
        )
        return Field(**about, kind="json")
    kinds: dict[str, Any] = {"string": "text", "boolean": "boolean"}
    return Field(**about, kind=kinds.get(kind, "number"))


def answer_of(fields: list[Field], form: Mapping[str, str]) -> Any:
    """Return the answer that a form holds; UNSET without any. What is left empty and not required is left out.

    Raises:
        InvalidParameterError: a field cannot be read.
    """
    if len(fields) == 1 and fields[0].name == WHOLE:
        return _value(fields[0], form.get(WHOLE, ""))
    given = {field.name.removeprefix(f"{WHOLE}."): _value(field, form.get(field.name, "")) for field in fields}
    return {name: value for name, value in given.items() if value is not UNSET}


def _value(field: Field, text: str) -> Any:
    if field.kind == "text":
        return text if text or field.required else UNSET
    if not text.strip():
        return UNSET
    if field.kind == "choice" and text not in field.choices:
        raise InvalidParameterError(field.title, text, "choose one of those there are")
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        kind = "a number" if field.kind == "number" else "JSON"
        raise InvalidParameterError(field.title, text[:200], f"write {kind}") from error
