"""Managed tasks over HTTP, with tracing on: how many a second, how soon they start, what memory they take.

    python -m tests.benchmarks.bench_tasks [--quick] [--json FILE]

On SQLite and on PostgreSQL, which is started for it. Rates are those of the controller's own clock, from the first task
created to the last one finished; workers are real processes with `milepost.Agent`, 8 slots each. The floor is a bare
loop that enqueues, claims and completes on the same database. Both take turns and the best round of each counts: the
others met other work on the machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from milepost.wire.tasks import TaskSettings
from tests.benchmarks.bench_tasks_client import Creator
from tests.benchmarks.bench_tasks_floor import floor_rate
from tests.benchmarks.figures import Figure, Options, Result, percentile, progress, run_alone
from tests.benchmarks.servers import Server, collector
from tests.controller.postgres import PostgresServer
from tests.crash.recovery import recovery_s

BARS_TASKS_PER_S = {"SQLite": 1_000, "PostgreSQL": 1_500}
BAR_START_P50_MS = 5.0
BAR_START_P95_MS = 15.0
BAR_RECOVERY_S = 20.0
SLOTS = 8
IN_BATCHES = "in batches"
BATCH = 500
WARM_UP = 200
LOAD_PER_S = 300
TIGHTEST = TaskSettings(heartbeat_ms=1_000)
DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on", "shared_buffers": "128MB"}
PATIENCE_S = 900


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How many tasks each measurement takes."""

    rounds: int = 3
    end_to_end: int = 5_000
    singly: int = 2_000
    queued: int = 10_000
    idle: int = 300
    loaded: int = 3_000
    floor: int = 4_000
    memory: int = 100_000


QUICK = Sizes(rounds=1, end_to_end=2_000, singly=600, queued=2_000, idle=60, loaded=900, floor=800, memory=5_000)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One load. cpu_us: of the collector and of all workers together, per task."""

    store: str
    load: str
    tasks_per_s: float
    collector_cpu_us: float
    worker_cpu_us: float


def run(options: Options) -> Result:
    """Measure everything on both stores."""
    sizes = QUICK if options.quick else Sizes()
    figures: list[Figure] = []
    rounds: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder:
        _measure_store("SQLite", folder, sizes, figures, rounds)
    with _postgres() as url:
        _measure_store("PostgreSQL", url, sizes, figures, rounds)
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder, collector(Path(folder)) as server:
        figures += _recovery(server, Path(folder))
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder:
        figures += _memory(Path(folder), sizes.memory)
    return Result(benchmark="tasks", figures=figures, details=[asdict(found) for found in rounds])


@contextmanager
def _postgres() -> Iterator[str]:
    """Have collectors use a PostgreSQL of their own that keeps what it has acknowledged."""
    server = PostgresServer(**DURABLE)
    os.environ["MILEPOST_CONTROLLER_URL"] = server.url
    try:
        yield server.url
    finally:
        del os.environ["MILEPOST_CONTROLLER_URL"]
        server.remove()


def _measure_store(store: str, place: str, sizes: Sizes, figures: list[Figure], rounds: list[Measured]) -> None:
    """Measure rates and waits on one store. place: a folder, or a PostgreSQL URL."""
    floors: dict[int, list[float]] = {1: [], SLOTS: []}
    found: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder, collector(Path(folder)) as server:
        for number in range(sizes.rounds):
            for at_once, rates in floors.items():
                rates.append(floor_rate(place, tasks=sizes.floor, at_once=at_once))
                progress(f"{store:12}{f'floor, {at_once} in a transaction':32}{rates[-1]:8,.0f} tasks/s")
            for workers in (1, 2):
                found += _end_to_end(store, server, number, workers, sizes)
        figures += _rates(store, found, floor=max(floors[1]))
        grouped = max(floors[SLOTS])
        figures.append(Figure(name=f"{store}: floor, {SLOTS} in a transaction", value=grouped, unit="tasks/s"))
        figures += _starts(store, server, sizes)
        figures += _enqueue(store, server, sizes)
    rounds += found


def _rates(store: str, rounds: list[Measured], floor: float) -> list[Figure]:
    """Return the best round of each load."""
    best: dict[str, float] = {}
    for found in rounds:
        best[found.load] = max(found.tasks_per_s, best.get(found.load, 0))
    return [
        Figure(
            name=f"{store}: {load}",
            value=rate,
            unit="tasks/s",
            bar=BARS_TASKS_PER_S[store] if load.endswith(IN_BATCHES) else None,
            better="higher",
            floor=floor,
        )
        for load, rate in best.items()
    ]


class Workers:
    """Processes that serve an agent. began: by task id, when its handler did; known once they are stopped."""

    def __init__(self, url: str, agent: str, number: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="milepost-bench-")
        self._files = [Path(self._folder.name) / f"{place}.json" for place in range(number)]
        module = "tests.benchmarks.bench_tasks_worker"
        self._processes = [
            subprocess.Popen([sys.executable, "-m", module, agent, url, str(SLOTS), str(file)]) for file in self._files
        ]
        self.began: dict[str, int] = {}

    def cpu_s(self) -> float:
        """Return the processor time they have used, seconds."""
        return sum(Server(process, "", 0).cpu_s() for process in self._processes)

    def stop(self) -> None:
        """Stop them as their user does."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(60)
        for file in self._files:
            self.began |= json.loads(file.read_text())
        self._folder.cleanup()


