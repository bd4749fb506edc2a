"""Queries on 10 million spans: the API of a real collector, warm, against minimal DuckDB queries in the same run.

    python -m tests.benchmarks.bench_queries [--quick] [--json FILE] [--spans N] [--data DIR]

The API's times hold HTTP, the query and the JSON answer; the floors hold DuckDB alone, on the same file, in this
process, with all cores. The best of several counts on both sides. Bars are twice the figures of the design's prototype.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import duckdb

from tests.benchmarks.database import NEEDLE, SPANS_PER_RUN, ensure_database
from tests.benchmarks.figures import Figure, Options, Result, median, progress, run_alone
from tests.benchmarks.servers import collector

SPANS = 10_000_000
QUICK_SPANS = 200_000
REPEATS = 15
QUICK_REPEATS = 5
WARM_UPS = 2

COST = "SELECT model, date_trunc('day', start_time) AS day, sum(cost_usd) FROM {source} GROUP BY ALL ORDER BY ALL"
PERCENTILES = (
    "SELECT name, count(*), quantile_cont(duration_ms, [0.5, 0.95, 0.99]) FROM spans GROUP BY name ORDER BY name"
)
SEARCH = f"SELECT count(*) FROM spans WHERE contains(attributes::VARCHAR, '{NEEDLE}')"
RUNS = "SELECT status, count(*), avg(duration_ms), sum(cost_usd), sum(input_tokens) FROM runs GROUP BY status"
SKELETON = (
    "SELECT span_id, parent_span_id, name, kind, status, start_time, end_time, model, input_tokens, output_tokens, "
    "cost_usd FROM spans WHERE run_id = md5('run{run}') ORDER BY start_time"
)
WITH_TEXT = f"SELECT DISTINCT run_id FROM spans WHERE contains(attributes::VARCHAR, '{NEEDLE}') LIMIT 50"
RUN_SUMS = (
    "SELECT root_status, count(*), avg(epoch_ns(root_end_time) - epoch_ns(root_start_time)), sum(cost_usd), "
    "sum(input_tokens) FROM run_sums GROUP BY root_status"
)
RUN_LATENCY = (
    "SELECT date_trunc('day', first_start) AS day, count(*), "
    "quantile_cont(epoch_ns(root_end_time) - epoch_ns(root_start_time), [0.5, 0.95, 0.99]) FROM run_sums GROUP BY day"
)
ERRORS = (
    "SELECT error_type, error_message, count(*), count(DISTINCT run_id) FROM spans WHERE status IN ('failed', 'lost') "
    "GROUP BY ALL ORDER BY ALL"
)
NEWEST = "SELECT * FROM run_sums {where} ORDER BY first_start DESC LIMIT 50"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One question. ask: puts it to the collector. floor: SQL for the same answer. bar_ms: for 10 million spans."""

    name: str
    ask: Callable[[Api], int]
    floor: str
    bar_ms: float | None = None


