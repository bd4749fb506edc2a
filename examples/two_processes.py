"""One run over two processes, joined by the W3C `traceparent`.

The parent hands each file to a child process. What the child records nests under the task that started it.

    python examples/two_processes.py
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import milepost

DATA = Path(__file__).parent / "data"


@milepost.task
def count_letters(path: Path) -> int:
    return sum(letter.isalpha() for letter in path.read_text("utf-8"))


@milepost.task
def count_lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def child(path: Path, traceparent: str) -> None:
    """What the second process does: measure a file as part of the parent's run."""
    milepost.init(agent="measuring-agent")
    with milepost.start_run("measure", traceparent=traceparent, input={"file": path.name}) as run:
        measured = {"letters": count_letters(path), "lines": count_lines(path)}
        run.complete(output=measured)
    print(json.dumps(measured))


def delegate(path: Path) -> dict[str, int]:
    """Run the child and wait for its answer."""
    with milepost.start_task("delegate", input={"file": path.name}) as task:
        command = [sys.executable, __file__, str(path), task.traceparent]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        measured: dict[str, int] = json.loads(done.stdout)
        task.complete(output=measured)
    return measured


def parent() -> None:
    milepost.init(agent="delegating-agent")
    with milepost.start_run("two-processes") as run:
        print(f"run {run.run_id} two-processes", flush=True)
        measured = {path.name: delegate(path) for path in (DATA / "harbour-log.txt", DATA / "tide-survey.txt")}
        run.complete(output=measured)
    print(measured)


def main() -> None:
    if len(sys.argv) == 3:
        child(Path(sys.argv[1]), sys.argv[2])
    else:
        parent()


if __name__ == "__main__":
    main()
