"""Numbered migrations, applied in one transaction with the version table, and the views on top."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from duckdb import DuckDBPyConnection

from milepost_collector.errors import DatabaseTooNewError

# The commit up to which `run_sums` contains every span.
SUMMED_UP_TO = "(SELECT up_to FROM summed)"


class Migration(NamedTuple):
    """One step of the layout. version: from 1 upwards without gaps."""

    version: int
    name: str
    sql: str


def known_migrations() -> list[Migration]:
    """Return the migrations that ship with this program, in order."""
    folder = resources.files("milepost_collector.storage") / "migrations"
    found = [
        Migration(int(match["version"]), match["name"], entry.read_text("utf-8"))
        for entry in folder.iterdir()
        if (match := re.fullmatch(r"(?P<version>\d{4})_(?P<name>\w+)\.sql", entry.name))
    ]
    return sorted(found)


def read_sql(name: str) -> str:
    """Return a SQL file of the storage package."""
    return (resources.files("milepost_collector.storage") / name).read_text("utf-8")


def run_parts_sql(source: str) -> str:
    """Return the SELECT that sums the spans of `source` (a table, view or parenthesised query) per run."""
    return read_sql("run_parts.sql").format(source=source)


def migrate(connection: DuckDBPyConnection, path: Path, migrations: list[Migration] | None = None) -> None:
    """Bring the database to the newest layout; all of it or nothing.

    Raises:
        DatabaseTooNewError: the file's layout is newer than the newest migration.
    """
    steps = known_migrations() if migrations is None else migrations
    connection.execute("BEGIN")
    try:
        current = _current_version(connection)
        if current > len(steps):
            raise DatabaseTooNewError(path, current, len(steps))
        for step in steps[current:]:
            connection.execute(step.sql)
            connection.execute("INSERT INTO migrations VALUES (?, ?, now()::TIMESTAMP)", [step.version, step.name])
        _create_views(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _current_version(connection: DuckDBPyConnection) -> int:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (version INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMP)"
    )
    row = connection.execute("SELECT coalesce(max(version), 0) FROM migrations").fetchone()
    assert row is not None  # an aggregate without GROUP BY answers one row
    return int(row[0])


def _create_views(connection: DuckDBPyConnection) -> None:
    recent = run_parts_sql(f"(SELECT * FROM spans WHERE commit_id > {SUMMED_UP_TO})")
    live = run_parts_sql("(SELECT * FROM all_spans WHERE status = 'running')")
    connection.execute(read_sql("views.sql").format(recent_parts=recent, live_parts=live))
