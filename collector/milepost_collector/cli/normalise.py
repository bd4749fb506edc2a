"""`milepost normalise`: what the present convention table says of spans that came through OpenTelemetry before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from duckdb import DuckDBPyConnection
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from milepost.wire import Resource
from milepost_collector.cli.offline import (
    Rewriter,
    batches,
    configuration,
    instant,
    open_data,
    prices,
    with_progress,
)
from milepost_collector.cli.render import one_line, stdout_console
from milepost_collector.protocol.foreign_rows import Attached, Contents, Row
from milepost_collector.protocol.messages import piece_ids
from milepost_collector.protocol.pricing import PriceBook
from milepost_collector.protocol.renormalise import changed_columns, renormalise
from milepost_collector.protocol.rows import EVENT_COLUMNS, SPAN_COLUMNS
from milepost_collector.traces.arrow import TIMES, to_arrow
from milepost_collector.traces.queries.conversations import pieces

Values = dict[str, Any]
Key = tuple[str, str]

OF_RUNS = "run_id IN (SELECT unnest($run_ids::VARCHAR[]))"
EVENTS = f"{OF_RUNS} AND sequence IS NULL AND event_id IS NULL ORDER BY rowid"
UPDATE = f"""
UPDATE spans SET {", ".join(f"{name} = renewed.{name}" for name in SPAN_COLUMNS if name not in ("run_id", "span_id"))}
FROM renewed WHERE spans.run_id = renewed.run_id AND spans.span_id = renewed.span_id
"""


class Stored(NamedTuple):
    """What is stored of some runs' spans."""

    spans: list[Values]
    events: dict[Key, list[Values]]
    pieces: dict[str, str]


@dataclass(slots=True)
class Report:
    """What reading anew found. columns: how many spans differ in each."""

    columns: Counter[str] = field(default_factory=Counter)
    spans: int = 0
    changed: int = 0
    unreadable: int = 0


@dataclass(slots=True)
class Renewed:
    """What is to be written."""

    rows: list[Row] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)
    contents: Contents = field(default_factory=Contents)


def run_normalise(data_dir: Path | None, *, dry_run: bool, since: str | None, until: str | None) -> None:
    """Read the spans anew and say what changed.

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
        resources = _resources(database.writer)
        parts = batches(database.writer, condition, values)
        for run_ids in with_progress(parts, "reading"):
            stored = _stored(database.writer, run_ids, condition, values)
            renewed = _renew(stored, resources, book, report)
            if renewed.rows and not dry_run:
                _write(rewriter, renewed)
    _print(report, dry_run=dry_run)


def _condition(low: int | None, high: int | None) -> tuple[str, Values]:
    conditions, values = ["scope IS NOT NULL", "status <> 'lost'"], {}
    if low is not None:
        conditions.append("start_time >= make_timestamp_ns($low)")
        values["low"] = low
    if high is not None:
        conditions.append("start_time < make_timestamp_ns($high)")
        values["high"] = high
    return " AND ".join(conditions), values


# --- reading


def _stored(connection: DuckDBPyConnection, run_ids: Sequence[str], condition: str, values: Values) -> Stored:
    spans = _select(connection, "spans", SPAN_COLUMNS, f"{OF_RUNS} AND {condition}", {"run_ids": run_ids, **values})
    events: dict[Key, list[Values]] = {}
    for event in _select(connection, "events", EVENT_COLUMNS, EVENTS, {"run_ids": run_ids}):
        events.setdefault((event["run_id"], event["span_id"]), []).append(event)
    texts = [row["attributes"] for rows in (spans, *events.values()) for row in rows if row["attributes"]]
    return Stored(spans, events, pieces(connection, sorted({piece for text in texts for piece in piece_ids(text)})))


def _select(
    connection: DuckDBPyConnection, table: str, columns: Sequence[str], condition: str, values: Values
) -> list[Values]:
    names = ", ".join(f"epoch_ns({name})" if name in TIMES else name for name in columns)
    rows = connection.execute(f"SELECT {names} FROM {table} WHERE {condition}", values).fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _resources(connection: DuckDBPyConnection) -> dict[str, Resource]:
    columns = ("service_name", "service_version", "host_name", "process_id", "sdk_name", "sdk_version", "runtime")
    rows = connection.execute(f"SELECT producer_id, attributes, {', '.join(columns)} FROM producers").fetchall()
    return {
        producer_id: Resource(
            **dict(zip(columns, known, strict=True)),
            attributes=msgspec.json.decode(attributes) if attributes else None,
        )
        for producer_id, attributes, *known in rows
    }


def _renew(stored: Stored, resources: Mapping[str, Resource], book: PriceBook, report: Report) -> Renewed:
    renewed = Renewed()
    for span in stored.spans:
        events = stored.events.get((span["run_id"], span["span_id"]), ())
        resource = resources.get(span["producer_id"]) or Resource()
        report.spans += 1
        try:
            row, attached = renormalise(span, events, stored.pieces, resource, renewed.contents, book)
        except LookupError:  # a piece of its attributes is gone, so it stays as it is
            report.unreadable += 1
            continue
        differing = changed_columns(span, row)
        if differing:
            report.changed += 1
            report.columns.update(differing)
            renewed.rows.append(row)
            renewed.attached.append(attached)
    return renewed


# --- writing


def _write(rewriter: Rewriter, renewed: Renewed) -> None:
    connection, statements = rewriter.connection, rewriter.statements
    contents = renewed.contents
    connection.register("renewed", to_arrow(SPAN_COLUMNS, renewed.rows))

    def write() -> None:
        connection.execute(UPDATE)
        statements.delete_attached([(row[0], row[1]) for row in renewed.rows])
        statements.insert("events", [event for attached in renewed.attached for event in attached.events])
        statements.insert("span_messages", [said for attached in renewed.attached for said in attached.conversations])
        statements.insert("run_links", [link for attached in renewed.attached for link in attached.links])
        messages = set(statements.stored("stored_messages", "message_id", contents.messages))
        statements.insert("stored_messages", [row for key, row in contents.messages.items() if key not in messages])
        known = set(statements.stored("pieces", "piece_id", contents.pieces))
        statements.insert("pieces", [item for item in contents.pieces.items() if item[0] not in known])

    rewriter.rewrite(sorted({row[0] for row in renewed.rows}), write)
    connection.unregister("renewed")


# --- telling


def _print(report: Report, *, dry_run: bool) -> None:
    console = stdout_console()
    if not report.spans:
        console.print("no stored span came through OpenTelemetry")
        return
    if report.unreadable:
        console.print(Text(f"left {report.unreadable:,} spans as they are: parts of their attributes are missing"))
    if not report.changed:
        console.print(f"all {report.spans:,} spans are as today's conventions say")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("column", no_wrap=True)
    table.add_column("spans", justify="right")
    for name, count in sorted(report.columns.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(Text(one_line(name)), Text(f"{count:,}"))
    console.print(table)
    of = f"{report.changed:,} of {report.spans:,} spans"
    console.print(f"dry run, nothing was changed: {of} would be" if dry_run else f"changed {of}")
