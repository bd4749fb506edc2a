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


class SpanIndex:
    """The spans that have ended, by run; runs not seen lately are looked up in the database.

    Not thread-safe: it belongs to the writer's thread. A failed commit calls `forget` for the runs it touched.
    """

    def __init__(self, max_spans: int = 500_000) -> None:
        self._max_spans = max_spans
        self._spans = 0
        self._runs: OrderedDict[str, set[str]] = OrderedDict()

    def ended(self, run_id: str) -> set[str]:
        """Return the ids of the run's ended spans, to be looked at and added to. The run must have been loaded."""
        return self._runs[run_id]

    def load(self, statements: Statements, run_ids: Iterable[str]) -> None:
        """Make sure the runs are in memory."""
        unknown = []
        for run_id in run_ids:
            if run_id in self._runs:
                self._runs.move_to_end(run_id)
            else:
                unknown.append(run_id)
        if not unknown:
            return
        stored: dict[str, set[str]] = {run_id: set() for run_id in unknown}
        # run_parts is some twenty times smaller than spans: nearly all unknown runs are new, and it can say so.
        known = statements.known_runs(unknown)
        if known:
            for run_id, span_id in statements.ended_spans(known):
                stored[run_id].add(span_id)
        self._runs.update(stored)
        self._spans += sum(len(ids) for ids in stored.values())

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
