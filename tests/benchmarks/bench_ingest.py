"""Events acknowledged after commit, per second, over HTTP: a real collector against the floor in the same run.

    python -m tests.benchmarks.bench_ingest [--quick] [--json FILE] [--only NAME]

Every round starts a fresh server on an empty folder, sends the load from a process of its own, stops the server and
counts by SQL that everything acknowledged is there exactly once. Rounds of the collector and of the floor alternate and
the best one counts: the others met other work on the machine.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from tests.benchmarks.figures import Figure, Options, Result, percentile, progress, run_alone
from tests.benchmarks.loads import Load
from tests.benchmarks.sender import Sender, Sent
from tests.benchmarks.servers import Server, collector, floor

BAR_EVENTS_PER_S = 200_000
BAR_P99_OF_P50 = 4.0
ROUNDS = 3

LOADS = (
    Load(name="1 client, 512 a batch", clients=1, events=400_000),
    Load(name="4 clients, 512 a batch", clients=4, events=800_000),
    Load(name="8 clients, 512 a batch", clients=8, events=800_000),
    Load(name="4 clients, 5,000 a batch", clients=4, batch_events=5_000, events=1_200_000),
    Load(name="8 clients, gzip", clients=8, events=600_000, gzip=True),
    Load(name="8 clients, a third of ends late", shape="late", clients=8, events=600_000),
    Load(name="4 clients, 15 attributes, 1.4 KB", shape="large", clients=4, events=240_000),
    Load(name="8 clients, sustained", clients=8, events=3_000_000),
)
# A collector loads Arrow and the prices with the first events: once in its life, not in every measurement.
WARM_UP = Load(name="warm-up", clients=1, events=5_632)
QUICK_SHARE = 6  # of the events, at --quick
SUSTAINED = "8 clients, sustained"


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One round. cpu_s_per_million: of the server, per million events. stall: the longest wait for an answer."""

    load: str
    server: str
    events_per_s: float
    p50_ms: float
    p99_ms: float
    stall_ms: float
    cpu_s_per_million: float
    checkpoints: float
    sender_cpu_share: float

    @property
    def p99_of_p50(self) -> float:
        """How much longer than usual one request in a hundred takes."""
        return self.p99_ms / self.p50_ms


def run(options: Options) -> Result:
    """Send every load to the collector and to the floor."""
    rounds: list[Measured] = []
    figures: list[Figure] = []
    progress(
        f"{'load':34}{'server':>10}{'events/s':>11}{'p50 ms':>8}{'p99':>8}{'longest':>9}{'CPU s/M':>9}  checkpoints"
    )
    for load in chosen_loads(quick=options.quick):
        for _ in range(1 if options.quick or load.name == SUSTAINED else ROUNDS):
            rounds += [measure(load, "floor", floor), measure(load, "collector", collector)]
        figures += _figures(load, [found for found in rounds if found.load == load.name])
    return Result(benchmark="ingest", figures=figures, details=[asdict(found) for found in rounds])


def chosen_loads(*, quick: bool) -> list[Load]:
    """Return the loads, smaller when in a hurry."""
    if not quick:
        return list(LOADS)
    return [dataclasses.replace(load, events=load.events // QUICK_SHARE) for load in LOADS]


def measure(load: Load, name: str, start: Callable[[Path], AbstractContextManager[Server]]) -> Measured:
    """Send a load to a fresh server and check what it stored."""
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder:
        with start(Path(folder)) as server:
            warmed = Sender(server.url, WARM_UP).send()
            sender = Sender(server.url, load)
            cpu_s = server.cpu_s()
            sent = sender.send()
            cpu_s = server.cpu_s() - cpu_s
            checkpoints = server.metric("milepost_ingest_checkpoints_total") if name == "collector" else 0
        check(Path(folder), [warmed, sent])
    found = Measured(
        load=load.name,
        server=name,
        events_per_s=sent.accepted / sent.seconds,
        p50_ms=percentile(sent.latencies_ms, 0.5),
        p99_ms=percentile(sent.latencies_ms, 0.99),
        stall_ms=max(sent.latencies_ms),
        cpu_s_per_million=cpu_s / sent.accepted * 1e6,
        checkpoints=checkpoints,
        sender_cpu_share=sent.cpu_s / sent.seconds,
    )
    progress(
        f"{load.name:34}{name:>10}{found.events_per_s:11,.0f}{found.p50_ms:8.1f}{found.p99_ms:8.1f}"
        f"{found.stall_ms:9.0f}{found.cpu_s_per_million:9.2f}{found.checkpoints:13.0f}"
    )
    return found


def check(data_dir: Path, sent: Sequence[Sent]) -> None:
    """Count by SQL that everything acknowledged is stored, once.

    Raises:
        AssertionError: it is not.
    """
    with duckdb.connect(str(data_dir / "milepost.duckdb"), read_only=True) as connection:
        stored = connection.execute(
            "SELECT count(*), count(DISTINCT (run_id, span_id)), (SELECT count(*) FROM events), "
            "(SELECT count(*) FROM live_spans) FROM spans"
        ).fetchone()
    spans, events = sum(one.spans for one in sent), sum(one.events for one in sent)
    expected = (spans, spans, events, 0)
    assert stored == expected, f"stored (spans, distinct, events, running) {stored}, acknowledged {expected}"


def _figures(load: Load, rounds: list[Measured]) -> list[Figure]:
    best: dict[str, Any] = {
        name: max((found for found in rounds if found.server == name), key=lambda found: found.events_per_s)
        for name in ("collector", "floor")
    }
    ours, least = best["collector"], best["floor"]
    bar = BAR_EVENTS_PER_S if load.shape == "small" and not load.gzip and load.clients > 1 else None
    rate = Figure(
        name=load.name, value=ours.events_per_s, unit="events/s", bar=bar, better="higher", floor=least.events_per_s
    )
    tail = Figure(
        name=f"{load.name}: p99 of p50", value=ours.p99_of_p50, unit="×", bar=BAR_P99_OF_P50, floor=least.p99_of_p50
    )
    cpu = Figure(
        name=f"{load.name}: CPU", value=ours.cpu_s_per_million, unit="s/M events", floor=least.cpu_s_per_million
    )
    return [rate, tail, cpu]


if __name__ == "__main__":
    run_alone(__doc__, run)
