"""The names, options and help of `milepost team …`; the bodies are in `teams`."""

from __future__ import annotations

from typing import Any

import click

from milepost_collector.cli.groups import ControlGroup
from milepost_collector.cli.options import Duration, endpoint_option, json_option, several, yes_option

fallback_options = several(
    click.option("--fallback-agent", metavar="AGENT", help="This agent takes over what is not done."),
    click.option("--fallback-team", metavar="TEAM", help="This team takes over."),
    click.option("--fallback-person", metavar="NAME", help="This person is asked."),
    click.option(
        "--after-failures", type=click.IntRange(1, 1000), help="Failed attempts before that.  [default: all retries]"
    ),
    click.option("--after", "after_ms", type=Duration(), help="Also when no worker has polled for it for so long."),
)
team_argument = click.argument("name", metavar="TEAM")
agents_argument = click.argument("agents", metavar="AGENT...", nargs=-1, required=True)


@click.group(cls=ControlGroup)
def team() -> None:
    """Put agents into teams, to which tasks can be given.

    An agent's own code may say which teams it belongs to, too: `Agent("a", teams=["ops"])`.

    \b
    Examples:
      milepost team create analysts amy bob --fallback-person ann
      milepost team add analysts cleo
      milepost task create "Analyze Q4 revenue" --team analysts
    """


@team.command()
@team_argument
@click.argument("agents", metavar="[AGENT]...", nargs=-1)
@endpoint_option
@click.option("--description", default="", help="For people.")
@fallback_options
@json_option
def create(endpoint: str, name: str, agents: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Make a team of agents.

    \b
    Examples:
      milepost team create analysts amy bob --description "Figures and reports"
      milepost team create analysts --fallback-team seniors --after-failures 2 --after 10m
    """
    from milepost_collector.cli.teams import create_team

    create_team(endpoint, name, agents, options, as_json=as_json)


@team.command(name="list")
@endpoint_option
@json_option
def list_(endpoint: str, as_json: bool) -> None:
    """List teams: members, who of them polls, and what waits for the team.

    \b
    Examples:
      milepost team list
    """
    from milepost_collector.cli.teams import list_teams

    list_teams(endpoint, as_json=as_json)


@team.command()
@team_argument
@endpoint_option
@json_option
def show(endpoint: str, name: str, as_json: bool) -> None:
    """Show a team.

    \b
    Examples:
      milepost team show analysts
    """
    from milepost_collector.cli.teams import show_team

    show_team(endpoint, name, as_json=as_json)


@team.command()
@team_argument
@endpoint_option
@click.option("--description", help="For people.")
@fallback_options
@click.option("--no-fallback", is_flag=True, help="Nobody takes over.")
@json_option
def update(endpoint: str, name: str, as_json: bool, **options: Any) -> None:
    """Change what is given of a team.

    \b
    Examples:
      milepost team update analysts --fallback-person ann --after 1h
      milepost team update analysts --no-fallback
    """
    from milepost_collector.cli.teams import update_team

    update_team(endpoint, name, options, as_json=as_json)


@team.command()
@team_argument
@agents_argument
@endpoint_option
@json_option
def add(endpoint: str, name: str, agents: tuple[str, ...], as_json: bool) -> None:
    """Put agents into a team; they need not have been seen yet.

    \b
    Examples:
      milepost team add analysts cleo dan
    """
    from milepost_collector.cli.teams import change_members

    change_members(endpoint, "add", name, agents, as_json=as_json)


@team.command()
@team_argument
@agents_argument
@endpoint_option
@json_option
def remove(endpoint: str, name: str, agents: tuple[str, ...], as_json: bool) -> None:
    """Take agents out of a team.

    \b
    Examples:
      milepost team remove analysts dan
    """
    from milepost_collector.cli.teams import change_members

    change_members(endpoint, "remove", name, agents, as_json=as_json)


@team.command()
@team_argument
@endpoint_option
@yes_option
def delete(endpoint: str, name: str, yes: bool) -> None:
    """Delete a team; its agents and tasks stay.

    \b
    Examples:
      milepost team delete analysts --yes
    """
    from milepost_collector.cli.teams import delete_team

    delete_team(endpoint, name, yes=yes)
