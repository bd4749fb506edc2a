"""JSON Schema 2020-12, for answers: schemas are checked when an ask is opened, answers when they are given.

Nothing outside of a schema is ever read: references lead into the same document. Whoever writes schemas and answers can
keep nobody waiting: patterns are matched in time that grows with the text alone, which rules out look-around and
backreferences, and how far references unfold is bounded. The library is imported when the first schema comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from milepost_collector.errors import InvalidParameterError

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, Resolver, ValidationError

_REFERENCES = ("$ref", "$dynamicRef")
_MAX_DEPTH = 100
_MAX_PARTS = 100_000  # once every reference is replaced by what it refers to
_MAX_PATTERN_BYTES = 1 << 20  # of one compiled pattern
_MOST_ERRORS = 100  # looked through for the one that is told
_CHOICES = ("anyOf", "oneOf")
_MAX_BRANCHES = 5  # of a choice, that are told why they do not fit


def check_schema(schema: dict[str, Any]) -> None:
    """Refuse what is not a JSON Schema that stands for itself.

    Raises:
        InvalidParameterError: it is malformed, refers to another document or to nothing, has a pattern that is none or
            needs backtracking, is nested too deeply, or its references unfold to too much.
    """
    from jsonschema_rs import ValidationError

    _check_references(schema)
    try:
        _validator(schema)
    except ValidationError as error:
        if error.kind.name == "format":  # of all formats only that of patterns is insisted on
            remedy = "use a regular expression without look-around and backreferences, and a smaller one if it is large"
            raise InvalidParameterError("schema.pattern", str(error.instance)[:200], remedy) from error
        place = _path(error.instance_path)
        raise InvalidParameterError(f"schema.${place}", None, _shortened(error.message)) from error


def check_value(field: str, value: Any, schema: dict[str, Any]) -> None:
    """Refuse a value that does not fit a schema, which has been checked.

    Raises:
        InvalidParameterError: names the first part that does not fit, and why.
    """
    errors = islice(_validator(schema).iter_errors(value), _MOST_ERRORS)
    error = min(errors, key=_remoteness, default=None)
    if error is not None:
        instance = error.instance
        raise InvalidParameterError(field + _path(error.instance_path), _shown(instance), _shortened(_told(error)))


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    from jsonschema_rs import Draft202012Validator, RegexOptions

    options = RegexOptions(size_limit=_MAX_PATTERN_BYTES)
    return Draft202012Validator(schema, pattern_options=options, retriever=_refuse_to_read)


def _refuse_to_read(uri: str) -> NoReturn:
    raise LookupError(f"{uri} is no place of the schema itself")


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


def _shortened(message: str) -> str:
    return message if len(message) <= 500 else f"{message[:500]}…"


def _shown(value: Any) -> Any:
    return value if len(repr(value)) <= 200 else None


# References.


def _check_references(schema: dict[str, Any]) -> None:
    _Unfolding(schema).parts(schema, _MAX_DEPTH)


class _Unfolding:
    """Counts what a schema has in it once references are replaced."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._known: dict[str, int] = {}

    def parts(self, part: Any, depth: int) -> int:
        """Return how many parts something has; a circle counts once.

        Raises:
            InvalidParameterError: a reference leads elsewhere or nowhere, or it is too deep or too much.
        """
        if depth == 0:
            raise InvalidParameterError(
                "schema", None, f"it is nested deeper than {_MAX_DEPTH} levels; make it flatter"
            )
        count = 1 + sum(self.parts(child, depth - 1) for child in _children(part))
        if isinstance(part, Mapping):
            count += sum(self._unfolded(part[name]) for name in _REFERENCES if isinstance(part.get(name), str))
        if count > _MAX_PARTS:
            hint = f"its references unfold to more than {_MAX_PARTS} parts; refer to fewer"
            raise InvalidParameterError("schema", None, hint)
        return count

    def _unfolded(self, reference: str) -> int:
        if reference not in self._known:
            self._known[reference] = 1  # a circle ends here
            self._known[reference] = self.parts(self._resolved(reference), _MAX_DEPTH)
        return self._known[reference]

    def _resolved(self, reference: str) -> Any:
        from jsonschema_rs import ReferencingError

        if not reference.startswith("#"):
            raise InvalidParameterError("schema.$ref", reference, "refer to places of the schema itself, as #/…")
        try:
            return self._resolver.lookup(reference).contents
        except ReferencingError as error:
            raise InvalidParameterError("schema.$ref", reference, "there is nothing at that place of it") from error

    @cached_property
    def _resolver(self) -> Resolver:
        from jsonschema_rs import Registry

        try:
            return Registry([("schema:", self._schema)], retriever=_refuse_to_read).resolver("schema:")
        except ValueError as error:  # of references that have not been looked at yet, or of a dialect
            raise InvalidParameterError("schema", None, _shortened(str(error))) from error


def _children(part: Any) -> Iterator[Any]:
    if isinstance(part, Mapping):
        yield from part.values()
    elif isinstance(part, list):
        yield from part
