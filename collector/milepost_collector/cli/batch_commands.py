"""The names, options and help of `milepost task batch` and `milepost task match`; the bodies are in `batches`."""

from __future__ import annotations

import click

from milepost_collector.cli.groups import ControlCommand
from milepost_collector.cli.options import endpoint_option, json_option


@click.command(cls=ControlCommand)
@click.argument("batch_id", metavar="[BATCH]", required=False)
@endpoint_option
@click.option("--watch", is_flag=True, help="Follow it until all of its tasks are finished.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="Batches to list.")
@json_option
def batch(endpoint: str, batch_id: str | None, watch: bool, limit: int, as_json: bool) -> None:
    """List batches, newest first; with a BATCH: how far it is.

    Tasks are counted as a batch when they are made together: `milepost task import FILE --batch NAME`. With --watch:
    exit code 0 when every task of it was completed, else 1.

    \b
    Examples:
      milepost task batch
      milepost task batch nightly-2026-11-21 --watch
      milepost task list --batch nightly-2026-11-21 --status failed
    """
    from milepost_collector.cli.batches import list_batches, show_batch

    if batch_id is None:
        list_batches(endpoint, limit, as_json=as_json)
    else:
        show_batch(endpoint, batch_id, watch=watch, as_json=as_json)


@click.command(cls=ControlCommand)
@click.argument("task_id", metavar="TASK")
@endpoint_option
@json_option
def match(endpoint: str, task_id: str, as_json: bool) -> None:
    """Show which agents could do a task, the best first, and why.

    Each part of the score is from 0 to 1: how much it has of what the task prefers, how often it succeeded, how free it
    is, and how cheap.

    \b
    Examples:
      milepost task match 3f9a2c1b
    """
    from milepost_collector.cli.batches import show_match

    show_match(endpoint, task_id, as_json=as_json)
