"""`milepost limit list|set|delete`: how much may run at once, or begin in a stretch of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from milepost.wire.agents import Limit
from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.layout import listed
from milepost_collector.cli.render import clean, duration, one_line, stdout_console
from milepost_collector.cli.tasks import print_json


def print_limits(endpoint: str, *, as_json: bool) -> None:
    """Print every limit."""
    limits = CollectorClient(endpoint).limits.list().limits
    if as_json:
        print_json(limits)
    elif limits:
        stdout_console().print(limits_table(limits))
    else:
        click.echo("nothing is limited; see `milepost limit set --help`")


def put_limit(endpoint: str, scope: Any, value: str, numbers: Mapping[str, Any], *, as_json: bool) -> None:
    """Set a limit and print it."""
    if all(number is None for number in numbers.values()):
        raise click.UsageError("what is the limit? give --concurrency, or --rate with --per")
    if (numbers["rate"] is None) != (numbers["per_ms"] is None):
        raise click.UsageError("--rate and --per come together, for example --rate 10 --per 1s")
    limit = CollectorClient(endpoint).limits.set(scope, value, **numbers)
    if as_json:
        print_json(limit)
    else:
        stdout_console().print(limits_table([limit]))


def remove_limit(endpoint: str, scope: Any, value: str) -> None:
    """Remove a limit."""
    CollectorClient(endpoint).limits.delete(scope, value)
    click.echo(clean(f"{scope} {value} is not limited any more"))


def limits_table(limits: Sequence[Limit]) -> Table:
    """Return limits as a table."""
    return listed(("scope", "value", "at once", "begin"), [_cells(one) for one in limits])


def _cells(one: Limit) -> list[Text]:
    rate = "" if one.rate is None else f"{one.rate} in {duration(one.per_ms)}"
    at_once = "" if one.concurrency is None else str(one.concurrency)
    return [Text(one.scope), Text(one_line(one.value, 80), style="bold"), Text(at_once), Text(rate)]
