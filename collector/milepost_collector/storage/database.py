"""One DuckDB instance: a single writer connection and any number of short-lived readers."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import duckdb
from duckdb import DuckDBPyConnection

from milepost_collector.errors import DatabaseCorruptError, DatabaseLockedError, StorageError
from milepost_collector.storage.migrate import migrate

# Nothing is fetched, loaded or read but the database itself, whatever SQL a user sends; and no SQL can undo this.
LOCKDOWN = (
    "SET allowed_configs = ['streaming_buffer_size']",
    "SET GLOBAL TimeZone = 'UTC'",  # stored times are UTC, and now() must compare with them
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


class Database:
    """The collector's DuckDB file, opened, migrated and locked down.

    `writer` belongs to one thread. `reader()` may be used from any thread. `reopen()` is for the writer's thread, after
    a failure that made DuckDB give the instance up.

    Raises:
        DatabaseLockedError: another process has the file open.
        DatabaseCorruptError: the file is not a readable database.
        DatabaseTooNewError: a newer Milepost wrote it.
        StorageError: the folder cannot be created or written.
    """

    def __init__(self, path: Path, *, memory_limit_bytes: int) -> None:
        self.path = path
        self._memory_limit_bytes = memory_limit_bytes
        self._state = threading.Condition()
        self._readers: set[DuckDBPyConnection] = set()
        self._reopening = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(path, f"folder {path.parent} cannot be created ({error.strerror})") from error
        self.writer = self._open()

    @contextmanager
    def reader(self) -> Iterator[DuckDBPyConnection]:
        """Give a connection for reading, closed at the end of the block; waits while the database is being reopened."""
        with self._state:
            self._state.wait_for(lambda: not self._reopening)
            connection = self.writer.cursor()
            # DuckDB makes so much of a result before it is asked for, not counting the bytes of texts: with its
            # default, a SELECT of long texts makes gigabytes.
            connection.execute("SET streaming_buffer_size = '64KB'")
            self._readers.add(connection)
        try:
            yield connection
        finally:
            with self._state:
                self._readers.discard(connection)
                connection.close()
                self._state.notify_all()

    def interrupt_readers(self) -> None:
        """Stop the queries that are running; they raise `duckdb.InterruptException`."""
        with self._state:
            for connection in self._readers:
                connection.interrupt()

    def reopen(self) -> None:
        """Close the instance, readers included, and open the file anew. What was committed is there again.

        Raises:
            StorageError: the file cannot be opened (yet); calling again is allowed.
        """
        self.interrupt_readers()
        with self._state:
            self._reopening = True
            self._state.wait_for(lambda: not self._readers)
            try:
                self.writer.close()
                self.writer = self._open()
            finally:
                self._reopening = False
                self._state.notify_all()

    def wal_bytes(self) -> int:
        """Return the size of the write-ahead log, bytes."""
        try:
            return self.path.with_name(self.path.name + ".wal").stat().st_size
        except FileNotFoundError:
            return 0

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file. Writer's thread only; commits wait meanwhile."""
        self.writer.execute("CHECKPOINT")

    def close(self) -> None:
        """Stop readers, checkpoint and close. Safe to call twice."""
        self.interrupt_readers()
        with self._state:
            self._state.wait_for(lambda: not self._readers)
            self.writer.close()

    def _open(self) -> DuckDBPyConnection:
        connection = connect(self.path, self._memory_limit_bytes)
        try:
            migrate(connection, self.path)
            for statement in LOCKDOWN:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection


class _Refused:
    """An import hook that says at once "not installed" of two modules that DuckDB's client asks for at every statement.

    pandas, when it really is not installed: Python would search the disk a dozen times a commit. pyarrow.dataset: with
    it DuckDB scans Arrow tables through Arrow's own threads, 1 ms a statement; without it, through the plain C stream.
    """

    names: ClassVar[set[str]] = set()

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> None:
        """Refuse the names, know nothing of anything else."""
        if name in cls.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _refuse_slow_imports() -> None:
    if _Refused not in sys.meta_path:
        _Refused.names = {"pyarrow.dataset"} if find_spec("pandas") else {"pyarrow.dataset", "pandas"}
        sys.meta_path.insert(0, _Refused)


def connect(path: Path, memory_limit_bytes: int) -> DuckDBPyConnection:
    """Open the file, telling apart the ways it can fail."""
    _refuse_slow_imports()
    config: dict[str, str | bool | int | float | list[str]] = {
        # Newer than DuckDB's default, which can be opened by versions that lack zstd and dictionaries of text.
        "storage_compatibility_version": "v1.4.0",
        # The writer decides when to checkpoint: DuckDB's own choice falls into the middle of commits.
        "checkpoint_threshold": "1TB",
        "memory_limit": f"{memory_limit_bytes}B",
        "temp_directory": f"{path}.tmp",
        "max_temp_directory_size": f"{memory_limit_bytes}B",
    }
    try:
        return duckdb.connect(str(path), config=config)
    except duckdb.IOException as error:
        cause = str(error).partition("\n")[0]
        if "set lock" in cause.lower():
            raise DatabaseLockedError(path, cause) from error
        if "not a valid DuckDB" in cause or "Corrupt" in cause or "checksum" in cause.lower():
            raise DatabaseCorruptError(path, cause) from error
        raise StorageError(path, f"database {path} cannot be opened ({cause})") from error
    except (duckdb.SerializationException, duckdb.InternalException, duckdb.FatalException, duckdb.DataError) as error:
        raise DatabaseCorruptError(path, str(error).partition("\n")[0]) from error
