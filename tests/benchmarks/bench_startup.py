"""How soon a collector is ready and how much memory it occupies while idle, and how long the command line takes.

    python -m tests.benchmarks.bench_startup [--quick] [--json FILE]

Readiness is the time from starting the process to /readyz answering 200; the best of several counts. The floor is
uvicorn, Starlette and an open DuckDB file.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Figure, Options, Result, progress, run_alone
from tests.benchmarks.loads import Load
from tests.benchmarks.sender import Sender
from tests.benchmarks.servers import Server, bare, collector

BAR_READY_S = 1.0
BAR_IDLE_MIB = 120.0
SETTLE_S = 2.0  # after which whatever a server does in the background at its start is done
FILLING = Load(name="filling", clients=4, events=400_000)
QUICK_FILLING = Load(name="filling", clients=2, events=40_000)


@dataclass(frozen=True, slots=True)
class Start:
    """A start of a server. idle_mib: resident memory once it has settled."""

    ready_s: float
    idle_mib: float


def run(options: Options) -> Result:
    """Start everything several times."""
    repeats = 2 if options.quick else 7
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder:
        floor = _starts("floor", bare, Path(folder) / "floor", repeats)
        empty = _starts("collector, new database", collector, None, repeats)
        after_mib = _fill(Path(folder) / "filled", QUICK_FILLING if options.quick else FILLING)
        filled = _starts("collector, database with runs", collector, Path(folder) / "filled", repeats)
    version_s = _command_s(["-m", "milepost_collector.cli", "version"], repeats)
    python_s = _command_s(["-c", "pass"], repeats)
    figures = [
        Figure(name="ready, new database", value=empty.ready_s, unit="s", bar=BAR_READY_S, floor=floor.ready_s),
        Figure(name="ready, with runs", value=filled.ready_s, unit="s", bar=BAR_READY_S, floor=floor.ready_s),
        Figure(name="idle, new database", value=empty.idle_mib, unit="MiB", bar=BAR_IDLE_MIB, floor=floor.idle_mib),
        Figure(name="idle, with runs", value=filled.idle_mib, unit="MiB", bar=BAR_IDLE_MIB, floor=floor.idle_mib),
        Figure(name="memory after a load", value=after_mib, unit="MiB"),
        Figure(name="`milepost version`", value=version_s, unit="s", floor=python_s),
    ]
    return Result(benchmark="startup", figures=figures, details=[])


def _starts(
    name: str, start: Callable[[Path], AbstractContextManager[Server]], data_dir: Path | None, repeats: int
) -> Start:
    """Return the best of several starts. data_dir: None for a new folder each time."""
    found = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder, start(data_dir or Path(folder)) as server:
            time.sleep(SETTLE_S)
            found.append(Start(server.started_in_s, server.resident_mib()))
    best = Start(min(one.ready_s for one in found), min(one.idle_mib for one in found))
    progress(f"{name:32}{best.ready_s:8.2f} s{best.idle_mib:10.0f} MiB")
    return best


def _fill(data_dir: Path, load: Load) -> float:
    """Send a load to a new collector and return the memory it occupies afterwards, MiB."""
    with collector(data_dir) as server:
        Sender(server.url, load).send()
        time.sleep(SETTLE_S)
        return server.resident_mib()


def _command_s(arguments: Sequence[str], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
    progress(f"python {' '.join(arguments):40}{min(times):8.2f} s")
    return min(times)


if __name__ == "__main__":
    run_alone(__doc__, run)
