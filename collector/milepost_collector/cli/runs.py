"""`milepost runs`: the run list."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.render import runs_table, stdout_console, utc_now
from milepost_collector.protocol.api import RunList, RunSummary

PAGE = 200  # runs asked for in one request


MAX_LIMIT = 500  # of a request


def list_runs(endpoint: str, filters: dict[str, Any], *, limit: int, as_json: bool, as_sql: bool = False) -> None:
    """Print the runs that match, at most `limit`, or the query for them."""
    if as_sql:
        page = CollectorClient(endpoint).get("/api/runs", RunList, limit=min(limit, MAX_LIMIT), **filters)
        click.echo(page.sql)
        return
    runs, more = _fetch(CollectorClient(endpoint), filters, limit)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(runs)).decode())
    elif runs:
        console = stdout_console()
        console.print(runs_table(runs, utc_now(), console.width))
    else:
        asked = any(value for name, value in filters.items() if name != "sort")
        click.echo("no run matches" if asked else "nothing is recorded yet; try `milepost demo`")
    if more:
        click.echo(f"there are more; --limit shows up to 1000, now {limit}", err=True)


def _fetch(client: CollectorClient, filters: dict[str, Any], limit: int) -> tuple[list[RunSummary], bool]:
    page = client.get("/api/runs", RunList, limit=min(limit, PAGE), **filters)
    runs = page.runs
    while page.next_cursor and len(runs) < limit:
        page = client.get("/api/runs", RunList, limit=min(limit - len(runs), PAGE), cursor=page.next_cursor, **filters)
        runs += page.runs
    return runs, page.next_cursor is not None
