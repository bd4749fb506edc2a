"""`milepost export RUN`: a run for other tools."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.show import resolve


def export_run(endpoint: str, run: str, *, format_: str, output: Path | None, budget: int | None) -> None:
    """Write the run that `run` names to a file, or to standard output.

    Raises:
        click.ClickException: there is no such run, the collector is away, or the file cannot be written.
    """
    client = CollectorClient(endpoint)
    run_id = resolve(client, run)
    document = client.get(f"/api/runs/{run_id}/export", bytes, format=format_, budget=budget)
    if output is None:
        sys.stdout.buffer.write(document)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(document)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written ({error.strerror}); choose another --output") from error
    click.echo(f"wrote {len(document):,} bytes to {output}", err=True)
