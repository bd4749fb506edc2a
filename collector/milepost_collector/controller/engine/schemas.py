"""JSON Schema 2020-12, for answers: schemas are checked when an ask is opened, answers when they are given.

Nothing outside of a schema is ever read: references lead into the same document. Whoever writes schemas and answers can
keep nobody waiting: patterns are matched in time that grows with the text alone, which rules out look-around and
backreferences, and how far references unfold is bounded. The library is imported when the first schema comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from milepost_collector.controller.engine.references import check_references, refuse_to_read, shortened
from milepost_collector.errors import InvalidParameterError

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

_MAX_PATTERN_BYTES = 1 << 20  # of one compiled pattern
_MOST_ERRORS = 100  # looked through for the one that is told
_CHOICES = ("anyOf", "oneOf")
_MAX_BRANCHES = 5  # of a choice, that are told why they do not fit


def check_schema(schema: dict[str, Any]) -> None:
    """Refuse what is not a JSON Schema that stands for itself.

    Raises:
        InvalidParameterError: it is malformed, refers to another document or to nothing, refers to itself at the same
            place of the value, has a pattern that is none or needs backtracking, is nested too deeply, or its
            references unfold to too much.
    """
    from jsonschema_rs import ValidationError

    check_references(schema)
    try:
        _validator(schema)
    except ValidationError as error:
        if error.kind.name == "format":  # of all formats only that of patterns is insisted on
            remedy = "use a regular expression without look-around and backreferences, and a smaller one if it is large"
            raise InvalidParameterError("schema.pattern", str(error.instance)[:200], remedy) from error
        place = _path(error.instance_path)
        raise InvalidParameterError(f"schema.${place}", None, shortened(error.message)) from error


def check_value(field: str, value: Any, schema: dict[str, Any]) -> None:
    """Refuse a value that does not fit a schema, which has been checked.

    Raises:
        InvalidParameterError: names the first part that does not fit, and why.
    """
    errors = islice(_validator(schema).iter_errors(value), _MOST_ERRORS)
    error = min(errors, key=_remoteness, default=None)
    if error is not None:
        instance = error.instance
        raise InvalidParameterError(field + _path(error.instance_path), _shown(instance), shortened(_told(error)))


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    from jsonschema_rs import Draft202012Validator, RegexOptions

    options = RegexOptions(size_limit=_MAX_PATTERN_BYTES)
    return Draft202012Validator(schema, pattern_options=options, retriever=refuse_to_read)


# What is told.


def _remoteness(error: ValidationError) -> tuple[int, bool]:
    """Order errors: the outermost says most, and a choice that fails less than anything beside it."""
    return len(error.instance_path), error.kind.name in _CHOICES


def _told(error: ValidationError) -> str:
    if error.kind.name not in _CHOICES:
        return error.message
    branches: Sequence[Sequence[ValidationError]] = getattr(error.kind, "context", ())
    reasons = [min(branch, key=_remoteness).message for branch in branches[:_MAX_BRANCHES] if branch]
    return f"it fits none of {len(branches)} ways: {'; or '.join(reasons)}" if reasons else error.message


def _path(place: Sequence[str | int]) -> str:
    """Return a place as JSONPath writes it (RFC 9535), without the root."""
    return "".join(_step(step) for step in place)


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if step.isidentifier() else f"[{step!r}]"


def _shown(value: Any) -> Any:
    return value if len(repr(value)) <= 200 else None
