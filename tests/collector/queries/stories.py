"""Random runs as hypothesis strategies, and a store that holds them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from milepost.wire import SpanEnded, SpanStarted, Usage, WireEvent
from milepost_collector.storage import Database
from milepost_collector.traces.commit import Committer
from tests.collector.ingest.harness import MIB, SteppingClock, Store, batch_of

BASE_NS = 1_790_000_000_000_000_000
SECOND = 1_000_000_000

_numbers = itertools.count()

NAMES = ("report", "triage", "Überblick")
AGENTS = (None, "writer", "reader")
TAGS = (None, ["nightly"], ["nightly", "eu"])
TEXTS = (None, {"file": "report.pdf"}, "50% of_it\\", [1, "Ärger"])


def run_id_of(number: int) -> str:
    """Return the id of a run; neighbours differ everywhere."""
    return f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"


def usages() -> st.SearchStrategy[list[Usage] | None]:
    """Return usage with and without costs and counts."""
    counts = st.none() | st.integers(0, 10**9)
    costs = st.none() | st.floats(0, 1000, allow_nan=False)
    usage = st.builds(
        Usage, model=st.sampled_from(("m1", "m2")), input_tokens=counts, output_tokens=counts, cost_usd=costs
    )
    return st.none() | st.lists(usage, min_size=1, max_size=2)


@st.composite
def spans(draw: st.DrawFn, run: int, number: int, *, root: bool) -> WireEvent:
    """Draw one span of a run, ended or running."""
    start = BASE_NS + draw(st.integers(0, 300)) * SECOND + draw(st.integers(0, 3))
    shared = {
        "run_id": run_id_of(run),
        "span_id": f"{run * 100 + number + 1:016x}",
        "parent_span_id": None if root else f"{run * 100 + 99:016x}",
        "name": draw(st.sampled_from(NAMES)),
        "kind": "agent" if root else draw(st.sampled_from(("task", "llm", "tool"))),
        "start_time": start,
        "agent": draw(st.sampled_from(AGENTS)),
        "session_id": draw(st.sampled_from((None, "s1", "s2"))),
        "user_id": draw(st.sampled_from((None, "u1"))),
        "tags": draw(st.sampled_from(TAGS)),
        "input": draw(st.sampled_from(TEXTS)),
    }
    if draw(st.integers(0, 4)) == 0:
        return SpanStarted(**shared)
    return SpanEnded(
        **shared,
        end_time=start + draw(st.integers(0, 100)) * SECOND,
        status=draw(st.sampled_from(("completed", "failed", "cancelled"))),
        error_message=draw(st.sampled_from((None, "Connection refused"))),
        usage=draw(usages()),
    )


@st.composite
def runs(draw: st.DrawFn, first: int, last: int) -> list[WireEvent]:
    """Draw the spans of the runs with these numbers, in any order of arrival."""
    events = []
    for run in range(first, last):
        roots = draw(st.sampled_from((0, 1, 1, 1, 2)))
        children = draw(st.integers(0 if roots else 1, 3))
        events += [draw(spans(run, number, root=number < roots)) for number in range(roots + children)]
    return draw(st.permutations(events))


@dataclass(slots=True)
class Recorder:
    """Stores events in batches, adding up what came before in between."""

    store: Store
    sequence: int = 0

    def record(self, events: list[WireEvent], *, batch_size: int, sum_up_every: int) -> None:
        """Commit batch after batch; after every so many, add them to the stored sums."""
        for begin in range(0, len(events), batch_size):
            self.store.send(batch_of(events[begin : begin + batch_size], sequence=self.sequence))
            self.sequence += 1
            if self.sequence % sum_up_every == 0:
                self.store.committer.sum_up()


@contextmanager
def recorder(folder: Path) -> Iterator[Recorder]:
    """Give a recorder over a database of its own."""
    path = folder / f"{next(_numbers)}.duckdb"
    time = SteppingClock()
    database = Database(path, memory_limit_bytes=256 * MIB)
    store = Store(database, time, Committer(database, time.clock, 30))
    try:
        yield Recorder(store)
    finally:
        store.database.close()
