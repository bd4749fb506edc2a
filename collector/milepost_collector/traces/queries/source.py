"""What one transaction sees of the database, looked up once."""

from __future__ import annotations

from functools import cached_property

from duckdb import DuckDBPyConnection

from milepost_collector.traces.queries.run_index import RunIndex

# Spans of a run lie between its bounds; without the condition every span's id would have to be read.
SPAN_BOUNDS = "start_time BETWEEN make_timestamp_ns($low) AND make_timestamp_ns($high)"


class Snapshot:
    """A connection within a transaction, and an index that knows every run it can see. index: None for none."""

    def __init__(self, connection: DuckDBPyConnection, index: RunIndex | None) -> None:
        self.connection = connection
        self.index = index
        if index is not None:
            index.refresh(connection, self.newest_commit)

    @cached_property
    def newest_commit(self) -> int:
        """The newest commit that stored spans; -1 before the first."""
        return int(self.connection.execute("SELECT coalesce(max(commit_id), -1) FROM spans").fetchall()[0][0])

    @cached_property
    def summed_up_to(self) -> int:
        """The commit up to which spans are contained in `run_sums`."""
        return int(self.connection.execute("SELECT up_to FROM summed").fetchall()[0][0])

    @cached_property
    def has_fresh(self) -> bool:
        """Whether there are spans that `run_sums` does not contain."""
        return self.newest_commit > self.summed_up_to

    @cached_property
    def has_uncounted(self) -> bool:
        """Whether any span repeats the usage of another."""
        return self._has_rows("uncounted")

    @cached_property
    def has_links(self) -> bool:
        """Whether spans link to other runs."""
        return self._has_rows("run_links")

    @cached_property
    def live_runs(self) -> set[str]:
        """The runs that have running spans."""
        return {row[0] for row in self.connection.execute("SELECT run_id FROM live_spans").fetchall()}

    def _has_rows(self, table: str) -> bool:
        return bool(self.connection.execute(f"SELECT count(*) > 0 FROM {table}").fetchall()[0][0])
