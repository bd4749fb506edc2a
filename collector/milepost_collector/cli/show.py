"""`milepost show RUN`: one run as a text timeline."""

from __future__ import annotations

import re

import click
import msgspec
from rich.console import Console, Group
from rich.text import Text

from milepost_collector.cli.answers import Event, EventPage
from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.render import clean, event_line, header, one_line, stdout_console, timeline
from milepost_collector.cli.timeline import tree_rows
from milepost_collector.protocol.api import RunDetail, RunList, RunSpans, SpanSkeleton, SqlRequest, SqlResult

SHOWN_ERRORS = 10
SHOWN_EVENTS = 100


def show_run(endpoint: str, run: str, *, limit: int, logs: bool, as_json: bool) -> None:
    """Print the run that `run` names: an id, the start of one, or `latest`."""
    client = CollectorClient(endpoint)
    run_id = resolve(client, run)
    if as_json:
        click.echo(_as_json(client, run_id))
        return
    console = stdout_console()
    console.print(run_view(client, run_id, console, limit=limit, logs=logs))


def resolve(client: CollectorClient, run: str) -> str:
    """Return the run id that a person's `run` stands for."""
    if run == "latest":
        newest = client.get("/api/runs", RunList, limit=1).runs
        if not newest:
            raise click.ClickException("nothing is recorded yet; try `milepost demo`")
        return newest[0].run_id
    if not re.fullmatch(r"[0-9a-f]{1,32}", run.lower()):
        raise click.UsageError(f"{run!r} is not a run: give a run id, its first hexadecimal digits, or `latest`")
    return run.lower() if len(run) == 32 else _complete(client, run.lower())


def _complete(client: CollectorClient, prefix: str) -> str:
    query = SqlRequest(sql=f"SELECT run_id, name FROM runs WHERE starts_with(run_id, '{prefix}') LIMIT 6")
    found = client.post("/api/sql", query, SqlResult).rows
    if not found:
        raise click.ClickException(f"no run id starts with {prefix}; `milepost runs` lists what there is")
    if len(found) > 1:
        some = "\n".join(f"  {run_id}  {clean(str(name))}" for run_id, name in found[:5])
        raise click.ClickException(f"{prefix} is the start of several run ids, give more digits:\n{some}")
    return str(found[0][0])


def run_view(client: CollectorClient, run_id: str, console: Console, *, limit: int = 200, logs: bool = False) -> Group:
    """Return a run as something rich can print: heading, timeline, errors, checkpoints and, if asked, other events."""
    detail = client.get(f"/api/runs/{run_id}", RunDetail)
    spans = client.get(f"/api/runs/{run_id}/spans", RunSpans).spans
    rows = tree_rows(spans)
    parts: list[Text | object] = [header(detail.run), Text(), timeline(rows[:limit], spans, console.width)]
    if len(rows) > limit:
        parts.append(Text(f"… and {len(rows) - limit} more spans; --limit shows more", style="dim"))
    dropped = sum(producer.dropped for producer in detail.producers)
    if dropped:
        parts.append(
            Text(
                f"\n{dropped} events were dropped before they could be sent: this run may be incomplete", style="yellow"
            )
        )
    parts += _errors(client, run_id)
    parts += _events(client, run_id, spans, logs=logs)
    return Group(*parts)  # type: ignore[arg-type]


def _errors(client: CollectorClient, run_id: str) -> list[Text]:
    query = f"SELECT name, error_type, error_message FROM errors WHERE run_id = '{run_id}' ORDER BY time"
    result = client.post("/api/sql", SqlRequest(sql=query, limit=SHOWN_ERRORS), SqlResult)
    lines = [Text("\nErrors", style="bold")] if result.rows else []
    for name, error_type, message in result.rows:
        said = ": ".join(filter(None, (error_type, message))) or "failed without saying why"
        lines.append(Text(f"  {one_line(name, 40)}  ", style="bold").append(one_line(said, 400), style="not bold red"))
    if result.truncated:
        lines.append(Text(f"  … only the first {SHOWN_ERRORS}; `milepost sql` has them all", style="dim"))
    return lines


def _events(client: CollectorClient, run_id: str, spans: list[SpanSkeleton], *, logs: bool) -> list[Text]:
    names = {span.span_id: span.name for span in spans}
    sections = {"Checkpoints": ("checkpoint",)} | ({"Events": ("log", "progress", "event")} if logs else {})
    lines: list[Text] = []
    for title, kinds in sections.items():
        events = _first_events(client, run_id, kinds)
        if events:
            lines.append(Text(f"\n{title}", style="bold"))
        lines += [event_line(event, names) for event in events[:SHOWN_EVENTS]]
        if len(events) > SHOWN_EVENTS:
            lines.append(Text(f"  … only the first {SHOWN_EVENTS}; the rest is in the viewer and in SQL", style="dim"))
    return lines


def _first_events(client: CollectorClient, run_id: str, kinds: tuple[str, ...]) -> list[Event]:
    path, limit = f"/api/runs/{run_id}/events", SHOWN_EVENTS + 1
    pages = [client.get(path, EventPage, kind=kind, limit=limit) for kind in kinds]
    return sorted((event for page in pages for event in page.events), key=lambda event: event.time)


def _as_json(client: CollectorClient, run_id: str) -> str:
    whole = {
        "run": client.get(f"/api/runs/{run_id}", RunDetail).run,
        "spans": client.get(f"/api/runs/{run_id}/spans", RunSpans).spans,
    }
    return msgspec.json.format(msgspec.json.encode(whole)).decode()
