"""Trees aligned by path and order: children of matched parents by the longest common subsequence of names. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

# One number of as many bits as the one list is long is kept for each of the other: 12.5 MB at most. Longer lists are
# aligned in parts.
MAX_BITS = 100_000_000
PART = 5_000


class Node(NamedTuple):
    """A span in a tree. number: its place in the run."""

    number: int
    span_id: str
    parent_span_id: str | None
    name: str


class Pair(NamedTuple):
    """What stands on one row: places in both runs, None where there is none."""

    a: int | None
    b: int | None
    depth: int


@dataclass(slots=True)
class Alignment:
    """Rows in reading order, every span on one of them. approximate: long lists were aligned in parts."""

    rows: list[Pair] = field(default_factory=list)
    approximate: bool = False


def align(a: Sequence[Node], b: Sequence[Node]) -> Alignment:
    """Align two runs, each by start. Swapped runs give the same rows, swapped."""
    trees = (_Tree(a), _Tree(b))
    found = Alignment()
    waiting = list(reversed(_siblings(trees[0].roots, trees[1].roots, found, top=True)))
    depths = [0] * len(waiting)
    while waiting:  # no recursion: runs may nest deeper than Python's limit
        first, second = waiting.pop()
        depth = depths.pop()
        found.rows.append(Pair(first and first.number, second and second.number, depth))
        below = _siblings(trees[0].below(first), trees[1].below(second), found)
        waiting += reversed(below)
        depths += [depth + 1] * len(below)
    return found


class _Tree:
    """Children by parent, each span once: what hangs on nothing known is a root, and so is one member of a circle."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        known = {node.span_id for node in nodes}
        self._children: defaultdict[str | None, list[Node]] = defaultdict(list)
        for node in nodes:
            self._children[node.parent_span_id if node.parent_span_id in known else None].append(node)
        self.roots = list(self._children[None])
        reached = self._reached(self.roots)
        for node in nodes:
            if node.span_id not in reached:  # of a circle: cut where it is met first
                self._children[node.parent_span_id].remove(node)
                self.roots.append(node)
                reached |= self._reached([node])

    def below(self, node: Node | None) -> Sequence[Node]:
        """Return a span's children."""
        return () if node is None else self._children.get(node.span_id, ())

    def _reached(self, starts: Sequence[Node]) -> set[str]:
        reached, waiting = set[str](), list(starts)
        while waiting:
            node = waiting.pop()
            reached.add(node.span_id)
            waiting += self._children.get(node.span_id, ())
        return reached


Row = tuple[Node | None, Node | None]


def _siblings(a: Sequence[Node], b: Sequence[Node], found: Alignment, *, top: bool = False) -> list[Row]:
    """Return rows of two lists of siblings. top: the only roots of two runs belong together whatever their names."""
    if not a or not b:
        return [*((node, None) for node in a), *((None, node) for node in b)]
    if top and len(a) == len(b) == 1:
        return [(a[0], b[0])]
    names_a, names_b = [node.name for node in a], [node.name for node in b]
    if names_a == names_b:
        return list(zip(a, b, strict=True))
    # Of several longest subsequences always the same one, whichever run is called a.
    if names_b < names_a:
        return [(first, second) for second, first in _merged(b, a, _matches(names_b, names_a, found))]
    return _merged(a, b, _matches(names_a, names_b, found))


def _merged(a: Sequence[Node], b: Sequence[Node], matches: Sequence[tuple[int, int]]) -> list[Row]:
    rows: list[Row] = []
    next_a = next_b = 0
    for place_a, place_b in (*matches, (len(a), len(b))):
        rows += [(node, None) for node in a[next_a:place_a]]
        rows += [(None, node) for node in b[next_b:place_b]]
        if place_a < len(a):
            rows.append((a[place_a], b[place_b]))
        next_a, next_b = place_a + 1, place_b + 1
    return rows


def _matches(a: Sequence[str], b: Sequence[str], found: Alignment) -> list[tuple[int, int]]:
    begin = 0
    while begin < min(len(a), len(b)) and a[begin] == b[begin]:
        begin += 1
    end = 0
    while end < min(len(a), len(b)) - begin and a[-1 - end] == b[-1 - end]:
        end += 1
    middle = list(_parts(a[begin : len(a) - end], b[begin : len(b) - end], found))
    return [
        *((place, place) for place in range(begin)),
        *((begin + one, begin + other) for one, other in middle),
        *((len(a) - place, len(b) - place) for place in range(end, 0, -1)),
    ]


def _parts(a: Sequence[str], b: Sequence[str], found: Alignment) -> Iterator[tuple[int, int]]:
    if len(a) * len(b) <= MAX_BITS:
        yield from longest_common(a, b)
        return
    found.approximate = True
    count = -(-max(len(a), len(b)) // PART)
    for part in range(count):
        low_a, low_b = len(a) * part // count, len(b) * part // count
        inner = longest_common(a[low_a : len(a) * (part + 1) // count], b[low_b : len(b) * (part + 1) // count])
        yield from ((low_a + one, low_b + other) for one, other in inner)


def longest_common(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of a longest common subsequence, rising.

    A whole row of the usual table is one number, a bit for each member of `a` (Hyyrö, "Bit-parallel LCS-length
    computation revisited", 2004): 10,000 by 10,000 takes some 30 ms.
    """
    where: defaultdict[str, int] = defaultdict(int)
    for place, name in enumerate(a):
        where[name] |= 1 << place
    row = full = (1 << len(a)) - 1
    rows = []
    for name in b:
        hits = row & where[name] if name in where else 0
        row = ((row + hits) | (row - hits)) & full
        rows.append(row)
    return _traced(rows, len(a))


def _traced(rows: Sequence[int], width: int) -> list[tuple[int, int]]:
    """Walk back through the table: a bit that is 0 says that the subsequence grows there."""
    matches = []
    place, line = width, len(rows)
    while place and line:
        bit = 1 << (place - 1)
        if rows[line - 1] & bit:
            place -= 1
        elif line > 1 and not rows[line - 2] & bit:
            line -= 1
        else:
            place -= 1
            line -= 1
            matches.append((place, line))
    return matches[::-1]
