"""What leads to the spans of one name, and what happens below them: both as folded trees. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from milepost_collector.traces.analysis.folding import TOP, Folded


def callees(folded: Folded, outermost: Sequence[bool], key: int) -> Folded:
    """Return what is below the outermost nodes of a key, folded together; the key itself is at the top."""
    merged, paths = Folded(), dict[tuple[int, int], int]()
    place_of: dict[int, int] = {}
    for node, above in enumerate(folded.parents):
        if above in place_of:
            place_of[node] = _add(merged, paths, (place_of[above], folded.keys[node]), folded, node)
        elif folded.keys[node] == key and outermost[node]:
            place_of[node] = _add(merged, paths, (TOP, key), folded, node)
    return merged


def callers(folded: Folded, outermost: Sequence[bool], key: int, values: Sequence[float]) -> Folded:
    """Return the paths upwards from the outermost nodes of a key, folded together; the key itself is at the top.

    Each node has what came from it: the values of the key's nodes that it leads to.
    """
    merged, paths = Folded(), dict[tuple[int, int], int]()
    for node, found in enumerate(folded.keys):
        if found != key or not outermost[node]:
            continue
        place, one = TOP, node
        while one != TOP:
            place = _place(merged, paths, (place, folded.keys[one]), folded.firsts[one])
            merged.own[place] += values[node]
            merged.counts[place] += folded.counts[node]
            one = folded.parents[one]
    return merged


def _add(merged: Folded, paths: dict[tuple[int, int], int], path: tuple[int, int], folded: Folded, node: int) -> int:
    place = _place(merged, paths, path, folded.firsts[node])
    merged.own[place] += folded.own[node]
    merged.counts[place] += folded.counts[node]
    return place


def _place(merged: Folded, paths: dict[tuple[int, int], int], path: tuple[int, int], first: int) -> int:
    place = paths.get(path)
    if place is None:
        place = paths[path] = merged.add(*path, first)
    return place
