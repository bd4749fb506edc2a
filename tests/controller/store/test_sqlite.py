"""What only SQLite has: a file of its own, locked, durable, damaged or full; and its query plans."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost_collector.controller.store import open_store, statements
from milepost_collector.controller.store.dialects import PREPARERS
from milepost_collector.controller.store.interface import Store
from milepost_collector.errors import (
    DatabaseCorruptError,
    DatabaseLockedError,
    DatabaseTooNewError,
    StorageError,
    StorageUnavailableError,
)
from tests.controller.store.rows import insert, task

TIMEOUT_S = 30
WRITER = """
import sys
from milepost_collector.controller.store import open_store
from tests.controller.store.rows import insert, task
store = open_store(sys.argv[1])
for number in range(1_000_000):
    insert(store, task(f"t{number:06}"))
    print(number, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a database may be made."""
    return tmp_path / "controller.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """Return an empty store in a file."""
    opened = open_store(path)
    yield opened
    opened.close()


def test_file_is_used_by_one_store_at_a_time(path: Path, store: Store) -> None:
    with pytest.raises(DatabaseLockedError, match=r"controller.sqlite is in use by another process .*; stop that"):
        open_store(path)
    store.close()
    open_store(path).close()


def test_what_run_returned_for_survives_sigkill(path: Path, root: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(50)]
        process.kill()
        told += [int(line) for line in process.stdout]
    store = open_store(path)
    stored = store.read(lambda tx: tx.tasks([f"t{number:06}" for number in range(told[-1] + 2)]))
    store.close()
    assert [f"t{number:06}" for number in told] == sorted(stored)[: len(told)]
    assert len(stored) <= len(told) + 1  # killed between the commit and the print


def test_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("notes\n" * 1000)
    with pytest.raises(DatabaseCorruptError, match=r"cannot be read .*not a database.*controller.sqlite-wal away"):
        open_store(path)
    assert path.read_text().startswith("notes")


def test_file_of_a_newer_milepost_is_refused(path: Path) -> None:
    open_store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO schema_version VALUES (99, 'later')")
    connection.close()
    with pytest.raises(DatabaseTooNewError, match="has layout 99, this Milepost knows layouts up to"):
        open_store(path)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"missing/c.sqlite cannot be opened .*; check that its folder exists"):
        open_store(tmp_path / "missing" / "c.sqlite")


def test_full_disk_refuses_a_transaction_and_keeps_nothing_of_it(store: Store, path: Path) -> None:
    insert(store, task("t1"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name(path.name + "-wal").stat().st_size, hard))
    try:
        with pytest.raises(StorageUnavailableError, match=r"cannot be written .*; free space"):
            insert(store, task("t2"), task("t3", description="x" * 100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(store.read(lambda tx: tx.tasks(["t1", "t2", "t3"]))) == ["t1"]
    insert(store, task("t4"))


def test_other_program_that_writes_makes_the_store_unavailable_for_a_while(store: Store, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailableError, match="database is locked"):
        insert(store, task("t1"))
    other.close()
    insert(store, task("t1"))


WHOLE_TABLE = {"AGENTS", "WORKERS", "SILENT_WORKERS", "LIMITS", "RATES", "QUEUED", "USAGE"}
SEARCHING = {
    name: statement
    for name, statement in vars(statements).items()
    if name.isupper() and not name.startswith("_")
    if not isinstance(statement, list | dict) and name not in WHOLE_TABLE
}
SEARCHING["CLAIM"] = statements.claim(statements.ClaimShape(2, names=True, without_keys=True, without_names=True))


@pytest.mark.parametrize("name", SEARCHING)
def test_statement_finds_its_rows_by_an_index(store: Store, path: Path, name: str) -> None:
    prepared = PREPARERS["sqlite"].prepare(SEARCHING[name])
    connection = sqlite3.connect(path)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {prepared.sql}", [1] * len(prepared.names)).fetchall()
    connection.close()
    scans = [step[3] for step in plan if step[3].startswith("SCAN") and not _is_short(step[3])]
    assert scans == []


def _is_short(step: str) -> bool:
    """Tell whether a scan is of a parameter's list, of an answer, of an index of nothing but what is wanted, or for the
    first row there is."""
    return any(
        part in step
        for part in ("json_each", "anon_", "ready_for_any", "leased_by_worker", "SCAN limits", "SCAN budgets")
    )
