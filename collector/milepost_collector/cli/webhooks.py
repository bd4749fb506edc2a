"""`milepost webhook …`: make webhooks, try them out, and see what became of their deliveries."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import click
from rich.console import Group
from rich.table import Table
from rich.text import Text

from milepost.wire.webhooks import Delivery, DeliveryDetail, Webhook, WebhookSecret
from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.layout import counted, facts, fitted, listed
from milepost_collector.cli.render import clean, one_line, stdout_console, utc_now
from milepost_collector.cli.task_tables import relative, value_text
from milepost_collector.cli.tasks import print_json, print_table

_MARKS = {
    "active": ("●", "green"),
    "delivered": ("✓", "green"),
    "paused": ("‖", "yellow"),
    "waiting": ("…", "blue"),
    "disabled": ("✗", "red"),
    "failed": ("✗", "red"),
}
_LISTS = ("events", "agents", "names", "tags")


def create_webhook(endpoint: str, name: str, options: dict[str, Any], *, as_json: bool) -> None:
    """Make a webhook, print it and its secret."""
    if not options["events"]:
        raise click.UsageError("name what it wants to know with --event, for example --event 'task.*'")
    if options["secret"] == "-":
        options["secret"] = sys.stdin.read().strip()
    made = CollectorClient(endpoint).webhooks.create(name, **_given(options), by=person())
    _print_secret(made, as_json=as_json)


def list_webhooks(endpoint: str, *, as_json: bool) -> None:
    """Print every webhook."""
    found = CollectorClient(endpoint).webhooks.list().webhooks
    if as_json:
        print_json(found)
    elif found:
        print_table(lambda width: webhooks_table(found, utc_now(), width))
    else:
        click.echo("there are no webhooks; see `milepost webhook create --help`")


def list_events(endpoint: str, *, as_json: bool) -> None:
    """Print every type of event."""
    found = CollectorClient(endpoint).webhooks.event_types().types
    if as_json:
        print_json(found)
    else:
        rows = [[Text(one.type, style="bold"), Text(one.text)] for one in found]
        print_table(lambda width: fitted(("type", "what happened"), rows, width))


def show_webhook(endpoint: str, given: str, *, as_json: bool) -> None:
    """Print everything about a webhook."""
    _print(CollectorClient(endpoint).webhooks.get(given), as_json=as_json)


def update_webhook(endpoint: str, given: str, options: dict[str, Any], *, as_json: bool) -> None:
    """Change a webhook and print it."""
    changes = _given(options)
    if "rename" in changes:
        changes["name"] = changes.pop("rename")
    for name in _LISTS:
        if name in changes:
            changes[name] = [text for text in changes[name] if text]
    if not changes:
        raise click.UsageError("nothing is to be changed; see `milepost webhook update --help`")
    _print(CollectorClient(endpoint).webhooks.update(given, **changes), as_json=as_json)


def hold_webhook(endpoint: str, command: str, given: str, reason: str, *, as_json: bool) -> None:
    """Pause a webhook or let it go on."""
    webhooks = CollectorClient(endpoint).webhooks
    act = webhooks.pause if command == "pause" else webhooks.resume
    _print(act(given, reason=reason, by=person()), as_json=as_json)


def rotate_secret(endpoint: str, given: str, overlap_ms: int | None, *, as_json: bool) -> None:
    """Give a webhook another secret and print it."""
    more: dict[str, Any] = {} if overlap_ms is None else {"overlap_ms": overlap_ms}
    _print_secret(CollectorClient(endpoint).webhooks.rotate(given, **more), as_json=as_json)


def try_webhook(endpoint: str, given: str, *, as_json: bool) -> None:
    """Send a test and print what came of it.

    Raises:
        click.exceptions.Exit: it did not arrive; code 1.
    """
    told = CollectorClient(endpoint).webhooks.test(given)
    if as_json:
        print_json(told)
    else:
        (made,) = told.tries
        outcome = f"answered {made.status}" if made.error is None else made.error
        click.echo(f"{told.delivery.status}: {clean(outcome)}, in {made.duration_ms} ms")
    if told.delivery.status != "delivered":
        raise click.exceptions.Exit(1)


def list_deliveries(
    endpoint: str, given: str, *, status: Sequence[Any], kind: str | None, limit: int, as_json: bool
) -> None:
    """Print deliveries, the newest first."""
    pager = CollectorClient(endpoint).webhooks.deliveries(given, status=status, type=kind, page_size=min(limit, 1000))
    found = list(islice(pager, limit))
    if as_json:
        print_json(found)
    elif found:
        print_table(lambda width: deliveries_table(found, utc_now(), width))
    else:
        click.echo("no delivery matches" if status or kind else "nothing has been delivered yet")


def show_delivery(endpoint: str, given: str, delivery_id: str, *, as_json: bool) -> None:
    """Print a delivery with what is sent and every try."""
    _print_delivery(CollectorClient(endpoint).webhooks.delivery(given, delivery_id), as_json=as_json)


def replay_deliveries(
    endpoint: str, given: str, delivery_id: str | None, since: datetime | None, *, as_json: bool
) -> None:
    """Deliver one delivery once more, or all that failed since a time."""
    webhooks = CollectorClient(endpoint).webhooks
    if delivery_id is not None:
        _print_delivery(webhooks.replay_delivery(given, delivery_id), as_json=as_json)
        return
    assert since is not None  # the command has seen to it
    answer = webhooks.replay(given, since=since)
    if as_json:
        print_json(answer)
    else:
        count = answer.replayed
        click.echo(f"{count} {'delivery is' if count == 1 else 'deliveries are'} made once more")


def delete_webhook(endpoint: str, given: str, *, yes: bool) -> None:
    """Delete a webhook, once a person has agreed."""
    webhooks = CollectorClient(endpoint).webhooks
    found = webhooks.get(given)
    if not yes:
        waiting = (
            f" and {counted(found.waiting_count, 'event')} that it has not been told" if found.waiting_count else ""
        )
        click.confirm(f"delete webhook {clean(found.name)}{waiting}?", abort=True)
    webhooks.delete(found)
    click.echo(f"deleted {clean(found.name)}")


def webhooks_table(webhooks: Sequence[Webhook], now: datetime, width: int) -> Table:
    """Return webhooks as a table. width: of the terminal, characters."""
    headings = ("name", "status", "events", "delivered", "waiting", "failed", "last success", "what about it")
    return fitted(headings, [_cells(webhook, now) for webhook in webhooks], width)


def deliveries_table(deliveries: Sequence[Delivery], now: datetime, width: int) -> Table:
    """Return deliveries as a table. width: of the terminal, characters."""
    headings = ("delivery", "event", "about", "status", "tries", "when", "next try", "what about it")
    rows = [
        [
            Text(one.id, style="bold"),
            Text(one.type),
            Text(one_line(one.subject, 34)),
            _status(one.status),
            Text(str(one.tries)),
            Text(relative(one.time, now)),
            Text(relative(one.next_at, now)),
            Text(_outcome(one.last_status, one.last_error)),
        ]
        for one in deliveries
    ]
    return fitted(headings, rows, width)


def _cells(webhook: Webhook, now: datetime) -> list[Text]:
    return [
        Text(one_line(webhook.name, 40), style="bold"),
        _status(webhook.status),
        Text(one_line(", ".join(webhook.events), 40)),
        Text(str(webhook.delivered_count)),
        Text(str(webhook.waiting_count)),
        Text(str(webhook.failed_count)),
        Text(relative(webhook.last_success_at, now)),
        Text(one_line(webhook.reason or webhook.last_error or webhook.description)),
    ]


def _status(status: str) -> Text:
    mark, style = _MARKS[status]
    return Text(f"{mark} {status}", style=style)


def _outcome(status: int | None, error: str | None) -> str:
    return one_line(error) if error else (f"answered {status}" if status is not None else "")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value not in (None, ())}


def _print(webhook: Webhook, *, as_json: bool) -> None:
    if as_json:
        print_json(webhook)
    else:
        stdout_console().print(_view(webhook, utc_now()))


def _view(webhook: Webhook, now: datetime) -> Group:
    heading = Text(one_line(webhook.name), style="bold").append("  ").append_text(_status(webhook.status))
    changed = f"by {webhook.changed_by}" if webhook.changed_by else ""
    pairs = [
        ("id", webhook.id),
        ("description", webhook.description),
        ("url", f"{webhook.url} ({webhook.format})"),
        ("events", ", ".join(webhook.events)),
        ("agents", ", ".join(webhook.agents)),
        ("names", ", ".join(webhook.names)),
        ("tags", ", ".join(webhook.tags)),
        ("why", " ".join(filter(None, (webhook.reason, changed))) if webhook.status != "active" else ""),
        ("delivered", f"{webhook.delivered_count}, last {relative(webhook.last_success_at, now) or 'never'}"),
        ("waiting", str(webhook.waiting_count)),
        ("failed", f"{webhook.failed_count}" if webhook.failed_count else ""),
        ("failing since", relative(webhook.failing_since, now)),
        ("last error", webhook.last_error or ""),
        ("sent nothing before", relative(webhook.throttled_until, now)),
        ("old secret until", relative(webhook.old_secret_until, now)),
        ("created", relative(webhook.created_at, now)),
    ]
    return Group(heading, facts([(name, clean(value)) for name, value in pairs]))


def _print_secret(made: WebhookSecret, *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    stdout_console().print(_view(made.webhook, utc_now()))
    click.echo(f"\nsecret: {made.secret}\nGive it to the receiver now: it is not shown again.")


def _print_delivery(told: DeliveryDetail, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    one, now = told.delivery, utc_now()
    heading = Text(one.type, style="bold").append("  ").append_text(_status(one.status))
    pairs = [("id", one.id), ("webhook-id", one.event_id), ("happened", relative(one.time, now))]
    pairs.append(("next try", relative(one.next_at, now)))
    pairs += [(name, clean(value_text(value))) for name, value in told.event.data.items()]
    tries = [
        [Text(str(made.number), style="bold"), Text(relative(made.at, now)), Text(f"{made.duration_ms} ms"),
         Text(_outcome(made.status, made.error))]
        for made in told.tries
    ]  # fmt: skip
    stdout_console().print(Group(heading, facts(pairs), listed(("try", "when", "took", "outcome"), tries)))
