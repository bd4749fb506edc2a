"""Tools that find and read runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from milepost_collector.mcp.collector import Collector
from milepost_collector.mcp.recorded import BYTES_A_TOKEN, Budget, recorded
from milepost_collector.mcp.tables import duration, facts, table
from milepost_collector.protocol.api import FoundSpans, RunDetail, RunList, RunSummary
from milepost_collector.protocol.compare import ComparedRow, Comparison, Delta

RunId = Annotated[str, Field(description="A run's id, or `latest`.")]
Query = Annotated[
    str,
    Field(
        description="Milepost's search language, as `status:failed model:gpt-4o* cost>0.05 started>now-24h "
        '"connection refused"`; see the resource milepost://search-language. Empty: everything.'
    ),
]
_RUN_COLUMNS = ("run_id", "status", "name", "agent", "started", "duration", "cost_usd", "tokens", "errors", "error")
_SPAN_COLUMNS = ("span_id", "kind", "name", "status", "start_time", "duration_ms", "model", "cost_usd", "error_message")
_ROW_COLUMNS = ("in", "kind", "name", "differs", "duration_ms", "cost_usd", "span_a", "span_b")
_SPAN_FACTS = (
    *("name", "kind", "status", "start_time", "duration_ms", "agent", "model", "tool", "input_tokens", "output_tokens"),
    *("cost_usd", "error_type", "error_message", "reason", "parent_span_id", "problems"),
)
_MOST_DIFFERENCES = 500


class RunTools:
    """What can be asked about runs. Read-only."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    async def search_runs(
        self,
        query: Query = "",
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
        sort: Annotated[
            str,
            Field(description="start_time, duration_ms, cost_usd, span_count, error_count or name; - for descending"),
        ] = "-start_time",
        budget_tokens: Budget = 4_000,
    ) -> str:
        """Find runs of agents: status, duration, cost, tokens, errors, newest first."""
        page = await self._collector.get("runs", answer=RunList, q=query, limit=limit, sort=sort)
        if not page.runs:
            return "No run matches."
        more = "\nThere are more; narrow the query or raise the limit." if page.next_cursor else ""
        return recorded(table(_RUN_COLUMNS, map(_run_row, page.runs)), budget_tokens) + more

    async def read_run(self, run_id: RunId, budget_tokens: Budget = 4_000) -> str:
        """Read one run as a summary within a budget: facts, the tree of its steps, errors, what came out."""
        found = await self._resolve(run_id)
        page = await self._collector.get(
            "runs", found, "export", answer=bytes, format="markdown", budget=budget_tokens * BYTES_A_TOKEN
        )
        return recorded(page.decode(), budget_tokens)

    async def find_spans(
        self,
        run_id: RunId,
        query: Query,
        limit: Annotated[int, Field(ge=1, le=500)] = 50,
        budget_tokens: Budget = 4_000,
    ) -> str:
        """Find steps inside one run, as `kind:llm dur>10s` or `kind:tool status:failed`; read_span tells more."""
        found = await self._resolve(run_id)
        answer = await self._collector.get("runs", found, "search", answer=FoundSpans, q=query, limit=limit)
        if not answer.span_ids:
            return "No span of this run matches."
        ids = ", ".join(_literal(span_id) for span_id in answer.span_ids)
        rows = await self._collector.sql(
            f"SELECT {', '.join(_SPAN_COLUMNS)} FROM spans WHERE run_id = {_literal(found)} AND span_id IN ({ids}) "
            "ORDER BY start_time, span_id",
            limit,
        )
        return recorded(table(_SPAN_COLUMNS, rows.rows), budget_tokens)

    async def read_span(self, run_id: RunId, span_id: str, budget_tokens: Budget = 3_000) -> str:
        """Read one step of a run: figures, error, input, output, messages, logs and attributes."""
        share = max(1_000, budget_tokens * BYTES_A_TOKEN // 3)
        span = await self._collector.get(
            "spans", span_id, answer=dict, run_id=await self._resolve(run_id), payload_limit=share
        )
        return recorded("\n\n".join(_sections(span)), budget_tokens)

    async def compare_runs(self, a: RunId, b: RunId, budget_tokens: Budget = 4_000) -> str:
        """Compare two runs step by step: what b took and cost more than a, where they first differ, what differs."""
        ids = await self._resolve(a), await self._resolve(b)
        comparison = await self._collector.get("compare", answer=Comparison, a=ids[0], b=ids[1])
        return recorded(_comparison(comparison), budget_tokens)

    async def _resolve(self, run_id: str) -> str:
        """Return a run's id, checked; `latest` is the newest run."""
        if run_id != "latest":
            return (await self._collector.get("runs", run_id, answer=RunDetail)).run.run_id
        page = await self._collector.get("runs", answer=RunList, limit=1)
        if not page.runs:
            raise ToolError("nothing is recorded yet")
        return page.runs[0].run_id


def _run_row(run: RunSummary) -> tuple[Any, ...]:
    tokens = (run.input_tokens or 0) + (run.output_tokens or 0)
    took, error = duration(run.duration_ms), run.error_message or run.error_type
    return (
        *(run.run_id, run.status, run.name, run.agent or run.service, run.start_time, took),
        *(run.cost_usd, tokens or None, run.error_count or None, error[:200] if error else None),
    )


def _sections(span: Mapping[str, Any]) -> list[str]:
    """Return what a span tells, the most telling first."""
    messages = span["messages"] or {"input": [], "output": []}
    if messages["input"] or messages["output"]:
        bodies = [_messages("Messages in", messages["input"]), _messages("Messages out", messages["output"])]
    else:
        bodies = [_payload("Input", span["input"]), _payload("Output", span["output"])]
    bodies.append(f"Stack:\n{span['error_stack']}" if span["error_stack"] else "")
    bodies += [_json("Events", span["events"]), _json("Attributes", span["attributes"])]
    return [facts((name, span.get(name)) for name in _SPAN_FACTS), *filter(None, bodies)]


def _payload(title: str, payload: Mapping[str, Any] | None) -> str:
    if payload is None:
        return ""
    if payload.get("head") is not None:
        return f"{title} (its beginning, of {payload['bytes']:,} bytes):\n{payload['head']}"
    return f"{title}:\n{msgspec.json.encode(payload.get('value')).decode()}"


def _messages(title: str, messages: Sequence[Mapping[str, Any]]) -> str:
    lines = (f"[{message['role']}] {_parts(message)}" for message in messages)
    return f"{title}:\n" + "\n".join(lines) if messages else ""


def _parts(message: Mapping[str, Any]) -> str:
    if not message.get("parts"):
        return f"({message['bytes']:,} bytes, larger than the budget)"
    return msgspec.json.encode(message["parts"]).decode()


def _json(title: str, value: Any) -> str:
    return f"{title}:\n{msgspec.json.format(msgspec.json.encode(value)).decode()}" if value else ""


def _comparison(comparison: Comparison) -> str:
    a, b, counts = comparison.a, comparison.b, comparison.counts
    head = facts(
        (
            ("a", f"{a.run_id} {a.name} {a.status} {a.start_time}"),
            ("b", f"{b.run_id} {b.name} {b.status} {b.start_time}"),
            ("b more than a", {name: round(value, 6) for name, value in msgspec.to_builtins(comparison.delta).items()}),
            ("steps", msgspec.to_builtins(counts)),
        )
    )
    first = comparison.divergence
    if first is not None:
        row = comparison.rows[first.row]
        head += f"\nfirst difference: {first.aspect} of {row.kind} {row.name}"
    different = [row for row in comparison.rows if row.match != "both" or row.differs][:_MOST_DIFFERENCES]
    return f"{head}\n\n{table(_ROW_COLUMNS, map(_compared_row, different))}" if different else f"{head}\nno difference"


def _compared_row(row: ComparedRow) -> tuple[Any, ...]:
    delta = row.delta or Delta()
    return (
        *(row.match, row.kind, "  " * row.depth + row.name, ",".join(row.differs)),
        *(_rounded(delta.duration_ms, 3), _rounded(delta.cost_usd, 6)),
        *(row.a and row.a.span_id, row.b and row.b.span_id),
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
