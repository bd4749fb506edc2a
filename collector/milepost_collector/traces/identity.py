"""Why sending again changes nothing: which batches and which ended spans are stored already."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from duckdb import DuckDBPyConnection

from milepost_collector.traces.statements import Statements


class SequenceSet:
    """A set of batch numbers, small when they are nearly contiguous from 0."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._below = 0  # every number below is in
        self._above: set[int] = set()
        for number in numbers:
            self.add(number)

    def __contains__(self, number: int) -> bool:
        return number < self._below or number in self._above

    def add(self, number: int) -> None:
        """Put a number in."""
        if number in self:
            return
        self._above.add(number)
        while self._below in self._above:
            self._above.remove(self._below)
            self._below += 1

    def discard(self, number: int) -> None:
        """Take a number out again."""
        if number < self._below:
            self._above.update(range(number + 1, self._below))
            self._below = number
        else:
            self._above.discard(number)


class BatchIndex:
    """The batches that are stored, by producer; producers not seen lately are looked up in the database.

    Not thread-safe: it belongs to the writer's thread.
    """

    def __init__(self, max_producers: int = 10_000) -> None:
        self._max_producers = max_producers
        self._producers: OrderedDict[str, SequenceSet] = OrderedDict()

    def claim(self, connection: DuckDBPyConnection, producer_id: str, sequence: int) -> bool:
        """Note the batch and return True, or False when it is stored (or claimed in this commit) already."""
        stored = self._load(connection, producer_id)
        if sequence in stored:
            return False
        stored.add(sequence)
        return True

    def release(self, producer_id: str, sequence: int) -> None:
        """Take a claim back: its commit failed."""
        if producer_id in self._producers:
            self._producers[producer_id].discard(sequence)

    def _load(self, connection: DuckDBPyConnection, producer_id: str) -> SequenceSet:
        if producer_id in self._producers:
            self._producers.move_to_end(producer_id)
            return self._producers[producer_id]
        rows = connection.execute(
            "SELECT sequence FROM batches WHERE producer_id = ? ORDER BY sequence", [producer_id]
        ).fetchall()
        self._producers[producer_id] = stored = SequenceSet(sequence for (sequence,) in rows)
        return stored

    def trim(self) -> None:
        """Forget the producers longest silent. Between commits only: claims of a running commit must stay."""
        while len(self._producers) > self._max_producers:
            self._producers.popitem(last=False)


class RunFilter:
    """Tells runs that are certainly new from runs that may be known, in 8 MB for any number of runs.

    A Bloom filter with two probes, taken from the random half of the run id (W3C Trace Context §3.2.2.3): of a million
    runs it takes one new run in a thousand for known, which costs a look-up and nothing else.
    """

    BITS = 26

    def __init__(self) -> None:
        self._bits = bytearray(1 << (self.BITS - 3))

    def add(self, run_id: str) -> None:
        """Note a run."""
        for place in self._places(run_id):
            self._bits[place >> 3] |= 1 << (place & 7)

    def may_know(self, run_id: str) -> bool:
        """Return False only if the run was never added."""
        return all(self._bits[place >> 3] & (1 << (place & 7)) for place in self._places(run_id))

    def _places(self, run_id: str) -> tuple[int, int]:
        number = int(run_id[16:], 16)
        mask = (1 << self.BITS) - 1
        return number & mask, (number >> self.BITS) & mask


class SpanIndex:
    """The spans that have ended, by run; runs not seen lately are looked up in the database.

    Not thread-safe: it belongs to the writer's thread. A failed commit calls `forget` for the runs it touched.
    """

    def __init__(self, max_spans: int = 500_000) -> None:
        self._max_spans = max_spans
        self._filter: RunFilter | None = None
        self._spans = 0
        self._runs: OrderedDict[str, set[str]] = OrderedDict()

    def ended(self, run_id: str) -> set[str]:
        """Return the ids of the run's ended spans, to be looked at and added to. The run must have been loaded."""
        return self._runs[run_id]

    def prepare(self, statements: Statements, max_runs: int = 1_000_000) -> None:
        """Learn which runs are stored, so that new ones need no look-up: 1 s a million; more are looked up for ever."""
        if self._filter is None and statements.count_runs() <= max_runs:
            self._filter = RunFilter()
            for run_id in statements.all_runs():
                self._filter.add(run_id)

    def load(self, statements: Statements, run_ids: Iterable[str]) -> set[str]:
        """Make sure the runs are in memory; return those read from the database that have foreign spans."""
        unknown = []
        for run_id in run_ids:
            if run_id in self._runs:
                self._runs.move_to_end(run_id)
            else:
                unknown.append(run_id)
        foreign: set[str] = set()
        if not unknown:
            return foreign
        stored: dict[str, set[str]] = {run_id: set() for run_id in unknown}
        known = self._stored_runs(statements, unknown)
        if known:
            for run_id, span_id, is_foreign in statements.ended_spans(known):
                stored[run_id].add(span_id)
                if is_foreign:
                    foreign.add(run_id)
        self._runs.update(stored)
        self._spans += sum(len(ids) for ids in stored.values())
        return foreign

    def _stored_runs(self, statements: Statements, run_ids: list[str]) -> list[str]:
        """Return those of the runs that are stored, by the filter where it is sure, and note all of them."""
        asked = [run_id for run_id in run_ids if self._filter is None or self._filter.may_know(run_id)]
        if self._filter is not None:
            for run_id in run_ids:
                self._filter.add(run_id)
        return statements.known_runs(asked) if asked else []

    def note_added(self, count: int) -> None:
        """Say how many ids were added to the sets `ended` returned."""
        self._spans += count

    def forget(self, run_ids: Iterable[str]) -> None:
        """Drop what is held of the runs; the database knows better."""
        for run_id in run_ids:
            self._spans -= len(self._runs.pop(run_id, ()))

    def trim(self) -> None:
        """Drop the runs longest untouched until the limit holds. Between commits only."""
        while self._spans > self._max_spans and self._runs:
            _, ids = self._runs.popitem(last=False)
            self._spans -= len(ids)
