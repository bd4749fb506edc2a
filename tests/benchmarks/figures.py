"""Measured numbers beside their bars, and how they are printed and written."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

UNITS_OF_MEMORY = 2**30


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One measured number.

    bar: what it should reach, in the same unit. better: which side of the bar is good. floor: the same work done by the
    least code that could do it, measured in the same run.
    """

    name: str
    value: float
    unit: str
    bar: float | None = None
    better: Literal["higher", "lower"] = "lower"
    floor: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the bar is reached; None without a bar."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.better == "higher" else self.value <= self.bar

    @property
    def ratio(self) -> float | None:
        """The value relative to the floor; above 1 means more of the unit than the floor."""
        return self.value / self.floor if self.floor else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What one benchmark found. details: everything else worth keeping, as plain values."""

    benchmark: str
    figures: list[Figure]
    details: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What every benchmark is told.

    quick: small and noisy, to see that it works. spans: of the generated database; None for the usual 10 million. data:
    a folder to keep that database in; None makes it anew and deletes it.
    """

    quick: bool = False
    spans: int | None = None
    data: Path | None = None


def machine() -> dict[str, Any]:
    """Return what the figures depend on; nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory / UNITS_OF_MEMORY),
        "processor": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "duckdb": version("duckdb"),
        "load_before": round(os.getloadavg()[0], 1),
    }


def run_alone(description: str | None, run: Callable[[Options], Result]) -> None:
    """Run one benchmark as a command."""
    given = arguments(description).parse_args()
    facts = machine()
    result = run(chosen(given))
    print_figures(result.figures)
    write_json(given.json, facts, [result])


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options all benchmarks know."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and noisy: to see that it works")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to a file")
    parser.add_argument("--spans", type=int, help="of the database that queries are measured on (default: 10 million)")
    parser.add_argument("--data", type=Path, help="keep that database in this folder, or use the one that is there")
    return parser


def chosen(given: argparse.Namespace) -> Options:
    """Return what was asked for."""
    return Options(quick=given.quick, spans=given.spans, data=given.data)


def print_figures(figures: Sequence[Figure]) -> None:
    """Print the table of figures, bars and floors."""
    width = max((len(figure.name) for figure in figures), default=10) + 2
    print(f"\n{'figure':{width}}{'value':>12} {'unit':18}{'bar':>12}  {'':5}{'floor':>12}{'of floor':>10}")
    for figure in figures:
        bar = "" if figure.bar is None else f"{'≥' if figure.better == 'higher' else '≤'} {_number(figure.bar)}"
        met = {None: "", True: "met", False: "below"}[figure.met]
        floor = "" if figure.floor is None else _number(figure.floor)
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}×"
        value = _number(figure.value)
        print(f"{figure.name:{width}}{value:>12} {figure.unit:18}{bar:>12}  {met:5}{floor:>12}{ratio:>10}")


def write_json(path: str | None, facts: dict[str, Any], results: Sequence[Result]) -> None:
    """Write everything to a file, if one is named."""
    if path:
        with open(path, "w") as file:
            json.dump({"machine": facts, "results": [asdict(result) for result in results]}, file, indent=1)
            file.write("\n")


def progress(text: str) -> None:
    """Tell what is going on."""
    print(text, flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies. share: 0 to 1."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}"
