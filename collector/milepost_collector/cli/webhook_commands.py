"""The names, options and help of `milepost webhook …`; the bodies are in `webhooks`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from milepost.wire.webhooks import DELIVERY_STATUSES
from milepost_collector.cli.groups import ControlGroup
from milepost_collector.cli.options import (
    Duration,
    Moment,
    endpoint_option,
    json_option,
    reason_option,
    several,
    yes_option,
)

webhook_argument = click.argument("webhook_id", metavar="WEBHOOK")
event_option = click.option(
    "--event", "events", multiple=True, metavar="TYPE", help="task.failed, task.* or '*'; may be repeated."
)
filter_options = several(
    click.option("--agent", "agents", multiple=True, help="Only of this agent; may be repeated."),
    click.option("--name", "names", multiple=True, help="Only of tasks or runs of this name; may be repeated."),
    click.option("--tag", "tags", multiple=True, help="Only with this tag; may be repeated."),
)
format_option = click.option(
    "--format", type=click.Choice(["standard", "slack"]), help="What is sent.  [default: standard]"
)
description_option = click.option("--description", help="For people.")


@click.group(cls=ControlGroup)
def webhook() -> None:
    """Tell other systems what happens, as signed requests, and see what became of each.

    WEBHOOK is a webhook's name or id.

    \b
    Examples:
      milepost webhook create ops --url https://hooks.example.com/milepost --event 'task.*' --event run.failed
      milepost webhook test ops
      milepost webhook deliveries ops --status failed
    """


@webhook.command()
@click.argument("name")
@endpoint_option
@click.option("--url", required=True, help="Where to: https; what else is allowed, the collector's settings say.")
@event_option
@format_option
@filter_options
@description_option
@click.option("--secret", metavar="TEXT", help="whsec_…, if it is not to be made; - reads it from standard input.")
@click.option("--paused", is_flag=True, help="Keep what happens for later.")
@json_option
def create(endpoint: str, name: str, as_json: bool, **options: Any) -> None:
    """Make a webhook called NAME, and print its secret, which is not shown again.

    \b
    Examples:
      milepost webhook create ops --url https://hooks.example.com/milepost --event 'task.*' --event run.failed
      milepost webhook create chat --url https://hooks.slack.com/services/… --format slack --event ask.opened
    """
    from milepost_collector.cli.webhooks import create_webhook

    create_webhook(endpoint, name, options, as_json=as_json)


@webhook.command(name="list")
@endpoint_option
@json_option
def list_(endpoint: str, as_json: bool) -> None:
    """List webhooks by name, and how each does.

    \b
    Examples:
      milepost webhook list
    """
    from milepost_collector.cli.webhooks import list_webhooks

    list_webhooks(endpoint, as_json=as_json)


@webhook.command()
@endpoint_option
@json_option
def events(endpoint: str, as_json: bool) -> None:
    """List the types of events there are.

    \b
    Examples:
      milepost webhook events
    """
    from milepost_collector.cli.webhooks import list_events

    list_events(endpoint, as_json=as_json)


@webhook.command()
@webhook_argument
@endpoint_option
@json_option
def show(endpoint: str, webhook_id: str, as_json: bool) -> None:
    """Show a webhook and how it does.

    \b
    Examples:
      milepost webhook show ops
    """
    from milepost_collector.cli.webhooks import show_webhook

    show_webhook(endpoint, webhook_id, as_json=as_json)


@webhook.command()
@webhook_argument
@endpoint_option
@click.option("--rename", metavar="NAME", help="Another name.")
@click.option("--url", help="Another address.")
@event_option
@format_option
@filter_options
@description_option
@json_option
def update(endpoint: str, webhook_id: str, as_json: bool, **options: Any) -> None:
    """Change a webhook; what is given replaces what was there, --agent '' takes all agents again.

    \b
    Examples:
      milepost webhook update ops --event task.failed --event 'run.*'
      milepost webhook update ops --tag ''
    """
    from milepost_collector.cli.webhooks import update_webhook

    update_webhook(endpoint, webhook_id, options, as_json=as_json)


@webhook.command()
@webhook_argument
@endpoint_option
@reason_option
@json_option
def pause(endpoint: str, webhook_id: str, reason: str, as_json: bool) -> None:
    """Keep what happens for later.

    \b
    Examples:
      milepost webhook pause ops --reason "receiver is being moved"
    """
    from milepost_collector.cli.webhooks import hold_webhook

    hold_webhook(endpoint, "pause", webhook_id, reason, as_json=as_json)


@webhook.command()
@webhook_argument
@endpoint_option
@reason_option
@json_option
def resume(endpoint: str, webhook_id: str, reason: str, as_json: bool) -> None:
    """Deliver again, what waits included; after it was disabled, what happens from now on.

    \b
    Examples:
      milepost webhook resume ops
    """
    from milepost_collector.cli.webhooks import hold_webhook

    hold_webhook(endpoint, "resume", webhook_id, reason, as_json=as_json)


@webhook.command()
@webhook_argument
@endpoint_option
@click.option("--overlap", "overlap_ms", type=Duration(), help="Sign with the old one too for so long.  [default: 1d]")
@json_option
def rotate(endpoint: str, webhook_id: str, overlap_ms: int | None, as_json: bool) -> None:
    """Give a webhook another secret, and print it; it is not shown again.

    \b
    Examples:
      milepost webhook rotate ops --overlap 2h
    """
    from milepost_collector.cli.webhooks import rotate_secret

    rotate_secret(endpoint, webhook_id, overlap_ms, as_json=as_json)


@webhook.command()
@webhook_argument
@endpoint_option
@json_option
def test(endpoint: str, webhook_id: str, as_json: bool) -> None:
    """Send webhook.test now; exit with 1 if it does not arrive.

    \b
    Examples:
      milepost webhook test ops
    """
    from milepost_collector.cli.webhooks import try_webhook

    try_webhook(endpoint, webhook_id, as_json=as_json)


@webhook.command()
@webhook_argument
@click.argument("delivery_id", metavar="[DELIVERY]", required=False)
@endpoint_option
@click.option(
    "--status", multiple=True, type=click.Choice(DELIVERY_STATUSES), help="Only this status; may be repeated."
)
@click.option("--type", "kind", metavar="TYPE", help="Only of this type of event.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Deliveries to list.")
@json_option
def deliveries(
    endpoint: str,
    webhook_id: str,
    delivery_id: str | None,
    status: tuple[Any, ...],
    kind: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List a webhook's deliveries, the newest first; or show one of them with every try.

    \b
    Examples:
      milepost webhook deliveries ops --status failed --status waiting
      milepost webhook deliveries ops 01kafe2m2w5cb3q2qz9d8k7f6e
    """
    from milepost_collector.cli.webhooks import list_deliveries, show_delivery

    if delivery_id is None:
        list_deliveries(endpoint, webhook_id, status=status, kind=kind, limit=limit, as_json=as_json)
    else:
        show_delivery(endpoint, webhook_id, delivery_id, as_json=as_json)


@webhook.command()
@webhook_argument
@click.argument("delivery_id", metavar="[DELIVERY]", required=False)
@endpoint_option
@click.option("--since", type=Moment(), help="Instead of one: all that failed of events since then.")
@json_option
def replay(endpoint: str, webhook_id: str, delivery_id: str | None, since: datetime | None, as_json: bool) -> None:
    """Deliver once more: one delivery, or all that failed since a time.

    \b
    Examples:
      milepost webhook replay ops 01kafe2m2w5cb3q2qz9d8k7f6e
      milepost webhook replay ops --since -24h
    """
    from milepost_collector.cli.webhooks import replay_deliveries

    if (delivery_id is None) == (since is None):
        raise click.UsageError("name one DELIVERY, or with --since all that failed since a time")
    replay_deliveries(endpoint, webhook_id, delivery_id, since, as_json=as_json)


@webhook.command()
@webhook_argument
@endpoint_option
@yes_option
def delete(endpoint: str, webhook_id: str, yes: bool) -> None:
    """Delete a webhook with its deliveries.

    \b
    Examples:
      milepost webhook delete ops --yes
    """
    from milepost_collector.cli.webhooks import delete_webhook

    delete_webhook(endpoint, webhook_id, yes=yes)
