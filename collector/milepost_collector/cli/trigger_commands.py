"""The names, options and help of `milepost trigger …`; the bodies are in `triggers`."""

from __future__ import annotations

from typing import Any

import click
from msgspec import UNSET

from milepost.wire.tasks import PRIORITIES
from milepost.wire.triggers import SIGNATURE_SCHEMES, TRIGGER_KINDS, TRIGGER_OUTCOMES
from milepost_collector.cli.groups import ControlGroup
from milepost_collector.cli.options import Assignment, Duration, Json, endpoint_option, json_option, several, yes_option
from milepost_collector.cli.task_commands import setting_options

trigger_argument = click.argument("trigger_id", metavar="TRIGGER")
secret_option = click.option(
    "--secret", metavar="TEXT", help="What the sender signs with; `-`: from standard input.  [default: one is made]"
)
header_option = click.option(
    "--header", "headers", multiple=True, metavar="NAME=VALUE", help="That comes with the payload; may be repeated."
)
task_options = several(
    click.option("--agent", "agents", multiple=True, help="Who does it; repeated: each of them, in parallel."),
    click.option("--team", help="Any agent of this team."),
    click.option(
        "--input", "input_", type=Json(), help="Fields of the input beside those of the mapping: JSON or @file."
    ),
    click.option("--context", type=Json(), help="The task's context: JSON or @file."),
    click.option("--priority", type=click.Choice(PRIORITIES), help="Which come first.  [default: medium]"),
    click.option("--tag", "tags", multiple=True, help="Of the task; may be repeated."),
    click.option("--app", help="The application it belongs to."),
    click.option("--key", help="What concurrency and rate limits count the task under."),
    setting_options,
)
mapping_options = several(
    click.option("--map", "maps", multiple=True, metavar="FIELD=POINTER",
                 help="A field of the input and where it is in the payload, as title=/issue/title; may be repeated. "
                 "Without any the input is the whole payload."),
    click.option("--map-header", "header_maps", multiple=True, metavar="FIELD=HEADER",
                 help="A field of the input that a header has; may be repeated."),
    click.option("--const", "constants", multiple=True, type=Assignment(), metavar="FIELD=VALUE",
                 help="A field of the input that is always the same; may be repeated."),
    click.option("--require", "required", multiple=True, metavar="FIELD",
                 help="A mapped field without which no task is made; may be repeated."),
    click.option("--when", "whens", multiple=True, metavar="PLACE=VALUE[,VALUE…]",
                 help="Only when a place in the payload has one of these values, as /action=opened, or a header, as "
                 "X-GitHub-Event=issues; PLACE alone: when there is anything. May be repeated, all must hold."),
    click.option("--key-from", metavar="POINTER", help="Where the task's key is in the payload."),
    click.option("--description-from", metavar="POINTER", help="Where the task's description is in the payload."),
    click.option("--rate-limit", type=click.IntRange(1, 6000), metavar="N", help="Tasks a minute.  [default: 600]"),
    click.option("--keep-days", "keep_payload_days", type=click.IntRange(0, 90), metavar="DAYS",
                 help="How long payloads are kept for replays.  [default: 7]"),
)  # fmt: skip
hook_options = several(
    click.option("--scheme", type=click.Choice(SIGNATURE_SCHEMES), help="Of a webhook: how the sender proves itself."),
    click.option("--tolerance", "tolerance_ms", type=Duration(), help="How far signed times may lie from now."),
    click.option("--signature-header", metavar="NAME", help="Of hmac: where the digest is."),
    click.option("--algorithm", type=click.Choice(["sha1", "sha256", "sha384", "sha512"]), help="Of hmac."),
    click.option("--encoding", type=click.Choice(["hex", "base64"]), help="Of hmac."),
    click.option("--prefix", help="Of hmac: what stands before the digest, as sha256=."),
    click.option("--user", help="Of basic: the user's name."),
    click.option("--delivery-header", metavar="NAME", help="Of hmac, bearer and basic: where a delivery's id is."),
    click.option("--max-body", "max_body_bytes", type=click.IntRange(1, 16 * 1024 * 1024), metavar="BYTES",
                 help="Larger bodies are turned away.  [default: 1048576]"),
)  # fmt: skip
event_options = several(
    click.option("--on", "event", metavar="EVENT", help="Instead of a webhook: an event, as run.failed or task.*."),
    click.option("--where", metavar="SEARCH", help="Only runs or tasks that this search finds, as 'cost>1'."),
    click.option("--max-depth", type=click.IntRange(1, 20), metavar="N",
                 help="How many triggers may follow from one another.  [default: 3]"),
)  # fmt: skip


