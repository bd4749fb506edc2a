"""The names, options and help of `milepost task …`; the bodies are in `tasks`, `watch` and `bulk`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from milepost.wire.tasks import BULK_ACTIONS, PRIORITIES, TASK_STATUSES, TASK_TYPES
from milepost_collector.cli.groups import ControlGroup
from milepost_collector.cli.options import (
    Assignment,
    Duration,
    Json,
    Moment,
    OrNone,
    endpoint_option,
    feedback_options,
    json_option,
    reason_option,
    several,
    yes_option,
)
from milepost_collector.cli.team_commands import fallback_options

GROUPINGS = ("status", "type", "priority", "name", "agent", "team", "app", "tag")

filter_options = several(
    click.option(
        "--status", multiple=True, type=click.Choice(TASK_STATUSES), help="Only this status; may be repeated."
    ),
    click.option("--type", multiple=True, type=click.Choice(TASK_TYPES), help="Only this type; may be repeated."),
    click.option("--priority", multiple=True, type=click.Choice(PRIORITIES), help="Only this; may be repeated."),
    click.option("--name", multiple=True, help="Only tasks of this name; may be repeated."),
    click.option("--agent", multiple=True, help="Only tasks of this agent; may be repeated."),
    click.option("--team", multiple=True, help="Only tasks of this team; may be repeated."),
    click.option("--app", multiple=True, help="Only tasks of this app; may be repeated."),
    click.option("--tag", multiple=True, help="Only tasks with this tag; may be repeated."),
    click.option("--batch", multiple=True, help="Only tasks of this batch; may be repeated."),
    click.option("--from", "created_from", type=Moment(), help="Created at or after."),
    click.option("--to", "created_to", type=Moment(), help="Created before."),
    click.option("--text", help="Part of a name, description, tag, id or error."),
)
setting_options = several(
    click.option("--max-retries", type=click.IntRange(0, 1000), help="Further tries after a failure.  [default: 3]"),
    click.option("--timeout", "timeout_ms", type=Duration(), help="Of one attempt."),
    click.option("--retry-delay", "retry_delay_ms", type=Duration(), help="Before the first retry.  [default: 1s]"),
    click.option("--set", "assignments", multiple=True, type=Assignment(), help="Any other setting; may be repeated."),
)
need_options = several(
    click.option("--need", "required", multiple=True, metavar="WHAT", help="What its agent must have: sql, region=eu."),
    click.option("--prefer", "preferred", multiple=True, metavar="WHAT[:WEIGHT]", help="One that it should have."),
    fallback_options,
)
format_option = click.option(
    "--format", "format_", type=click.Choice(["jsonl", "csv"]), help="By the file's name, if it is not said."
)
tasks_argument = click.argument("tasks", metavar="TASK...", nargs=-1, required=True)


@click.group(cls=ControlGroup)
def task() -> None:
    """Hand work to agents, follow it, and steer it.

    TASK is a task's id or any part of one that no other task has, such as the end that lists show.

    \b
    Examples:
      milepost task create "Extract Data" --agent etl-agent --input '{"day": "2026-11-21"}' --watch
      milepost task list --status failed --from now-24h
      milepost task retry 3f9a2c1b
    """


@task.command()
@click.argument("name")
@endpoint_option
@click.option("--agent", "agents", multiple=True, help="Who does it; repeated: each of them, in parallel.")
@click.option("--team", help="Any agent of this team.")
@click.option("--input", "input_", type=Json(), help="Its input: JSON, @file or - for standard input.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Put a file into the input: its name as `file`, what it holds as `data`; JSON and CSV are read as such.",
)
@click.option("--context", type=Json(), help="What else the agent is told: JSON or @file.")
@click.option("--description", default="", help="For people.")
@click.option(
    "--priority", type=click.Choice(PRIORITIES), default="medium", show_default=True, help="Which come first."
)
@click.option(
    "--depends-on",
    "dependencies",
    multiple=True,
    metavar="TASK[=FIELD]",
    help="A task that must end first; its result becomes FIELD of the input. May be repeated.",
)
@click.option("--deadline", type=Moment(), help="When it must be finished: 2026-12-31T23:59:59Z or +2h.")
@click.option("--run-at", type=Moment(), help="Not before.")
@click.option("--tag", "tags", multiple=True, help="May be repeated.")
@click.option("--app", help="The application it belongs to.")
@click.option("--key", help="What concurrency and rate limits count it under.")
@click.option(
    "--deliverables",
    "deliverables",
    multiple=True,
    metavar="TYPE[,TYPE]",
    help="What it must hand over to be completed, such as report,presentation; may be repeated.",
)
@need_options
@click.option("--batch", help="What it is counted with.")
@click.option("--budget-usd", type=click.FloatRange(0, 1e9), metavar="USD", help="What it may cost.")
@click.option("--budget-tokens", type=click.IntRange(0, 10**12), metavar="N", help="Tokens that it may use.")
@click.option("--idempotency-key", metavar="KEY", help="The same key never makes a second task.")
@setting_options
@click.option("--watch", is_flag=True, help="Follow it to its end; the exit code is its outcome.")
@json_option
def create(endpoint: str, name: str, as_json: bool, watch: bool, **options: Any) -> None:
    """Hand over a task called NAME.

    Prints its id. With --watch: exit code 0 when it is completed, 1 when it failed or was cancelled.

    \b
    Examples:
      milepost task create "Extract Data" --agent etl-agent --input @order.json --priority high
      milepost task create research --agent amy --budget-usd 2.50
      milepost task create report --depends-on 3f9a2c1b=pages --deadline +2h --tag nightly
      milepost task create report --max-retries 5 --retry-delay 10s --set backoff=fixed --watch
      milepost task create "Analyze Q4 revenue" --agent amy --data revenue_q4_2024.csv --priority high
      milepost task create "Draw charts" --need charts --prefer region=eu:2 --fallback-person ann
    """
    from milepost_collector.cli.tasks import create_task

    create_task(endpoint, name, options, as_json=as_json, watch=watch)


@task.command()
@click.argument("task_id", metavar="TASK")
@endpoint_option
@json_option
def get(endpoint: str, task_id: str, as_json: bool) -> None:
    """Show a task: how it stands, why it is not running, what it was given and what came of it.

    \b
    Examples:
      milepost task get 3f9a2c1b
      milepost task get 3f9a2c1b --json | jq .result
    """
    from milepost_collector.cli.tasks import show_task

    show_task(endpoint, task_id, as_json=as_json)


@task.command(name="list")
@endpoint_option
@filter_options
@click.option(
    "--sort",
    default="-created_at",
    show_default=True,
    help="created_at, updated_at, priority, name, status, deadline or finished_at; a leading - means descending.",
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Tasks to list.")
@click.option("--count-by", type=click.Choice(GROUPINGS), help="Only how many there are of each.")
@json_option
def list_(endpoint: str, sort: str, limit: int, count_by: str | None, as_json: bool, **filters: Any) -> None:
    """List tasks, newest first.

    \b
    Examples:
      milepost task list --status failed --from now-24h
      milepost task list --agent etl-agent --sort deadline
      milepost task list --count-by status
    """
    from milepost_collector.cli.tasks import count_tasks, list_tasks

    if count_by is not None:
        count_tasks(endpoint, filters, count_by, as_json=as_json)
    else:
        list_tasks(endpoint, filters, sort=sort, limit=limit, as_json=as_json)


@task.command()
@click.argument("task_id", metavar="TASK")
@endpoint_option
@feedback_options
@json_option
def feedback(endpoint: str, task_id: str, as_json: bool, **said: Any) -> None:
    """Say what you think of a task's work.

    \b
    Examples:
      milepost task feedback 3f9a2c1b --rating 5 --text "just what I needed"
      milepost task feedback 3f9a2c1b --rating 2 --issue "wrong quarter" --issue "no sources"
    """
    from milepost_collector.cli.scores import feedback_on_task

    feedback_on_task(endpoint, task_id, said, as_json=as_json)


@task.command()
@click.argument("task_id", metavar="TASK")
@endpoint_option
@click.option("--name", help="Its name.")
@click.option("--description", help="For people.")
@click.option("--agent", help="Who does it; none: any that handles the name.")
@click.option("--team", help="Any agent of this team does it.")
@click.option("--input", "input_", type=Json(), help="JSON, @file or - for standard input.")
@click.option("--context", type=Json(), help="JSON or @file.")
@click.option("--priority", type=click.Choice(PRIORITIES), help="Which come first.")
@click.option("--deadline", type=OrNone(Moment()), help="When it must be finished; none: never.")
@click.option("--run-at", type=OrNone(Moment()), help="Not before; none: at once.")
@click.option("--tag", "tags", multiple=True, help="Instead of its tags; may be repeated.")
@click.option("--app", help="The application it belongs to; or none.")
@click.option("--key", help="What limits count it under; or none.")
@setting_options
@click.option("--interrupt", is_flag=True, help="What runs saves a checkpoint, yields, and goes on with the change.")
@reason_option
@json_option
def update(endpoint: str, task_id: str, as_json: bool, **options: Any) -> None:
    """Change what is given of a task; while it runs, only tags, priority and deliverables can be changed without
    --interrupt.

    \b
    Examples:
      milepost task update 3f9a2c1b --priority urgent
      milepost task update 3f9a2c1b --input '{"day": "2026-11-20"}' --interrupt --reason "wrong day"
      milepost task update 3f9a2c1b --deadline none --max-retries 10
    """
    from milepost_collector.cli.tasks import update_task

    update_task(endpoint, task_id, options, as_json=as_json)


@task.command()
@tasks_argument
@endpoint_option
@reason_option
@json_option
def cancel(endpoint: str, tasks: tuple[str, ...], reason: str, as_json: bool) -> None:
    """Cancel tasks; a running one is asked to stop, and cut off after its grace.

    \b
    Examples:
      milepost task cancel 3f9a2c1b --reason "wrong day"
    """
    from milepost_collector.cli.tasks import command_tasks

    command_tasks(endpoint, "cancel", tasks, {"reason": reason}, as_json=as_json)


@task.command()
@tasks_argument
@endpoint_option
@reason_option
@json_option
def pause(endpoint: str, tasks: tuple[str, ...], reason: str, as_json: bool) -> None:
    """Hold tasks; a running one saves a checkpoint and stops.

    \b
    Examples:
      milepost task pause 3f9a2c1b 77d01e5a
    """
    from milepost_collector.cli.tasks import command_tasks

    command_tasks(endpoint, "pause", tasks, {"reason": reason}, as_json=as_json)


@task.command()
@tasks_argument
@endpoint_option
@reason_option
@json_option
def resume(endpoint: str, tasks: tuple[str, ...], reason: str, as_json: bool) -> None:
    """Let paused tasks go on.

    \b
    Examples:
      milepost task resume 3f9a2c1b
    """
    from milepost_collector.cli.tasks import command_tasks

    command_tasks(endpoint, "resume", tasks, {"reason": reason}, as_json=as_json)


@task.command()
@tasks_argument
@endpoint_option
@click.option("--reassign", is_flag=True, help="To any agent that handles it but the one that failed; --to names one.")
@click.option("--to", "to_agent", metavar="AGENT", help="To this agent.")
@click.option("--checkpoint", type=click.IntRange(1), metavar="NUMBER", help="Go on from this one, not the newest.")
@click.option("--input", "input_", type=Json(), help="Instead of its input: JSON or @file.")
@click.option("--context", type=Json(), help="Instead of its context: JSON or @file.")
@json_option
def retry(endpoint: str, tasks: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Try failed or cancelled tasks again, with retries as at first.

    \b
    Examples:
      milepost task retry 3f9a2c1b
      milepost task retry 3f9a2c1b --checkpoint 3
      milepost task retry 3f9a2c1b --reassign --context '{"hint": "page 12 is empty"}'
    """
    from milepost_collector.cli.tasks import retry_tasks

    retry_tasks(endpoint, tasks, options, as_json=as_json)


