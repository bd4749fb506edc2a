"""Where each run's spans lie in time: an index in memory, so that a run is found without reading every row's run id.

Run ids are random, so a search by id has to read the id of every row (15 ms per million). Rows are appended roughly in
time order, so a search by id *and time* reads one or two row groups (2 ms). The index knows the times for an id.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from duckdb import DuckDBPyConnection

MAX_RUNS = 4_000_000  # 24 bytes each; beyond it every search reads all ids
ROWS_AT_ONCE = 10_000
MIN_RECENT = 65_536  # runs kept in the dictionary before the arrays are built anew

# Two runs may share these 64 bits; the bounds then span both, which is still right.
_KEY = "('0x' || run_id[:16])::UBIGINT AS run_key"
_SUMMED = f"SELECT {_KEY}, first_start AS low, greatest(first_start, last_end) AS high FROM run_sums"
_SINCE = (
    f"SELECT {_KEY}, start_time AS low, greatest(start_time, end_time) AS high FROM spans "
    "WHERE commit_id > $seen AND commit_id <= $newest"
)
_BOUNDS = (
    "SELECT run_key, epoch_ns(min(low)) AS low, epoch_ns(max(high)) AS high FROM ({source}) "
    "GROUP BY run_key ORDER BY run_key"
)


class Bounds(NamedTuple):
    """The earliest start and the latest end among spans, nanoseconds since 1970."""

    low: int
    high: int

    def union(self, other: Bounds) -> Bounds:
        """Return the bounds that hold both."""
        return Bounds(min(self.low, other.low), max(self.high, other.high))

    def within(self, other: Bounds) -> bool:
        """Whether nothing of this lies outside of the other."""
        return other.low <= self.low and self.high <= other.high


EVERYTHING = Bounds(-(2**62), 2**63 - 2)  # the largest values mean infinity to DuckDB
NOTHING = Bounds(0, 0)


class RunIndex:
    """Bounds of the ended spans of each run, kept up to date as spans are appended. Thread-safe.

    `refresh` must be called in the transaction that then uses the bounds: every span it can see is then within them.
    Spans that are deleted leave bounds that are too wide, which is right too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen = -1  # the newest commit that is indexed
        self._built = False
        self._keys = array("Q")
        self._lows = array("q")
        self._highs = array("q")
        self._recent: dict[int, Bounds] = {}
        self._too_large = False

    def refresh(self, connection: DuckDBPyConnection, newest: int) -> None:
        """Index the spans that were appended since. newest: the newest commit the transaction can see."""
        with self._lock:
            if newest <= self._seen or self._too_large:  # smaller: this transaction is older than the index
                return
            if not self._built or len(self._recent) > max(MIN_RECENT, len(self._keys) // 4):
                self._rebuild(connection)
            else:
                self._append(connection, newest)
            self._seen = newest

    def bounds(self, run_ids: Iterable[str]) -> Bounds:
        """Return the bounds of the ended spans of these runs together; `NOTHING` when there are none."""
        if self._too_large:
            return EVERYTHING
        with self._lock:
            found = [bounds for run_id in run_ids if (bounds := self._find(int(run_id[:16], 16)))]
        if not found:
            return NOTHING
        return Bounds(min(bounds.low for bounds in found), max(bounds.high for bounds in found))

    def _find(self, key: int) -> Bounds | None:
        recent = self._recent.get(key)
        place = bisect_left(self._keys, key)
        if place == len(self._keys) or self._keys[place] != key:
            return recent
        older = Bounds(self._lows[place], self._highs[place])
        return older.union(recent) if recent else older

    def _append(self, connection: DuckDBPyConnection, newest: int) -> None:
        values = {"seen": self._seen, "newest": newest}
        for key, low, high in connection.execute(_BOUNDS.format(source=_SINCE), values).fetchall():
            bounds = Bounds(low, high)
            known = self._recent.get(key)
            self._recent[key] = known.union(bounds) if known else bounds

    def _rebuild(self, connection: DuckDBPyConnection) -> None:
        source = _BOUNDS.format(source=f"{_SUMMED} UNION ALL {_SINCE}")
        summed_up_to = connection.execute("SELECT up_to FROM summed").fetchall()[0][0]
        values = {"seen": summed_up_to, "newest": EVERYTHING.high}
        self._keys, self._lows, self._highs = array("Q"), array("q"), array("q")
        result = connection.execute(source, values)
        while rows := result.fetchmany(ROWS_AT_ONCE):  # few at once: a tuple takes eight times the memory
            for column, numbers in zip((self._keys, self._lows, self._highs), zip(*rows, strict=True), strict=True):
                column.extend(numbers)
        self._too_large = len(self._keys) > MAX_RUNS
        if self._too_large:
            self._keys, self._lows, self._highs = array("Q"), array("q"), array("q")
        self._recent = {}
        self._built = True
