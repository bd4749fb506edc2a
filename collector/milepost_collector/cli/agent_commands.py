"""The names, options and help of `milepost agent …` and `milepost limit …`; the bodies are in `agents` and `limits`."""

from __future__ import annotations

import click

from milepost.wire.agents import LIMIT_SCOPES
from milepost_collector.cli.groups import ControlGroup
from milepost_collector.cli.options import Duration, endpoint_option, json_option, reason_option


@click.group(cls=ControlGroup)
def agent() -> None:
    """See which agents and workers there are, hold agents, and run them.

    \b
    Examples:
      milepost agent list
      milepost agent pause etl-agent --reason "the database moves"
    """


@agent.command(name="list")
@endpoint_option
@json_option
def list_agents(endpoint: str, as_json: bool) -> None:
    """List agents: workers, slots, what is running and what waits.

    \b
    Examples:
      milepost agent list
    """
    from milepost_collector.cli.agents import print_agents

    print_agents(endpoint, as_json=as_json)


@agent.command(name="get")
@click.argument("name")
@endpoint_option
@json_option
def get_agent(endpoint: str, name: str, as_json: bool) -> None:
    """Show an agent: what it handles, its workers and what each of them is doing.

    \b
    Examples:
      milepost agent get etl-agent
    """
    from milepost_collector.cli.agents import print_agent

    print_agent(endpoint, name, as_json=as_json)


@agent.command(name="update")
@click.argument("name")
@endpoint_option
@click.option("--capability", "capabilities", multiple=True, metavar="NAME", help="What it can do; may be repeated.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="What it is; may be repeated.")
@click.option("--as-declared", is_flag=True, help="Again as its own code says.")
@json_option
def update_agent(
    endpoint: str, name: str, capabilities: tuple[str, ...], labels: tuple[str, ...], as_declared: bool, as_json: bool
) -> None:
    """Say what an agent is able to, instead of what its own code says: `Agent("amy", capabilities=["sql"])`.

    \b
    Examples:
      milepost agent update amy --capability sql --capability charts --label region=eu
      milepost agent update amy --as-declared
    """
    from milepost_collector.cli.agents import change_agent

    change_agent(endpoint, name, capabilities, labels, as_declared=as_declared, as_json=as_json)


@agent.command(name="pause")
@click.argument("name")
@endpoint_option
@reason_option
@json_option
def pause_agent(endpoint: str, name: str, reason: str, as_json: bool) -> None:
    """Give an agent no more work; what it is doing goes on.

    \b
    Examples:
      milepost agent pause etl-agent --reason "the database moves"
    """
    from milepost_collector.cli.agents import hold_agent

    hold_agent(endpoint, "pause", name, reason, as_json=as_json)


@agent.command(name="resume")
@click.argument("name")
@endpoint_option
@reason_option
@json_option
def resume_agent(endpoint: str, name: str, reason: str, as_json: bool) -> None:
    """Give an agent work again.

    \b
    Examples:
      milepost agent resume etl-agent
    """
    from milepost_collector.cli.agents import hold_agent

    hold_agent(endpoint, "resume", name, reason, as_json=as_json)


@agent.command(name="run")
@click.argument("target", metavar="MODULE:AGENT")
@endpoint_option
@click.option("--concurrency", type=click.IntRange(1, 10_000), default=8, show_default=True, help="Tasks at once.")
@click.option(
    "--drain-timeout",
    "drain_timeout_s",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long work under way may go on after Ctrl-C or SIGTERM before it is asked to pause.",
)
@click.option("--reload", is_flag=True, help="Start anew when a Python file of the agent's package changes.")
def run(target: str, endpoint: str, concurrency: int, drain_timeout_s: float, reload: bool) -> None:
    """Do the tasks of an agent: MODULE is imported from here, AGENT is its `milepost.Agent`.

    Prints a line when an attempt begins and when it ends. Ctrl-C or SIGTERM lets the work under way end; a second one
    does not wait for it.

    \b
    Examples:
      milepost agent run etl.agents:agent
      milepost agent run etl.agents:agent --concurrency 4 --reload
    """
    from milepost_collector.cli.agent_run import run_agent

    run_agent(target, endpoint=endpoint, concurrency=concurrency, drain_timeout_s=drain_timeout_s, reload=reload)


@click.group(cls=ControlGroup)
def limit() -> None:
    """Limit how many attempts run at once or begin in a stretch of time.

    SCOPE is agent, name (of tasks) or key; VALUE is which one, or '*' for each that has no limit of its own.

    \b
    Examples:
      milepost limit set agent etl-agent --concurrency 4
      milepost limit set key '*' --rate 100 --per 1m
    """


@limit.command(name="list")
@endpoint_option
@json_option
def list_limits(endpoint: str, as_json: bool) -> None:
    """List every limit.

    \b
    Examples:
      milepost limit list
    """
    from milepost_collector.cli.limits import print_limits

    print_limits(endpoint, as_json=as_json)


@limit.command(name="set")
@click.argument("scope", type=click.Choice(LIMIT_SCOPES))
@click.argument("value")
@endpoint_option
@click.option("--concurrency", type=click.IntRange(0, 1_000_000), help="Attempts at once.")
@click.option("--rate", type=click.IntRange(1, 1_000_000), help="Attempts that begin in the time of --per.")
@click.option("--per", "per_ms", type=Duration(), help="The time that --rate counts in.")
@json_option
def set_limit(
    endpoint: str,
    scope: str,
    value: str,
    concurrency: int | None,
    rate: int | None,
    per_ms: int | None,
    as_json: bool,
) -> None:
    """Set a limit; it replaces the one that was there.

    \b
    Examples:
      milepost limit set agent etl-agent --concurrency 4
      milepost limit set name "Extract Data" --rate 10 --per 1s
    """
    from milepost_collector.cli.limits import put_limit

    put_limit(endpoint, scope, value, {"concurrency": concurrency, "rate": rate, "per_ms": per_ms}, as_json=as_json)


@limit.command(name="delete")
@click.argument("scope", type=click.Choice(LIMIT_SCOPES))
@click.argument("value")
@endpoint_option
def delete_limit(endpoint: str, scope: str, value: str) -> None:
    """Remove a limit.

    \b
    Examples:
      milepost limit delete agent etl-agent
    """
    from milepost_collector.cli.limits import remove_limit

    remove_limit(endpoint, scope, value)
