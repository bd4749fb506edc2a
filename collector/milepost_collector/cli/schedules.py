"""`milepost schedule …`: make schedules, hold them, and see what became of their instants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import click
import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text

from milepost.wire.schedules import Instant, PlannedInstant, Schedule
from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.layout import counted, facts, fitted, listed
from milepost_collector.cli.render import clean, one_line, stdout_console, utc_now
from milepost_collector.cli.task_tables import SHORT, relative, value_text
from milepost_collector.cli.tasks import print_json, print_table, task_fields

_TASK_OPTIONS = (
    "agents", "team", "input_", "context", "priority", "tags", "app", "key",
    "max_retries", "timeout_ms", "retry_delay_ms", "assignments",
)  # fmt: skip
_STYLES = {"fired": "green", "backfilled": "green", "late": "yellow", "queued": "blue", "skipped": "dim"}
PAGE = 200
SHOWN_BACKFILL = 10


def create_schedule(endpoint: str, name: str, options: dict[str, Any], *, as_json: bool) -> None:
    """Make a schedule and print it."""
    template = task_fields({option: options.pop(option) for option in _TASK_OPTIONS})
    template |= {"name": options.pop("task_name"), "created_by": person()}
    made = CollectorClient(endpoint).schedules.create(name, task=template, **_given(options))
    _print(made, as_json=as_json)


def list_schedules(endpoint: str, text: str | None, *, as_json: bool) -> None:
    """Print every schedule that matches."""
    found = list(CollectorClient(endpoint).schedules.list(text=text))
    if as_json:
        print_json(found)
    elif found:
        print_table(lambda width: schedules_table(found, utc_now(), width))
    else:
        click.echo("no schedule matches" if text else "there are no schedules; see `milepost schedule create --help`")


def show_schedule(endpoint: str, given: str, *, as_json: bool) -> None:
    """Print everything about a schedule."""
    _print(CollectorClient(endpoint).schedules.get(given), as_json=as_json)


def update_schedule(endpoint: str, given: str, options: dict[str, Any], *, as_json: bool) -> None:
    """Change a schedule and print it."""
    schedules = CollectorClient(endpoint).schedules
    task = _given({option: options.pop(option) for option in _TASK_OPTIONS} | {"name": options.pop("task_name")})
    changes: dict[str, Any] = {name: None if value == "none" else value for name, value in _given(options).items()}
    if not (task or changes):
        raise click.UsageError("nothing is to be changed; name an option, see --help")
    found = schedules.get(given)
    if task:
        changes["task"] = _changed_task(msgspec.to_builtins(found.task), task_fields(task))
    if rule := [name for name in ("cron", "every_ms", "at") if name in changes]:
        changes = _same_zone(found, rule) | changes
    elif any(name in changes for name in ("zone", "dst_gap", "dst_fold")):
        changes = {"cron": found.cadence.cron, **_same_zone(found, ["cron"]), **changes}
    _print(schedules.update(found, **changes), as_json=as_json)


def _same_zone(found: Schedule, rule: Sequence[str]) -> dict[str, Any]:
    """Return what cron keeps of the rule before when only the other parts of it are given."""
    if rule != ["cron"] or found.cadence.cron is None:
        return {}
    return _given({name: getattr(found.cadence, name) for name in ("zone", "dst_gap", "dst_fold")})


def _changed_task(before: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a task template with changes; who does it is one of agent, agents and team, and settings are merged."""
    settings = {**before.get("settings", {}), **changes.pop("settings", {})}
    executors = {"agent", "agents", "team"}
    kept = {name: value for name, value in before.items() if not (changes.keys() & executors and name in executors)}
    return kept | changes | ({"settings": settings} if settings else {})


def hold_schedule(endpoint: str, command: str, given: str, reason: str, *, as_json: bool) -> None:
    """Pause a schedule or let it go on."""
    schedules = CollectorClient(endpoint).schedules
    act = schedules.pause if command == "pause" else schedules.resume
    _print(act(given, reason=reason, by=person()), as_json=as_json)


def run_schedule(endpoint: str, given: str, input_: Any, *, watch: bool, as_json: bool) -> None:
    """Make a schedule's task now and print its id; with `watch` follow it and exit with its outcome."""
    client = CollectorClient(endpoint)
    task = client.schedules.run(given, **({} if input_ is None else {"input": input_}))
    if watch:
        from milepost_collector.cli.watch import follow

        follow(client, [task], as_json=as_json)
    elif as_json:
        print_json(task)
    else:
        click.echo(task.id)


def delete_schedule(endpoint: str, given: str, *, yes: bool) -> None:
    """Delete a schedule, once a person has agreed."""
    client = CollectorClient(endpoint)
    found = client.schedules.get(given)
    if not yes:
        click.confirm(clean(f"delete the schedule {found.name}?"), abort=True, err=True)
    client.schedules.delete(found)
    click.echo(clean(f"{found.name} is deleted"))


def list_next(endpoint: str, given: str, count: int, *, as_json: bool) -> None:
    """Print a schedule's next instants."""
    client = CollectorClient(endpoint)
    found = client.schedules.get(given)
    cadence = {name: getattr(found.cadence, name) for name in found.cadence.__struct_fields__}
    instants = client.schedules.preview(count=count, **_given(cadence)).instants
    instants = [instant for instant in instants if found.end is None or instant.nominal < found.end]
    if as_json:
        print_json(instants)
        return
    if found.paused:
        click.echo(
            f"it is paused{f' by {found.paused_by}' if found.paused_by else ''}: none of these will fire", err=True
        )
    stdout_console().print(planned_table(instants, utc_now()))


