"""The record of what the controller did: its facts into DuckDB, each exactly once.

Facts and the position that they reach are committed in one transaction, so whoever tells them can ask afterwards what
has been recorded, whatever happened to either side meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

import anyio.to_thread
import duckdb
from duckdb import DuckDBPyConnection

from milepost_collector.errors import StorageUnavailableError
from milepost_collector.protocol.managed import (
    AskFact,
    At,
    AttemptFact,
    DeliverableFact,
    InstantFact,
    Recorded,
    TaskFact,
    TransitionFact,
)
from milepost_collector.storage import Database
from milepost_collector.traces.writer import Work, Writer

if TYPE_CHECKING:
    import pyarrow as pa

TABLES: dict[str, type[NamedTuple]] = {
    "task_transitions": TransitionFact,
    "task_versions": TaskFact,
    "attempt_versions": AttemptFact,
    "instant_versions": InstantFact,
    "attached_versions": DeliverableFact,
}
POSITION = "SELECT position, version FROM controller_position"

# What TIMESTAMP_NS can hold, in milliseconds: 1677 to 2262. A deadline beyond is as good as that.
_EARLIEST, _LATEST = -9_223_372_036_854, 9_223_372_036_854
# What is told again may be there already.
_MISSING = """
WHERE NOT EXISTS (
    SELECT 1 FROM task_transitions AS known
    WHERE known.task_id = told.task_id AND known.sequence = told.sequence AND known.time = told.time
)
"""
_GONE = """
INSERT INTO task_versions
SELECT * REPLACE ($version AS version, 'deleted' AS status) FROM task_versions
WHERE task_id IN (SELECT unnest($ids::VARCHAR[]))
QUALIFY row_number() OVER (PARTITION BY task_id ORDER BY version DESC) = 1
"""


class ManagedRecorder:
    """Records what the controller tells. Belongs to the event loop; one `record` at a time.

    on_transitions, on_asks: called on the event loop after each commit that recorded transitions, or came past events
    of asks.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        *,
        on_transitions: Callable[[Sequence[TransitionFact]], None],
        on_asks: Callable[[Sequence[AskFact]], None],
    ) -> None:
        self._database = database
        self._writer = writer
        self._on_transitions = on_transitions
        self._on_asks = on_asks
        self._log = Log()

    async def position(self) -> str | None:
        """Return up to where everything is recorded; None at the very beginning.

        Raises:
            StorageUnavailableError: the database cannot be read now.
        """
        return await anyio.to_thread.run_sync(self._read_position)

    async def record(self, changes: Recorded) -> str | None:
        """Commit changes and their position; return the position that then stands.

        When the record does not stand at `changes.after`, nothing is written.

        Raises:
            StorageUnavailableError: the database cannot be written now.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()
        stands: list[str | None] = []

        def reply(error: BaseException | None) -> None:
            loop.call_soon_threadsafe(_settle, answer, error or stands[0])

        self._writer.put_work(Work(lambda connection: stands.append(self._log.append(connection, changes)), reply))
        try:
            position = await answer
        except duckdb.Error as error:
            raise StorageUnavailableError(self._database.path, str(error).partition("\n")[0]) from error
        if position == changes.position:
            self._tell(changes)
        return position

    def _tell(self, changes: Recorded) -> None:
        if changes.transitions:
            self._on_transitions(changes.transitions)
        if changes.asks:
            self._on_asks(changes.asks)
        lost = {fact.run_id: (fact.ended_at or 0) * 1_000_000 for fact in changes.attempts if fact.status == "lost"}
        if lost:  # the controller notices sooner than silence tells
            self._writer.give_up(lost)

    def _read_position(self) -> str | None:
        try:
            with self._database.reader() as connection:
                return _stands(connection)[0]
        except duckdb.Error as error:
            raise StorageUnavailableError(self._database.path, str(error).partition("\n")[0]) from error


class Log:
    """Appends facts to the tables. Not thread-safe: it belongs to the writer's thread."""

    def __init__(self) -> None:
        self._connection: DuckDBPyConnection | None = None
        self._sources = {table: FactSource(fact) for table, fact in TABLES.items()}

    def append(self, connection: DuckDBPyConnection, changes: Recorded) -> str | None:
        """Write changes in one transaction, unless they begin elsewhere; return the position that then stands.

        Raises:
            duckdb.Error: nothing was written, or (an error of the commit itself) it is not known.
        """
        self._get_ready(connection)
        connection.execute("BEGIN")
        try:
            position, version = _stands(connection)
            if position == changes.after:
                self._write(connection, changes, version + 1)
                position = changes.position
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise
        finally:
            for source in self._sources.values():
                source.facts = ()
        return position

    def _get_ready(self, connection: DuckDBPyConnection) -> None:
        """Prepare the statements, anew after the database was reopened. Not within a transaction: a rollback would
        take them away again."""
        if connection is self._connection:
            return
        for table, source in self._sources.items():
            connection.register(f"told_{table}", source)
            connection.execute(_preparation(table))
        self._connection = connection

    def _write(self, connection: DuckDBPyConnection, changes: Recorded, version: int) -> None:
        facts: tuple[Sequence[Any], ...] = (
            changes.transitions, changes.tasks, changes.attempts, changes.instants, changes.deliverables,
        )  # fmt: skip
        for (table, source), told in zip(self._sources.items(), facts, strict=True):
            if told:
                source.facts = told
                connection.execute(_recording(table, version, again=changes.again))
        if changes.deleted:
            connection.execute(_GONE, {"version": version, "ids": changes.deleted})
        # Not an UPDATE: while a reader holds an older snapshot, DuckDB takes its undo for a running write and refuses
        # to checkpoint.
        connection.execute("DELETE FROM controller_position")
        connection.execute("INSERT INTO controller_position VALUES (?, ?)", [changes.position, version])


