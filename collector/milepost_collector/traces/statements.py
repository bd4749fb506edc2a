"""The statements of a commit.

Only inserts are prepared. DuckDB 1.5 plans with the statistics of the moment and keeps the plan when they no longer
hold: a plan that reads our tables, made while they were empty, gave garbage when they were full. Inserts read Arrow
alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from milepost_collector.protocol.foreign_rows import (
    CONVERSATION_COLUMNS,
    LINK_COLUMNS,
    MESSAGE_COLUMNS,
    METRIC_COLUMNS,
    PIECE_COLUMNS,
)
from milepost_collector.protocol.rows import EVENT_COLUMNS, LIVE_COLUMNS, SPAN_COLUMNS, Row
from milepost_collector.storage.migrate import SUMMED_UP_TO, run_parts_sql
from milepost_collector.traces.arrow import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

PRODUCER_COLUMNS = (
    "producer_id", "first_seen", "service_name", "service_version", "host_name", "process_id", "sdk_name",
    "sdk_version", "runtime", "attributes",
)  # fmt: skip
REJECTED_COLUMNS = ("received_at", "producer_id", "sequence", "batch_index", "reason", "event", "event_id")
BATCH_COLUMNS = ("producer_id", "sequence", "digest", "received_at", "accepted", "rejected", "dropped", "closing")
UNCOUNTED_COLUMNS = (
    "run_id", "span_id", "of_span_id", "reason", "start_time", "llm_call_count", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cost_usd", "unpriced_count",
)  # fmt: skip
KEY_COLUMNS = ("run_id", "span_id")
RUN_COLUMNS = ("run_id",)

TABLES = {
    "spans": SPAN_COLUMNS,
    "live_spans": LIVE_COLUMNS,
    "events": EVENT_COLUMNS,
    "batches": BATCH_COLUMNS,
    "producers": PRODUCER_COLUMNS,
    "rejected": REJECTED_COLUMNS,
    "stored_messages": MESSAGE_COLUMNS,
    "span_messages": CONVERSATION_COLUMNS,
    "pieces": PIECE_COLUMNS,
    "run_links": LINK_COLUMNS,
    "uncounted": UNCOUNTED_COLUMNS,
    "metrics": METRIC_COLUMNS,
}


class Source:
    """Rows that a prepared statement reads: DuckDB asks for the Arrow stream anew at every execution.

    Source: the Arrow PyCapsule interface.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._table = to_arrow(columns, [])

    def fill(self, rows: Sequence[Row]) -> None:
        """Hold these rows until the next call."""
        self._table = to_arrow(self._columns, rows)

    def clear(self) -> None:
        """Let go of the rows."""
        self._table = to_arrow(self._columns, [])

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return a stream of the rows."""
        return self._table.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        """Return the columns."""
        return self._schema.__arrow_c_schema__()

    @property
    def _schema(self) -> pa.Schema:
        return self._table.schema


class Statements:
    """What the writer says to its connection. Not thread-safe: it belongs to the writer's thread."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._connection = connection
        self._sources: dict[str, Source] = {}

    def get_ready(self) -> None:
        """Register the sources. Not sooner than the first commit, for it loads Arrow; not within a transaction, for a
        rollback would take them away again.
        """
        if self._sources:
            return
        sources = {f"incoming_{table}": Source(columns) for table, columns in TABLES.items()}
        self._sources = {**sources, "keys": Source(KEY_COLUMNS), "wanted": Source(RUN_COLUMNS)}
        for name, source in self._sources.items():
            self._connection.register(name, source)
        for table in TABLES:
            self._connection.execute(_preparation(table))

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Append rows to a table."""
        if rows:
            self._sources[f"incoming_{table}"].fill(rows)
            self._connection.execute(f"EXECUTE insert_{table}")

    def insert_spans(self, rows: Sequence[Row], commit_id: int) -> None:
        """Append rows to `spans`."""
        if rows:
            self._sources["incoming_spans"].fill(rows)
            self._connection.execute(f"EXECUTE insert_spans({commit_id:d})")

    def delete(self, table: str, keys: Iterable[tuple[str, str]], condition: str = "true") -> None:
        """Delete the rows with these (run id, span id) from a table."""
        self._sources["keys"].fill(list(keys))
        self._connection.execute(
            f"DELETE FROM {table} USING keys WHERE {table}.run_id = keys.run_id AND {table}.span_id = keys.span_id "
            f"AND {condition}"
        )

    def delete_attached(self, keys: Iterable[tuple[str, str]]) -> None:
        """Delete what came with these spans."""
        keys = list(keys)
        self.delete("events", keys, "sequence IS NULL AND event_id IS NULL")
        self.delete("span_messages", keys, "source = 'span'")
        self.delete("run_links", keys)

    def delete_runs(self, table: str, run_ids: Iterable[str]) -> None:
        """Delete the rows of these runs from a table."""
        self._want(run_ids)
        self._connection.execute(f"DELETE FROM {table} WHERE {WANTED}")

    def sum_up(self, up_to: int) -> None:
        """Add the spans that came since the last call to `run_sums`. up_to: the last commit."""
        self._connection.execute(SUM_UP)
        # Not an UPDATE: while a reader holds an older snapshot, DuckDB takes its undo for a running write and refuses
        # to checkpoint.
        self._connection.execute("DELETE FROM summed")
        self._connection.execute("INSERT INTO summed VALUES (?)", [up_to])

    def sum_anew(self, run_ids: Iterable[str]) -> None:
        """Make the runs' stored sums anew, from those of their spans that had been summed."""
        self._want(run_ids)
        self._connection.execute(f"DELETE FROM run_sums WHERE {WANTED}")
        self._connection.execute(SUM_AGAIN)

    def known_runs(self, run_ids: Iterable[str]) -> list[str]:
        """Return those of the runs that have ended spans."""
        self._want(run_ids)
        return [run_id for (run_id,) in self._connection.execute(KNOWN_RUNS).fetchall()]

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        ((count,),) = self._connection.execute(f"SELECT count(*) FROM {table}").fetchall()
        return int(count)

    def digests(self, table: str, column: str) -> Iterator[str]:
        """Yield the digests in a column."""
        self._connection.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
        while rows := self._connection.fetchmany(50_000):
            for (digest,) in rows:
                yield digest

    def stored(self, table: str, column: str, digests: Iterable[str]) -> list[str]:
        """Return those of the digests that are in a column."""
        self._want(digests)
        sql = f"SELECT {column} FROM {table} WHERE {column} IN (SELECT run_id FROM wanted)"
        return [digest for (digest,) in self._connection.execute(sql).fetchall()]

    def count_runs(self) -> int:
        """Return how many rows of run sums there are, which is a few a run."""
        ((count,),) = self._connection.execute("SELECT count(*) FROM run_sums").fetchall()
        return int(count)

    def all_runs(self) -> Iterator[str]:
        """Yield the runs that have ended spans, some more than once."""
        self._connection.execute(ENDED_RUNS)
        while rows := self._connection.fetchmany(50_000):
            for (run_id,) in rows:
                yield run_id

    def ended_spans(self, run_ids: Iterable[str]) -> list[tuple[str, str, bool]]:
        """Return the (run id, span id, is it foreign) of every ended span of the runs."""
        self._want(run_ids)
        return self._connection.execute(
            f"SELECT run_id, span_id, scope IS NOT NULL FROM spans WHERE {WANTED}"
        ).fetchall()

    def whole_spans(self, run_ids: Iterable[str]) -> list[Row]:
        """Return the rows of every ended span of the runs, without what was captured."""
        self._want(run_ids)
        columns = ", ".join(_WITHOUT_TEXT.get(name, name) for name in SPAN_COLUMNS)
        return self._connection.execute(f"SELECT {columns} FROM spans WHERE {WANTED}").fetchall()

    def clear(self) -> None:
        """Let go of the rows of the last commit."""
        for source in self._sources.values():
            source.clear()

    def _want(self, run_ids: Iterable[str]) -> None:
        self._sources["wanted"].fill([(run_id,) for run_id in run_ids])


