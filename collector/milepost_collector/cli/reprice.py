"""`milepost reprice`: the costs of stored calls, computed anew with the prices known today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field
from fnmatch import fnmatchcase
from math import isclose
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from duckdb import DuckDBPyConnection
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from milepost_collector.cli.offline import (
    Rewriter,
    batches,
    configuration,
    instant,
    open_data,
    prices,
    with_progress,
)
from milepost_collector.cli.render import cost, one_line, stdout_console
from milepost_collector.protocol.api import UsageItem
from milepost_collector.protocol.pricing import PriceBook, reprice, total
from milepost_collector.traces.arrow import to_arrow

COLUMNS = ("run_id", "span_id", "usage", "cost_usd", "cost_source")
SELECT = """
SELECT run_id, span_id, epoch_ns(start_time), usage::VARCHAR, EXISTS (
    SELECT 1 FROM uncounted WHERE uncounted.run_id = spans.run_id AND uncounted.span_id = spans.span_id
)
FROM spans WHERE run_id IN (SELECT unnest($run_ids::VARCHAR[])) AND {condition}
"""
UPDATE = """
UPDATE spans SET usage = repriced.usage::JSON, cost_usd = repriced.cost_usd, cost_source = repriced.cost_source
FROM repriced WHERE spans.run_id = repriced.run_id AND spans.span_id = repriced.span_id
"""

NO_MODEL = "(no model named)"

_decode = msgspec.json.Decoder(list[UsageItem]).decode
_encode = msgspec.json.Encoder().encode


class Change(NamedTuple):
    """A span whose costs change: a row of COLUMNS."""

    run_id: str
    span_id: str
    usage: str
    cost_usd: float | None
    cost_source: str | None


@dataclass(slots=True)
class Line:
    """What was found of a model's calls. old, new: USD; unpriced ones cost nothing here and are counted."""

    calls: int = 0
    old: float = 0.0
    new: float = 0.0
    old_unpriced: int = 0
    new_unpriced: int = 0

    def add(self, before: UsageItem, after: UsageItem) -> None:
        """Take a call into account."""
        self.calls += 1
        self.old += before.cost_usd or 0.0
        self.new += after.cost_usd or 0.0
        self.old_unpriced += before.cost_usd is None
        self.new_unpriced += after.cost_usd is None


@dataclass(slots=True)
class Report:
    """What repricing found. lines: by model; calls that repeat others are not in them, for nothing counts them."""

    lines: dict[str, Line] = field(default_factory=dict)
    spans: int = 0
    runs: int = 0

    def add(self, before: Sequence[UsageItem], after: Sequence[UsageItem], pattern: str) -> None:
        """Take the usage of a counted span into account."""
        for one, other in zip(before, after, strict=True):
            if one.cost_source != "reported" and _matches(one, pattern):
                self.lines.setdefault(one.model or NO_MODEL, Line()).add(one, other)


def run_reprice(data_dir: Path | None, *, dry_run: bool, since: str | None, until: str | None, pattern: str) -> None:
    """Compute costs anew and say what changed.

    Raises:
        click.ClickException: the data cannot be opened, or an option or the price file is wrong.
    """
    low, high = instant("since", since), instant("until", until)
    config = configuration(data_dir)
    book = prices(config)
    condition, values = _condition(low, high)
    report = Report()
    with open_data(config) as database:
        rewriter = Rewriter(database)
        parts = batches(database.writer, condition, values)
        for run_ids in with_progress(parts, "pricing"):
            rows = database.writer.execute(SELECT.format(condition=condition), {"run_ids": run_ids, **values})
            changes = list(_changes(rows.fetchall(), book, pattern, report))
            if changes and not dry_run:
                _write(rewriter, changes)
    _print(report, dry_run=dry_run)


def _condition(low: int | None, high: int | None) -> tuple[str, dict[str, Any]]:
    conditions, values = ["usage IS NOT NULL"], {}
    if low is not None:
        conditions.append("start_time >= make_timestamp_ns($low)")
        values["low"] = low
    if high is not None:
        conditions.append("start_time < make_timestamp_ns($high)")
        values["high"] = high
    return " AND ".join(conditions), values


def _changes(rows: Iterable[tuple[Any, ...]], book: PriceBook, pattern: str, report: Report) -> Iterable[Change]:
    run_ids = set()
    for run_id, span_id, start_time, text, is_repeat in rows:
        before = _decode(text)
        fresh = reprice(before, start_time, book)
        after = [_better(old, new, pattern) for old, new in zip(before, fresh, strict=True)]
        if not is_repeat:
            report.add(before, after, pattern)
        if after != before:
            sums = total(after)
            run_ids.add(run_id)
            report.spans += 1
            yield Change(run_id, span_id, _encode(after).decode(), sums.cost_usd, sums.cost_source)
    report.runs += len(run_ids)


def _write(rewriter: Rewriter, changes: Sequence[Change]) -> None:
    connection: DuckDBPyConnection = rewriter.connection
    connection.register("repriced", to_arrow(COLUMNS, changes))
    rewriter.rewrite(sorted({change.run_id for change in changes}), lambda: connection.execute(UPDATE))
    connection.unregister("repriced")


def _matches(item: UsageItem, pattern: str) -> bool:
    return pattern == "*" or fnmatchcase((item.model or "").lower(), pattern.lower())


def _better(old: UsageItem, new: UsageItem, pattern: str) -> UsageItem:
    """Return the new item if costs differ. A newer table that says the same leaves the id of the older one standing."""
    same = _same(old.cost_usd, new.cost_usd) and _same(old.computed_cost_usd, new.computed_cost_usd)
    return old if same or not _matches(old, pattern) else new


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return isclose(one, other, rel_tol=1e-9, abs_tol=1e-15)


def _print(report: Report, *, dry_run: bool) -> None:
    console = stdout_console()
    lines = sorted(report.lines.items(), key=lambda line: (-abs(line[1].new - line[1].old), -line[1].calls, line[0]))
    if not lines:
        console.print("no stored call has a cost to compute")
        return
    console.print(_table(lines))
    names = [name for name, line in lines if line.new_unpriced]
    if names:
        unpriced = [f"{one_line(name)} ({report.lines[name].new_unpriced})" for name in names]
        remedy = "" if names == [NO_MODEL] else "; give them prices in milepost.toml"
        console.print(Text(f"still unpriced: {', '.join(unpriced)}{remedy}", style="yellow"))
    if not report.spans:
        console.print("every cost is as today's prices say")
        return
    what = f"{_number(report.spans, 'span')} in {_number(report.runs, 'run')}"
    console.print(f"dry run, nothing was changed: {what} would be" if dry_run else f"changed {what}")


def _table(lines: Sequence[tuple[str, Line]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_footer=True)
    everything = Line(*map(sum, zip(*(astuple(line) for _, line in lines), strict=True)))
    for heading, footer in zip(("model", "calls", "old USD", "new USD"), _cells("all", everything), strict=True):
        table.add_column(heading, footer=footer, justify="left" if heading == "model" else "right", no_wrap=True)
    for model, line in lines:
        table.add_row(*_cells(model, line))
    return table


def _cells(model: str, line: Line) -> tuple[Text, Text, Text, Text]:
    return (
        Text(one_line(model, 60)),
        Text(str(line.calls)),
        _amount(line.old, line.old_unpriced, line.calls),
        _amount(line.new, line.new_unpriced, line.calls),
    )


def _amount(usd: float, unpriced: int, calls: int) -> Text:
    if unpriced == calls:
        return Text("unpriced", style="yellow")
    return Text(cost(usd)).append(" +?" if unpriced else "", style="yellow")


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
