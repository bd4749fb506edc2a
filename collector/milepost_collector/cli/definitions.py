"""`milepost definitions export|import`: what people have set up, as lines of JSON, from one collector to another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
from msgspec import Struct

from milepost.wire.agents import Agent, AgentUpdate, Limit
from milepost.wire.schedules import Schedule, ScheduleCreate
from milepost.wire.teams import Team, TeamCreate
from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.layout import counted
from milepost_collector.cli.render import clean
from milepost_collector.cli.tasks import print_json

SHOWN_ERRORS = 10

Plain = dict[str, Any]


class AgentDefinition(AgentUpdate, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What people say that an agent is able to."""

    name: str


class Kind(NamedTuple):
    """A kind of definition. struct: what a line holds. current: those that there are. put: make one, or change the one
    that there is, which is given then."""

    struct: type[Struct]
    current: Callable[[CollectorClient], Iterable[Struct]]
    put: Callable[[CollectorClient, Any, Plain | None], Any]


class Line(NamedTuple):
    """A definition of a file. name: which one of its kind."""

    kind: str
    name: str
    definition: Any


class Outcome(Struct, kw_only=True):
    """What becomes of a definition: made, changed, or the same as it was."""

    kind: str
    name: str
    outcome: str


def export_definitions(endpoint: str, output: Path | None) -> None:
    """Write every definition."""
    client, lines = CollectorClient(endpoint), []
    for kind, how in KINDS.items():
        found = sorted((_plain(one) for one in how.current(client)), key=_name)
        lines += [msgspec.json.encode({"kind": kind, **plain}).decode() for plain in found]
    text = "".join(f"{line}\n" for line in lines)
    try:
        if output is None:
            sys.stdout.write(text)
        else:
            output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written ({error.strerror}); choose another --output") from error
    click.echo(f"wrote {counted(len(lines), 'definition')}", err=True)


def import_definitions(endpoint: str, source: str, *, dry_run: bool, as_json: bool) -> None:
    """Make and change what a file defines; nothing is done unless all of it can be read."""
    lines, client = _read(source), CollectorClient(endpoint)
    outcomes = []
    for kind, how in KINDS.items():
        wanted = [line for line in lines if line.kind == kind]
        if not wanted:
            continue
        known = {_name(plain): plain for plain in map(_plain, how.current(client))}
        for line in wanted:
            before = known.get(line.name)
            outcome = _outcome(before, _plain(line.definition))
            if not dry_run and outcome != "same":
                how.put(client, line.definition, before)
            outcomes.append(Outcome(kind=kind, name=line.name, outcome=outcome))
            if not as_json and outcome != "same":
                click.echo(clean(f"{kind} {line.name} {'would be' if dry_run else 'is'} {outcome}"))
    if as_json:
        print_json(outcomes)
    same = sum(one.outcome == "same" for one in outcomes)
    click.echo(f"{counted(len(outcomes), 'definition')}, {same} of them as they were", err=True)


def _outcome(before: Plain | None, after: Plain) -> str:
    if before is None:
        return "made"
    return "same" if before == after else "changed"


def _read(source: str) -> list[Line]:
    try:
        with click.open_file(source, encoding="utf-8-sig") as file:
            found = [_line(number, text) for number, text in enumerate(file, 1) if text.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{source} cannot be read: {error}") from error
    if errors := [one for one in found if isinstance(one, str)]:
        more = f"\n… and {len(errors) - SHOWN_ERRORS} more" if len(errors) > SHOWN_ERRORS else ""
        told = "\n".join(map(clean, errors[:SHOWN_ERRORS]))
        raise click.ClickException(f"nothing was done, {counted(len(errors), 'line')} cannot be read:\n{told}{more}")
    return [one for one in found if isinstance(one, Line)]


def _line(number: int, text: str) -> Line | str:
    try:
        plain = msgspec.json.decode(text, type=dict[str, Any])
        kind = KINDS.get(plain.pop("kind", ""))
        if kind is None:
            return f"line {number}: kind is none of {', '.join(KINDS)}"
        definition = msgspec.convert(plain, kind.struct)
    except msgspec.MsgspecError as error:
        return f"line {number}: {error}"
    name = next(one for one, how in KINDS.items() if how is kind)
    return Line(name, _name(_plain(definition)), definition)


def _plain(definition: Struct) -> Plain:
    return msgspec.to_builtins(definition)  # type: ignore[no-any-return]


def _name(plain: Mapping[str, Any]) -> str:
    return f"{plain['scope']} {plain['value']}" if "scope" in plain else str(plain["name"])


def _schedule(one: Schedule) -> ScheduleCreate:
    fields = {name: getattr(one, name) for name in ScheduleCreate.__struct_fields__}
    return ScheduleCreate(**fields)


def _put_schedule(client: CollectorClient, wanted: ScheduleCreate, before: Plain | None) -> None:
    fields = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    cadence = {name: value for name, value in msgspec.to_builtins(fields.pop("cadence")).items()}
    name, paused = fields.pop("name"), fields.pop("paused")
    if before is None:
        client.schedules.create(name, paused=paused, **fields, **cadence)
        return
    client.schedules.update(name, **fields, **cadence)
    if paused != before.get("paused", False):
        (client.schedules.pause if paused else client.schedules.resume)(name)


def _team(one: Team) -> TeamCreate:
    members = [name for name in one.members if name not in one.declared]
    return TeamCreate(name=one.name, description=one.description, members=members, fallback=one.fallback)


def _put_team(client: CollectorClient, wanted: TeamCreate, before: Plain | None) -> None:
    if before is None:
        client.teams.create(
            wanted.name, description=wanted.description, members=wanted.members, fallback=wanted.fallback
        )
        return
    client.teams.update(wanted.name, description=wanted.description, fallback=wanted.fallback)
    had = set(before.get("members", ()))
    if joining := [name for name in wanted.members if name not in had]:
        client.teams.add(wanted.name, joining)
    if leaving := sorted(had - set(wanted.members)):
        client.teams.remove(wanted.name, leaving)


def _agent(one: Agent) -> AgentDefinition:
    given: Plain = {name: getattr(one, name) for name in ("capabilities", "labels") if name in one.set_by_hand}
    return AgentDefinition(name=one.name, **given)


def _put_agent(client: CollectorClient, wanted: AgentDefinition, before: Plain | None) -> None:
    client.agents.update(wanted.name, capabilities=wanted.capabilities, labels=wanted.labels)


def _put_limit(client: CollectorClient, wanted: Limit, before: Plain | None) -> None:
    client.limits.set(
        wanted.scope, wanted.value, concurrency=wanted.concurrency, rate=wanted.rate, per_ms=wanted.per_ms
    )


KINDS: dict[str, Kind] = {
    "agent": Kind(
        AgentDefinition,
        lambda client: [_agent(one) for one in client.agents.list().agents if one.set_by_hand],
        _put_agent,
    ),
    "team": Kind(
        TeamCreate,
        lambda client: [_team(one) for one in client.teams.list().teams if one.created_at is not None],
        _put_team,
    ),
    "limit": Kind(Limit, lambda client: client.limits.list().limits, _put_limit),
    "schedule": Kind(ScheduleCreate, lambda client: map(_schedule, client.schedules.list()), _put_schedule),
}