def _preparation(table: str) -> str:
    columns = TABLES[table]
    targets, values = (columns, columns) if table != "spans" else ((*columns, "commit_id"), (*columns, "$1::BIGINT"))
    nulls = ", ".join(["NULL"] * len(values))
    # The empty second part makes DuckDB insert in one thread, which for some thousand rows is twice as quick.
    return (
        f"PREPARE insert_{table} AS INSERT INTO {table} ({', '.join(targets)}) "
        f"SELECT {', '.join(values)} FROM incoming_{table} UNION ALL SELECT {nulls} FROM range(0)"
    )


_WITHOUT_TEXT = {
    **{name: f"epoch_ns({name}) AS {name}" for name in ("start_time", "end_time")},
    **{name: f"NULL AS {name}" for name in ("input", "output", "attributes", "usage", "links", "error_stack", "tags")},
}
WANTED = "run_id IN (SELECT run_id FROM wanted)"
RECENT = f"SELECT * FROM spans WHERE commit_id > {SUMMED_UP_TO}"
SUMMED = f"SELECT * FROM spans WHERE commit_id <= {SUMMED_UP_TO} AND {WANTED}"
SUM_UP = f"INSERT INTO run_sums BY NAME {run_parts_sql(f'({RECENT})')}"
SUM_AGAIN = f"INSERT INTO run_sums BY NAME {run_parts_sql(f'({SUMMED})')}"
ENDED_RUNS = f"SELECT run_id FROM run_sums UNION ALL SELECT run_id FROM spans WHERE commit_id > {SUMMED_UP_TO}"
KNOWN_RUNS = f"SELECT DISTINCT run_id FROM ({ENDED_RUNS}) WHERE {WANTED}"
