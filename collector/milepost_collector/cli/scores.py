"""`milepost score`, `milepost feedback` and `milepost task feedback`."""

from __future__ import annotations

from typing import Any

import click

from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.show import resolve
from milepost_collector.cli.tasks import print_json
from milepost_collector.cli.tasks import resolve as resolve_task


def score_run(endpoint: str, run: str, given: dict[str, Any], *, as_json: bool) -> None:
    """Keep a score and print its id."""
    client = CollectorClient(endpoint)
    if given["by"] is None and given["source"] == "human":
        given["by"] = person()
    kept = client.scores.add(run_id=resolve(client, run), **given)
    print_json(kept) if as_json else click.echo(kept.id)


def feedback_on_run(endpoint: str, run: str, said: dict[str, Any], *, as_json: bool) -> None:
    """Keep feedback on a run and print its id."""
    _check(said)
    client = CollectorClient(endpoint)
    _keep(client, {**said, "run_id": resolve(client, run)}, as_json=as_json)


def feedback_on_task(endpoint: str, task: str, said: dict[str, Any], *, as_json: bool) -> None:
    """Keep feedback on a task and print its id."""
    _check(said)
    client = CollectorClient(endpoint)
    _keep(client, {**said, "task": resolve_task(client, task)}, as_json=as_json)


def _check(said: dict[str, Any]) -> None:
    if said["rating"] is None and not said["text"] and not said["issues"]:
        raise click.UsageError("what do you think of it? give --rating, --text or --issue")


def _keep(client: CollectorClient, said: dict[str, Any], *, as_json: bool) -> None:
    kept = client.feedback.add(**{**said, "by": said["by"] or person()})
    print_json(kept) if as_json else click.echo(kept.id)
