"""Opening the file: migrations all or nothing, and a clear word when it cannot be opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from milepost_collector.errors import DatabaseCorruptError, DatabaseLockedError, DatabaseTooNewError, StorageError
from milepost_collector.storage import Database
from milepost_collector.storage.migrate import Migration, known_migrations, migrate

LIMIT = 512 * 1024 * 1024


def open_database(path: Path) -> Database:
    return Database(path, memory_limit_bytes=LIMIT)


def test_migrations_are_numbered_without_gaps() -> None:
    assert [step.version for step in known_migrations()] == list(range(1, len(known_migrations()) + 1))


def test_opening_again_applies_nothing_twice(tmp_path: Path) -> None:
    for _ in range(2):
        database = open_database(tmp_path / "a.duckdb")
        with database.reader() as connection:
            rows = connection.execute("SELECT version FROM migrations ORDER BY 1").fetchall()
        database.close()
    assert rows == [(step.version,) for step in known_migrations()]


def test_failing_migration_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    steps = [
        *known_migrations(),
        Migration(len(known_migrations()) + 1, "broken", "CREATE TABLE t (a INT); SELECT nonsense"),
    ]
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        with pytest.raises(duckdb.BinderException):
            migrate(connection, tmp_path / "a.duckdb", steps)
        assert connection.execute("SHOW TABLES").fetchall() == []


def test_file_of_a_newer_program_is_refused_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    open_database(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO migrations VALUES (99, 'from_the_future', NULL)")
    with pytest.raises(DatabaseTooNewError, match=r"has layout 99, this Milepost knows layouts up to \d+; upgrade"):
        open_database(path)


def test_locked_file_names_the_holder_and_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(DatabaseLockedError, match=rf"in use by another process.*{holder.pid}.*stop that collector"):
            open_database(path)
        holder.communicate()


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"x"])
def test_file_that_is_no_database_is_refused_unchanged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.duckdb"
    path.write_bytes(content)
    with pytest.raises(DatabaseCorruptError, match=r"cannot be read.*restore it from a backup"):
        open_database(path)
    assert path.read_bytes() == content


def test_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    open_database(path).close()
    content = bytearray(path.read_bytes())
    for place in range(4096, len(content), 512):
        content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DatabaseCorruptError):
        open_database(path)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"folder .*file/data cannot be created"):
        open_database(tmp_path / "file" / "data" / "a.duckdb")


def test_locked_down_instance_cannot_be_unlocked(tmp_path: Path) -> None:
    database = open_database(tmp_path / "a.duckdb")
    with database.reader() as connection:
        for statement in (
            "SET lock_configuration = false",
            "SET enable_external_access = true",
            "SET threads = 64",
            "ATTACH ':memory:' AS other; COPY (SELECT 1) TO '/tmp/milepost-escape.csv'",
            "INSTALL httpfs",
            "SELECT * FROM read_text('/etc/hostname')",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
    database.close()


def test_reopen_gives_readers_the_committed_data(tmp_path: Path) -> None:
    database = open_database(tmp_path / "a.duckdb")
    database.writer.execute("INSERT INTO batches VALUES ('p', 0, NULL, make_timestamp_ns(0), 1, 0, 0, false)")
    database.reopen()
    with database.reader() as connection:
        assert connection.execute("SELECT producer_id FROM batches").fetchall() == [("p",)]
    database.close()
    database.close()


def test_file_opens_in_a_plain_duckdb_with_its_views(tmp_path: Path) -> None:
    open_database(tmp_path / "a.duckdb").close()
    with duckdb.connect(str(tmp_path / "a.duckdb"), read_only=True) as connection:
        for view in ("runs", "tasks", "llm_calls", "tool_calls", "checkpoints", "errors"):
            assert connection.execute(f"SELECT * FROM {view}").fetchall() == []


@pytest.mark.parametrize("present", ["now()", "current_timestamp", "now()::TIMESTAMP", "today()"])
def test_stored_times_compare_with_the_present(tmp_path: Path, present: str) -> None:
    open_database(tmp_path / "a.duckdb").close()
    with duckdb.connect(str(tmp_path / "a.duckdb"), read_only=True) as connection:
        for view in ("spans", "runs", "tasks"):
            query = f"SELECT count(*) FROM {view} WHERE start_time > {present} - INTERVAL 1 DAY"
            assert connection.execute(query).fetchall() == [(0,)]
