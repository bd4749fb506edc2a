"""`milepost task redirect` and `milepost task complete`: what people do to tasks that agents are at."""

from __future__ import annotations

from typing import Any

import click

from milepost_collector.cli.options import Json, endpoint_option, json_option, reason_option
from milepost_collector.cli.task_commands import tasks_argument


@click.command()
@tasks_argument
@endpoint_option
@click.option("--to", "agent", metavar="AGENT", help="To this agent.")
@click.option("--team", help="To any agent of this team.")
@reason_option
@json_option
def redirect(endpoint: str, tasks: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Give unfinished tasks to another agent or team; with neither, to any that handles them.

    One that runs saves a checkpoint and yields first; the other goes on from there.

    \b
    Examples:
      milepost task redirect 3f9a2c1b --to senior-agent --reason "needs the ledger"
      milepost task redirect 3f9a2c1b --team night-shift
    """
    from milepost_collector.cli.tasks import redirect_tasks

    redirect_tasks(endpoint, tasks, given, as_json=as_json)


@click.command()
@tasks_argument
@endpoint_option
@click.option("--result", type=Json(), help="What came of it: JSON, @file or - for standard input.")
@reason_option
@json_option
def complete(endpoint: str, tasks: tuple[str, ...], result: Any, reason: str, as_json: bool) -> None:
    """Complete unfinished tasks by hand: what runs is cut off, and what waits for them goes on.

    \b
    Examples:
      milepost task complete 3f9a2c1b --result '{"pages": 12}' --reason "counted them"
    """
    from milepost_collector.cli.tasks import command_tasks

    command_tasks(endpoint, "complete", tasks, {"result": result, "reason": reason}, as_json=as_json)