@contextmanager
def _working(server: Server, agent: str, number: int) -> Iterator[tuple[Workers, Creator]]:
    """Have workers of an agent, warm, for the length of the block."""
    workers, creator = Workers(server.url, agent, number), Creator(server.url, agent)
    try:
        creator.batches(WARM_UP * number, 20)
        _until_completed(creator, WARM_UP * number)
        yield workers, creator
    finally:
        workers.stop()


def _end_to_end(store: str, server: Server, number: int, workers: int, sizes: Sizes) -> list[Measured]:
    """Return how tasks went through, created in batches and one by one. number: of the round."""
    rounds = []
    name = f"{workers} worker{'s' * (workers > 1)} × {SLOTS}"
    with _working(server, f"crew-{number}-of-{workers}", workers) as (processes, creator):
        for load, tasks in ((IN_BATCHES, sizes.end_to_end), ("one by one", sizes.singly)):
            before = _Used(server, processes)
            at_ms = int(time.time() * 1000)
            done = creator.count("completed")
            if load == IN_BATCHES:
                creator.batches(tasks, BATCH)
            else:
                creator.singly(tasks)
            _until_completed(creator, done + tasks)
            found = before.measured(store, f"{name}, {load}", tasks, _rate(creator, at_ms, tasks))
            progress(
                f"{store:12}{found.load:32}{found.tasks_per_s:8,.0f} tasks/s, CPU a task: collector "
                f"{found.collector_cpu_us:,.0f} µs, workers {found.worker_cpu_us:,.0f} µs"
            )
            rounds.append(found)
    return rounds


class _Used:
    """Processor time up to now."""

    def __init__(self, server: Server, workers: Workers) -> None:
        self._server, self._workers = server, workers
        self._before_s = (server.cpu_s(), workers.cpu_s())

    def measured(self, store: str, load: str, tasks: int, tasks_per_s: float) -> Measured:
        """Return what a load of so many tasks took since."""
        server_s, workers_s = self._server.cpu_s() - self._before_s[0], self._workers.cpu_s() - self._before_s[1]
        return Measured(
            store=store,
            load=load,
            tasks_per_s=tasks_per_s,
            collector_cpu_us=server_s / tasks * 1e6,
            worker_cpu_us=workers_s / tasks * 1e6,
        )