@task.command()
@tasks_argument
@endpoint_option
@click.option("--input", "input_", type=Json(), help="Instead of its input: JSON or @file.")
@json_option
def run(endpoint: str, tasks: tuple[str, ...], input_: Any, as_json: bool) -> None:
    """Run tasks now: at once if they wait for a time, once more if they are finished.

    \b
    Examples:
      milepost task run 3f9a2c1b --input '{"day": "2026-11-20"}'
    """
    from milepost_collector.cli.tasks import command_tasks

    command_tasks(endpoint, "run", tasks, {} if input_ is None else {"input": input_}, as_json=as_json)


@task.command()
@tasks_argument
@endpoint_option
@yes_option
def delete(endpoint: str, tasks: tuple[str, ...], yes: bool) -> None:
    """Delete tasks that are not running, with their attempts; their runs stay.

    \b
    Examples:
      milepost task delete 3f9a2c1b --yes
    """
    from milepost_collector.cli.tasks import delete_tasks

    delete_tasks(endpoint, tasks, yes=yes)


@task.command()
@click.argument("task_id", metavar="TASK")
@click.argument("attempt", type=click.IntRange(min=1), required=False)
@endpoint_option
@json_option
def runs(endpoint: str, task_id: str, attempt: int | None, as_json: bool) -> None:
    """List a task's attempts, newest first; each is a run. With a number: that attempt, with its error.

    \b
    Examples:
      milepost task runs 3f9a2c1b
      milepost task runs 3f9a2c1b 2
      milepost show $(milepost task runs 3f9a2c1b 2 --json | jq -r .run_id)
    """
    from milepost_collector.cli.tasks import list_attempts, show_attempt

    if attempt is None:
        list_attempts(endpoint, task_id, as_json=as_json)
    else:
        show_attempt(endpoint, task_id, attempt, as_json=as_json)


