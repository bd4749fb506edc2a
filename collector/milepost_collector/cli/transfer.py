"""`milepost task import` and `milepost task export`: many tasks from a file, and into one."""

from __future__ import annotations

import csv
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console
from rich.progress import Progress

from milepost.wire.tasks import Task, TaskCreate
from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.layout import counted
from milepost_collector.cli.render import clean
from milepost_collector.cli.taskfiles import (
    COLUMNS,
    FileFormat,
    LineError,
    batch_name,
    csv_row,
    definition_line,
    read_tasks,
    task_line,
    with_keys,
)
from milepost_collector.cli.tasks import given_only

TOGETHER = 1_000  # tasks of one transaction
SHOWN_ERRORS = 10


def import_tasks(
    endpoint: str,
    source: str,
    file_format: FileFormat | None,
    *,
    dry_run: bool,
    again: bool,
    batch: str | None = None,
    watch: bool = False,
) -> None:
    """Make the tasks of a file; nothing is sent unless all of it can be read.

    Raises:
        click.ClickException: the file cannot be read, or lines of it are no tasks.
    """
    tasks = _read(source, file_format or _format_of(source))
    if dry_run:
        click.echo(f"{counted(len(tasks), 'task')} can be made")
        return
    client = CollectorClient(endpoint)
    for task in tasks:
        task.created_by = task.created_by or person()
    wanted = tasks if again else list(with_keys(tasks))
    batch = batch or (uuid.uuid4().hex if again else batch_name(wanted))
    ids = _send(client, wanted, batch)
    for task_id in ids:
        click.echo(task_id)
    promise = "" if again or not ids else "; the same file again makes none of them twice"
    click.echo(f"{counted(len(ids), 'task')} of batch {batch}{promise}", err=True)
    if watch:
        from milepost_collector.cli.batches import follow_batch

        seen = follow_batch(client, batch)
        if seen.counts.get("completed", 0) < seen.total:
            raise click.exceptions.Exit(1)


def export_tasks(
    endpoint: str,
    filters: dict[str, Any],
    output: Path | None,
    file_format: FileFormat,
    *,
    definitions: bool,
    limit: int,
) -> None:
    """Write the tasks that match, the newest first."""
    client = CollectorClient(endpoint)
    with _opened(output) as file:
        count = _write(file, _tasks(client, filters, limit), file_format, definitions, client)
    click.echo(f"wrote {counted(count, 'task')}", err=True)


def _read(source: str, file_format: FileFormat) -> list[TaskCreate]:
    try:
        with click.open_file(source, encoding="utf-8-sig", errors="strict") as file:
            found = list(read_tasks(file, file_format))
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{source} cannot be read: {error}") from error
    errors = [one for one in found if isinstance(one, LineError)]
    if errors:
        more = f"\n… and {len(errors) - SHOWN_ERRORS} more" if len(errors) > SHOWN_ERRORS else ""
        told = "\n".join(clean(str(error)) for error in errors[:SHOWN_ERRORS])
        raise click.ClickException(f"nothing was made, {counted(len(errors), 'line')} cannot be read:\n{told}{more}")
    return [one for one in found if isinstance(one, TaskCreate)]


def _send(client: CollectorClient, tasks: Sequence[TaskCreate], batch: str) -> list[str]:
    ids: list[str] = []
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("tasks", total=len(tasks))
        for start in range(0, len(tasks), TOGETHER):
            ids += client.tasks.create_many(tasks[start : start + TOGETHER], batch=batch).ids
            progress.update(bar, completed=len(ids))
    return ids


def _tasks(client: CollectorClient, filters: dict[str, Any], limit: int) -> Iterator[Task]:
    for number, task in enumerate(client.tasks.list(**given_only(filters))):
        if number == limit:
            return
        yield task


def _write(
    file: IO[str], tasks: Iterator[Task], file_format: FileFormat, definitions: bool, client: CollectorClient
) -> int:
    count = 0
    if file_format == "csv":
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for task in tasks:
            writer.writerow(csv_row(task))
            count += 1
        return count
    line = definition_line if definitions else task_line
    for task in tasks:
        file.write(f"{line(client.tasks.get(task.id))}\n")  # lists leave input, context and result out
        count += 1
    return count


def _format_of(source: str) -> FileFormat:
    return "csv" if source.lower().endswith(".csv") else "jsonl"


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written ({error.strerror}); choose another --output") from error
