"""`milepost task watch`: tasks followed to their end, as progress bars on a terminal and as lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from milepost.errors import NotFoundError, UnavailableError
from milepost.wire.tasks import FINISHED_STATUSES, Task
from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.render import clean, duration, one_line, stdout_console, utc_now
from milepost_collector.cli.task_tables import SHORT, about, requested, status_text, who
from milepost_collector.cli.tasks import given_only, resolve

MOST_TASKS = 1_000
IDS_PER_REQUEST = 100
POLL_S = 0.25  # of one task; many are asked for less often, so that watching costs the collector next to nothing
POLL_PER_TASK_S = 0.01
LONGEST_POLL_S = 2.0
LONGEST_AWAY_S = 60.0
BAR_WIDTH = 24

Show = Callable[[Sequence[Task], str], None]


def watch_tasks(endpoint: str, given: Sequence[str], filters: dict[str, Any], *, as_json: bool) -> None:
    """Follow the tasks that are named, or that match a filter now; exit with 1 unless all of them are completed."""
    client, narrowed = CollectorClient(endpoint), given_only(filters)
    if bool(given) == bool(narrowed):
        raise click.UsageError("name the tasks to watch, or give a filter, for example --status in_progress")
    if given:
        tasks = [client.tasks.get(resolve(client, one)) for one in given]
    else:
        tasks = list(islice(client.tasks.list(**narrowed), MOST_TASKS + 1))
    if not tasks:
        raise click.ClickException("no task matches")
    if len(tasks) > MOST_TASKS:
        raise click.ClickException(f"more than {MOST_TASKS} tasks match, which is too many to watch; narrow the filter")
    follow(client, tasks, as_json=as_json)


def follow(client: CollectorClient, tasks: Sequence[Task], *, as_json: bool) -> None:
    """Show tasks until all are finished; exit with 1 unless all of them are completed."""
    try:
        last = _follow(client, tasks, as_json=as_json)
    except KeyboardInterrupt:
        click.echo("no longer watched; what is not finished goes on", err=True)
        raise click.exceptions.Exit(1) from None
    if any(task.status != "completed" for task in last):
        raise click.exceptions.Exit(1)


def _follow(client: CollectorClient, tasks: Sequence[Task], *, as_json: bool) -> Sequence[Task]:
    console = stdout_console()
    if console.is_terminal and not as_json:
        return _follow_live(client, tasks, console)
    return _each_look(client, tasks, LinePrinter(_as_json if as_json else line).show)


def _follow_live(client: CollectorClient, tasks: Sequence[Task], console: Console) -> Sequence[Task]:
    with Live(console=console, auto_refresh=False) as live:

        def show(now_seen: Sequence[Task], note: str) -> None:
            live.update(board(now_seen, utc_now(), rows=max(console.height - 6, 3), note=note), refresh=True)

        return _each_look(client, tasks, show)


def _each_look(client: CollectorClient, tasks: Sequence[Task], show: Show) -> Sequence[Task]:
    answered_s = time.monotonic()
    show(tasks, "")
    while not all(task.status in FINISHED_STATUSES for task in tasks):
        time.sleep(poll_delay_s(len(tasks)))
        try:
            tasks = _look(client, tasks)
        except UnavailableError:
            if time.monotonic() - answered_s > LONGEST_AWAY_S:
                raise
            show(tasks, "the collector does not answer, trying again")
            continue
        answered_s = time.monotonic()
        show(tasks, "")
    return tasks


def poll_delay_s(count: int) -> float:
    """Return the wait between two looks at so many tasks, in seconds."""
    return min(POLL_S + POLL_PER_TASK_S * (count - 1), LONGEST_POLL_S)


def _look(client: CollectorClient, tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks as they stand now, in the same order; finished ones are not asked for again."""
    running = [task.id for task in tasks if task.status not in FINISHED_STATUSES]
    if len(running) == 1:
        found = {running[0]: client.tasks.get(running[0])}
    else:
        found = {task.id: task for ids in _chunks(running) for task in client.tasks.list(ids=ids, page_size=len(ids))}
    if missing := [task_id for task_id in running if task_id not in found]:
        raise NotFoundError(f"task {missing[0]} is not there any more", status=404)
    return [found.get(task.id, task) for task in tasks]


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), IDS_PER_REQUEST):
        yield ids[start : start + IDS_PER_REQUEST]


