"""Migrations lead to the tables that the program believes in, on both databases."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine

from milepost_collector.controller.store import open_store
from milepost_collector.controller.store.migrate import Migration, migrations
from milepost_collector.controller.store.tables import metadata

_POSTGRES_PARTS = {
    "columns": """
        SELECT table_name, column_name, ordinal_position, data_type, collation_name, is_nullable, column_default,
            is_identity
        FROM information_schema.columns WHERE table_schema = 'public'""",
    "tables": "SELECT relname, reloptions FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
}


def sqlite_layout(path: Path) -> list[Any]:
    """Return what SQLite knows of its tables."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE name <> 'schema_version'").fetchall()
    connection.close()
    return sorted((name, re.sub(r"\s+", "", sql or "")) for name, sql in found if "schema_version" not in name)


def postgres_layout(connection: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """Return what PostgreSQL knows of its tables."""
    parts = {name: connection.execute(query.encode()).fetchall() for name, query in _POSTGRES_PARTS.items()}
    return {name: sorted(map(repr, rows)) for name, rows in parts.items()}


def test_migrated_sqlite_equals_the_tables_in_the_program(tmp_path: Path) -> None:
    open_store(tmp_path / "migrated").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'created'}")
    metadata.create_all(engine)
    engine.dispose()
    assert sqlite_layout(tmp_path / "migrated") == sqlite_layout(tmp_path / "created")


def test_migrated_postgresql_equals_the_tables_in_the_program(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        migrated = _layout_of_fresh_schema(connection, lambda: open_store(postgres_url).close())
        engine = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
        created = _layout_of_fresh_schema(connection, lambda: metadata.create_all(engine))
        engine.dispose()
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert migrated == created
    assert len(migrated["columns"]) > 100


def _layout_of_fresh_schema(connection: psycopg.Connection[Any], fill: Callable[[], None]) -> dict[str, list[Any]]:
    connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    fill()
    connection.execute("DROP TABLE IF EXISTS schema_version")
    return postgres_layout(connection)


def test_every_migration_is_noted_once(tmp_path: Path) -> None:
    for _ in range(2):
        open_store(tmp_path / "c.sqlite").close()
    connection = sqlite3.connect(tmp_path / "c.sqlite")
    noted = connection.execute("SELECT version, name FROM schema_version").fetchall()
    connection.close()
    assert noted == [(step.version, step.name) for step in migrations("sqlite")]


def test_both_databases_have_the_same_migrations() -> None:
    sqlite, postgresql = (
        [(step.version, step.name) for step in migrations(dialect)] for dialect in ("sqlite", "postgresql")
    )
    assert sqlite == postgresql


def test_migration_that_fails_leaves_nothing() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    step = Migration(2, "fail", "CREATE TABLE a (x INTEGER); CREATE TABLE a (x INTEGER);")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        connection.executescript(step.as_transaction())
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()
