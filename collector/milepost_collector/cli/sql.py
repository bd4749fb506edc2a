"""`milepost sql`: a query's rows as a table, JSON, CSV or Arrow."""

from __future__ import annotations

import csv
import io
import sys

import click
import msgspec

from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.render import result_table, stdout_console
from milepost_collector.protocol.api import SqlRequest, SqlResult

TABLE_ROWS = 1000  # nobody reads more on a terminal


def run_sql(endpoint: str, query: str, *, format_: str, limit: int | None) -> None:
    """Print the answer to one SELECT; notes go to standard error."""
    client = CollectorClient(endpoint)
    if format_ == "arrow":
        _write_arrow(client, SqlRequest(sql=query, limit=limit))
        return
    default = TABLE_ROWS if format_ == "table" else None
    result = client.post("/api/sql", SqlRequest(sql=query, limit=limit or default), SqlResult)
    {"table": _print_table, "json": _print_json, "csv": _print_csv}[format_](result)
    if result.truncated:
        click.echo(f"only the first {len(result.rows)} rows are shown; --limit asks for more", err=True)


def _write_arrow(client: CollectorClient, request: SqlRequest) -> None:
    if sys.stdout.isatty():
        raise click.UsageError("arrow is binary; redirect it: milepost sql --format arrow … > rows.arrow")
    sys.stdout.buffer.write(client.post_for_arrow("/api/sql", request))


def _print_table(result: SqlResult) -> None:
    stdout_console().print(result_table([column.name for column in result.columns], result.rows))
    count = len(result.rows)
    click.echo(f"{count} row{'' if count == 1 else 's'} in {result.elapsed_ms:.1f} ms", err=True)


def _print_json(result: SqlResult) -> None:
    names = [column.name for column in result.columns]
    rows = [dict(zip(names, row, strict=True)) for row in result.rows]
    click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())


def _print_csv(result: SqlResult) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in result.columns])
    writer.writerows([_csv_cell(value) for value in row] for row in result.rows)
    click.echo(text.getvalue(), nl=False)


def _csv_cell(value: object) -> object:
    return msgspec.json.encode(value).decode() if isinstance(value, (list, dict)) else value
