"""`milepost task batch` and `milepost task match`: how far many tasks are, and who suits one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from milepost.resources import _batches
from milepost.wire.batches import BatchProgress
from milepost.wire.teams import Match, MatchCandidate
from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.layout import facts, fitted
from milepost_collector.cli.render import cost, one_line, stdout_console, utc_now
from milepost_collector.cli.task_tables import relative
from milepost_collector.cli.tasks import print_json, print_table, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator


def list_batches(endpoint: str, limit: int, *, as_json: bool) -> None:
    """Print the newest batches."""
    found = CollectorClient(endpoint).tasks.list_batches(limit=limit).batches
    if as_json:
        print_json(found)
    elif found:
        print_table(lambda width: batches_table(found, width))
    else:
        click.echo("there are no batches; see `milepost task import --help`")


def show_batch(endpoint: str, batch_id: str, *, watch: bool, as_json: bool) -> None:
    """Print how far a batch is; with `watch` follow it and exit with its outcome."""
    client = CollectorClient(endpoint)
    found = client.tasks.get_batch(batch_id)
    if watch:
        found = follow_batch(client, batch_id)
    if as_json:
        print_json(found)
    else:
        stdout_console().print(batch_view(found))
    if watch and found.counts.get("completed", 0) < found.total:
        raise click.exceptions.Exit(1)


def follow_batch(client: CollectorClient, batch_id: str) -> BatchProgress:
    """Wait until all tasks of a batch are finished; show a bar meanwhile if the terminal can."""
    with _bar() as told:
        return client.follow(
            lambda ask: _batches.waiting(batch_id, timeout_s=None, ask=ask, clock=time.monotonic, told=told)
        )


def show_match(endpoint: str, given: str, *, as_json: bool) -> None:
    """Print which agents suit a task."""
    client = CollectorClient(endpoint)
    found = client.tasks.match(resolve(client, given))
    if as_json:
        print_json(found)
    else:
        print_table(lambda width: match_view(found, width))


@contextmanager
def _bar() -> Iterator[Callable[[BatchProgress], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("tasks", total=None, said="")

        def told(seen: BatchProgress) -> None:
            failed = seen.counts.get("failed", 0)
            when = f"ready {relative(seen.estimated_completion, utc_now())}" if seen.estimated_completion else ""
            said = " ".join(filter(None, (when, f"{failed} failed" if failed else "")))
            progress.update(bar, completed=seen.finished, total=seen.total, said=said)

        yield told


def batches_table(batches: Sequence[BatchProgress], width: int) -> Table:
    """Return batches as a table. width: of the terminal, characters."""
    now = utc_now()
    rows = [
        [
            Text(one_line(one.id, 60), style="bold"),
            Text(relative(one.created_at, now)),
            Text(f"{one.finished}/{one.total}"),
            Text(str(one.counts.get("failed", 0) or ""), style="red"),
            Text(relative(one.estimated_completion, now)),
            Text(one_line(_counts(one), 200), style="dim"),
        ]
        for one in batches
    ]
    return fitted(("batch", "created", "finished", "failed", "ready", "tasks"), rows, width)


def batch_view(one: BatchProgress) -> Group:
    """Return how far a batch is."""
    now = utc_now()
    by = f" by {one.created_by}" if one.created_by else ""
    pairs = [
        ("finished", f"{one.finished} of {one.total}"),
        ("tasks", _counts(one)),
        ("created", relative(one.created_at, now) + by if one.created_at else ""),
        ("ready", relative(one.estimated_completion, now)),
    ]
    return Group(Text(one_line(one.id), style="bold"), facts(pairs))


def match_view(found: Match, width: int) -> Group:
    """Return which agents suit a task, with the parts of their scores. width: of the terminal, characters."""
    needs = ", ".join(one.what if one.weight is None else f"{one.what} (weight {one.weight:g})" for one in found.needs)
    weights = ", ".join(f"{name} {weight:g}" for name, weight in found.weights.items())
    waits = f"{found.match_wait_ms} ms for one better by {found.margin:g}" if found.match_wait_ms else "not at all"
    heading = facts([("needs", needs or "nothing in particular"), ("weights", weights), ("waits", waits)])
    if not found.candidates:
        return Group(heading, Text("no agent has registered yet"))
    headings = ("agent", "score", "preferred", "success", "free", "cost", "attempts", "median cost", "what about it")
    return Group(heading, fitted(headings, [_candidate(one, found.best) for one in found.candidates], width))


def _candidate(one: MatchCandidate, best: str | None) -> list[Text]:
    is_best = one.agent == best
    said = one.obstacle or ("the best of those that can" if is_best else "")
    rate = f"{one.successes}/{one.attempts}" if one.attempts else ""
    return [
        Text(one_line(one.agent, 40), style="bold green" if is_best else "bold"),
        Text("" if one.obstacle else f"{one.total:.2f}"),
        Text(f"{one.preference:.2f}"),
        Text(f"{one.success:.2f}"),
        Text(f"{one.load:.2f}"),
        Text(f"{one.cost:.2f}"),
        Text(rate),
        Text(cost(one.cost_usd)),
        Text(one_line(said, 200), style="dim"),
    ]


def _counts(one: BatchProgress) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(one.counts.items()))
