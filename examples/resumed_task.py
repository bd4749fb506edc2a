"""A long task whose worker is killed in the middle, and which another worker takes up where it was.

Shows: a step that is done once for all attempts, a checkpoint after every page, an attempt that ends as `lost`, and the
next one that goes on.

    python examples/resumed_task.py

Needs a collector (`milepost serve`); MILEPOST_ENDPOINT names one elsewhere than at http://127.0.0.1:4600.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import milepost

DATA = Path(__file__).parent / "data"
PAGE_LINES = 4
KILL_AFTER_PAGES = 6

agent = milepost.Agent("reading-agent")


def split_into_pages(folder: str) -> list[str]:
    """What only the first attempt does: its result is remembered."""
    lines = [line for path in sorted(Path(folder).glob("*.txt")) for line in path.read_text("latin-1").splitlines()]
    return ["\n".join(lines[start : start + PAGE_LINES]) for start in range(0, len(lines), PAGE_LINES)]


def count_words(page: str) -> int:
    time.sleep(0.1)  # stands for the answer of a model
    return len(page.split())


@agent.task("Read Archive")
def read_archive(ctx: milepost.TaskContext, folder: str) -> dict[str, int]:
    pages = ctx.step("split into pages", split_into_pages, folder)
    state = ctx.last_checkpoint or {"page": 0, "words": 0}
    for number in range(state["page"], len(pages)):
        words = state["words"] + count_words(pages[number])
        state = {"page": number + 1, "words": words}
        # Kept once this returns: whatever happens now, this page is not read again.
        ctx.checkpoint(state)
        ctx.progress(state["page"] / len(pages), phase=f"page {state['page']} of {len(pages)}")
        print(f"attempt {ctx.attempt}: page {state['page']}", flush=True)
    return state


@contextmanager
def worker() -> Iterator[subprocess.Popen[str]]:
    """Run this file as a process that serves the agent, as `milepost agent run resumed_task:agent` does."""
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def kill_in_the_middle(process: subprocess.Popen[str]) -> None:
    """Wait until some pages are read, then take the process away as a crash or a loss of power would."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith(f"page {KILL_AFTER_PAGES}\n"):
            break
    process.kill()


def main() -> None:
    client = milepost.Client()
    task = client.tasks.create(
        name="Read Archive",
        agent="reading-agent",
        input={"folder": str(DATA)},
        settings={"heartbeat_ms": 1_000},  # by default a worker is given up after 12 s of silence
    )
    with worker() as first:
        kill_in_the_middle(first)
    with worker():
        done = client.tasks.wait(task, timeout_s=60)
    for attempt in reversed(client.tasks.list_runs(task).attempts):
        began = "" if attempt.attempt == 1 else f", {attempt.steps_reused} step reused"
        print(f"attempt {attempt.attempt}: {attempt.status}, {attempt.checkpoint_count} pages read{began}")
    print(f"task {task.id} {task.name}")
    print(f"{done.result['page']} pages, {done.result['words']} words, each counted once")


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        agent.serve(concurrency=1)
    else:
        main()
