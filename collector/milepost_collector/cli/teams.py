"""`milepost team …`: agents that tasks may be given to together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from rich.console import Group
from rich.table import Table
from rich.text import Text

from milepost.wire.teams import Team
from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.fallback import fallback_of, fallback_text
from milepost_collector.cli.layout import facts, fitted
from milepost_collector.cli.render import clean, one_line, stdout_console
from milepost_collector.cli.tasks import print_json, print_table


def create_team(endpoint: str, name: str, agents: Sequence[str], options: dict[str, Any], *, as_json: bool) -> None:
    """Make a team and print it."""
    made = CollectorClient(endpoint).teams.create(
        name, description=options["description"], members=agents, fallback=fallback_of(options)
    )
    _print(made, as_json=as_json)


def list_teams(endpoint: str, *, as_json: bool) -> None:
    """Print every team."""
    found = CollectorClient(endpoint).teams.list().teams
    if as_json:
        print_json(found)
    elif found:
        print_table(lambda width: teams_table(found, width))
    else:
        click.echo("there are no teams; see `milepost team create --help`")


def show_team(endpoint: str, name: str, *, as_json: bool) -> None:
    """Print a team."""
    _print(CollectorClient(endpoint).teams.get(name), as_json=as_json)


def update_team(endpoint: str, name: str, options: dict[str, Any], *, as_json: bool) -> None:
    """Change a team and print it."""
    fallback = fallback_of(options)
    if options["no_fallback"] and fallback is not None:
        raise click.UsageError("--no-fallback takes the fallback away, the others give one")
    changes: dict[str, Any] = {} if options["description"] is None else {"description": options["description"]}
    if options["no_fallback"] or fallback is not None:
        changes["fallback"] = fallback
    if not changes:
        raise click.UsageError("nothing is to be changed; name an option, see --help")
    _print(CollectorClient(endpoint).teams.update(name, **changes), as_json=as_json)


def change_members(endpoint: str, change: str, name: str, agents: Sequence[str], *, as_json: bool) -> None:
    """Put agents into a team or take them out, and print it."""
    teams = CollectorClient(endpoint).teams
    act = teams.add if change == "add" else teams.remove
    _print(act(name, agents), as_json=as_json)


def delete_team(endpoint: str, name: str, *, yes: bool) -> None:
    """Delete a team, once a person has agreed."""
    client = CollectorClient(endpoint)
    found = client.teams.get(name)
    if not yes:
        click.confirm(clean(f"delete the team {found.name}?"), abort=True, err=True)
    client.teams.delete(found)
    click.echo(clean(f"{found.name} is deleted"))


def teams_table(teams: Sequence[Team], width: int) -> Table:
    """Return teams as a table. width: of the terminal, characters."""
    headings = ("team", "polling", "ready", "delayed", "fallback", "members")
    return fitted(headings, [_cells(one) for one in teams], width)


def _cells(one: Team) -> list[Text]:
    return [
        Text(one_line(one.name, 40), style="bold"),
        Text(f"{len(one.alive)}/{len(one.members)}"),
        Text(str(one.ready), style="yellow" if one.ready and not one.alive else ""),
        Text(str(one.delayed)),
        Text(one_line(fallback_text(one.fallback), 60)),
        Text(one_line(", ".join(one.members), 200), style="dim"),
    ]


def team_view(one: Team) -> Group:
    """Return a team, a line for each fact that it has."""
    pairs = [
        ("description", one.description),
        ("members", ", ".join(f"{name} (by its code)" if name in one.declared else name for name in one.members)),
        ("polling", ", ".join(one.alive) or "nobody"),
        ("waiting", f"{one.ready} ready, {one.delayed} delayed"),
        ("fallback", fallback_text(one.fallback)),
    ]
    return Group(Text(one_line(one.name), style="bold"), facts(pairs))


def _print(one: Team, *, as_json: bool) -> None:
    if as_json:
        print_json(one)
    else:
        stdout_console().print(team_view(one))
