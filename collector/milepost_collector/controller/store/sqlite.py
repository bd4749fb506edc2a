"""The store on SQLite: one connection that writes, others that read snapshots; in a file or in memory."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

from milepost_collector.controller.store.dialects import PREPARERS
from milepost_collector.controller.store.interface import Tx
from milepost_collector.controller.store.migrate import NEWEST_VERSION, VERSION_TABLE, migrations
from milepost_collector.controller.store.transaction import Transaction, alone
from milepost_collector.errors import (
    DatabaseCorruptError,
    DatabaseLockedError,
    DatabaseTooNewError,
    DuplicateRowError,
    StorageError,
    StorageUnavailableError,
)

R = TypeVar("R")

MEMORY = ":memory:"
BUSY_TIMEOUT_S = 2  # how long a connection waits for another program that writes to the file, which none should
MAX_LOG_BYTES = 64 * 2**20  # what the write-ahead log is cut down to when it can be
_CACHED_STATEMENTS = 256
_CACHE_KIB = 16 * 1024
_UNAVAILABLE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM,
)
_CORRUPT = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def wall_clock() -> Callable[[], int]:
    """Return a clock of milliseconds since the Unix epoch that never goes back, whatever the system's clock does."""
    newest = 0

    def now() -> int:
        nonlocal newest
        newest = max(newest, time.time_ns() // 1_000_000)
        return newest

    return now


class SQLiteStore:
    """Tasks in an SQLite file, or in memory (`:memory:`), where nothing is durable and reading waits for writing.

    `run` and `run_each` take turns; `read` may be called from any number of threads at the same time. Every error of
    SQLite becomes a StorageError that names the file.
    """

    dialect = "sqlite"

    def __init__(self, path: Path | str, *, clock: Callable[[], int] | None = None) -> None:
        """Open the file, or make it, and bring its tables up to date.

        Raises:
            DatabaseLockedError: another collector has it open.
            DatabaseCorruptError: it is not an SQLite database.
            DatabaseTooNewError: a newer Milepost has written it.
            StorageError: it cannot be opened.
        """
        self.path = Path(path)
        self._in_memory = str(path) == MEMORY
        self._clock = clock or wall_clock()
        self._preparer = PREPARERS[self.dialect]
        self._writing = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        self._guard = None if self._in_memory else self._take_guard()
        try:
            self._writer = self._open_writer()
        except BaseException:
            self._release_guard()
            raise

    def run(self, work: Callable[[Tx], R]) -> R:
        """See `interface.Store.run`."""
        with self._writing:
            return self._transact(self._connection(), "BEGIN IMMEDIATE", work)

    def run_each(self, works: Sequence[Callable[[Tx], Any]]) -> list[Any | Exception]:
        """See `interface.Store.run_each`."""
        if len(works) == 1:
            return [alone(self.run, works[0])]
        with self._writing:
            connection = self._connection()
            return self._transact(
                connection, "BEGIN IMMEDIATE", lambda tx: [self._attempt(connection, tx, work) for work in works]
            )

    def read(self, work: Callable[[Tx], R]) -> R:
        """See `interface.Store.read`."""
        if self._in_memory:
            with self._writing:
                return self._transact(self._connection(), "BEGIN", work)
        connection = self._take_reader()
        try:
            return self._transact(connection, "BEGIN", work)
        finally:
            self._give_reader(connection)

    def listen(self, changed: Callable[[], None]) -> None:
        """See `interface.Store.listen`: there are no others."""

    def close(self) -> None:
        """See `interface.Store.close`."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            while self._readers:
                self._readers.pop().close()
            self._writer.close()
            self._release_guard()

    def _transact(self, connection: sqlite3.Connection, begin: str, work: Callable[[Tx], R]) -> R:
        with closing(connection.cursor()) as cursor:
            try:
                cursor.execute(begin)
            except sqlite3.Error as error:
                raise self._translate(error) from error
            try:
                tx = Transaction(cursor, self._preparer, self._clock(), sqlite3.Error, self._translate)
                result = work(tx)
                self._commit(cursor)
            except BaseException:
                self._roll_back(connection)
                raise
            return result

    def _commit(self, cursor: sqlite3.Cursor) -> None:
        try:
            cursor.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._translate(error) from error

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:  # SQLite ends a transaction itself when the disk is full
            with suppress(sqlite3.Error):  # the error that led here is the one to tell
                connection.execute("ROLLBACK")

    def _attempt(self, connection: sqlite3.Connection, tx: Tx, work: Callable[[Tx], Any]) -> Any | Exception:
        connection.execute("SAVEPOINT work")
        try:
            result = work(tx)
        except StorageUnavailableError:
            raise  # concerns the whole transaction
        except Exception as error:
            connection.execute("ROLLBACK TO work")
            result = error
        connection.execute("RELEASE work")
        return result

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            raise StorageError(self.path, f"database {self.path} has been closed; open the store again")
        return self._writer

    def _take_reader(self) -> sqlite3.Connection:
        self._connection()
        try:
            return self._readers.pop()
        except IndexError:
            return self._open("PRAGMA query_only = ON")

    def _give_reader(self, connection: sqlite3.Connection) -> None:
        if self._closed:
            connection.close()
        else:
            self._readers.append(connection)

    def _take_guard(self) -> sqlite3.Connection:
        """Lock a file beside the database's for as long as the store is open: SQLite itself would let others write."""
        guard = self.path.with_name(self.path.name + ".lock")
        try:
            connection = sqlite3.connect(guard, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._cannot_open(error) from error
        try:
            connection.execute("PRAGMA journal_mode = MEMORY")  # so that nothing but the file itself is made
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            connection.close()
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise DatabaseLockedError(self.path, f"{guard.name} is locked") from error
            raise self._cannot_open(error) from error
        return connection

    def _release_guard(self) -> None:
        if self._guard is not None:
            self._guard.close()
            self._guard = None

    def _open_writer(self) -> sqlite3.Connection:
        durability = "OFF" if self._in_memory else "FULL"
        connection = self._open(
            "PRAGMA journal_mode = WAL",
            f"PRAGMA synchronous = {durability}",
            f"PRAGMA journal_size_limit = {MAX_LOG_BYTES}",
        )
        try:
            self._migrate(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise self._translate(error) from error
            raise
        return connection

    def _open(self, *pragmas: str) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self.path if not self._in_memory else MEMORY,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_CACHED_STATEMENTS,
            )
        except sqlite3.Error as error:
            raise self._cannot_open(error) from error
        try:
            for pragma in (f"PRAGMA cache_size = -{_CACHE_KIB}", "PRAGMA temp_store = MEMORY", *pragmas):
                connection.execute(pragma)
            connection.create_function("lower", 1, _lower, deterministic=True)  # SQLite's knows ASCII only
        except sqlite3.Error as error:
            connection.close()
            raise self._translate(error) from error
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        connection.execute(VERSION_TABLE)
        (found,) = connection.execute(NEWEST_VERSION).fetchone()
        steps = migrations(self.dialect)
        if found > len(steps):
            raise DatabaseTooNewError(self.path, found, len(steps))
        for step in steps[found:]:
            connection.executescript(step.as_transaction())

    def _cannot_open(self, error: sqlite3.Error) -> StorageError:
        return StorageError(
            self.path, f"database {self.path} cannot be opened ({error}); check that its folder exists and is writable"
        )

    def _translate(self, error: Exception) -> Exception:
        assert isinstance(error, sqlite3.Error)
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the low byte is the primary code
        if code == sqlite3.SQLITE_CONSTRAINT:
            return DuplicateRowError(self.path, str(error))
        if code in _CORRUPT:
            return DatabaseCorruptError(self.path, str(error), "-wal")
        if code in _UNAVAILABLE:
            return StorageUnavailableError(self.path, str(error))
        return StorageError(
            self.path, f"database {self.path} refused a statement ({error}); this is an error of Milepost"
        )


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
