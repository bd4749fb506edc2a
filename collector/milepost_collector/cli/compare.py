"""`milepost compare A B`: two runs side by side."""

from __future__ import annotations

import click
import msgspec
from rich.text import Text

from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.render import one_line, stdout_console
from milepost_collector.cli.show import resolve
from milepost_collector.protocol.compare import ComparedRow, Comparison, Delta

NAME_WIDTH = 48
_MARKS = {"both": " ", "a": "-", "b": "+"}
_STYLES = {"both": "", "a": "red", "b": "green"}


def compare_runs(endpoint: str, a: str, b: str, *, every: bool, limit: int, as_json: bool) -> None:
    """Print where two runs differ. every: rows that are equal too.

    Raises:
        click.ClickException: there is no such run, or the collector is away.
    """
    client = CollectorClient(endpoint)
    found = client.get("/api/compare", Comparison, a=resolve(client, a), b=resolve(client, b))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    console = stdout_console()
    shown = [row for row in found.rows if every or row.differs]
    for line in [*_heading(found), *map(_line, shown[:limit])]:
        console.print(line)
    if len(shown) > limit:
        console.print(Text(f"… and {len(shown) - limit} more rows; --limit shows more", style="dim"))


def _heading(found: Comparison) -> list[Text]:
    counts = found.counts
    lines = [
        Text(f"a  {found.a.run_id}  {one_line(found.a.name, NAME_WIDTH)}  {found.a.status}"),
        Text(f"b  {found.b.run_id}  {one_line(found.b.name, NAME_WIDTH)}  {found.b.status}"),
        Text(
            f"{counts.same} equal, {counts.different} different, {counts.only_a} only in a, {counts.only_b} only in b"
            f"   {_delta(found.delta)}"
        ),
    ]
    if found.divergence is None:
        return [*lines, Text("no difference", style="bold")]
    row = found.rows[found.divergence.row]
    first = f"first difference: {found.divergence.aspect} of {one_line(row.name, NAME_WIDTH)}"
    return [*lines, Text(first, style="bold"), Text()]


def _line(row: ComparedRow) -> Text:
    name = one_line("  " * min(row.depth, 12) + row.name, NAME_WIDTH).ljust(NAME_WIDTH)
    told = ", ".join(row.differs) if row.match == "both" else f"only in {row.match}"
    line = f"{_MARKS[row.match]} {name}  {told.ljust(24)}  {_delta(row.delta) if row.delta else ''}"
    return Text(line.rstrip(), style=_STYLES[row.match])


def _delta(delta: Delta) -> str:
    tokens = [count for count in (delta.input_tokens, delta.output_tokens) if count is not None]
    told = [
        None if delta.duration_ms is None else f"{delta.duration_ms:+,.1f} ms",
        None if delta.cost_usd is None else f"{'-' if delta.cost_usd < 0 else '+'}${abs(delta.cost_usd):.4f}",
        f"{sum(tokens):+,} tokens" if tokens else None,
    ]
    return "  ".join(filter(None, told))
