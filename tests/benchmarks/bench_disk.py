"""Bytes per span on disk, through a real collector, after its checkpoint; the same spans as JSON and as Parquet.

    python -m tests.benchmarks.bench_disk [--quick] [--json FILE]

Every run is made anew, so that nothing repeats but what repeats in life: names, models, a system prompt, common words.
"""

from __future__ import annotations

import http.client
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import msgspec

from milepost.wire import Batch, Resource, SpanEnded, WireEvent
from tests.benchmarks.figures import Figure, Options, Result, progress, run_alone
from tests.benchmarks.loads import fresh_run_id, large_run, small_run
from tests.benchmarks.servers import Server, collector

BAR_LARGE_BYTES = 500.0
RUNS_PER_BATCH = 50
SPANS = {"small tasks": 600_000, "15 attributes, 1.4 KB": 200_000}
QUICK_SHARE = 10
SHAPES: dict[str, Callable[[random.Random, str], list[WireEvent]]] = {
    "small tasks": small_run,
    "15 attributes, 1.4 KB": large_run,
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes per span. json: the wire's own JSON of ended spans. parquet: the table `spans`, zstd."""

    stored: float
    json: float
    parquet: float


def run(options: Options) -> Result:
    """Store both kinds of spans, each in a database of its own."""
    figures = []
    for name in SHAPES:
        sizes = measure(name, SPANS[name] // (QUICK_SHARE if options.quick else 1))
        bar = BAR_LARGE_BYTES if name != "small tasks" else None
        figures += [
            Figure(name=name, value=sizes.stored, unit="B/span", bar=bar, floor=sizes.parquet),
            Figure(name=f"{name}: as JSON", value=sizes.json, unit="B/span"),
        ]
    return Result(benchmark="disk", figures=figures, details=[])


def measure(name: str, spans: int) -> Sizes:
    """Send about this many spans of a kind and weigh the file the collector leaves."""
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder:
        file = Path(folder) / "milepost.duckdb"
        with collector(Path(folder)):
            pass
        empty = file.stat().st_size
        with collector(Path(folder)) as server:
            stored, text = _send(server, name, spans)
        sizes = Sizes((file.stat().st_size - empty) / stored, text / stored, _parquet_size(file) / stored)
    progress(
        f"{name:26}{stored:10,} spans{sizes.stored:8.0f} B{sizes.json:8.0f} B as JSON{sizes.parquet:8.0f} B as Parquet"
    )
    return sizes


def _send(server: Server, name: str, spans: int) -> tuple[int, int]:
    """Return how many spans were sent and the size of their JSON."""
    at = urlsplit(server.url)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=120)
    stored = text = 0
    for sequence, events in enumerate(_batches(name, spans)):
        batch = Batch(producer_id="bench", sequence=sequence, events=events, resource=Resource(agent="bench-agent"))
        connection.request("POST", "/v1/events", msgspec.msgpack.encode(batch), {"content-type": "application/msgpack"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"answer {answer.status}: {content[:200]!r}")
        ended = [event for event in events if type(event) is SpanEnded]
        stored += len(ended)
        text += sum(len(msgspec.json.encode(span)) for span in ended)
    return stored, text


def _batches(name: str, spans: int) -> Iterator[list[WireEvent]]:
    ids = random.Random(11)
    per_batch = RUNS_PER_BATCH * 21
    for _ in range(max(spans // per_batch, 1)):
        yield [event for _ in range(RUNS_PER_BATCH) for event in SHAPES[name](ids, fresh_run_id(ids))]


def _parquet_size(file: Path) -> int:
    target = file.with_suffix(".parquet")
    with duckdb.connect(str(file), read_only=True) as connection:
        select = "SELECT * EXCLUDE (duration_ms) FROM spans"
        connection.execute(f"COPY ({select}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    return target.stat().st_size


if __name__ == "__main__":
    run_alone(__doc__, run)
