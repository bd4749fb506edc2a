"""Which spans repeat the usage of others, run by run, kept up to date as spans arrive."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import dropwhile, groupby
from operator import itemgetter

from milepost_collector.protocol.rows import SPAN_COLUMNS, Row
from milepost_collector.protocol.usage import Uncounted, UsageSpan, count_once
from milepost_collector.traces.statements import Statements

_PLACES = {name: place for place, name in enumerate(SPAN_COLUMNS)}
RUN, SPAN, PARENT, SCOPE = (_PLACES[name] for name in ("run_id", "span_id", "parent_span_id", "scope"))
_run_of = itemgetter(RUN)
_of_usage = itemgetter(*(_PLACES[name] for name in UsageSpan._fields))
_COUNTS = ("input_tokens", "output_tokens", "cost_usd")
_INPUT, _OUTPUT, _COST = (_PLACES[name] for name in _COUNTS)
_SOURCE = _PLACES["cost_source"]
_KIND = _PLACES["kind"]


@dataclass(slots=True)
class RunUsage:
    """What is known of a run: its tree, the spans with usage, and what was last found of them."""

    parents: dict[str, str | None] = field(default_factory=dict)
    spans: dict[str, UsageSpan] = field(default_factory=dict)
    unpriced: set[str] = field(default_factory=set)
    uncounted: dict[str, Uncounted] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Take note of an ended span, or of a better copy of it."""
        self.add_all((row,))

    def add_all(self, rows: Iterable[Row]) -> None:
        """Take note of ended spans, or of better copies of them."""
        parents, spans, unpriced = self.parents, self.spans, self.unpriced
        for row in rows:
            span_id = row[SPAN]
            parents[span_id] = row[PARENT]
            has_usage = row[_INPUT] is not None or row[_OUTPUT] is not None or row[_COST] is not None
            if not has_usage and row[_KIND] != "llm":  # a call without usage may be another record of one with it
                spans.pop(span_id, None)
                continue
            spans[span_id] = UsageSpan._make(_of_usage(row))
            if row[_SOURCE] == "unpriced":
                unpriced.add(span_id)
            elif unpriced:
                unpriced.discard(span_id)

    def judge(self) -> dict[str, Uncounted]:
        """Return which spans are not to be counted."""
        if len(self.spans) < 2:
            return {}
        return {found.span_id: found for found in count_once(list(self.spans.values()), self.parents)}

    def row(self, run_id: str, found: Uncounted) -> Row:
        """Return the row of `uncounted`."""
        span = self.spans[found.span_id]
        is_call = span.kind == "llm" or (span.kind == "task" and span.model is not None)
        return (
            run_id, span.span_id, found.of_span_id, found.reason, span.start_time, int(is_call), span.input_tokens,
            span.output_tokens, span.cache_read_tokens, span.cache_write_tokens, span.reasoning_tokens, span.cost_usd,
            int(span.span_id in self.unpriced),
        )  # fmt: skip


@dataclass(slots=True)
class Verdicts:
    """What changed: the runs whose rows of `uncounted` are to be replaced, and the new rows."""

    run_ids: set[str] = field(default_factory=set)  # those that had rows before
    rows: list[Row] = field(default_factory=list)
    changed: dict[str, dict[str, Uncounted]] = field(default_factory=dict)


class UsageIndex:
    """The runs with spans that came through OpenTelemetry; those not seen lately are read from the database.

    Runs of Milepost's own spans are not kept: what people record themselves counts as they say.

    Not thread-safe: it belongs to the writer's thread. A failed commit calls `forget` for the runs it touched.
    """

    def __init__(self, max_spans: int = 300_000) -> None:
        self._max_spans = max_spans
        self._spans = 0
        self._runs: OrderedDict[str, RunUsage] = OrderedDict()

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._runs

    def load(self, statements: Statements, run_ids: Iterable[str]) -> None:
        """Read the ended spans of runs from the database."""
        unknown = [run_id for run_id in run_ids if run_id not in self._runs]
        if not unknown:
            return
        loaded: dict[str, RunUsage] = {}
        for row in statements.whole_spans(unknown):
            loaded.setdefault(row[RUN], RunUsage()).add(row)
        for run_id, usage in loaded.items():
            usage.uncounted = usage.judge()
            self._runs[run_id] = usage
            self._spans += len(usage.parents)

    def add(self, rows: Iterable[Row]) -> Verdicts:
        """Take note of ended spans; return what is to be changed in `uncounted`."""
        touched: set[str] = set()
        for run_id, some in groupby(rows, _run_of):  # spans of a run come together
            usage = self._runs.get(run_id)
            if usage is None:
                some = dropwhile(_is_own, some)
                first = next(some, None)
                if first is None:
                    continue
                usage = self._runs[run_id] = RunUsage()
                usage.add(first)
                self._spans += 1
            before = len(usage.parents)
            usage.add_all(some)
            self._spans += len(usage.parents) - before
            touched.add(run_id)
        return self._judge(touched)

    def _judge(self, run_ids: set[str]) -> Verdicts:
        verdicts = Verdicts()
        for run_id in sorted(run_ids):
            self._runs.move_to_end(run_id)
            usage = self._runs[run_id]
            now = usage.judge()
            if now == usage.uncounted:
                continue
            if usage.uncounted:
                verdicts.run_ids.add(run_id)
            usage.uncounted = now
            verdicts.changed[run_id] = now
            verdicts.rows += [usage.row(run_id, found) for found in now.values()]
        return verdicts

    def forget(self, run_ids: Iterable[str]) -> None:
        """Drop what is held of the runs; the database knows better."""
        for run_id in run_ids:
            dropped = self._runs.pop(run_id, None)
            self._spans -= len(dropped.parents) if dropped else 0

    def trim(self) -> list[str]:
        """Drop the runs longest untouched until the limit holds; return them. Between commits only."""
        dropped = []
        while self._spans > self._max_spans and self._runs:
            dropped.append(next(iter(self._runs)))
            self.forget(dropped[-1:])
        return dropped


def _is_own(row: Row) -> bool:
    """Tell whether a span is of Milepost's own API."""
    return row[SCOPE] is None