def board(tasks: Sequence[Task], now: datetime, *, rows: int, note: str = "") -> Table:
    """Return tasks as a table with progress bars: those that are not finished first, at most `rows` of them."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, expand=True, caption=_caption(tasks, rows, note))
    for heading in ("task", "name", "status", "attempt", "time"):
        table.add_column(heading, no_wrap=True)
    table.add_column("progress", width=BAR_WIDTH, no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("phase", no_wrap=True, overflow="ellipsis", ratio=1)
    in_order = sorted(tasks, key=lambda task: task.status in FINISHED_STATUSES)
    for task in in_order[:rows]:
        table.add_row(
            Text(task.id[-SHORT:], style="bold"),
            Text(one_line(task.name, 30)),
            status_text(task.status),
            Text(str(task.attempt or "")),
            Text(_elapsed(task, now)),
            _bar(task),
            Text(_percent(task)),
            Text(one_line(phase(task), 200), style="red" if task.status == "failed" else "dim"),
        )
    return table


def phase(task: Task) -> str:
    """Return what a task is doing, why it does nothing, or what came of it."""
    if task.status in ("assigned", "in_progress"):
        return " · ".join(filter(None, (task.phase, _asked(task), f"by {who(task)}")))
    return about(task)


def line(task: Task) -> str:
    """Return how a task stands as one line."""
    attempt = f"attempt {task.attempt}" if task.attempt else None
    words = (
        task.id[-SHORT:],
        one_line(task.name, 40),
        task.status,
        attempt,
        _percent(task),
        one_line(phase(task), 200),
    )
    return clean("  ".join(filter(None, words)))


class LinePrinter:
    """Prints a line about every task whose line changed."""

    def __init__(self, write: Callable[[Task], str]) -> None:
        self._write = write
        self._said: dict[str, str] = {}
        self._noted = ""

    def show(self, tasks: Sequence[Task], note: str) -> None:
        """Print what changed; notes go to standard error."""
        if note and note != self._noted:
            click.echo(note, err=True)
        self._noted = note
        for task in tasks:
            said = self._write(task)
            if self._said.get(task.id) != said:
                self._said[task.id] = said
                click.echo(said)


def _as_json(task: Task) -> str:
    return msgspec.json.encode(task).decode()


def _asked(task: Task) -> str:
    return f"asked to {asked}" if (asked := requested(task)) else ""


def _elapsed(task: Task, now: datetime) -> str:
    if task.started_at is None:
        return ""
    return duration(max(((task.finished_at or now) - task.started_at).total_seconds() * 1000, 0.0))


def _percent(task: Task) -> str:
    return "" if task.progress is None or task.status in FINISHED_STATUSES else f"{task.progress:.0%}"


def _bar(task: Task) -> ProgressBar | Text:
    fraction = 1.0 if task.status == "completed" else task.progress
    if fraction is None:
        return Text("")
    style = "red" if task.status == "failed" else "blue"
    return ProgressBar(total=1.0, completed=fraction, width=BAR_WIDTH, complete_style=style, finished_style="green")


def _caption(tasks: Sequence[Task], rows: int, note: str) -> str:
    hidden = f"… and {len(tasks) - rows} more" if len(tasks) > rows else ""
    finished = [task.status for task in tasks if task.status in FINISHED_STATUSES]
    counts = ", ".join(f"{finished.count(status)} {status}" for status in FINISHED_STATUSES if status in finished)
    summary = f"{len(finished)} of {len(tasks)} finished ({counts})" if len(tasks) > 1 and counts else ""
    return "  ".join(filter(None, (hidden, summary, note)))
