"""`milepost task deliverables|attach|collect`: what tasks hand over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console, Group
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from milepost.wire.deliverables import CollectAnswer, Deliverable, DeliverableList, ExpectedState
from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.layout import counted, fitted
from milepost_collector.cli.render import clean, one_line, utc_now
from milepost_collector.cli.task_tables import relative
from milepost_collector.cli.tasks import print_json, print_table, resolve

SHOWN_DIGITS = 12
_UNITS = ("kB", "MB", "GB")


def list_deliverables(endpoint: str, given: str, names: Sequence[str], *, all_versions: bool, as_json: bool) -> None:
    """Print what a task handed over, and what it still has to."""
    client = CollectorClient(endpoint)
    found = client.tasks.deliverables(resolve(client, given), all_versions=all_versions)
    found.deliverables = _named(found.deliverables, names)
    if as_json:
        print_json(found)
    elif found.deliverables or found.expected:
        print_table(lambda width: deliverables_view(found, utc_now(), width))
    else:
        click.echo("the task has handed nothing over; a handler does it with ctx.attach")


def download_deliverables(
    endpoint: str, given: str, folder: Path, names: Sequence[str], version: int | None, *, as_json: bool
) -> None:
    """Save deliverables in a folder, which is made if need be, and print where."""
    client = CollectorClient(endpoint)
    task_id = resolve(client, given)
    wanted = _named(client.tasks.deliverables(task_id).deliverables, names)
    if version is not None:
        wanted = [client.tasks.deliverable(task_id, wanted[0].name, version=version)]
    folder.mkdir(parents=True, exist_ok=True)
    places = []
    with _bars() as begin:
        for one in wanted:
            told = begin(one.name, one.size_bytes)
            place = client.tasks.download(task_id, one.name, folder, version=one.version, on_progress=told)
            places.append(place)
    if as_json:
        print_json([{"name": one.name, "path": str(place)} for one, place in zip(wanted, places, strict=True)])
    else:
        for place in places:
            click.echo(clean(str(place)))
        click.echo(f"{counted(len(places), 'file')} saved, digests are right", err=True)


def attach_files(
    endpoint: str,
    given: str,
    files: Sequence[Path],
    *,
    name: str | None,
    type: str | None,
    content_type: str | None,
    as_json: bool,
) -> None:
    """Attach files to a task and print what they are."""
    client = CollectorClient(endpoint)
    task_id = resolve(client, given)
    made = [
        client.tasks.attach(task_id, name or path.name, path, type=type, content_type=content_type, by=person())
        for path in files
    ]
    if as_json:
        print_json(made)
    else:
        for one in made:
            click.echo(clean(f"{one.name}, version {one.version}, {size_text(one.size_bytes)}"))


def collect_garbage(endpoint: str, *, as_json: bool) -> None:
    """Have contents removed that nothing refers to, and print how many."""
    done = CollectorClient(endpoint).post("/api/deliverables/collect", {}, CollectAnswer)
    if as_json:
        print_json(done)
    else:
        what = f"{counted(done.contents, 'content')} and {counted(done.leftovers, 'leftover')} removed"
        click.echo(f"{what}, {size_text(done.bytes)}")


def deliverables_view(found: DeliverableList, now: datetime, width: int) -> Group | Table:
    """Return deliverables as a table, and below it what is missing. width: of the terminal, characters."""
    headings = ("name", "version", "type", "size", "content type", "attached", "by", "sha256")
    table = fitted(headings, [_cells(one, now) for one in found.deliverables], width)
    missing = [_missing_line(one) for one in found.expected if not one.met]
    parts = [table] if found.deliverables else []
    return Group(*parts, *missing) if missing else table


def size_text(size: int) -> str:
    """Write a size in bytes for people: 1.2 MB."""
    if size < 1_000:
        return counted(size, "byte")
    power = 1 if size < 999_950 else 2 if size < 999_950_000 else 3
    return f"{size / 1_000**power:.1f} {_UNITS[power - 1]}"


def expected_text(one: ExpectedState) -> str:
    """Return what is expected, in words."""
    return " of ".join(filter(None, (one.name, f"type {one.type}" if one.type else "")))


def _cells(one: Deliverable, now: datetime) -> list[Text]:
    attempt = "" if one.attempt is None else f"attempt {one.attempt}"
    return [
        Text(one_line(one.name, 60), style="bold"),
        Text(str(one.version)),
        Text(one_line(one.type, 24)),
        Text(size_text(one.size_bytes)),
        Text(one_line(one.content_type, 40), style="dim"),
        Text(relative(one.created_at, now)),
        Text(one_line(", ".join(filter(None, (one.agent or one.by, attempt))), 40)),
        Text(one.sha256[:SHOWN_DIGITS], style="dim"),
    ]


def _missing_line(one: ExpectedState) -> Text:
    word, style = ("missing", "red") if one.required else ("not there, not required", "dim")
    return Text(one_line(f"{word}: {expected_text(one)}: {one.problem}", 200), style=style)


def _named(found: list[Deliverable], names: Sequence[str]) -> list[Deliverable]:
    known = {one.name for one in found}
    if unknown := [name for name in names if name not in known]:
        there = ", ".join(sorted(known)) or "nothing"
        raise click.ClickException(clean(f"the task has no deliverable {unknown[0]!r}; there is: {there}"))
    return [one for one in found if not names or one.name in names]


Told = Callable[[int, int], None]


@contextmanager
def _bars() -> Iterator[Callable[[str, int], Told]]:
    """Show a bar for every file on a terminal; elsewhere nothing."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def begin(name: str, size: int) -> Told:
            bar = progress.add_task(clean(one_line(name, 40)), total=size)
            return lambda done, _: progress.update(bar, completed=done)

        yield begin
