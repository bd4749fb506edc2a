"""`milepost export`: a run in a file for other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke


def test_trace_is_written_to_a_file(invoke: Invoke, recorded: dict[str, str], tmp_path: Path):
    path = tmp_path / "run.json"
    done = invoke("export", recorded["good"][:12], "--format", "chrome", "-o", str(path))
    assert f"wrote {path.stat().st_size:,} bytes to {path}" in done.stderr
    assert {"good", "ask", "cached"} <= {event["name"] for event in json.loads(path.read_text())["traceEvents"]}


def test_summary_goes_to_standard_output(invoke: Invoke, recorded: dict[str, str]):
    done = invoke("export", recorded["good"], "--format", "markdown", "--budget", "2000")
    assert done.stdout.startswith("# good\n")
    assert len(done.stdout.encode()) <= 2000


def test_file_that_cannot_be_written_is_told(invoke: Invoke, recorded: dict[str, str], tmp_path: Path):
    done = invoke("export", recorded["good"], "-o", str(tmp_path / "nowhere" / "run.json"), code=1)
    assert "cannot be written (No such file or directory); choose another --output" in done.stderr
