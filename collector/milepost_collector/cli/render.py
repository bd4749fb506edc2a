"""Figures, tables and timelines for the terminal. Text from agents is data: its control codes are never printed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from milepost_collector.cli.answers import Event
from milepost_collector.cli.timeline import Row, bar, extent_ns
from milepost_collector.protocol.api import RunSummary, SpanSkeleton

STATUS_MARKS = {
    "running": ("●", "blue"),
    "completed": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("↷", "yellow"),
    "cancelled": ("■", "yellow"),
    "lost": ("?", "red"),
}
KIND_STYLES = {"agent": "blue", "llm": "magenta", "tool": "cyan", "retrieval": "green", "task": "bright_blue"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
PIPE_WIDTH = 140  # columns when the output is no terminal


def stdout_console() -> Console:
    """Return a console for standard output."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def clean(text: str) -> str:
    """Make text from outside safe for a terminal: no escape sequences, no change of writing direction."""
    return CONTROL.sub("�", text)


def one_line(text: str, limit: int = 160) -> str:
    """Return text as one cleaned line of at most `limit` characters."""
    line = clean(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def duration(milliseconds: float | None) -> str:
    """Write a duration with the unit that suits it: 850 µs, 12.3 ms, 4.56 s, 2 min 05 s, 3 h 07 min."""
    if milliseconds is None:
        return ""
    if milliseconds < 1:
        return f"{milliseconds * 1000:.0f} µs"
    if milliseconds < 1000:
        return f"{milliseconds:.3g} ms" if milliseconds < 999.5 else "1 s"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def tokens(count: int | None) -> str:
    """Write a number of tokens: 812, 12.4k, 3.1M; nothing when there is none."""
    if count is None:
        return ""
    if count < 10_000:
        return str(count)
    return f"{count / 1000:.1f}k" if count < 999_950 else f"{count / 1e6:.1f}M"


def cost(usd: float | None) -> str:
    """Write a cost with at least two significant digits; nothing when it is not known."""
    if usd is None:
        return ""
    return f"${usd:.2f}" if usd >= 1 or usd == 0 else f"${usd:.2g}" if usd < 0.0001 else f"${usd:.4f}"


def status_text(status: str) -> Text:
    """Return a status as mark and word, so that it reads without colour."""
    mark, style = STATUS_MARKS.get(status, ("·", ""))
    return Text(f"{mark} {clean(status)}", style=style)


def started(iso: str, now: datetime) -> str:
    """Write a start relative to now when it is recent, else as date and time in UTC."""
    then = datetime.fromisoformat(iso[:26].rstrip("Z") + "+00:00")
    seconds = (now - then).total_seconds()
    if not 0 <= seconds < 86_400:
        return then.strftime("%Y-%m-%d %H:%M")
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


MIN_ERROR_WIDTH = 16
_COLUMN_GAP = 4  # spaces between columns, and headings wider than what is below them


def runs_table(runs: Sequence[RunSummary], now: datetime, width: int) -> Table:
    """Return the run list as a table. width: of the terminal, characters."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("run", "name", "status", "started"):
        table.add_column(heading, no_wrap=True)
    for heading in ("duration", "tasks", "tokens", "cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("agent", no_wrap=True)
    table.add_column("error", no_wrap=True)
    rows = [_run_cells(run, now) for run in runs]
    # Errors get what the others leave: they are long, and their beginning says most.
    others = sum(max(cell.cell_len for cell in cells) for cells in list(zip(*rows, strict=True))[:-1])
    room = max(width - others - _COLUMN_GAP * len(table.columns), MIN_ERROR_WIDTH)
    for *cells, error in rows:
        error.truncate(room, overflow="ellipsis")
        table.add_row(*cells, error)
    return table


def _run_cells(run: RunSummary, now: datetime) -> list[Text]:
    total = (
        None
        if run.input_tokens is None and run.output_tokens is None
        else (run.input_tokens or 0) + (run.output_tokens or 0)
    )
    error = ": ".join(filter(None, (run.error_type, run.error_message)))
    return [
        Text(run.run_id[:8], style="bold"),
        Text(one_line(run.name, 40)),
        status_text(run.status),
        Text(started(run.start_time, now)),
        Text(duration(run.duration_ms)),
        Text(str(run.task_count)),
        Text(tokens(total)),
        _cost_text(run),
        Text(one_line(run.agent or "", 24)),
        Text(one_line(error), style="red"),
    ]


def _cost_text(run: RunSummary) -> Text:
    text = Text(cost(run.cost_usd))
    if run.unpriced_count:
        text.append(" +?", style="yellow")  # some calls have no known price: the sum is a lower bound
    return text


def header(run: RunSummary) -> Text:
    """Return a run's heading: name and status, then its facts on one line."""
    text = Text(one_line(run.name), style="bold")
    text.append("  ").append_text(status_text(run.status))
    return text.append("\n" + clean(" · ".join(filter(None, _facts(run)))), style="not bold dim")


def _facts(run: RunSummary) -> list[str]:
    used = run.input_tokens is not None or run.output_tokens is not None
    return [
        f"run {run.run_id}",
        f"agent {run.agent}" if run.agent else "",
        f"{run.start_time[:19].replace('T', ' ')} UTC",
        duration(run.duration_ms),
        f"{run.span_count + run.live_span_count} spans",
        f"{run.task_count} tasks",
        f"{tokens(run.input_tokens or 0)} → {tokens(run.output_tokens or 0)} tokens" if used else "",
        cost(run.cost_usd),
        f"{run.unpriced_count} unpriced" if run.unpriced_count else "",
        ", ".join(run.models),
    ]


def timeline(rows: Sequence[Row], spans: Sequence[SpanSkeleton], width: int) -> Table:
    """Return rows as a table: tree, bar, figures. The axis spans all of `spans`, shown or not."""
    extent = extent_ns(spans)
    axis = max(10, min(60, width // 3))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("span", no_wrap=True, ratio=1, overflow="ellipsis")
    table.add_column("bar", width=axis, no_wrap=True)
    for column in ("duration", "tokens", "cost"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_span_cells(row, extent=extent, axis=axis))
    return table


def _span_cells(row: Row, *, extent: int, axis: int) -> list[Text]:
    span = row.span
    mark, style = STATUS_MARKS.get(span.status, ("·", ""))
    name = Text(row.guide, style="dim").append(f"{mark} ", style=f"not dim {style}")
    name.append(one_line(span.name, 60), style="not dim").append(f"  {clean(span.kind)}", style="dim")
    if span.model or span.error_type:
        name.append(f" {one_line(span.model or '', 30)}", style="dim")
        name.append(f" {one_line(span.error_type or '', 40)}", style="not dim red")
    ended = None if span.end_ns is None else (span.end_ns - span.start_ns) / 1e6
    in_out = f"{tokens(span.input_tokens or 0)} → {tokens(span.output_tokens or 0)}"
    return [
        name,
        Text(
            bar(span.start_ns, span.end_ns, extent=extent, width=axis),
            style="red" if span.status in ("failed", "lost") else KIND_STYLES.get(span.kind, "white"),
        ),
        Text(duration(ended) or "running"),
        Text("" if span.input_tokens is span.output_tokens is None else in_out, style="dim"),
        Text(cost(span.cost_usd), style="dim"),
    ]


def event_line(event: Event, names: dict[str, str]) -> Text:
    """Return an event as one line: time, kind, the span it belongs to, what it says."""
    text = Text(f"  {event.time[11:23]} ", style="dim")
    text.append(f"{event.severity or event.kind} ", style="not dim")
    text.append(one_line(names.get(event.span_id or "", ""), 30), style="not dim bold")
    said = [event.name, event.message, None if event.fraction is None else f"{event.fraction:.0%}"]
    if event.body is not None:
        said.append(msgspec.json.encode(event.body).decode())
    return text.append(" " + one_line(" ".join(part for part in said if part)), style="not dim not bold")


def result_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Return a query's rows as a table, numbers to the right."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(columns):
        numeric = any(isinstance(row[index], (int, float)) for row in rows[:20])
        table.add_column(Text(clean(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else clean(str(value))) for value in row))
    return table


def utc_now() -> datetime:
    """Return the wall clock's time in UTC."""
    return datetime.now(UTC)