def _until_completed(creator: Creator, number: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while creator.count("completed") < number:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{number} tasks were not completed within {PATIENCE_S} s")
        time.sleep(0.25)


def _rate(creator: Creator, since_ms: int, tasks: int) -> float:
    """Return tasks a second of those created since, by the controller's clock, once DuckDB has them all."""
    query = f"""
        SELECT count(*), epoch_ms(max(finished_at)) - epoch_ms(min(created_at)) FROM managed_tasks
        WHERE status = 'completed' AND created_at >= make_timestamp_ns({since_ms}000000)
    """
    while (found := creator.sql(query)[0])[0] < tasks:
        time.sleep(0.1)
    return tasks / found[1] * 1000


def _enqueue(store: str, server: Server, sizes: Sizes) -> list[Figure]:
    """Return the rates at which tasks are created that nobody does."""
    creator = Creator(server.url, "nobody")
    begin = time.perf_counter()
    creator.singly(sizes.singly)
    singly = sizes.singly / (time.perf_counter() - begin)
    begin = time.perf_counter()
    creator.batches(sizes.queued, BATCH)
    batches = sizes.queued / (time.perf_counter() - begin)
    progress(f"{store:12}created {singly:,.0f} a second one by one (8 clients), {batches:,.0f} in batches of {BATCH}")
    return [
        Figure(name=f"{store}: created one by one, 8 clients", value=singly, unit="tasks/s"),
        Figure(name=f"{store}: created in batches of {BATCH}", value=batches, unit="tasks/s"),
    ]


def _starts(store: str, server: Server, sizes: Sizes) -> list[Figure]:
    """Return how long tasks wait from their creation to the first line of their handler."""
    figures = []
    with _working(server, "idle", 1) as (workers, creator):
        asked: dict[str, int] = {}
        for _ in range(sizes.idle):
            asked |= creator.singly(1)
            time.sleep(0.02)
        _until_completed(creator, WARM_UP + sizes.idle)
    figures += _waits(f"{store}: idle", creator, workers, asked, has_bar=True)
    with _working(server, "loaded", 2) as (workers, creator):
        asked = creator.singly(sizes.loaded, per_s=LOAD_PER_S)
        _until_completed(creator, 2 * WARM_UP + sizes.loaded)
    figures += _waits(f"{store}: {LOAD_PER_S} tasks/s", creator, workers, asked, has_bar=False)
    return figures


def _waits(name: str, creator: Creator, workers: Workers, asked: dict[str, int], *, has_bar: bool) -> list[Figure]:
    """Return the waits from being ready: the time that the controller gave the task, before its commit."""
    ready_ms = _created_ms(creator, asked)
    waits = [workers.began[task_id] / 1e6 - ready_ms[task_id] for task_id in asked]
    total = [(workers.began[task_id] - at_ns) / 1e6 for task_id, at_ns in asked.items()]
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    bars = {"p50": BAR_START_P50_MS, "p95": BAR_START_P95_MS} if has_bar else {}
    progress(
        f"{name}: ready to started p50/p95/p99 {' / '.join(f'{percentile(waits, at):.1f}' for at in shares.values())} "
        f"ms, from the request {' / '.join(f'{percentile(total, at):.1f}' for at in shares.values())} ms"
    )
    return [
        Figure(name=f"{name}, ready to started {share}", value=percentile(waits, at), unit="ms", bar=bars.get(share))
        for share, at in shares.items()
    ]


def _created_ms(creator: Creator, ids: dict[str, int]) -> dict[str, int]:
    query = "SELECT task_id, epoch_ms(created_at) FROM managed_tasks WHERE task_id >= '{}' LIMIT 100000"
    found: dict[str, int] = {}
    while not ids.keys() <= found.keys():
        found = dict(creator.sql(query.format(min(ids))))  # type: ignore[arg-type]
    return found


def _recovery(server: Server, folder: Path) -> list[Figure]:
    """Return how soon 20 tasks of a killed worker are begun elsewhere."""
    figures = []
    for name, settings in (("default settings", TaskSettings()), ("tightest lease, 1 s", TIGHTEST)):
        (place := folder / str(settings.heartbeat_ms)).mkdir()
        took_s = recovery_s(server.url, place, settings, tasks=20)
        progress(f"20 tasks of a killed worker, {name}: all begun elsewhere after {took_s:.1f} s")
        bar = BAR_RECOVERY_S if settings is not TIGHTEST else None
        figures.append(Figure(name=f"killed worker, {name}", value=took_s, unit="s", bar=bar))
    return figures


def _memory(folder: Path, tasks: int) -> list[Figure]:
    """Return the collector's memory before and after so many tasks, two workers doing them."""
    with collector(folder) as server, _working(server, "memory", 2) as (_, creator):
        before = server.resident_mib()
        creator.batches(tasks, BATCH)
        queued = server.resident_mib()
        _until_completed(creator, 2 * WARM_UP + tasks)
        after = server.resident_mib()
    progress(f"memory: {before:.0f} MiB warm, {queued:.0f} with {tasks:,} queued, {after:.0f} with them completed")
    return [
        Figure(name="memory, warm", value=before, unit="MiB"),
        Figure(name=f"memory, {tasks:,} tasks queued", value=queued, unit="MiB"),
        Figure(name=f"memory, {tasks:,} tasks completed", value=after, unit="MiB"),
    ]


if __name__ == "__main__":
    run_alone(__doc__, run)
