"""A search of runs: asked in SQL, or of runs that are at hand."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from milepost_collector.protocol.api import RunSummary
from milepost_collector.protocol.search import (
    EVERYTHING,
    And,
    Instant,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    SpanGroup,
    Term,
    Value,
    conjuncts,
    instant_ns,
    parse,
    without,
    write,
)
from milepost_collector.protocol.search.values import LATEST_NS
from milepost_collector.traces.queries.search_sql import is_about_spans, run_condition, runs_with, span_condition

Found = Mapping[Node, Set[str]]  # the runs with a span that a term or group asks for

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    ":": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le
}  # fmt: skip
_FACTS: dict[str, Callable[[RunSummary], Any]] = {
    "status": lambda run: run.status,
    "name": lambda run: run.name,
    "agent": lambda run: run.agent,
    "session": lambda run: run.session_id,
    "user": lambda run: run.user_id,
    "service": lambda run: run.service,
    "run": lambda run: run.run_id,
    "task": lambda run: run.task_id,
    "tag": lambda run: run.tags,
    "model": lambda run: run.models,
    "cost": lambda run: run.cost_usd,
    "dur": lambda run: run.duration_ms,
    "tokens": lambda run: (run.input_tokens or 0) + (run.output_tokens or 0),
    "input_tokens": lambda run: run.input_tokens,
    "output_tokens": lambda run: run.output_tokens,
    "spans": lambda run: run.span_count,
    "errors": lambda run: run.error_count,
}
_CHOICES: dict[tuple[str, str], Callable[[RunSummary], bool]] = {
    ("is", "live"): lambda run: run.status == "running",
    ("is", "ended"): lambda run: run.status != "running",
    ("has", "error"): lambda run: run.error_count > 0,
    ("has", "cost"): lambda run: run.cost_usd is not None,
    ("has", "tokens"): lambda run: run.input_tokens is not None or run.output_tokens is not None,
    ("has", "agent"): lambda run: run.agent is not None,
    ("has", "session"): lambda run: run.session_id is not None,
    ("has", "user"): lambda run: run.user_id is not None,
    ("has", "tag"): lambda run: bool(run.tags),
    ("has", "model"): lambda run: bool(run.models),
    ("has", "task"): lambda run: run.task_id is not None,
}


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for, asked at an instant. now_ns: the present, nanoseconds since 1970."""

    node: Node
    now_ns: int

    @classmethod
    def read(cls, text: str, *, now_ns: int, of_spans: bool = False) -> Search:
        """Read the text of a search. of_spans: of the spans of one run.

        Raises:
            InvalidSearchError: it cannot be read.
        """
        return cls(parse(text, of_spans=of_spans), now_ns)

    @property
    def text(self) -> str:
        """The search in its usual form; relative times stay relative."""
        return write(self.node)

    @property
    def is_empty(self) -> bool:
        """Whether everything is found."""
        return self.node == EVERYTHING

    def without(self, field: str) -> Search:
        """Return the search less its terms about a field."""
        return Search(without(self.node, field), self.now_ns)

    def window(self) -> tuple[int | None, int | None]:
        """Return the first start that may belong, and the first later one that does not, nanoseconds since 1970."""
        lows: list[int] = []
        highs: list[int] = []
        for term in conjuncts(self.node):
            if isinstance(term, Term) and isinstance(term.values[0], Instant):
                at = instant_ns(term.values[0], self.now_ns) + (term.operator in (">", "<="))
                (lows if ">" in term.operator else highs).append(at)
        # The condition itself is asked, too: the window may be wider, but must be made of times that DuckDB knows.
        low, high = max(lows, default=None), min(highs, default=LATEST_NS)
        return None if low is None else min(low, LATEST_NS), None if high >= LATEST_NS else high

    def run_condition(self) -> str:
        """Return the condition on rows of the view `runs`."""
        return run_condition(self.node, self.now_ns)

    def span_condition(self) -> str:
        """Return the condition on rows of the view `all_spans`."""
        return span_condition(self.node, self.now_ns)

    def about_spans(self) -> list[Node]:
        """Return the terms and groups of which only the spans tell whether they hold."""
        return list(dict.fromkeys(_about_spans(self.node)))

    def runs_with(self, node: Node, source: str) -> str:
        """Return the query for the runs with a span that one of these asks for. source: a table of spans."""
        return runs_with(node, self.now_ns, source)

    def holds(self, run: RunSummary, start_ns: int, found: Found) -> bool:
        """Tell whether a run is searched for, as `run_condition` does in SQL. start_ns: its start. found: which runs
        have spans that the search is about."""
        return self._holds(self.node, run, start_ns, found)

    def _holds(self, node: Node, run: RunSummary, start_ns: int, found: Found) -> bool:
        match node:
            case Not(item):
                return not self._holds(item, run, start_ns, found)
            case And(items):
                return all(self._holds(item, run, start_ns, found) for item in items)
            case Or(items):
                return any(self._holds(item, run, start_ns, found) for item in items)
            case Term() if not is_about_spans(node):
                fact = start_ns if node.field == "started" else run
                return any(self._fulfils(fact, node, value) for value in node.values)
        return run.run_id in found[node]

    def _fulfils(self, fact: RunSummary | int, term: Term, value: Value) -> bool:
        compare = _COMPARED[term.operator]
        if isinstance(fact, int):
            return isinstance(value, Instant) and compare(fact, instant_ns(value, self.now_ns))
        if term.field in ("is", "has"):
            return isinstance(value, Pattern) and _CHOICES[term.field, value.parts[0]](fact)
        known = _FACTS[term.field](fact)
        if isinstance(value, Number):
            return known is not None and compare(known, value.value)
        return isinstance(value, Pattern) and any(is_like(text, value) for text in _texts(known))


def is_like(text: str, pattern: Pattern) -> bool:
    """Tell whether a text is as a pattern says, in time that grows with text and pattern alone."""
    if pattern.exact is not None:
        return text == pattern.exact
    first, *between, last = pattern.parts
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    place, end = len(first), len(text) - len(last)
    for part in between:  # the earliest place leaves the most for those that follow: nothing is ever tried again
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _texts(known: str | Sequence[str] | None) -> Sequence[str]:
    if known is None:
        return ()
    return (known,) if isinstance(known, str) else known


def _about_spans(node: Node) -> list[Node]:
    if is_about_spans(node):
        return [node]
    match node:
        case Not(item) | SpanGroup(item):
            return _about_spans(item)
        case And(items) | Or(items):
            return [inner for item in items for inner in _about_spans(item)]
    return []
