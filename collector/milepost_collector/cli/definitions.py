"""`milepost definitions export|import`: what people have set up, as lines of JSON, from one collector to another."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
from msgspec import Struct

from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.definition_kinds import KINDS, Verdict, name_of, plain
from milepost_collector.cli.layout import counted
from milepost_collector.cli.render import clean
from milepost_collector.cli.tasks import print_json

SHOWN_ERRORS = 10


class Line(NamedTuple):
    """A definition of a file. name: which one of its kind."""

    kind: str
    name: str
    definition: Any


class Step(NamedTuple):
    """What is to become of a line. before: the definition that there is."""

    line: Line
    before: Struct | None
    verdict: Verdict


class Outcome(Struct, omit_defaults=True, kw_only=True):
    """What becomes of a definition: `made`, `changed`, the `same` as it was, or `left out` for a reason.

    secret, address: of what was made with new ones; the secret is shown this once.
    """

    kind: str
    name: str
    outcome: str
    reason: str = ""
    secret: str | None = None
    address: str | None = None


def export_definitions(endpoint: str, output: Path | None) -> None:
    """Write every definition."""
    client, lines = CollectorClient(endpoint), []
    for kind, how in KINDS.items():
        found = sorted(map(plain, how.current(client)), key=name_of)
        lines += [msgspec.json.encode({"kind": kind, **one}).decode() for one in found]
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
    outcomes: list[Outcome] = []
    try:
        for step in _steps(client, lines):
            outcomes.append(_done(client, step, dry_run=dry_run))
            if not as_json:
                _tell(outcomes[-1], dry_run=dry_run)
    finally:  # secrets of what was made before a refusal are not shown again
        if as_json:
            print_json(outcomes)
    same = sum(one.outcome == "same" for one in outcomes)
    click.echo(f"{counted(len(outcomes), 'definition')}, {same} of them as they were", err=True)


def _steps(client: CollectorClient, lines: Sequence[Line]) -> list[Step]:
    steps = []
    for kind, how in KINDS.items():
        wanted = [line for line in lines if line.kind == kind]
        known = {name_of(plain(one)): one for one in how.current(client)} if wanted else {}
        for line in wanted:
            before = known.get(line.name)
            steps.append(Step(line, before, how.judge(before, line.definition)))
    return steps


def _done(client: CollectorClient, step: Step, *, dry_run: bool) -> Outcome:
    line, verdict = step.line, step.verdict
    told = None
    if not dry_run and verdict.outcome in ("made", "changed"):
        before = None if step.before is None else plain(step.before)
        told = KINDS[line.kind].put(client, line.definition, before)
    return Outcome(kind=line.kind, name=line.name, outcome=verdict.outcome, reason=verdict.reason, **(told or {}))


def _tell(one: Outcome, *, dry_run: bool) -> None:
    if one.outcome == "same":
        return
    because = f": {one.reason}" if one.reason else ""
    click.echo(clean(f"{one.kind} {one.name} {'would be' if dry_run else 'is'} {one.outcome}{because}"))
    if one.address:
        click.echo(f"  address: {one.address}")
    if one.secret:
        click.echo(f"  secret: {one.secret} (it is not shown again)")


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
        given = msgspec.json.decode(text, type=dict[str, Any])
        name = given.pop("kind", "")
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            return f"line {number}: kind is none of {', '.join(KINDS)}"
        definition = msgspec.convert(given, kind.struct)
    except msgspec.MsgspecError as error:
        return f"line {number}: {error}"
    return Line(name, name_of(plain(definition)), definition)