@click.group(cls=ControlGroup)
def trigger() -> None:
    """Make tasks of webhooks, and of what happens to runs, tasks, asks, schedules and budgets.

    TRIGGER is a trigger's name or id.

    \b
    Examples:
      milepost trigger create triage --scheme github --task triage --when X-GitHub-Event=issues --when /action=opened
      milepost trigger create look --on run.failed --where "cost>1" --task post-mortem --map run_id=/run/run_id
      milepost trigger events triage --outcome failed
    """


@trigger.command()
@click.argument("name")
@endpoint_option
@click.option("--task", "task_name", required=True, metavar="NAME", help="Name of the task that is made.")
@hook_options
@secret_option
@event_options
@mapping_options
@task_options
@click.option("--description", default="", help="For people.")
@click.option("--disabled", is_flag=True, help="Do not begin yet.")
@click.option(
    "--try",
    "payload",
    type=Json(),
    default=UNSET,
    metavar="PAYLOAD",
    help="Show what it would make of this payload (JSON, @file or -), and make nothing.",
)
@header_option
@json_option
def create(endpoint: str, name: str, payload: Any, headers: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Make a trigger called NAME; a webhook's address and secret are printed, the secret this once.

    \b
    Examples:
      milepost trigger create triage --scheme github --task triage --when X-GitHub-Event=issues --when /action=opened
      milepost trigger create paid --scheme stripe --secret - --task send-invoice --map customer=/data/object/customer
      milepost trigger create look --on run.failed --where "cost>1" --task post-mortem --map run_id=/run/run_id
      milepost trigger create triage --scheme github --task triage --when /action=opened --try '{"action": "opened"}'
    """
    from milepost_collector.cli.triggers import create_trigger, dry_run_trigger

    if payload is not UNSET:
        dry_run_trigger(endpoint, name, options, payload, headers, as_json=as_json)
    elif headers:
        raise click.UsageError("--header goes with --try")
    else:
        create_trigger(endpoint, name, options, as_json=as_json)


@trigger.command(name="list")
@endpoint_option
@click.option("--text", help="Part of a name or description.")
@click.option("--kind", type=click.Choice(TRIGGER_KINDS), help="Only these.")
@json_option
def list_(endpoint: str, text: str | None, kind: Any, as_json: bool) -> None:
    """List triggers by name.

    \b
    Examples:
      milepost trigger list
      milepost trigger list --kind webhook
    """
    from milepost_collector.cli.triggers import list_triggers

    list_triggers(endpoint, text, kind, as_json=as_json)


@trigger.command()
@trigger_argument
@endpoint_option
@json_option
def show(endpoint: str, trigger_id: str, as_json: bool) -> None:
    """Show a trigger: its address or event, what it makes, and its counts.

    \b
    Examples:
      milepost trigger show triage
    """
    from milepost_collector.cli.triggers import show_trigger

    show_trigger(endpoint, trigger_id, as_json=as_json)


@trigger.command()
@trigger_argument
@endpoint_option
@click.option("--name", help="Another name.")
@click.option("--task", "task_name", metavar="NAME", help="Name of the task that is made.")
@click.option("--event", metavar="EVENT", help="Of an event trigger: which event.")
@click.option("--where", metavar="SEARCH", help="Of an event trigger: only what this search finds.")
@click.option("--max-depth", type=click.IntRange(1, 20), metavar="N", help="How many triggers may follow.")
@click.option("--max-body", "max_body_bytes", type=click.IntRange(1, 16 * 1024 * 1024), metavar="BYTES",
              help="Larger bodies are turned away.")  # fmt: skip
@mapping_options
@click.option("--whole-payload", is_flag=True, help="Take the whole payload as input instead of mapped fields.")
@click.option("--always", is_flag=True, help="Take the conditions away.")
@task_options
@click.option("--description", help="For people.")
@json_option
def update(endpoint: str, trigger_id: str, as_json: bool, **options: Any) -> None:
    """Change what is given. Any --map replaces the whole mapping, any --when all conditions.

    \b
    Examples:
      milepost trigger update triage --when /action=opened,reopened --when X-GitHub-Event=issues
      milepost trigger update look --where "cost>5"
    """
    from milepost_collector.cli.triggers import update_trigger

    update_trigger(endpoint, trigger_id, options, as_json=as_json)


@trigger.command()
@trigger_argument
@endpoint_option
@json_option
def enable(endpoint: str, trigger_id: str, as_json: bool) -> None:
    """Let a trigger make tasks, of what comes from now on.

    \b
    Examples:
      milepost trigger enable triage
    """
    from milepost_collector.cli.triggers import switch_trigger

    switch_trigger(endpoint, "enable", trigger_id, as_json=as_json)


@trigger.command()
@trigger_argument
@endpoint_option
@json_option
def disable(endpoint: str, trigger_id: str, as_json: bool) -> None:
    """Let a trigger make no tasks: its address answers as if there were none.

    \b
    Examples:
      milepost trigger disable triage
    """
    from milepost_collector.cli.triggers import switch_trigger

    switch_trigger(endpoint, "disable", trigger_id, as_json=as_json)


@trigger.command()
@trigger_argument
@endpoint_option
@secret_option
@click.option("--address", "renew_address", is_flag=True, help="Give it a new address too.")
@click.option("--keep-secret", is_flag=True, help="With --address: leave the secret as it is.")
@click.option("--overlap", "overlap_ms", type=Duration(), default="1d", show_default=True,
              help="How long what is replaced is taken too; 0s: not at all.")  # fmt: skip
@json_option
def rotate(endpoint: str, trigger_id: str, as_json: bool, **options: Any) -> None:
    """Give a webhook a new secret, and print it this once.

    \b
    Examples:
      milepost trigger rotate triage
      milepost trigger rotate paid --secret - --overlap 2h
      milepost trigger rotate triage --address --keep-secret
    """
    from milepost_collector.cli.triggers import rotate_trigger

    rotate_trigger(endpoint, trigger_id, options, as_json=as_json)


@trigger.command()
@trigger_argument
@endpoint_option
@click.option("--outcome", type=click.Choice(TRIGGER_OUTCOMES), help="Only these.")
@click.option("--event", "event_id", metavar="ID", help="One line with what came: headers and body.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Lines at most.")
@json_option
def events(endpoint: str, trigger_id: str, outcome: Any, event_id: str | None, limit: int, as_json: bool) -> None:
    """List what became of each delivery or event, the newest first.

    \b
    Examples:
      milepost trigger events triage
      milepost trigger events triage --outcome failed --json
      milepost trigger events triage --event 01m7zwsdkxy0930mqyc1ectkfx
    """
    from milepost_collector.cli.triggers import list_events, show_event

    if event_id is None:
        list_events(endpoint, trigger_id, outcome, limit=limit, as_json=as_json)
    else:
        show_event(endpoint, trigger_id, event_id, as_json=as_json)


@trigger.command()
@trigger_argument
@click.argument("event_id", metavar="EVENT")
@endpoint_option
@json_option
def replay(endpoint: str, trigger_id: str, event_id: str, as_json: bool) -> None:
    """Make the task of a delivery again, by the trigger as it is now; print the task's id.

    \b
    Examples:
      milepost trigger replay triage 01m7zwsdkxy0930mqyc1ectkfx
    """
    from milepost_collector.cli.triggers import replay_event

    replay_event(endpoint, trigger_id, event_id, as_json=as_json)


@trigger.command(name="try")
@trigger_argument
@click.argument("payload", type=Json())
@endpoint_option
@header_option
@json_option
def try_(endpoint: str, trigger_id: str, payload: Any, headers: tuple[str, ...], as_json: bool) -> None:
    """Show what a trigger would make of PAYLOAD (JSON, @file or -); nothing is kept.

    \b
    Examples:
      milepost trigger try triage @issue.json --header X-GitHub-Event=issues
    """
    from milepost_collector.cli.triggers import try_trigger

    try_trigger(endpoint, trigger_id, payload, headers, as_json=as_json)


@trigger.command()
@trigger_argument
@endpoint_option
@yes_option
def delete(endpoint: str, trigger_id: str, yes: bool) -> None:
    """Delete a trigger and its log; the tasks that it made stay.

    \b
    Examples:
      milepost trigger delete triage --yes
    """
    from milepost_collector.cli.triggers import delete_trigger

    delete_trigger(endpoint, trigger_id, yes=yes)
