"""JSON Schema 2020-12, for answers: schemas are checked when an ask is opened, answers when they are given.

Nothing outside of a schema is ever read: references lead into the same document. The library is imported when the first
ask with a schema comes, since it takes longer than all the rest of a collector's start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from milepost_collector.errors import InvalidParameterError

_REFERENCES = ("$ref", "$dynamicRef")
_MAX_DEPTH = 100


def check_schema(schema: dict[str, Any]) -> None:
    """Refuse what is not a JSON Schema that stands for itself.

    Raises:
        InvalidParameterError: it is malformed, refers to another document or to nothing, has a pattern that is none,
            or is nested too deeply.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    _check_references(schema)
    for pattern in _texts_under(schema, ("pattern",), "patternProperties", _MAX_DEPTH):
        _check_pattern(pattern)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InvalidParameterError(f"schema.{error.json_path}", None, _shortened(error.message)) from error


def check_value(field: str, value: Any, schema: dict[str, Any]) -> None:
    """Refuse a value that does not fit a schema, which has been checked.

    Raises:
        InvalidParameterError: names the first part that does not fit, and why.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    validator = Draft202012Validator(schema, registry=Registry())
    try:
        error = best_match(validator.iter_errors(value))
    except Unresolvable as nowhere:  # a base of its own (`$id`) leads elsewhere than it was checked from
        raise InvalidParameterError(field, None, f"the ask's schema refers to nothing: {nowhere}") from nowhere
    except RecursionError as endless:
        raise InvalidParameterError(field, None, "the ask's schema refers to itself without end") from endless
    if error is not None:
        path = error.json_path.removeprefix("$")
        raise InvalidParameterError(f"{field}{path}", _shown(error.instance), _shortened(error.message))


def _check_references(schema: dict[str, Any]) -> None:
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    resolver = Registry().with_resource("", DRAFT202012.create_resource(schema)).resolver()
    for reference in _texts_under(schema, _REFERENCES, None, _MAX_DEPTH):
        if not reference.startswith("#"):
            raise InvalidParameterError("schema.$ref", reference, "refer to places of the schema itself, as #/…")
        try:
            resolver.lookup(reference)
        except Unresolvable as error:
            raise InvalidParameterError("schema.$ref", reference, "there is nothing at that place of it") from error


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidParameterError("schema.pattern", pattern[:200], f"it is no regular expression: {error}") from error


def _texts_under(part: Any, names: tuple[str, ...], keys_of: str | None, depth: int) -> Iterator[str]:
    """Yield the texts that stand under names anywhere in a schema, and the keys of objects under `keys_of`."""
    if depth == 0:
        raise InvalidParameterError("schema", None, f"it is nested deeper than {_MAX_DEPTH} levels; make it flatter")
    if isinstance(part, list):
        for item in part:
            yield from _texts_under(item, names, keys_of, depth - 1)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name in names and isinstance(value, str):
                yield value
            if name == keys_of and isinstance(value, dict):
                yield from value
            yield from _texts_under(value, names, keys_of, depth - 1)


def _shortened(message: str) -> str:
    return message if len(message) <= 500 else f"{message[:500]}…"


def _shown(value: Any) -> Any:
    return value if len(repr(value)) <= 200 else None
