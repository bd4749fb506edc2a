"""Work on the data folder itself, while no collector runs: opening it, going through its runs, changing them safely."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from duckdb import DuckDBPyConnection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from milepost.errors import ConfigurationError
from milepost_collector import CollectorConfig
from milepost_collector.errors import DatabaseLockedError, StorageError
from milepost_collector.protocol.pricing import PriceBook
from milepost_collector.protocol.timestamps import ns_from_text
from milepost_collector.storage import Database
from milepost_collector.traces.ingest import price_book
from milepost_collector.traces.statements import Statements
from milepost_collector.traces.usage import RUN, SCOPE, RunUsage

SPANS_AT_ONCE = 20_000  # in one transaction; a larger run is a transaction of its own

Runs = list[str]


def configuration(data_dir: Path | None) -> CollectorConfig:
    """Return the settings, from the environment too.

    Raises:
        click.UsageError: a setting is wrong.
    """
    try:
        return CollectorConfig.from_env(data_dir=data_dir)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error


def prices(config: CollectorConfig) -> PriceBook:
    """Return the prices that a collector with these settings computes with.

    Raises:
        click.UsageError: the price file cannot be read or is wrong.
    """
    try:
        return price_book(config)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error


def instant(name: str, text: str | None) -> int | None:
    """Read an option that names an instant, Unix ns.

    Raises:
        click.UsageError: it is none.
    """
    if text is None:
        return None
    try:
        return ns_from_text(text, now_ns=time.time_ns())
    except ValueError as error:
        raise click.UsageError(f"--{name}: {error}; use an ISO 8601 time, now, or now-24h (s, m, h, d, w)") from error


@contextmanager
def open_data(config: CollectorConfig) -> Iterator[Database]:
    """Open the database for as long as the block lasts.

    Raises:
        click.ClickException: there is none, a collector holds it, or it cannot be read.
    """
    path = config.database_path
    if not path.exists():
        raise click.ClickException(f"there is no database {path}; name the collector's folder with --data")
    try:
        database = Database(path, memory_limit_bytes=config.memory_limit_bytes)
    except DatabaseLockedError as error:
        raise click.ClickException(
            f"database {path} is in use; stop the collector that serves it (Ctrl-C, or SIGTERM to its process), run "
            "this again, then start it anew; nothing was changed"
        ) from error
    except StorageError as error:
        raise click.ClickException(str(error)) from error
    try:
        yield database
    finally:
        database.close()


class Rewriter:
    """Changes spans run by run, in transactions that leave sums and uncounted spans right."""

    def __init__(self, database: Database) -> None:
        self.connection: DuckDBPyConnection = database.writer
        self.statements = Statements(self.connection)
        self.statements.get_ready()

    def rewrite(self, run_ids: Sequence[str], write: Callable[[], object]) -> None:
        """Change spans of these runs with `write`, and what follows from them, at once or not at all."""
        self.connection.execute("BEGIN")
        try:
            write()
            self._judge(run_ids)
            self.statements.sum_anew(run_ids)
            self.connection.execute("COMMIT")
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise

    def _judge(self, run_ids: Sequence[str]) -> None:
        usage: dict[str, RunUsage] = {}
        foreign = set()
        for row in self.statements.whole_spans(run_ids):
            usage.setdefault(row[RUN], RunUsage()).add(row)
            if row[SCOPE] is not None:
                foreign.add(row[RUN])
        self.statements.delete_runs("uncounted", run_ids)
        rows = [
            run.row(run_id, found)
            for run_id, run in usage.items()
            if run_id in foreign
            for found in run.judge().values()
        ]
        self.statements.insert("uncounted", rows)


def batches(connection: DuckDBPyConnection, condition: str, values: dict[str, Any]) -> list[tuple[Runs, int]]:
    """Return the runs that have spans of a condition, in parts of about SPANS_AT_ONCE of these, with their number."""
    sql = f"SELECT run_id, count(*) FROM spans WHERE {condition} GROUP BY run_id ORDER BY min(commit_id), run_id"
    connection.execute(sql, values)
    parts: list[tuple[Runs, int]] = []
    run_ids, count = Runs(), 0
    while rows := connection.fetchmany(10_000):
        for run_id, spans in rows:
            if run_ids and count + spans > SPANS_AT_ONCE:
                parts.append((run_ids, count))
                run_ids, count = Runs(), 0
            run_ids.append(run_id)
            count += spans
    return [*parts, (run_ids, count)] if run_ids else parts


def with_progress(parts: Sequence[tuple[Runs, int]], doing: str) -> Iterator[Runs]:
    """Yield the runs of each part, with a bar on standard error while it is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"{doing} spans", total=sum(count for _, count in parts))
        for run_ids, count in parts:
            yield run_ids
            progress.advance(task, count)