class Api:
    """The collector's API over one kept connection. Methods return how many items came back."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=120)

    def runs(self, **parameters: Any) -> int:
        """Ask for a page of runs."""
        return len(self._get(f"/api/runs?{urlencode({'limit': 50, **parameters})}")["runs"])

    def run(self, run_id: str) -> int:
        """Open a run as the viewer does: its header and its spans."""
        self._get(f"/api/runs/{run_id}")
        return len(self._get(f"/api/runs/{run_id}/spans")["spans"])

    def sql(self, query: str) -> int:
        """Ask in SQL."""
        return len(self._ask("POST", "/api/sql", json.dumps({"sql": query}).encode())["rows"])

    def insights(self, part: str, **parameters: Any) -> int:
        """Ask for one part of the figures of the month that the database is of."""
        times = {"from": "2025-11-01T00:00:00Z", "to": "2025-12-02T00:00:00Z", "part": part, **parameters}
        return len(self._get(f"/api/insights?{urlencode(times)}")[part])

    def healthz(self) -> int:
        """Ask for nothing: what HTTP alone costs."""
        return len(self._get("/healthz"))

    def _get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        self._connection.request(method, path, body, {"content-type": "application/json"} if body else {})
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return json.loads(content)


def questions(spans: int) -> list[Question]:
    """Return what is asked. The run that is opened lies in the middle of the file."""
    run = spans // SPANS_PER_RUN // 2
    run_id = hashlib.md5(f"run{run}".encode()).hexdigest()
    return [
        Question(
            name="newest 50 runs with totals", ask=lambda api: api.runs(), floor=NEWEST.format(where=""), bar_ms=10
        ),
        Question(name="one run by id", ask=lambda api: api.run(run_id), floor=SKELETON.format(run=run), bar_ms=28),
        Question(
            name="cost by model and day",
            ask=lambda api: api.sql(COST.format(source="llm_calls")),
            floor=COST.format(source="spans WHERE kind = 'llm'"),
            bar_ms=90,
        ),
        Question(name="percentiles by name", ask=lambda api: api.sql(PERCENTILES), floor=PERCENTILES, bar_ms=240),
        Question(name="search in all attributes", ask=lambda api: api.sql(SEARCH), floor=SEARCH, bar_ms=300),
        Question(name="runs with a text anywhere", ask=lambda api: api.runs(text=NEEDLE), floor=WITH_TEXT),
        Question(
            name="newest failed runs",
            ask=lambda api: api.runs(status="failed"),
            floor=NEWEST.format(where="WHERE root_status = 'failed'"),
        ),
        Question(
            name="newest runs above a cost",
            ask=lambda api: api.runs(min_cost_usd=0.06),
            floor=NEWEST.format(where="WHERE cost_usd >= 0.06"),
        ),
        Question(
            name="runs above a cost nobody reached",
            ask=lambda api: api.runs(min_cost_usd=99),
            floor=NEWEST.format(where="WHERE cost_usd >= 99"),
        ),
        Question(name="SQL over all runs", ask=lambda api: api.sql(RUNS), floor=RUN_SUMS),
        Question(
            name="insights: cost and tokens by model and time",
            ask=lambda api: api.insights("group_series", by="model", percentiles=0),
            floor=COST.format(source="spans WHERE kind = 'llm'"),
        ),
        Question(
            name="insights: latency of runs by time",
            ask=lambda api: api.insights("series", by="agent"),
            floor=RUN_LATENCY,
        ),
        Question(name="insights: like errors", ask=lambda api: api.insights("errors"), floor=ERRORS),
        Question(name="insights: slowest steps", ask=lambda api: api.insights("slowest"), floor=PERCENTILES),
        Question(name="nothing (HTTP alone)", ask=lambda api: api.healthz(), floor="SELECT 1"),
    ]


def run(options: Options) -> Result:
    """Ask everything of the collector, then of DuckDB alone."""
    spans = options.spans or (QUICK_SPANS if options.quick else SPANS)
    repeats = QUICK_REPEATS if options.quick else REPEATS
    asked = questions(spans)
    with ExitStack() as stack:
        folder = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="milepost-bench-")))
        data_dir = ensure_database(folder, spans)
        with collector(data_dir) as server:
            api = Api(server.url)
            ours = [_time(question.name, partial(question.ask, api), repeats) for question in asked]
        with duckdb.connect(str(data_dir / "milepost.duckdb"), read_only=True) as connection:
            floors = [_floor_times(connection, question, repeats) for question in asked]
    measured = list(zip(asked, ours, floors, strict=True))
    return Result(
        benchmark="queries",
        figures=[_figure(question, times, floor, spans) for question, times, floor in measured],
        details=[
            {"question": question.name, "spans": spans, "times_ms": times, "floor_times_ms": floor}
            for question, times, floor in measured
        ],
    )


def _figure(question: Question, times: list[float], floor: list[float], spans: int) -> Figure:
    bar = question.bar_ms if spans == SPANS else None
    return Figure(name=question.name, value=min(times), unit="ms", bar=bar, floor=min(floor))


def _floor_times(connection: duckdb.DuckDBPyConnection, question: Question, repeats: int) -> list[float]:
    return _time(f"{question.name}, floor", lambda: len(connection.execute(question.floor).fetchall()), repeats)


def _time(name: str, ask: Callable[[], int], repeats: int) -> list[float]:
    """Return the milliseconds of each repeat."""
    times = []
    for number in range(WARM_UPS + repeats):
        begin = time.perf_counter()
        found = ask()
        if number >= WARM_UPS:
            times.append((time.perf_counter() - begin) * 1000)
    progress(f"{name:40} {min(times):9.1f} ms at best, {median(times):9.1f} in the middle, {found} rows")
    return times


if __name__ == "__main__":
    run_alone(__doc__, run)