def list_instants(endpoint: str, given: str, status: Any, *, limit: int, as_json: bool) -> None:
    """Print what became of a schedule's instants."""
    listing = CollectorClient(endpoint).schedules.instants(given, status=status or (), page_size=min(limit + 1, PAGE))
    found = list(islice(listing, limit + 1))
    if as_json:
        print_json(found[:limit])
    elif found:
        print_table(lambda width: ledger_table(found[:limit], width))
    else:
        click.echo("no instant is recorded" if status is None else f"no instant is recorded as {status}")
    if len(found) > limit:
        click.echo(f"there are more; --limit shows up to 10000, now {limit}", err=True)


def backfill_schedule(endpoint: str, given: str, options: dict[str, Any], *, as_json: bool) -> None:
    """Count, ask, and fire past instants."""
    schedules, stretch = CollectorClient(endpoint).schedules, {name: options[name] for name in ("since", "until")}
    would = schedules.backfill(given, dry_run=True, **stretch)
    if options["dry_run"]:
        if as_json:
            print_json(would)
        else:
            click.echo(_instants_text(would.instants))
        return
    if not would.instants:
        raise click.ClickException("there is nothing to backfill: every instant of that stretch has fired")
    if not options["yes"]:
        click.echo(_instants_text(would.instants), err=True)
        click.confirm(f"make {counted(len(would.instants), 'task')}?", abort=True, err=True)
    done = schedules.backfill(given, **stretch)
    if as_json:
        print_json(done)
    else:
        click.echo("\n".join(done.task_ids))


def preview_cadence(
    endpoint: str, cadence: Mapping[str, Any], *, count: int, after: datetime | None, as_json: bool
) -> None:
    """Print the instants that a rule would have."""
    found = CollectorClient(endpoint).schedules.preview(count=count, after=after, **_given(cadence))
    if as_json:
        print_json(found)
        return
    click.echo(clean(found.text))
    stdout_console().print(planned_table(found.instants, utc_now()))


def schedules_table(schedules: Sequence[Schedule], now: datetime, width: int) -> Table:
    """Return schedules as a table. width: of the terminal, characters."""
    headings = ("name", "task", "state", "next", "last", "fired", "missed", "when")
    return fitted(headings, [_schedule_cells(one, now) for one in schedules], width)


def _schedule_cells(one: Schedule, now: datetime) -> list[Text]:
    last = one.last[0] if one.last else None
    return [
        Text(one_line(one.name, 40), style="bold"),
        Text(one_line(one.task.name, 40)),
        _state(one),
        Text(relative(one.next[0].due, now) if one.next and not one.paused else ""),
        Text("" if last is None else f"{last.status} {relative(last.nominal, now)}"),
        Text(str(one.fired_count)),
        Text(str(one.missed_count), style="red" if one.missed_count else ""),
        Text(one_line(one.cadence_text, 200), style="dim"),
    ]


def _state(one: Schedule) -> Text:
    return Text("‖ paused", style="yellow") if one.paused else Text("● on", style="green")


def schedule_view(one: Schedule, now: datetime) -> Group:
    """Return everything about a schedule, a line for each fact that it has."""
    pairs = [
        ("id", one.id),
        ("description", one.description),
        ("when", one.cadence_text),
        ("paused by", one.paused_by or ""),
        ("task", f"{one.task.name} {value_text(one.task.input)}"),
        ("overlap", one.overlap),
        ("catch up", f"{one.catch_up}, within {one.catch_up_window_ms / 60_000:g} min"),
        ("jitter", f"{one.jitter_ms / 1000:g} s" if one.jitter_ms else ""),
        ("end", relative(one.end, now)),
        ("so far", f"{one.fired_count} fired, {one.skipped_count} skipped, {one.missed_count} missed"),
        ("next", "\n".join(f"{planned.local}  {planned.note or ''}".rstrip() for planned in one.next)),
        ("last", "\n".join(f"{_utc(past.nominal)}  {past.status}" for past in one.last)),
    ]
    return Group(Text(one_line(one.name), style="bold").append("  ").append_text(_state(one)), facts(pairs))


def planned_table(instants: Sequence[PlannedInstant], now: datetime) -> Table:
    """Return instants to come as a table."""
    rows = [
        [
            *(Text(clean(cell)) for cell in (one.local, _utc(one.nominal), relative(one.nominal, now))),
            Text(clean(one.note or ""), style="yellow"),
        ]
        for one in instants
    ]
    return listed(("local time", "UTC", "when", "clock change"), rows)


def ledger_table(instants: Sequence[Instant], width: int) -> Table:
    """Return what became of instants as a table. width: of the terminal, characters."""
    rows = [
        [
            Text(_utc(one.nominal)),
            Text(one.status, style=_STYLES.get(one.status, "red")),
            Text((one.task_id or "")[-SHORT:]),
            Text(_utc(one.recorded_at)),
            Text(one_line(one.reason or "", 200), style="dim"),
        ]
        for one in instants
    ]
    return fitted(("instant (UTC)", "status", "task", "recorded", "reason"), rows, width)


def _print(one: Schedule, *, as_json: bool) -> None:
    if as_json:
        print_json(one)
    else:
        stdout_console().print(schedule_view(one, utc_now()))


def _instants_text(instants: Sequence[datetime]) -> str:
    some = [f"  {_utc(instant)}" for instant in instants[:SHOWN_BACKFILL]]
    more = [f"  … and {len(instants) - SHOWN_BACKFILL} more"] if len(instants) > SHOWN_BACKFILL else []
    return "\n".join([f"{counted(len(instants), 'instant')} not fired yet", *some, *more])


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value not in (None, (), "")}


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
