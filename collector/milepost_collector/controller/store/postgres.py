"""The store on PostgreSQL: a few connections, any of which runs a transaction or reads a snapshot."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import FloatDumper, Int8Dumper

from milepost_collector.controller.rows import AssignmentRow, Row
from milepost_collector.controller.store.changes import Change, rows_as_json, writing_many
from milepost_collector.controller.store.dialects import PREPARERS
from milepost_collector.controller.store.interface import Tx
from milepost_collector.controller.store.migrate import NEWEST_VERSION, VERSION_TABLE, migrations
from milepost_collector.controller.store.pool import Listener, Pool
from milepost_collector.controller.store.transaction import Transaction, alone
from milepost_collector.errors import (
    DatabaseTooNewError,
    DuplicateRowError,
    InvalidParameterError,
    StorageError,
    StorageUnavailableError,
)

R = TypeVar("R")
Connection: TypeAlias = psycopg.Connection[Any]
Cursor: TypeAlias = psycopg.Cursor[Any]

CHANNEL = "milepost_controller"
OLDEST_SERVER = 130_000  # PostgreSQL 13, the first with pg_current_xact_id
MAX_CONNECTIONS = 8
CONNECT_TIMEOUT_S = 5
TRIES = 5  # of a transaction that another one made impossible, or whose connection was gone before it began to commit

_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_BEGIN = f"BEGIN; {_CLOCK}"
_BEGIN_GROUP = f"BEGIN; SAVEPOINT work; {_CLOCK}"
_BEGIN_READING = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_CLOCK}"
_LOCK_LIMITS = "SELECT pg_advisory_xact_lock(hashtext('milepost limits'), hashtext(current_schema()))"
_LOCK_DEPENDENCIES = _LOCK_LIMITS.replace("milepost limits", "milepost dependencies")
_LOCK_SCHEMA = "SELECT pg_advisory_lock(hashtext('milepost schema'), hashtext(current_schema()))"
_UNLOCK_SCHEMA = _LOCK_SCHEMA.replace("pg_advisory_lock", "pg_advisory_unlock")
_AGAIN = ("40001", "40P01")  # serialization failure, deadlock
_GONE = ("57P01", "57P02", "57P03", "25P03")  # the server shuts down, crashed, starts; or ended an idle transaction
_START = "start the server and check its URL; asking again is safe"
_ASK_AGAIN = "ask again, everything that is sent twice is done once"
_MAX_PREPARED = 500
# Plans are made once, when the tables may still be empty, and kept: so they must suit full tables. (A sequential scan
# is taken all the same where there is no index.) Rows are found by their keys, one after the other: to hash or to merge
# them with a table is to read all of it.
_PLANS = (
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET plan_cache_mode = force_generic_plan; SET jit = off"
)
# For a collector that is frozen inside a transaction: nobody waits for what it has locked for long.
_TIMEOUTS = "SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '15s'"

_Waiting: TypeAlias = dict[str, tuple[Change, Sequence[Row]]]  # by table


class _TryAgainError(StorageUnavailableError):
    """The transaction has surely left no trace and may work when it is begun again.

    finally_: what it is when it never does; None: itself.
    """

    finally_: Exception | None = None


class _Integer(Int8Dumper):
    """Integers without a type: PostgreSQL takes the column's. So a statement is the same whether values are NULL."""

    oid = 0


class _Float(FloatDumper):
    oid = 0


class _Transaction(Transaction):
    """A transaction that remembers whether other collectors should look at the queue."""

    woke = False
    _waiting: _Waiting | None = None  # to be written together; None: at once

    def lock_limits(self) -> None:
        """See `interface.Tx.lock_limits`."""
        self._lock(_LOCK_LIMITS)

    def lock_dependencies(self) -> None:
        """See `interface.Tx.lock_dependencies`."""
        self._lock(_LOCK_DEPENDENCIES)

    def _lock(self, statement: str) -> None:
        try:
            self._cursor.execute(statement, ())
        except psycopg.Error as error:
            raise self._translate(error) from error

    def promote(self, limit: int) -> int:
        """See `QueuePart.promote`."""
        promoted = super().promote(limit)
        self.woke = self.woke or promoted > 0
        return promoted

    @contextmanager
    def together(self) -> Iterator[None]:
        """See `interface.Tx.together`."""
        waiting: _Waiting = {}
        self._waiting = waiting
        try:
            yield
        finally:
            self._waiting = None
        self._write_together(waiting)

    def _write_rows(self, change: Change, rows: Sequence[Row]) -> None:
        if not rows:
            return
        if not self.woke:
            self.woke = any(isinstance(row, AssignmentRow) and (row.state == "ready" or row.stop) for row in rows)
        if self._waiting is not None:
            self._wait(self._waiting, change, rows)
        elif len(rows) > 1:
            self._write_together({change.table.name: (change, rows)})
        else:
            super()._write_rows(change, rows)

    def _wait(self, waiting: _Waiting, change: Change, rows: Sequence[Row]) -> None:
        name = change.table.name
        earlier, before = waiting.get(name, (change, ()))
        if earlier != change:  # one statement cannot write a table in two ways, one after the other
            self._write_together(waiting)
            waiting.clear()
            before = ()
        waiting[name] = (change, [*before, *rows])

    def _write_together(self, waiting: _Waiting) -> None:
        if waiting:
            changes, rows = zip(*waiting.values(), strict=True)
            given = {f"rows_{number}": rows_as_json(*one) for number, one in enumerate(zip(changes, rows, strict=True))}
            self._execute_prepared(writing_many(changes), given)


