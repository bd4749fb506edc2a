"""The table of sources: which attribute holds messages, by name, and which names belong to a flattened family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

MAX_NAMES = 20_000  # attribute names remembered; names that users make up must not fill the memory
MAX_INDEX_DIGITS = 6


class Source(Struct, frozen=True):
    """Attributes that hold messages. side: input, output, both or system. Names: see the table's comment."""

    side: str
    form: str
    names: tuple[str, ...]
    lossy: bool = False


class Table(Struct, frozen=True):
    """The whole table."""

    version: int
    sources: tuple[Source, ...]
    system: tuple[str, ...]
    kinds: dict[str, dict[str, str]]
    families: tuple[str, ...]


class Place(NamedTuple):
    """Where an attribute belongs. rank: its source's place in the table. number, path: of prefix.number.path."""

    name: str
    rank: int
    source: Source
    number: int = 0
    path: str = ""


class Member(NamedTuple):
    """A flattened name, family, number and path: "llm.tools.", 0, "tool.json_schema"."""

    family: str
    number: int
    path: str


T = TypeVar("T")


class Names(Generic[T]):
    """What attribute names mean, found once for each: spans repeat a few dozen names. Safe in any thread."""

    def __init__(self, find: Callable[[str], T | None]) -> None:
        self._find = find
        self._known: dict[str, T | None] = {}
        self._without: set[str] = set()  # names that mean nothing here, most of all

    def __getitem__(self, name: str) -> T | None:
        try:
            return self._known[name]
        except KeyError:
            return self._learn(name)

    def has_none(self, names: Mapping[str, Any]) -> bool:
        """Tell whether none of the names means anything, in a microsecond for those of a span."""
        if self._without.issuperset(names):
            return True
        return all([self[name] is None for name in names])

    def _learn(self, name: str) -> T | None:
        if len(self._known) >= MAX_NAMES:
            self._known, self._without = {}, set()
        found = self._known[name] = self._find(name)
        if found is None:
            self._without.add(name)
        return found


@cache
def load_table() -> Table:
    """Return the table that ships with the package."""
    return msgspec.json.decode((files(__package__) / "sources.json").read_bytes(), type=Table)


def member(name: str) -> Member | None:
    """Return a name of a flattened family by its parts; None for other names."""
    family = next((family for family in load_table().families if name.startswith(family)), None)
    if family is None:
        return None
    index, _, path = name[len(family) :].partition(".")
    if not index.isdecimal() or len(index) > MAX_INDEX_DIGITS or str(int(index)) != index or not path:
        return None
    return Member(family, int(index), path)


def _place(name: str) -> Place | None:
    """Return the first source that a name belongs to."""
    found = member(name)
    for rank, source in enumerate(_sources()):
        if source.form == "flat":
            if found is not None and found.family in source.names:
                return Place(name, rank, source, found.number, found.path)
        elif name in source.names or any("*" in pattern and _fits(name, pattern) for pattern in source.names):
            return Place(name, rank, source, path=name.rpartition(".")[2])
    return None


@cache
def _sources() -> tuple[Source, ...]:
    table = load_table()
    return (*table.sources, Source("system", "system", table.system))


def _fits(name: str, pattern: str) -> bool:
    """Tell whether a name is the pattern with one step in place of its star."""
    head, _, tail = pattern.partition("*")
    step = name[len(head) : len(name) - len(tail)]
    return name.startswith(head) and name.endswith(tail) and step != "" and "." not in step


PLACES = Names(_place)
MEMBERS = Names(member)
