"""References inside a JSON Schema: they lead to places of the same schema, unfold to a bounded size, and get somewhere.

A schema may be recursive, as that of a tree, as long as every circle goes on to a part of the value: `properties`,
`items` and the like. A circle that stays at the same place of the value, as `{"$ref": "#"}`, decides nothing, and what
a validator is to do with it the specification leaves open (JSON Schema 2020-12 core, section 9.4.1). jsonschema-rs
takes it for fulfilled, so that any answer would be accepted: such schemas are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from milepost_collector.errors import InvalidParameterError

if TYPE_CHECKING:
    from jsonschema_rs import Resolver

_REFERENCES = ("$ref", "$dynamicRef")
_MAX_DEPTH = 200  # levels, once every reference is replaced by what it refers to
_MAX_PARTS = 100_000  # likewise
_MAX_MESSAGE = 500

# Keywords whose schemas hold for the same place of the value, and for parts of it: one schema, a list or names of them.
_SAME_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies")
_NAMED = ("dependentSchemas", "dependencies", "properties", "patternProperties")
_PARTS = (
    "properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames", "prefixItems",
    "items", "unevaluatedItems", "contains",
)  # fmt: skip


def check_references(schema: dict[str, Any]) -> None:
    """Refuse references that lead elsewhere, nowhere, to too much, or back without end.

    Raises:
        InvalidParameterError: why.
    """
    resolve = _Places(schema).resolve
    _Unfolding(resolve).size(schema)
    _Circles(resolve).check(schema)


def refuse_to_read(uri: str) -> NoReturn:
    """Read nothing outside of a schema.

    Raises:
        LookupError: always.
    """
    raise LookupError(f"{uri} is no place of the schema itself")


def shortened(message: str) -> str:
    """Return a message that is not too long to be told, at most 501 characters."""
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"


class _Places:
    """What references of a schema lead to."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def resolve(self, reference: str) -> Any:
        """Return what is at a place of the schema.

        Raises:
            InvalidParameterError: it is a place elsewhere, or there is nothing.
        """
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
            return Registry([("schema:", self._schema)], retriever=refuse_to_read).resolver("schema:")
        except ValueError as error:  # of references that have not been looked at yet, or of a dialect
            raise InvalidParameterError("schema", None, shortened(str(error))) from error


class _Size(NamedTuple):
    """How much a part comes to once references are replaced. levels: how deep it is nested."""

    parts: int
    levels: int


class _Unfolding:
    """Measures what a schema has in it once references are replaced."""

    def __init__(self, resolve: Callable[[str], Any]) -> None:
        self._resolve = resolve
        self._known: dict[str, _Size] = {}

    def size(self, part: Any, above: int = 0) -> _Size:
        """Return how much something comes to; a circle counts once. above: levels that it is nested in.

        Raises:
            InvalidParameterError: a reference leads elsewhere or nowhere, or it is too deep or too much.
        """
        _check_depth(above + 1)  # before going on, so that what is looked at is as bounded as what is taken
        within = [self.size(child, above + 1) for child in _children(part)]
        within += [self._unfolded(reference, above + 1) for reference in _references(part)]
        size = _Size(1 + sum(one.parts for one in within), 1 + max((one.levels for one in within), default=0))
        _check_depth(above + size.levels)
        if size.parts > _MAX_PARTS:
            hint = f"its references unfold to more than {_MAX_PARTS} parts; refer to fewer"
            raise InvalidParameterError("schema", None, hint)
        return size

    def _unfolded(self, reference: str, above: int) -> _Size:
        if reference not in self._known:
            self._known[reference] = _Size(1, 1)  # a circle ends here
            self._known[reference] = self.size(self._resolve(reference), above)
        return self._known[reference]


def _check_depth(levels: int) -> None:
    if levels > _MAX_DEPTH:
        hint = f"with what its references lead to it is nested deeper than {_MAX_DEPTH} levels; make it flatter"
        raise InvalidParameterError("schema", None, hint)


class _Circles:
    """Finds references that lead back to themselves at the same place of the value."""

    def __init__(self, resolve: Callable[[str], Any]) -> None:
        self._resolve = resolve
        self._open: set[str] = set()  # lead to where we are, at one place of the value
        self._done: set[str] = set()
        self._parts: list[Any] = []  # hold for other places, to be looked at by themselves

    def check(self, schema: dict[str, Any]) -> None:
        """Look at all that a schema comes to.

        Raises:
            InvalidParameterError: there is such a circle.
        """
        self._parts = [schema]
        while self._parts:
            self._walk(self._parts.pop())

    def _walk(self, part: Any) -> None:
        if not isinstance(part, Mapping):
            return
        self._parts += _schemas(part, _PARTS)
        for child in _schemas(part, _SAME_PLACE):
            self._walk(child)
        for reference in _references(part):
            self._follow(reference)

    def _follow(self, reference: str) -> None:
        if reference in self._open:
            hint = (
                "it leads back to itself at the same place of the answer, so that it decides nothing; let it describe "
                "a part of the answer, as in properties or items"
            )
            raise InvalidParameterError("schema.$ref", reference, hint)
        if reference not in self._done:
            self._open.add(reference)
            self._walk(self._resolve(reference))
            self._open.remove(reference)
            self._done.add(reference)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        yield from (part[name] for name in _REFERENCES if isinstance(part.get(name), str))


def _schemas(part: Mapping[str, Any], keywords: Sequence[str]) -> Iterator[Any]:
    """Yield the schemas that keywords hold."""
    for keyword in keywords:
        held = part.get(keyword)
        if isinstance(held, list):
            yield from held
        elif keyword in _NAMED and isinstance(held, Mapping):
            yield from held.values()
        else:
            yield held


def _children(part: Any) -> Iterator[Any]:
    if isinstance(part, Mapping):
        yield from part.values()
    elif isinstance(part, list):
        yield from part
