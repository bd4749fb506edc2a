"""The table of sources: which attribute holds messages, by name, and which names belong to a flattened family."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

MAX_NAMES = 20_000  # attribute names remembered; names that users make up must not fill the memory
MAX_INDEX_DIGITS = 6
MAX_LAYOUTS = 2_048  # sets of names remembered; a program has a few dozen
MAX_LAYOUT_NAMES = 64  # of a set; conversations in flattened attributes have other names with every call


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

    rank: int
    name: str
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
        self._empty: set[str] = set()  # the names that mean nothing, by far the most

    def __getitem__(self, name: str) -> T | None:
        try:
            return self._known[name]
        except KeyError:
            return self._learn(name)

    def of(self, names: Iterable[str]) -> list[T]:
        """Return what the names mean that mean anything, in half a microsecond for those of a span."""
        if self._empty.issuperset(names):
            return []
        known = self._known
        try:
            return [found for name in names if (found := known[name]) is not None]
        except KeyError:
            return [found for name in names if (found := self[name]) is not None]

    def _learn(self, name: str) -> T | None:
        if len(self._known) >= MAX_NAMES:
            self._known, self._empty = {}, set()
        found = self._known[name] = self._find(name)
        if found is None:
            self._empty.add(name)
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
                return Place(rank, name, source, found.number, found.path)
        elif name in source.names or any("*" in pattern and _fits(name, pattern) for pattern in source.names):
            return Place(rank, name, source, path=name.rpartition(".")[2])
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

Candidates = tuple[tuple[Source, tuple[Place, ...]], ...]


class Layout(NamedTuple):
    """Where a span's messages may be, by side: sources in their order of preference, each with its attributes."""

    given: Candidates
    answer: Candidates
    system: Candidates


_layouts: dict[tuple[str, ...], Layout | None] = {}


def layout_of(names: Iterable[str]) -> Layout | None:
    """Return where attributes of these names may hold messages, None if nowhere. Safe in any thread.

    Spans of one instrumentation carry the same attributes, so it is found once for each set of names.
    """
    key = tuple(names)
    try:
        return _layouts[key]
    except KeyError:
        layout = _layout(PLACES.of(key))
    if len(key) <= MAX_LAYOUT_NAMES:
        if len(_layouts) >= MAX_LAYOUTS:
            _layouts.clear()
        _layouts[key] = layout
    return layout


def _layout(places: list[Place]) -> Layout | None:
    if not places:
        return None
    sides: dict[str, list[Place]] = {"input": [], "output": [], "system": []}
    for place in places:
        side = place.source.side
        for one in ("input", "output") if side == "both" else (side,):
            sides[one].append(place)
    return Layout(_ranked(sides["input"]), _ranked(sides["output"]), _ranked(sides["system"]))


def _ranked(places: list[Place]) -> Candidates:
    ranks = sorted({place.rank for place in places})
    alike = [tuple(place for place in places if place.rank == rank) for rank in ranks]
    return tuple((some[0].source, some) for some in alike)
