"""OTLP spans acknowledged after commit, per second, over HTTP, and what they take on disk; the floor in the same run.

    python -m tests.benchmarks.bench_otlp [--quick] [--json FILE]

Rounds are those of `bench_ingest`: a fresh server and a fresh folder each, collector and floor in turn, the best round
counts, and SQL afterwards that everything acknowledged is there exactly once.
"""

from __future__ import annotations

import dataclasses
import os
import random
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path

import duckdb
import httpx

from tests.benchmarks import otlp_sender
from tests.benchmarks.bench_ingest import BAR_P99_OF_P50, ROUNDS, Measured
from tests.benchmarks.figures import Figure, Options, Result, percentile, progress, run_alone
from tests.benchmarks.otlp_loads import OtlpLoad, encoded, run_of
from tests.benchmarks.sender import Sender
from tests.benchmarks.servers import Server, collector, otlp_floor

BAR_SPANS_PER_S = 25_000
BAR_BYTES_PER_SPAN = 500.0
LOADS = (
    OtlpLoad(name="4 clients, 1 KB", clients=4, spans=160_000),
    OtlpLoad(name="8 clients, 1 KB", clients=8, spans=160_000),
    OtlpLoad(name="8 clients, 1 KB, gzip", clients=8, spans=160_000, gzip=True),
    OtlpLoad(name="8 clients, 1.4 KB", clients=8, spans=160_000, text=1434),
    OtlpLoad(name="4 clients, growing conversations", clients=4, spans=40_000, growing=True),
)
WARM_UP = OtlpLoad(name="warm-up", clients=1, spans=5_120)
QUICK_SHARE = 4  # of the spans, at --quick
DISK_RUNS = 1_500
RUNS_PER_REQUEST = 50

Start = Callable[[Path], AbstractContextManager[Server]]


def run(options: Options) -> Result:
    """Send every load to the collector and to the floor, then weigh what is stored."""
    rounds: list[Measured] = []
    figures: list[Figure] = []
    progress(f"{'load':34}{'server':>10}{'spans/s':>11}{'p50 ms':>8}{'p99':>8}{'longest':>9}{'CPU s/M':>9}  MB/s")
    for load in LOADS:
        sized = dataclasses.replace(load, spans=load.spans // (QUICK_SHARE if options.quick else 1))
        for _ in range(1 if options.quick else ROUNDS):
            rounds += [measure(sized, "floor", otlp_floor), measure(sized, "collector", collector)]
        figures += _figures(load, [found for found in rounds if found.load == load.name])
    for growing in (False, True):
        figures.append(weigh(growing=growing, runs=DISK_RUNS // (10 if options.quick else 1)))
    return Result(benchmark="otlp", figures=figures, details=[asdict(found) for found in rounds])


def measure(load: OtlpLoad, name: str, start: Start) -> Measured:
    """Send a load to a fresh server and check what it stored."""
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder:
        with start(Path(folder)) as server:
            warmed = Sender(server.url, WARM_UP, otlp_sender.MODULE).send()
            sender = Sender(server.url, load, otlp_sender.MODULE)
            cpu_s = family_cpu_s(server)
            sent = sender.send()
            cpu_s = family_cpu_s(server) - cpu_s
        check(Path(folder), warmed.spans + sent.spans)
    found = Measured(
        load=load.name,
        server=name,
        events_per_s=sent.accepted / sent.seconds,
        p50_ms=percentile(sent.latencies_ms, 0.5),
        p99_ms=percentile(sent.latencies_ms, 0.99),
        stall_ms=max(sent.latencies_ms),
        cpu_s_per_million=cpu_s / sent.accepted * 1e6,
        checkpoints=0,
        sender_cpu_share=sent.cpu_s / sent.seconds,
    )
    progress(
        f"{load.name:34}{name:>10}{found.events_per_s:11,.0f}{found.p50_ms:8.1f}{found.p99_ms:8.1f}"
        f"{found.stall_ms:9.0f}{found.cpu_s_per_million:9.2f}{sent.sent_bytes / sent.seconds / 1e6:6.0f}"
    )
    return found


def family_cpu_s(server: Server) -> float:
    """Return the processor time that a server and the process that helps it have used, seconds."""
    threads = Path(f"/proc/{server.process.pid}/task")
    if not threads.is_dir():  # the system does not say
        return server.cpu_s()
    children = [int(child) for thread in threads.iterdir() for child in (thread / "children").read_text().split()]
    return server.cpu_s() + sum(map(_process_cpu_s, children))


def _process_cpu_s(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def check(data_dir: Path, spans: int) -> None:
    """Count by SQL that everything acknowledged is stored, once.

    Raises:
        AssertionError: it is not.
    """
    with duckdb.connect(str(data_dir / "milepost.duckdb"), read_only=True) as connection:
        stored = connection.execute("SELECT count(*), count(DISTINCT (run_id, span_id)) FROM spans").fetchone()
    assert stored == (spans, spans), f"stored (spans, distinct) {stored}, acknowledged {spans}"


def weigh(*, growing: bool, runs: int) -> Figure:
    """Store runs that are all new, texts included, and return what a span takes after the checkpoint."""
    load = OtlpLoad(name="disk", clients=1, spans=0, text=1024 if growing else 1434, growing=growing)
    ids = random.Random(11)
    spans = wire = 0
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder:
        file = Path(folder) / "milepost.duckdb"
        with collector(Path(folder)):
            pass
        empty = file.stat().st_size
        with collector(Path(folder)) as server, httpx.Client(base_url=server.url, timeout=120) as client:
            for _ in range(max(runs // RUNS_PER_REQUEST, 1)):
                part = [span for _ in range(RUNS_PER_REQUEST) for span in run_of(load, ids)]
                body = encoded(part)
                answer = client.post("/v1/traces", content=body, headers={"content-type": otlp_sender.CONTENT_TYPE})
                answer.raise_for_status()
                spans, wire = spans + len(part), wire + len(body)
        stored = (file.stat().st_size - empty) / spans
    name = "disk: growing conversations" if growing else "disk: 1.4 KB"
    progress(f"{name:34}{spans:10,} spans{stored:8.0f} B{wire / spans:8.0f} B as protobuf")
    return Figure(name=name, value=stored, unit="B/span", bar=BAR_BYTES_PER_SPAN, floor=wire / spans)


def _figures(load: OtlpLoad, rounds: Sequence[Measured]) -> list[Figure]:
    ours, least = (
        max((found for found in rounds if found.server == name), key=lambda found: found.events_per_s)
        for name in ("collector", "floor")
    )
    rate = Figure(
        name=load.name,
        value=ours.events_per_s,
        unit="spans/s",
        bar=None if load.growing else BAR_SPANS_PER_S,
        better="higher",
        floor=least.events_per_s,
    )
    tail = Figure(
        name=f"{load.name}: p99 of p50", value=ours.p99_of_p50, unit="×", bar=BAR_P99_OF_P50, floor=least.p99_of_p50
    )
    cpu = Figure(
        name=f"{load.name}: CPU", value=ours.cpu_s_per_million, unit="s/M spans", floor=least.cpu_s_per_million
    )
    return [rate, tail, cpu]


if __name__ == "__main__":
    run_alone(__doc__, run)
