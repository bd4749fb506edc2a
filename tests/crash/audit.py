"""What must be true of tasks after everything was killed: read from the store, from DuckDB and from the effects."""

from __future__ import annotations

import itertools
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg

Rows = list[tuple[Any, ...]]
Attempt = tuple[str, int]  # task id and number

TASKS = """
SELECT id, name, status, attempt, failures, losses, finished_at FROM {table}
"""
ATTEMPTS = """
SELECT task_id, attempt, status, run_id, worker_id, leased_at, started_at, ended_at, checkpoint_count FROM attempts
ORDER BY task_id, attempt
"""
TRANSITIONS = """
SELECT sequence, task_id, event, from_status, to_status, attempt, worker_id, time FROM transitions ORDER BY sequence
"""
# The same, as DuckDB has them.
RECORDED_TASKS = """
SELECT task_id, name, status, attempt, failures, losses, epoch_ms(finished_at) FROM managed_tasks ORDER BY task_id
"""
RECORDED_ATTEMPTS = """
SELECT task_id, attempt, status, run_id, worker_id, epoch_ms(leased_at), epoch_ms(started_at), epoch_ms(ended_at),
    checkpoint_count
FROM attempts ORDER BY task_id, attempt
"""
RECORDED_TRANSITIONS = """
SELECT sequence, task_id, event, from_status, to_status, attempt, worker_id, epoch_ms(time) FROM task_transitions
ORDER BY sequence
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the controller's store has. tasks: id, name, status, attempt, failures, losses, finished_at."""

    tasks: Rows
    attempts: Rows
    transitions: Rows


@dataclass(frozen=True, slots=True)
class Audited:
    """What was found. lost: attempts whose worker was. fenced: effects of attempts that did not complete."""

    tasks: int
    attempts: int
    lost: int
    fenced: int

    def __str__(self) -> str:
        return (
            f"{self.tasks:,} tasks, each completed once, in {self.attempts:,} attempts; {self.lost:,} attempts lost, "
            f"{self.fenced:,} effects fenced off"
        )


def read_store(place: str) -> Stored:
    """Read the store of a collector that was stopped. place: a PostgreSQL URL, or the file of SQLite."""
    connection: Any = psycopg.connect(place) if place.startswith("postgresql:") else sqlite3.connect(place)
    with closing(connection):
        tasks = " UNION ALL ".join(TASKS.format(table=table) for table in ("tasks", "task_history"))
        read = (f"SELECT * FROM ({tasks}) AS every ORDER BY id", ATTEMPTS, TRANSITIONS)
        return Stored(*([tuple(row) for row in connection.execute(sql).fetchall()] for sql in read))


def check_record(data_dir: Path, stored: Stored) -> None:
    """Compare what DuckDB was told with the store."""
    with duckdb.connect(str(data_dir / "milepost.duckdb"), read_only=True) as database:
        assert database.execute(RECORDED_TRANSITIONS).fetchall() == stored.transitions
        # PostgreSQL and DuckDB order texts by their bytes, as Python does.
        assert sorted(database.execute(RECORDED_TASKS).fetchall()) == sorted(stored.tasks)
        assert sorted(database.execute(RECORDED_ATTEMPTS).fetchall()) == sorted(stored.attempts)


def check_tasks(stored: Stored, acknowledged: Sequence[str], effects: Sequence[Attempt]) -> Audited:
    """Check that every acknowledged task, and no other, completed once, and that its effect is there once."""
    assert acknowledged, "no task was ever acknowledged"
    assert Counter(task[0] for task in stored.tasks) == Counter(acknowledged)
    assert {task[2] for task in stored.tasks} == {"completed"}
    completed = {(row[0], row[1]) for row in stored.attempts if row[2] == "completed"}
    assert Counter(task_id for task_id, _ in completed) == Counter(acknowledged)
    assert max(Counter(effects).values()) == 1, "an attempt was worked on twice"
    assert completed <= set(effects), "an attempt completed whose handler did not get to its end"
    _check_numbers(stored)
    _check_transitions(stored)
    lost = sum(row[2] == "lost" for row in stored.attempts)
    return Audited(len(stored.tasks), len(stored.attempts), lost, len(set(effects) - completed))


def _check_numbers(stored: Stored) -> None:
    """Attempts are numbered 1, 2, … and the last is the one that completed; failures and losses are counted apart."""
    attempts = _of_task(stored.attempts, 0)
    for task_id, _, _, attempt, failures, losses, _ in stored.tasks:
        mine = attempts[task_id]
        assert [row[1] for row in mine] == list(range(1, attempt + 1))
        kinds = Counter(row[2] for row in mine)
        assert mine[-1][2] == "completed"
        assert (kinds["failed"], kinds["lost"]) == (failures, losses)


def _check_transitions(stored: Stored) -> None:
    """Every transition begins where the one before it ended, and none follows the end."""
    for task_id, mine in _of_task(stored.transitions, 1).items():
        for before, after in itertools.pairwise(mine):
            assert after[3] == before[4], f"task {task_id} changed from {before[4]} to {after[3]} without a transition"
        assert [row[4] for row in mine].index("completed") == len(mine) - 1


def _of_task(rows: Rows, column: int) -> dict[str, Rows]:
    """Return rows by the task's id in a column."""
    by_task: dict[str, Rows] = {}
    for row in rows:
        by_task.setdefault(row[column], []).append(row)
    return by_task


def noted(folder: Path, file: str) -> list[tuple[str, int, int, str]]:
    """Return what handlers noted in a file: task id, attempt, time in nanoseconds, text."""
    if not (folder / file).exists():
        return []
    lines = (folder / file).read_text().splitlines()
    return [(line[0], int(line[1]), int(line[2]), line[3]) for line in (line.split(" ", 3) for line in lines)]
