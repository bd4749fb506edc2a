"""`milepost task bulk ACTION`: one thing done to all tasks that match, once a person has seen how many there are."""

from __future__ import annotations

from typing import Any

import click

from milepost.wire.tasks import BulkAnswer
from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.layout import counted
from milepost_collector.cli.render import clean
from milepost_collector.cli.tasks import given_only, print_json

_BY = ("cancel", "pause", "resume", "retry")
_REASON = ("cancel", "pause", "resume")
SHOWN_REFUSALS = 10


def run_bulk(endpoint: str, action: Any, options: dict[str, Any], *, as_json: bool) -> None:
    """Count, ask, act; exit with 1 when a task refused."""
    client = CollectorClient(endpoint)
    dry_run, yes, arguments = options.pop("dry_run"), options.pop("yes"), _arguments(action, options)
    wanted = given_only(options) | {"every_task": options.pop("every_task"), "arguments": arguments}
    if dry_run or not yes:
        would = client.tasks.bulk(action, dry_run=True, **wanted)
        if dry_run:
            _report(would, action, as_json=as_json)
            return
        _confirm(would, action)
    done = client.tasks.bulk(action, **wanted)
    _report(done, action, as_json=as_json)
    if done.refused:
        raise click.exceptions.Exit(1)


def _arguments(action: str, options: dict[str, Any]) -> dict[str, Any]:
    arguments, reason = dict(options.pop("arguments")), options.pop("reason")
    if reason and action not in _REASON:
        raise click.UsageError(f"{action} takes no reason; cancel, pause and resume do")
    return arguments | ({"reason": reason} if reason else {}) | ({"by": person()} if action in _BY else {})


def _confirm(would: BulkAnswer, action: str) -> None:
    if not would.changed:
        raise click.ClickException(f"there is nothing to {action}: {_counted(would)}")
    click.echo(_counted(would), err=True)
    click.confirm(f"{action} {counted(would.changed, 'task')}?", abort=True, err=True)


def _counted(answer: BulkAnswer) -> str:
    refused = f", of which {answer.refused} cannot" if answer.refused else ""
    return f"{counted(answer.matched, 'task')} matched{refused}"


def _report(answer: BulkAnswer, action: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    click.echo(f"{_counted(answer)}; {action}: {answer.changed}{' would be done' if answer.dry_run else ' done'}")
    for refusal in answer.refusals[:SHOWN_REFUSALS]:
        click.echo(clean(f"  {refusal.task_id}: {refusal.reason}"), err=True)
    if answer.refused > SHOWN_REFUSALS:
        click.echo(f"  … and {answer.refused - min(SHOWN_REFUSALS, len(answer.refusals))} more", err=True)
