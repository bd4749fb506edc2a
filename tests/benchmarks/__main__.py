"""Every benchmark: progress, a table of figures beside their bars, and what machine it was.

python -m tests.benchmarks [--quick] [--only NAME]... [--json FILE] [--spans N] [--data DIR]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks import bench_disk, bench_ingest, bench_otlp, bench_queries, bench_startup, bench_tasks
from tests.benchmarks.figures import (
    Figure,
    Options,
    Result,
    arguments,
    chosen,
    machine,
    print_figures,
    progress,
    write_json,
)

BAR_THREAD_US = 4.0


def run_sdk(options: Options) -> Result:
    """Run the SDK's benchmark, a script of its own, because every case needs a fresh process."""
    script = Path(__file__).with_name("bench_sdk.py")
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder:
        file = Path(folder) / "sdk.json"
        subprocess.run([sys.executable, script, "--json", file, *(["--quick"] if options.quick else [])], check=True)
        found = json.loads(file.read_text())["figures"]
    return Result(benchmark="sdk", figures=sdk_figures(found), details=found)


def sdk_figures(found: list[dict[str, Any]]) -> list[Figure]:
    """Return a figure per case of Milepost; its floor is OpenTelemetry's SDK, where that has the same case."""
    others = {
        (one["case"], one["collector"]): one["thread_us_per_task"] for one in found if one["library"] == "opentelemetry"
    }
    return [
        Figure(
            name=f"task: {one['case']}, collector {one['collector']}",
            value=one["thread_us_per_task"],
            unit="µs of the thread",
            bar=BAR_THREAD_US,
            floor=others.get((one["case"], one["collector"])),
        )
        for one in found
        if one["library"] == "milepost"
    ]


BENCHMARKS: dict[str, Callable[[Options], Result]] = {
    "ingest": bench_ingest.run,
    "otlp": bench_otlp.run,
    "tasks": bench_tasks.run,
    "sdk": run_sdk,
    "startup": bench_startup.run,
    "disk": bench_disk.run,
    "queries": bench_queries.run,
}


def main() -> None:
    """Run what was asked for."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, metavar="NAME", help=f"of {', '.join(BENCHMARKS)}"
    )
    given = parser.parse_args()
    facts = machine()
    results = []
    for name in given.only or BENCHMARKS:
        progress(f"\n== {name}")
        begin = time.perf_counter()
        results.append(BENCHMARKS[name](chosen(given)))
        progress(f"({time.perf_counter() - begin:.0f} s)")
    for result in results:
        print(f"\n{result.benchmark}", end="")
        print_figures(result.figures)
    print("\n" + ", ".join(f"{name} {value}" for name, value in facts.items()))
    below = [figure.name for result in results for figure in result.figures if figure.met is False]
    print(f"below their bars: {', '.join(below) or 'none'}")
    write_json(given.json, facts, results)


if __name__ == "__main__":
    main()
