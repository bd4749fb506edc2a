"""The names, options and help of `milepost schedule …`; the bodies are in `schedules`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from milepost.wire.schedules import INSTANT_STATUSES
from milepost.wire.tasks import PRIORITIES
from milepost_collector.cli.groups import ControlGroup
from milepost_collector.cli.options import (
    Duration,
    Json,
    Moment,
    OrNone,
    endpoint_option,
    json_option,
    reason_option,
    several,
    yes_option,
)
from milepost_collector.cli.task_commands import setting_options

cadence_options = several(
    click.option("--cron", metavar="FIELDS", help="Minute, hour, day, month, day of week: '0 2 * * *'."),
    click.option("--zone", metavar="NAME", help="IANA zone whose local time cron means.  [default: UTC]"),
    click.option("--every", "every_ms", type=Duration(), help="Instead of cron: a fixed interval."),
    click.option("--at", type=Moment(), help="Instead of cron: once, at this time."),
    click.option("--dst-gap", type=click.Choice(["run_after", "skip"]), help="Times that a day does not have."),
    click.option("--dst-fold", type=click.Choice(["first", "both", "second"]), help="Times that a day has twice."),
)
count_option = click.option("--count", type=click.IntRange(1, 1000), default=10, show_default=True, help="Instants.")
schedule_argument = click.argument("schedule_id", metavar="SCHEDULE")


@click.group(cls=ControlGroup)
def schedule() -> None:
    """Make tasks by cron, at an interval or once, and see what became of every instant.

    SCHEDULE is a schedule's name or id.

    \b
    Examples:
      milepost schedule create nightly --cron "0 2 * * *" --zone Europe/Berlin --task "Extract Data" --agent etl-agent
      milepost schedule next nightly
      milepost schedule ledger nightly --status missed
    """


@schedule.command()
@click.argument("name")
@endpoint_option
@cadence_options
@click.option("--task", "task_name", required=True, metavar="NAME", help="Name of the task that each instant makes.")
@click.option("--agent", "agents", multiple=True, help="Who does it; repeated: each of them, in parallel.")
@click.option("--team", help="Any agent of this team.")
@click.option("--input", "input_", type=Json(), help="The task's input: JSON or @file.")
@click.option("--context", type=Json(), help="The task's context: JSON or @file.")
@click.option(
    "--priority", type=click.Choice(PRIORITIES), default="medium", show_default=True, help="Which come first."
)
@click.option("--tag", "tags", multiple=True, help="Of the task; may be repeated.")
@click.option("--app", help="The application it belongs to.")
@click.option("--key", help="What concurrency and rate limits count the task under.")
@setting_options
@click.option("--description", default="", help="For people.")
@click.option(
    "--overlap",
    type=click.Choice(["skip", "queue", "cancel_running", "allow"]),
    default="skip",
    show_default=True,
    help="When the task before is not finished.",
)
@click.option(
    "--catch-up",
    type=click.Choice(["latest", "all", "none"]),
    default="latest",
    show_default=True,
    help="Which instants that passed while nothing ran are made up for.",
)
@click.option("--catch-up-window", "catch_up_window_ms", type=Duration(), help="Not further back.  [default: 1h]")
@click.option("--jitter", "jitter_ms", type=Duration(), help="Spread the tasks over so long after the instant.")
@click.option("--end", type=Moment(), help="No instants from then on.")
@click.option("--paused", is_flag=True, help="Do not begin yet.")
@json_option
def create(endpoint: str, name: str, as_json: bool, **options: Any) -> None:
    """Make a schedule called NAME.

    \b
    Examples:
      milepost schedule create nightly --cron "0 2 * * *" --zone Europe/Berlin --task "Extract Data" --agent etl-agent
      milepost schedule create sync --every 5m --task sync --overlap queue
    """
    from milepost_collector.cli.schedules import create_schedule

    create_schedule(endpoint, name, options, as_json=as_json)


@schedule.command(name="list")
@endpoint_option
@click.option("--text", help="Part of a name or description.")
@json_option
def list_(endpoint: str, text: str | None, as_json: bool) -> None:
    """List schedules by name.

    \b
    Examples:
      milepost schedule list
    """
    from milepost_collector.cli.schedules import list_schedules

    list_schedules(endpoint, text, as_json=as_json)


@schedule.command()
@schedule_argument
@endpoint_option
@json_option
def get(endpoint: str, schedule_id: str, as_json: bool) -> None:
    """Show a schedule: its rule in words, next and last instants, and the task it makes.

    \b
    Examples:
      milepost schedule get nightly
    """
    from milepost_collector.cli.schedules import show_schedule

    show_schedule(endpoint, schedule_id, as_json=as_json)


@schedule.command()
@schedule_argument
@endpoint_option
@cadence_options
@click.option("--task", "task_name", metavar="NAME", help="Name of the task that each instant makes.")
@click.option("--agent", "agents", multiple=True, help="Who does it; repeated: each of them, in parallel.")
@click.option("--team", help="Any agent of this team.")
@click.option("--input", "input_", type=Json(), help="The task's input: JSON or @file.")
@click.option("--context", type=Json(), help="The task's context: JSON or @file.")
@click.option("--priority", type=click.Choice(PRIORITIES), help="Which come first.")
@click.option("--tag", "tags", multiple=True, help="Of the task, instead of those it has; may be repeated.")
@click.option("--app", help="The application it belongs to.")
@click.option("--key", help="What concurrency and rate limits count the task under.")
@setting_options
@click.option("--description", help="For people.")
@click.option(
    "--overlap",
    type=click.Choice(["skip", "queue", "cancel_running", "allow"]),
    help="When the task before is not finished.",
)
@click.option("--catch-up", type=click.Choice(["latest", "all", "none"]), help="Which missed instants are made up for.")
@click.option("--catch-up-window", "catch_up_window_ms", type=Duration(), help="Not further back.")
@click.option("--jitter", "jitter_ms", type=Duration(), help="Spread the tasks over so long after the instant.")
@click.option("--end", type=OrNone(Moment()), help="No instants from then on; none: for ever.")
@json_option
def update(endpoint: str, schedule_id: str, as_json: bool, **options: Any) -> None:
    """Change what is given of a schedule; tasks that it has made stay as they are.

    \b
    Examples:
      milepost schedule update nightly --cron "30 3 * * *" --zone Europe/Berlin
      milepost schedule update nightly --agent etl-agent-2 --overlap queue
      milepost schedule update nightly --end none
    """
    from milepost_collector.cli.schedules import update_schedule

    update_schedule(endpoint, schedule_id, options, as_json=as_json)


@schedule.command()
@schedule_argument
@endpoint_option
@reason_option
@json_option
def pause(endpoint: str, schedule_id: str, reason: str, as_json: bool) -> None:
    """Hold a schedule; its instants are recorded as skipped.

    \b
    Examples:
      milepost schedule pause nightly --reason holidays
    """
    from milepost_collector.cli.schedules import hold_schedule

    hold_schedule(endpoint, "pause", schedule_id, reason, as_json=as_json)


@schedule.command()
@schedule_argument
@endpoint_option
@reason_option
@json_option
def resume(endpoint: str, schedule_id: str, reason: str, as_json: bool) -> None:
    """Let a paused schedule go on with its next instant.

    \b
    Examples:
      milepost schedule resume nightly
    """
    from milepost_collector.cli.schedules import hold_schedule

    hold_schedule(endpoint, "resume", schedule_id, reason, as_json=as_json)


@schedule.command()
@schedule_argument
@endpoint_option
@click.option("--input", "input_", type=Json(), help="Instead of the schedule's: JSON or @file.")
@click.option("--watch", is_flag=True, help="Follow the task to its end; the exit code is its outcome.")
@json_option
def run(endpoint: str, schedule_id: str, input_: Any, watch: bool, as_json: bool) -> None:
    """Make the schedule's task now, beside its instants.

    \b
    Examples:
      milepost schedule run nightly --watch
    """
    from milepost_collector.cli.schedules import run_schedule

    run_schedule(endpoint, schedule_id, input_, watch=watch, as_json=as_json)


@schedule.command()
@schedule_argument
@endpoint_option
@yes_option
def delete(endpoint: str, schedule_id: str, yes: bool) -> None:
    """Delete a schedule; the tasks it made stay, and its ledger in the SQL view schedule_instants.

    \b
    Examples:
      milepost schedule delete nightly --yes
    """
    from milepost_collector.cli.schedules import delete_schedule

    delete_schedule(endpoint, schedule_id, yes=yes)


@schedule.command(name="next")
@schedule_argument
@endpoint_option
@count_option
@json_option
def next_(endpoint: str, schedule_id: str, count: int, as_json: bool) -> None:
    """List a schedule's next instants, with what daylight saving does to them.

    \b
    Examples:
      milepost schedule next nightly --count 30
    """
    from milepost_collector.cli.schedules import list_next

    list_next(endpoint, schedule_id, count, as_json=as_json)


@schedule.command()
@schedule_argument
@endpoint_option
@click.option("--status", type=click.Choice(INSTANT_STATUSES), help="Only instants that this became of.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Instants to list.")
@json_option
def ledger(endpoint: str, schedule_id: str, status: str | None, limit: int, as_json: bool) -> None:
    """List what became of a schedule's instants, newest first.

    \b
    Examples:
      milepost schedule ledger nightly --status missed
    """
    from milepost_collector.cli.schedules import list_instants

    list_instants(endpoint, schedule_id, status, limit=limit, as_json=as_json)


@schedule.command()
@schedule_argument
@endpoint_option
@click.option("--from", "since", type=Moment(), required=True, help="Instants at or after.")
@click.option("--to", "until", type=Moment(), default="now", show_default=True, help="Instants before.")
@click.option("--dry-run", is_flag=True, help="Only list them.")
@yes_option
@json_option
def backfill(endpoint: str, schedule_id: str, as_json: bool, **options: Any) -> None:
    """Make the tasks of past instants that have not fired; counts them and asks first.

    \b
    Examples:
      milepost schedule backfill nightly --from 2026-11-01 --to 2026-11-08 --dry-run
    """
    from milepost_collector.cli.schedules import backfill_schedule

    backfill_schedule(endpoint, schedule_id, options, as_json=as_json)


@schedule.command()
@endpoint_option
@cadence_options
@count_option
@click.option("--after", type=Moment(), help="Instants after this time.  [default: now]")
@json_option
def preview(endpoint: str, count: int, after: datetime | None, as_json: bool, **cadence: Any) -> None:
    """List the instants that a rule would have; nothing is made.

    \b
    Examples:
      milepost schedule preview --cron "30 2 * * *" --zone America/New_York --after 2026-03-07
    """
    from milepost_collector.cli.schedules import preview_cadence

    preview_cadence(endpoint, cadence, count=count, after=after, as_json=as_json)
