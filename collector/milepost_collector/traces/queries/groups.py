"""Runs that are parts of another: traces that links join are one run to a person, told by the one that began first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection
from msgspec.structs import replace

from milepost_collector.protocol.api import RunSummary
from milepost_collector.protocol.timestamps import ns_from_iso

MAX_MEMBERS = 1_000  # traces joined by links beyond this are no longer one thing to anybody, but a message bus

_ADDED = (
    "span_count", "live_span_count", "task_count", "llm_call_count", "tool_call_count", "error_count", "input_tokens",
    "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cost_usd", "unpriced_count",
)  # fmt: skip
_LINKS = """
SELECT DISTINCT run_id, linked_run_id FROM run_links
WHERE run_id IN (SELECT unnest($run_ids::VARCHAR[])) OR linked_run_id IN (SELECT unnest($run_ids::VARCHAR[]))
"""

Fetch = Callable[[Sequence[str]], list[RunSummary]]


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that belong together, by start; the first is the one that stands for all."""

    members: tuple[RunSummary, ...]

    @property
    def whole(self) -> RunSummary:
        """The line that stands for all of them."""
        first, *parts = self.members
        ends = [run.end_time for run in self.members]
        sums = {name: _sum([getattr(run, name) for run in self.members]) for name in _ADDED}
        running = any(run.status == "running" for run in self.members)
        return replace(
            first,
            **sums,
            status="running" if running else first.status,
            end_time=None if running else max(end for end in ends if end is not None),
            duration_ms=None if running else max(_end_ms(first, run) for run in self.members),
            tags=sorted({tag for run in self.members for tag in run.tags}),
            models=sorted({model for run in self.members for model in run.models}),
            part_count=len(parts),
        )

    @property
    def parts(self) -> list[RunSummary]:
        """The other runs, each naming the first one."""
        return [replace(run, part_of=self.members[0].run_id) for run in self.members[1:]]


def find_groups(connection: DuckDBPyConnection, run_ids: Iterable[str], fetch: Fetch) -> dict[str, Group]:
    """Return the groups that the runs belong to, by run; a run without linked ones is left out.

    fetch: returns the summaries of runs.
    """
    wanted = list(run_ids)
    linked = {run_id: members for run_id, members in _components(connection, wanted).items() if run_id in wanted}
    if not linked:
        return {}
    known = {run.run_id: run for run in fetch(sorted({member for members in linked.values() for member in members}))}
    return {run_id: group for run_id, members in linked.items() if (group := _group(members, known))}


def _group(members: Iterable[str], known: Mapping[str, RunSummary]) -> Group | None:
    found = sorted(
        (known[run_id] for run_id in members if run_id in known), key=lambda run: (run.start_time, run.run_id)
    )
    return Group(tuple(found)) if len(found) > 1 else None


def _components(connection: DuckDBPyConnection, run_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return with whom links join each run, directly or through others, itself included."""
    neighbours: dict[str, set[str]] = {}
    frontier = set(run_ids)
    seen = set(frontier)
    while frontier and len(seen) <= MAX_MEMBERS + len(run_ids):
        for one, other in connection.execute(_LINKS, {"run_ids": sorted(frontier)}).fetchall():
            neighbours.setdefault(one, set()).add(other)
            neighbours.setdefault(other, set()).add(one)
        frontier = neighbours.keys() - seen
        seen |= frontier
    components = {run_id: _reachable(run_id, neighbours) for run_id in neighbours}
    return {run_id: members for run_id, members in components.items() if len(members) <= MAX_MEMBERS}


def _reachable(start: str, neighbours: Mapping[str, set[str]]) -> frozenset[str]:
    seen, waiting = {start}, [start]
    while waiting:
        new = neighbours.get(waiting.pop(), set()) - seen
        seen |= new
        waiting += new
    return frozenset(seen)


def _end_ms(first: RunSummary, run: RunSummary) -> float:
    return _ms_between(first.start_time, run.start_time) + (run.duration_ms or 0)


def _ms_between(one: str, other: str) -> float:
    return (ns_from_iso(other) - ns_from_iso(one)) / 1e6


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
