"""A program that serves an agent: program.py AGENT ENDPOINT FOLDER [DRAIN_TIMEOUT_S]. Handlers leave notes as files."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import threading
import time
from pathlib import Path

import milepost

NAME, ENDPOINT, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])
DRAIN_TIMEOUT_S = float(sys.argv[4]) if len(sys.argv) > 4 else 30.0
PATIENCE_S = 30.0

agent = milepost.Agent(NAME)


def note(name: str, text: object = "") -> None:
    """Leave a note for the test."""
    draft = FOLDER / f".{name}"
    draft.write_text(str(text))
    draft.rename(FOLDER / name)


def await_note(name: str) -> None:
    """Wait for a note of the test's."""
    deadline = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not (FOLDER / name).exists():
        assert time.monotonic() < deadline, f"nobody left {name}"
        pause.wait(0.01)


def work(part: int) -> int:
    note(f"worked-{part}-{time.time_ns()}")
    return part * 10


@agent.task("steps")
def steps(ctx: milepost.TaskContext, parts: int) -> list[int]:
    """Do steps; the first attempt hangs after the second."""
    done = []
    for part in range(parts):
        done.append(ctx.step("work", work, part))
        if part == 1 and ctx.attempt == 1:
            note("hanging")
            await_note("never")
    return done


@agent.task("waits")
def waits(ctx: milepost.TaskContext) -> str:
    """Wait for the test."""
    note("waiting")
    await_note("go")
    return "waited"


@agent.task("frozen")
def frozen(ctx: milepost.TaskContext) -> str:
    """Wait until another worker has the task, then try to go on."""
    note(f"attempt-{ctx.attempt}")
    if ctx.attempt > 1:
        return "the second"
    await_note("thawed")
    try:
        ctx.checkpoint({"from": "the first"})
    except milepost.LeaseLost as lost:
        note("told", lost.reason)
        raise
    return "the first"


@agent.task("pauses")
def pauses(ctx: milepost.TaskContext) -> int:
    """Count until asked to pause, saving where it is."""
    count = ctx.last_checkpoint or 0
    note("counting", count)
    while not (FOLDER / "finish").exists():
        count += 1
        ctx.checkpoint(count)
        threading.Event().wait(0.02)
    return count


@agent.task("sleeps")
async def sleeps(ctx: milepost.TaskContext) -> None:
    """Sleep until it is stopped."""
    note("sleeping")
    await asyncio.sleep(PATIENCE_S)


@agent.task("forks")
def forks(ctx: milepost.TaskContext) -> int:
    """Terminate a process of its own; return the signal that ended it."""
    fork = multiprocessing.get_context("fork")
    running = fork.Event()
    child = fork.Process(target=lambda: running.set() or threading.Event().wait(PATIENCE_S))
    child.start()
    running.wait(PATIENCE_S)
    child.terminate()
    child.join(PATIENCE_S)
    return child.exitcode or 0


if __name__ == "__main__":
    agent.serve(concurrency=4, endpoint=ENDPOINT, drain_timeout_s=DRAIN_TIMEOUT_S)
    note("left")