@task.command()
@click.argument("task_id", metavar="TASK")
@endpoint_option
@json_option
def history(endpoint: str, task_id: str, as_json: bool) -> None:
    """List what happened to a task: every change of status, who did it and why.

    \b
    Examples:
      milepost task history 3f9a2c1b
    """
    from milepost_collector.cli.tasks import list_transitions

    list_transitions(endpoint, task_id, as_json=as_json)


@task.command()
@click.argument("task_id", metavar="TASK")
@endpoint_option
@json_option
def checkpoints(endpoint: str, task_id: str, as_json: bool) -> None:
    """List the checkpoints and steps that a task's attempts saved.

    \b
    Examples:
      milepost task checkpoints 3f9a2c1b --json | jq '.checkpoints[-1].state'
    """
    from milepost_collector.cli.tasks import list_checkpoints

    list_checkpoints(endpoint, task_id, as_json=as_json)


@task.command()
@click.argument("tasks", metavar="[TASK]...", nargs=-1)
@endpoint_option
@filter_options
@json_option
def watch(endpoint: str, tasks: tuple[str, ...], as_json: bool, **filters: Any) -> None:
    """Follow tasks until they are finished: progress, phase, attempts, why they are not running.

    Those that are named, or all that match a filter now. Exit code 0 when every one is completed, else 1. When the
    output is no terminal, a line is printed at each change; with --json, each of these lines is a task as JSON.

    \b
    Examples:
      milepost task watch 3f9a2c1b
      milepost task watch --tag nightly
    """
    from milepost_collector.cli.watch import watch_tasks

    watch_tasks(endpoint, tasks, filters, as_json=as_json)


