"""Stopping a query that takes too long or too much memory."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from milepost_collector.errors import QueryInterruptedError, QueryMemoryError, QueryTimeoutError

LOOK_EVERY_S = 0.025
GIVEN_UP = "nobody waits for its answer"

_STATM = Path("/proc/self/statm")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    """Return how much memory the process has; 0 where the system does not say."""
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


@contextmanager
def limited(
    connection: DuckDBPyConnection,
    timeout_s: float,
    growth_bytes: int | None = None,
    given_up: threading.Event | None = None,
) -> Iterator[None]:
    """Interrupt what the connection runs when the block goes over a limit, or nobody waits for it any more.

    given_up: set when nobody does. growth_bytes: by how much the process may grow meanwhile. DuckDB counts neither
    texts that functions make nor rows that wait to be fetched against its own memory limit. The watch looks every
    25 ms, and DuckDB stops between two vectors of 2048 rows.

    Raises:
        QueryTimeoutError: it took longer than timeout_s.
        QueryMemoryError: the process grew by more.
        QueryInterruptedError: it was given up.
    """
    watch = _Watch(connection, timeout_s, growth_bytes, given_up)
    watch.start()
    try:
        yield
    except duckdb.Error as error:
        if not is_interrupt(error):
            raise
        raise watch.verdict or duckdb.InterruptException(str(error)) from error
    finally:
        watch.stop()


def is_interrupt(error: duckdb.Error) -> bool:
    """Tell whether the error means that the query was stopped."""
    # An interrupt between two of a query's steps comes back as the "unsuccessful query" that it left behind.
    return isinstance(error, duckdb.InterruptException) or "INTERRUPT Error" in str(error)


_Verdict = QueryTimeoutError | QueryMemoryError | QueryInterruptedError


class _Watch(threading.Thread):
    def __init__(
        self,
        connection: DuckDBPyConnection,
        timeout_s: float,
        growth_bytes: int | None,
        given_up: threading.Event | None,
    ) -> None:
        super().__init__(name="query-watch", daemon=True)
        self.verdict: _Verdict | None = None
        self._connection = connection
        self._timeout_s = timeout_s
        self._growth_bytes = growth_bytes
        self._given_up = given_up
        self._done = threading.Event()

    def run(self) -> None:
        """Look until the query is done or over a limit."""
        deadline = time.monotonic() + self._timeout_s
        before = resident_bytes()
        while not self._done.wait(self._pause_s(deadline)):
            self.verdict = self._judge(deadline, resident_bytes() - before)
            if self.verdict:
                self._connection.interrupt()
                return

    def stop(self) -> None:
        """The query is done."""
        self._done.set()
        self.join()

    def _pause_s(self, deadline: float) -> float:
        left_s = max(deadline - time.monotonic(), 0)
        only_time = self._growth_bytes is None and self._given_up is None
        return left_s if only_time else min(LOOK_EVERY_S, left_s)

    def _judge(self, deadline: float, grown_bytes: int) -> _Verdict | None:
        if self._given_up is not None and self._given_up.is_set():
            return QueryInterruptedError(GIVEN_UP)
        if time.monotonic() >= deadline:
            return QueryTimeoutError(self._timeout_s)
        if self._growth_bytes is not None and grown_bytes > self._growth_bytes:
            return QueryMemoryError(f"the collector grew by {grown_bytes >> 20} MiB")
        return None