class _Snapshot(_Transaction):
    _may_lock = False


class PostgresStore:
    """Tasks in a PostgreSQL database, which several collectors may share.

    Every method may be called from several threads at the same time. Every error of psycopg becomes a StorageError that
    names the database, without its password.
    """

    dialect = "postgresql"

    def __init__(self, url: str, *, clock: Callable[[], int] | None = None) -> None:
        """Connect and bring the tables up to date.

        Raises:
            StorageUnavailableError: the server cannot be reached.
            DatabaseTooNewError: a newer Milepost has written the tables.
            StorageError: the URL is malformed, or the server is too old.
        """
        self.place = without_password(url)
        self._url = url
        self._clock = clock
        self._newest = 0
        self._newest_lock = threading.Lock()
        self._preparer = PREPARERS[self.dialect]
        self._name = uuid.uuid4().hex  # tells own notifications from those of others
        self._pool = Pool(self.place, self._connect, MAX_CONNECTIONS)
        self._listener: Listener | None = None
        self._prepare_database()

    def run(self, work: Callable[[Tx], R]) -> R:
        """See `interface.Store.run`."""
        return self._again_and_again(_BEGIN, lambda connection, tx: work(tx))

    def run_each(self, works: Sequence[Callable[[Tx], Any]]) -> list[Any | Exception]:
        """See `interface.Store.run_each`."""
        if len(works) == 1:
            return [alone(self.run, works[0])]
        return self._again_and_again(_BEGIN_GROUP, lambda connection, tx: self._group(connection, tx, works))

    def read(self, work: Callable[[Tx], R]) -> R:
        """See `interface.Store.read`."""
        return self._again_and_again(_BEGIN_READING, lambda connection, tx: work(tx))

    def close(self) -> None:
        """See `interface.Store.close`."""
        if self._listener is not None:
            self._listener.stop()
        self._pool.close()

    def listen(self, changed: Callable[[], None]) -> None:
        """See `interface.Store.listen`."""
        assert self._listener is None, "the store is listened to already"
        self._listener = Listener(self._connect, CHANNEL, self._name, changed)
        self._listener.start()

    def _again_and_again(self, begin: str, work: Callable[[Connection, Tx], R]) -> R:
        for remaining in reversed(range(TRIES)):
            with self._pool.connection() as connection:
                try:
                    return self._transact(connection, begin, work)
                except _TryAgainError as error:
                    if not remaining:
                        raise (error.finally_ or error) from error.__cause__
        raise AssertionError("the last try returns or raises")

    def _transact(self, connection: Connection, begin: str, work: Callable[[Connection, Tx], R]) -> R:
        try:
            cursor = connection.cursor()
            kind = _Snapshot if begin is _BEGIN_READING else _Transaction
            tx = kind(cursor, self._preparer, self._begin(cursor, begin), psycopg.Error, self._translate)
            result = work(connection, tx)
        except BaseException:
            self._roll_back(connection)
            raise
        self._commit(cursor, f"NOTIFY {CHANNEL}, '{self._name}'; COMMIT" if tx.woke else "COMMIT")
        return result

    def _begin(self, cursor: Cursor, begin: str) -> int:
        """Begin a transaction and return its `now`, which never goes back."""
        try:
            cursor.execute(begin, prepare=False)  # several statements in one message
            while cursor.nextset():
                pass
            ((milliseconds,),) = cursor.fetchall()
        except psycopg.Error as error:
            raise self._translate(error) from error
        if self._clock is not None:
            return self._clock()
        with self._newest_lock:
            self._newest = max(self._newest, milliseconds)
            return self._newest

    def _commit(self, cursor: Cursor, commit: str) -> None:
        try:
            cursor.execute(commit, prepare=False)
        except psycopg.Error as error:
            self._roll_back(cursor.connection)
            if error.sqlstate is None or isinstance(error, psycopg.errors.OperatorIntervention):
                raise StorageUnavailableError(
                    self.place, f"{_text(error)}, while committing: whether that was done is unknown", _ASK_AGAIN
                ) from error
            raise self._translate(error) from error
        while cursor.nextset():  # a NOTIFY comes before the COMMIT
            pass
        if cursor.statusmessage != "COMMIT":
            raise StorageError(self.place, f"database {self.place} rolled back; an error was passed over before that")

    def _roll_back(self, connection: Connection) -> None:
        try:
            if connection.info.transaction_status != TransactionStatus.IDLE:
                connection.execute("ROLLBACK", prepare=False)
        except psycopg.Error:
            connection.close()  # nothing can be said to it any more: the pool makes another one

    def _group(self, connection: Connection, tx: Tx, works: Sequence[Callable[[Tx], Any]]) -> list[Any | Exception]:
        answers: list[Any | Exception] = []
        for number, work in enumerate(works, 1):
            try:
                answers.append(work(tx))
            except StorageUnavailableError:
                raise  # concerns the whole transaction
            except Exception as error:
                answers.append(error)
                self._say(connection, "ROLLBACK TO work")  # and stay there: the next work begins at the same place
            else:
                if number < len(works):
                    self._say(connection, "RELEASE work; SAVEPOINT work")  # in one message
        return answers

    def _say(self, connection: Connection, command: str) -> None:
        try:
            connection.execute(command, prepare=False)
        except psycopg.Error as error:
            raise self._translate(error) from error

    def _connect(self) -> Connection:
        try:
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_S,
                cursor_factory=psycopg.RawCursor,
                prepare_threshold=0,
                application_name="milepost",
            )
            connection.execute(f"{_PLANS}; {_TIMEOUTS}".encode(), prepare=False)
        except psycopg.ProgrammingError as error:
            raise StorageError(self.place, f"{self.place} is not the URL of a PostgreSQL database ({error})") from error
        except psycopg.Error as error:
            raise StorageUnavailableError(self.place, _text(error), _START) from error
        connection.prepared_max = _MAX_PREPARED
        for kind, dumper in ((int, _Integer), (float, _Float)):
            connection.adapters.register_dumper(kind, dumper)
        return connection

    def _migrate(self, connection: Connection) -> None:
        if connection.info.server_version < OLDEST_SERVER:
            raise StorageError(
                self.place,
                f"database {self.place} is PostgreSQL {connection.info.server_version // 10_000}; "
                f"use {OLDEST_SERVER // 10_000} or later",
            )
        if connection.info.parameter_status("server_encoding") != "UTF8":
            raise StorageError(
                self.place, f"database {self.place} is not encoded in UTF-8; create it with ENCODING 'UTF8'"
            )
        connection.execute(_LOCK_SCHEMA)  # two collectors that start at the same time take turns
        connection.execute(VERSION_TABLE)
        ((found,),) = connection.execute(NEWEST_VERSION).fetchall()
        steps = migrations(self.dialect)
        if found > len(steps):
            raise DatabaseTooNewError(self.place, found, len(steps))
        for step in steps[found:]:
            connection.execute(step.as_transaction().encode(), prepare=False)
        connection.execute(_UNLOCK_SCHEMA)

    def _prepare_database(self) -> None:
        try:
            with self._pool.connection() as connection:
                try:
                    self._migrate(connection)
                except psycopg.Error as error:
                    raise self._translate(error) from error
        except BaseException:
            self._pool.close()  # and with its connections what they have locked
            raise

    def _duplicate(self, error: psycopg.IntegrityError) -> Exception:
        """Return what a taken key means: of an idempotency key, or a key of a run's asks, that another transaction has
        just made its task or ask, and that it will be found when this one is begun again."""
        duplicate = DuplicateRowError(self.place, _text(error))
        if error.diag.table_name != "idempotency" and error.diag.constraint_name != "asks_of_owner":
            return duplicate
        again = _TryAgainError(self.place, _text(error), _START)
        again.finally_ = duplicate
        return again

    def _translate(self, error: Exception) -> Exception:
        """Return an error of ours for one of psycopg's that came before COMMIT."""
        assert isinstance(error, psycopg.Error)
        if error.sqlstate in _AGAIN or error.sqlstate in _GONE or _is_broken(error):
            return _TryAgainError(self.place, _text(error), _START)
        if isinstance(error, psycopg.IntegrityError):
            return self._duplicate(error)
        if isinstance(error, psycopg.DataError):
            return InvalidParameterError("text", _text(error), "leave the character U+0000 out; PostgreSQL has none")
        if isinstance(error, psycopg.OperationalError):
            return StorageUnavailableError(self.place, _text(error), _START)
        return StorageError(
            self.place, f"database {self.place} refused a statement ({_text(error)}); this is an error of Milepost"
        )


def _is_broken(error: psycopg.Error) -> bool:
    return isinstance(error, psycopg.OperationalError) and error.sqlstate is None


def _text(error: psycopg.Error) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def without_password(url: str) -> str:
    """Return a URL as it may be shown."""
    return re.sub(r"([?&]password=)[^&]*", r"\1…", re.sub(r"(//[^/@:]*):[^/]*@", r"\1@", url))
