"""What a search means, said once more in plain Python over rows of `runs` and `all_spans`."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import Any

from duckdb import DuckDBPyConnection

from milepost_collector.protocol.search import And, Instant, Node, Not, Number, Or, Pattern, SpanGroup, Term, instant_ns

Row = dict[str, Any]
COLUMNS = {"session": "session_id", "user": "user_id", "run": "run_id", "task": "task_id", "cost": "cost_usd",
           "dur": "duration_ms", "spans": "span_count", "errors": "error_count", "started": "start_ns"}  # fmt: skip
TEXTS = ("name", "input", "output", "error_type", "error_message", "error_stack", "attributes")
SPAN_ONLY = ("kind", "tool", "provider", "error", "text")


@dataclass
class Plain:
    """Every run and span of a database. now_ns: the present."""

    runs: list[Row]
    now_ns: int
    spans: dict[str, list[Row]] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: DuckDBPyConnection, now_ns: int) -> Plain:
        """Read everything."""
        plain = cls(rows(connection, "runs"), now_ns)
        for span in rows(connection, "all_spans"):
            plain.spans.setdefault(span["run_id"], []).append(span)
        return plain

    def found(self, node: Node) -> list[str]:
        """Return the ids of the runs that are searched for, sorted."""
        return sorted(run["run_id"] for run in self.runs if self.of_run(node, run))

    def found_spans(self, node: Node, run_id: str) -> list[str]:
        """Return the ids of a run's spans that are searched for, by start."""
        spans = sorted(self.spans[run_id], key=lambda span: (span["start_ns"], span["span_id"]))
        return [span["span_id"] for span in spans if self.of_span(node, span)]

    def of_run(self, node: Node, run: Row) -> bool:
        """Tell whether a run fulfils a search."""
        if isinstance(node, SpanGroup) or (isinstance(node, Term) and node.field in SPAN_ONLY):
            return any(self.of_span(node, span) for span in self.spans[run["run_id"]])
        return self._tree(node, run, self.of_run)

    def of_span(self, node: Node, span: Row) -> bool:
        """Tell whether a span fulfils a search."""
        return self.of_span(node.item, span) if isinstance(node, SpanGroup) else self._tree(node, span, self.of_span)

    def _tree(self, node: Node, row: Row, inner: Any) -> bool:
        if isinstance(node, Not):
            return not inner(node.item, row)
        if isinstance(node, And):
            return all([inner(item, row) for item in node.items])
        if isinstance(node, Or):
            return any([inner(item, row) for item in node.items])
        assert isinstance(node, Term)
        return any([self._one(node, value, row) for value in node.values])

    def _one(self, term: Term, value: Any, row: Row) -> bool:
        facts = [fact for fact in self._facts(term.field, row) if fact is not None]
        if isinstance(value, Pattern):
            return any(is_like(fact, value, within=term.field == "text") for fact in facts)
        assert isinstance(value, Number | Instant)
        wanted = value.value if isinstance(value, Number) else instant_ns(value, self.now_ns)
        sign = term.operator
        return any(
            (fact > wanted and ">" in sign)
            or (fact < wanted and "<" in sign)
            or (fact == wanted and sign in (":", ">=", "<="))
            for fact in facts
        )

    def _facts(self, name: str, row: Row) -> list[Any]:
        many = {
            "tag": lambda: row["tags"] or [],
            "model": lambda: row["models"] if "models" in row else [row["model"]],
            "tool": lambda: [row["tool"] or (row["name"] if row["kind"] == "tool" else None)],
            "error": lambda: [row["error_type"], row["error_message"]],
            "text": lambda: [row[column] for column in TEXTS],
            "tokens": lambda: [(row["input_tokens"] or 0) + (row["output_tokens"] or 0)],
            "is": lambda: ["live" if row["status"] == "running" else "ended"],
            "has": lambda: self._had(row),
        }
        return many[name]() if name in many else [row[COLUMNS.get(name, name)]]

    def _had(self, row: Row) -> list[str]:
        failed = row["error_count"] > 0 if "error_count" in row else row["status"] == "failed"
        had = {
            name for name in ("cost", "agent", "session", "user", "task") if row[COLUMNS.get(name, name)] is not None
        }
        had |= {"tokens"} if (row["input_tokens"], row["output_tokens"]) != (None, None) else set()
        had |= {"tag"} if row["tags"] else set()
        had |= {"model"} if row.get("models") or row.get("model") else set()
        return sorted(had | ({"error"} if failed else set()))


def is_like(text: str, pattern: Pattern, *, within: bool) -> bool:
    """Tell whether a text is as a pattern says, by the patterns of file names."""
    glob = "*".join(re.sub(r"([*?[])", r"[\1]", part) for part in pattern.parts)
    return fnmatch.fnmatchcase(text, f"*{glob}*" if within else glob)


def rows(connection: DuckDBPyConnection, table: str) -> list[Row]:
    """Return the rows of a table."""
    result = connection.execute(f"SELECT *, epoch_ns(start_time) AS start_ns FROM {table}")
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