@task.command(name="import")
@click.argument("file")
@endpoint_option
@format_option
@click.option("--dry-run", is_flag=True, help="Only read the file.")
@click.option("--again", is_flag=True, help="Make new tasks, even if this file has made them before.")
@click.option("--batch", help="What they are counted as; see `milepost task batch`.")
@click.option("--watch", is_flag=True, help="Follow them to their end; exit code 0 when every one was completed.")
def import_(endpoint: str, file: str, format_: Any, dry_run: bool, again: bool, batch: str | None, watch: bool) -> None:
    """Make the tasks of a FILE, or of standard input as -; prints their ids.

    A line of JSON is a task with the fields of `create`. Columns of CSV are these fields; lists are separated by
    semicolons, `input.city` is a member of the input, `input.limit:json` one that is JSON. Nothing is made unless every
    line can be read; 1,000 tasks at a time are made together or not at all, and the same file again makes none twice.

    \b
    Examples:
      milepost task import tasks.csv --dry-run
      milepost task import - < tasks.jsonl
      milepost task import tasks.csv --batch nightly-2026-11-21 --watch
    """
    from milepost_collector.cli.transfer import import_tasks

    import_tasks(endpoint, file, format_, dry_run=dry_run, again=again, batch=batch, watch=watch)


@task.command()
@endpoint_option
@filter_options
@format_option
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File to write to.")
@click.option("--definitions", is_flag=True, help="What tasks were made from, to be imported again.")
@click.option("--limit", type=click.IntRange(1), default=10_000, show_default=True, help="Tasks to write.")
def export(endpoint: str, format_: Any, output: Path | None, definitions: bool, limit: int, **filters: Any) -> None:
    """Write the tasks that match, the newest first: whole as lines of JSON, or in short as CSV.

    \b
    Examples:
      milepost task export --status failed --format csv -o failed.csv
      milepost task export --tag nightly --definitions | milepost task import - --again
    """
    from milepost_collector.cli.transfer import export_tasks

    if definitions and format_ == "csv":
        raise click.UsageError("definitions are written as lines of JSON; leave out --format csv")
    chosen: Any = format_ or _format_of(output)
    export_tasks(endpoint, filters, output, chosen, definitions=definitions, limit=limit)


def _format_of(output: Path | None) -> str:
    return "csv" if output is not None and output.suffix.lower() == ".csv" else "jsonl"


@task.command()
@click.argument("action", type=click.Choice(BULK_ACTIONS))
@endpoint_option
@filter_options
@click.option("--all", "every_task", is_flag=True, help="Every task there is; needed when there is no filter.")
@click.option("--argument", "arguments", multiple=True, type=Assignment(), help="Of the action; may be repeated.")
@reason_option
@click.option("--dry-run", is_flag=True, help="Only count.")
@yes_option
@json_option
def bulk(endpoint: str, action: str, as_json: bool, **options: Any) -> None:
    """Do one thing to all tasks that match; counts them and asks first.

    \b
    Examples:
      milepost task bulk cancel --tag nightly --status pending --reason "the source is down"
      milepost task bulk retry --status failed --from now-24h --argument reassign=true --yes
      milepost task bulk update --agent etl-agent --argument priority=low --dry-run
    """
    from milepost_collector.cli.bulk import run_bulk

    run_bulk(endpoint, action, options, as_json=as_json)