class FactSource:
    """Facts that a prepared statement reads as an Arrow stream, anew at every execution."""

    def __init__(self, fact: type[NamedTuple]) -> None:
        self._kinds = _kinds(fact)
        self.facts: Sequence[Any] = ()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return a stream of the facts."""
        import pyarrow as pa  # late: 40 MB and 0.3 s that a collector without tasks does not need

        schema = self._schema
        columns = zip(*self.facts, strict=True) if self.facts else [()] * len(schema)
        arrays = [
            pa.array(_nanoseconds(values) if type_ == pa.timestamp("ns") else values, type=type_)
            for values, type_ in zip(columns, schema.types, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=schema).__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        """Return the columns."""
        return self._schema.__arrow_c_schema__()

    @cached_property
    def _schema(self) -> pa.Schema:
        import pyarrow as pa

        types = {str: pa.string(), int: pa.int64(), list[str]: pa.list_(pa.string()), At: pa.timestamp("ns")}
        return pa.schema([(name, types[kind]) for name, kind in self._kinds.items()])


def _kinds(fact: type[NamedTuple]) -> dict[str, Any]:
    """Return the type of each field: str, int, `At` or list[str], whether or not it may be None."""
    hints = get_type_hints(fact)
    return {name: _without_none(hints[name]) for name in fact._fields}


def _without_none(hint: Any) -> Any:
    members = [member for member in getattr(hint, "__args__", ()) if member is not type(None)]
    return members[0] if len(members) == 1 and hint != list[str] else hint


def _recording(table: str, version: int, *, again: bool) -> str:
    if table != "task_transitions":
        return f"EXECUTE record_{table}({version:d})"
    if not again:
        return f"EXECUTE record_{table}"
    columns = ", ".join(f'"{name}"' for name in TransitionFact._fields)
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM told_{table} AS told {_MISSING}"


def _preparation(table: str) -> str:
    columns = values = [f'"{name}"' for name in TABLES[table]._fields]
    if table != "task_transitions":  # a transition is a fact for ever and has no version
        columns, values = [*columns, "version"], [*values, "$1::BIGINT"]
    nulls = ", ".join(["NULL"] * len(values))
    # The empty second part makes DuckDB insert in one thread, which for some thousand rows is twice as quick.
    return (
        f"PREPARE record_{table} AS INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {', '.join(values)} FROM told_{table} UNION ALL SELECT {nulls} FROM range(0)"
    )


def _nanoseconds(instants: Sequence[int | None]) -> list[int | None]:
    return [None if at is None else max(min(at, _LATEST), _EARLIEST) * 1_000_000 for at in instants]


def _stands(connection: DuckDBPyConnection) -> tuple[str | None, int]:
    row = connection.execute(POSITION).fetchone()
    return (row[0], row[1]) if row else (None, 0)


def _roll_back(connection: DuckDBPyConnection) -> None:
    try:
        connection.execute("ROLLBACK")
    except duckdb.Error:
        # The failure ended the transaction itself (a fatal one the whole instance); the writer reopens it.
        return


def _settle(answer: asyncio.Future[str | None], result: str | BaseException | None) -> None:
    if answer.done():  # whoever asked went away
        return
    if isinstance(result, BaseException):
        answer.set_exception(result)
    else:
        answer.set_result(result)
