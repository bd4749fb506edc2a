"""The floor: tasks in one table, claimed and completed by a bare loop on the same database, one transaction each.

No HTTP, no lease, no history, no limits, no record: what the database alone makes of two durable commits a task.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psycopg

TABLE = "CREATE TABLE floor_tasks (id INTEGER PRIMARY KEY, state TEXT NOT NULL, input TEXT NOT NULL, result TEXT)"
INDEX = "CREATE INDEX floor_ready ON floor_tasks (id) WHERE state = 'ready'"
DROP = "DROP TABLE IF EXISTS floor_tasks"
INSERT = "INSERT INTO floor_tasks (id, state, input) VALUES (?, 'ready', ?)"
COMPLETE = "UPDATE floor_tasks SET state = 'completed', result = ? WHERE id = ?"
CLAIM = """
UPDATE floor_tasks SET state = 'leased'
WHERE id IN (SELECT id FROM floor_tasks WHERE state = 'ready' ORDER BY id LIMIT ? {lock}) RETURNING id
"""
INPUT = '{"number": 12345}'


class Connection(Protocol):
    """What both drivers have in common."""

    def execute(self, sql: Any, parameters: Any = ..., /) -> Any:
        """Run a statement."""
        ...


class Floor:
    """A loop on a database. begin, lock: how it begins a transaction, and keeps others from rows that it has chosen."""

    def __init__(self, connection: Connection, *, begin: str, lock: str, mark: str) -> None:
        self._connection = connection
        self._begin = begin
        self._sql = {"claim": CLAIM.format(lock=lock), "insert": INSERT, "complete": COMPLETE}
        self._sql = {name: sql.replace("?", mark) for name, sql in self._sql.items()}
        for sql in (DROP, TABLE, INDEX):
            connection.execute(sql)

    def rate(self, tasks: int, at_once: int) -> float:
        """Enqueue so many tasks, then claim and complete them; return how many a second went through all of it.

        at_once: in one transaction.
        """
        begin = time.perf_counter()
        for first in range(0, tasks, at_once):
            self._commit(lambda first=first: self._insert(range(first, first + at_once)))  # type: ignore[misc]
        claimed = 0
        while claimed < tasks:
            ids = self._commit(lambda: self._connection.execute(self._sql["claim"], (at_once,)).fetchall())
            self._commit(lambda ids=ids: self._complete(ids))  # type: ignore[misc]
            claimed += len(ids)
        took_s = time.perf_counter() - begin
        self._connection.execute("DELETE FROM floor_tasks")
        return tasks / took_s

    def _insert(self, ids: range) -> None:
        for number in ids:
            self._connection.execute(self._sql["insert"], (number, INPUT))

    def _complete(self, ids: list[tuple[int]]) -> None:
        for (number,) in ids:
            self._connection.execute(self._sql["complete"], (INPUT, number))

    def _commit(self, work: Callable[[], Any]) -> Any:
        self._connection.execute(self._begin)
        found = work()
        self._connection.execute("COMMIT")
        return found


def floor_rate(place: str, *, tasks: int, at_once: int) -> float:
    """Return tasks a second of the bare loop. place: a PostgreSQL URL, or a folder for a SQLite file."""
    if place.startswith("postgresql:"):
        with psycopg.connect(place, autocommit=True, prepare_threshold=1) as connection:
            return Floor(connection, begin="BEGIN", lock="FOR UPDATE SKIP LOCKED", mark="%s").rate(tasks, at_once)
    with closing(sqlite3.connect(Path(place) / "floor.sqlite", isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = FULL")
        return Floor(file, begin="BEGIN IMMEDIATE", lock="", mark="?").rate(tasks, at_once)
