"""A worker to be killed and frozen: worker.py AGENT ENDPOINT FOLDER SLOTS.

Handlers append lines to files of the folder that all workers share: a line is written by one call, so that it is whole
whenever its writer is killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import milepost

NAME, ENDPOINT, FOLDER, SLOTS = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
PATIENCE_S = 120.0

agent = milepost.Agent(NAME)


def note(file: str, ctx: milepost.TaskContext, text: object = "") -> None:
    """Append a line that names the attempt, the time, and a text."""
    descriptor = os.open(FOLDER / file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, f"{ctx.task_id} {ctx.attempt} {time.time_ns()} {text}\n".encode())
    finally:
        os.close(descriptor)


def pause(seconds: float) -> None:
    """Work for a while."""
    threading.Event().wait(seconds)


@agent.task("append")
def append(ctx: milepost.TaskContext, number: int, work_ms: int) -> int:
    """Do some work, with a step and a checkpoint here and there; then have an effect."""
    if number % 3 == 0:
        ctx.step("prepare", lambda: number)
    pause(work_ms / 2_000)
    if number % 5 == 0:
        ctx.checkpoint({"number": number})
    ctx.progress(0.5)
    pause(work_ms / 2_000)
    note("effects", ctx)
    return number


@agent.task("append later")
async def append_later(ctx: milepost.TaskContext, number: int, work_ms: int) -> int:
    """Do the same on the event loop."""
    await ctx.astep("prepare", lambda: number)
    await asyncio.sleep(work_ms / 1_000)
    note("effects", ctx)
    return number


@agent.task("stumble")
def stumble(ctx: milepost.TaskContext, number: int, work_ms: int) -> int:
    """Fail at first."""
    pause(work_ms / 1_000)
    if ctx.failures == 0:
        raise RuntimeError(f"{number} fails at first")
    note("effects", ctx)
    return number


@agent.task("hang")
def hang(ctx: milepost.TaskContext) -> None:
    """Begin; the first attempt does not end."""
    note("begun", ctx)
    if ctx.attempt == 1:
        pause(PATIENCE_S)


@agent.task("spend")
def spend(ctx: milepost.TaskContext, number: int) -> list[Any]:
    """Ask twice before an effect that notes what was approved."""
    plan = ctx.step("plan", lambda: number)
    first = ctx.ask_approval("Spend?", action={"number": number, "plan": plan})
    second = ctx.ask("How much?", schema=int)
    note("spent", ctx, f"{first.ask_id} {first.status} {second.ask_id} {second.value}")
    return [first.ask_id, first.status, first.by, second.ask_id, second.value]


@agent.task("draw")
def draw(ctx: milepost.TaskContext, usd: float, calls: int) -> int:
    """Reserve before each call, and record what it cost, until enough was called or the budget is used up."""
    made = 0
    while made < calls:
        try:
            with ctx.reserve(usd=usd), milepost.start_task("call") as call:
                pause(0.02)
                call.record_usage(model="m", input_tokens=1, output_tokens=1, cost_usd=usd)
                made += 1
        except milepost.BudgetExceededError as refused:
            if not refused.waits:
                break
            pause(0.05)
    note("drawn", ctx, made)
    return made


# --- what a worker that was frozen tries when it goes on


def wait_until_thawed() -> None:
    """Wait until the test lets it go on."""
    deadline = time.monotonic() + PATIENCE_S
    while not (FOLDER / "thawed").exists() and time.monotonic() < deadline:
        pause(0.01)


def go_on_until_told(ctx: milepost.TaskContext) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        ctx.progress(0.9, "late")
        ctx.raise_if_stopped()
        pause(0.01)


def fail(ctx: milepost.TaskContext) -> None:
    note("untold", ctx, "fail")
    raise RuntimeError("late")


LATE: dict[str, Callable[[milepost.TaskContext], object]] = {
    "checkpoint": lambda ctx: ctx.checkpoint("late"),
    "step": lambda ctx: ctx.step("late", lambda: "late"),
    "progress": go_on_until_told,
    "complete": lambda ctx: "late",
    "fail": fail,
}
LATE_ASYNC: dict[str, Callable[[milepost.TaskContext], Coroutine[Any, Any, object]]] = {
    "acheckpoint": lambda ctx: ctx.acheckpoint("late"),
    "astep": lambda ctx: ctx.astep("late", lambda: "late"),
}


@agent.task("freeze")
def freeze(ctx: milepost.TaskContext, write: str) -> object:
    """Wait until frozen and let go on, then write; only a second attempt ends in time."""
    note("begun", ctx)
    if ctx.attempt > 1:
        return "in time"
    wait_until_thawed()
    try:
        result = LATE[write](ctx)
    except milepost.LeaseLost:
        note("told", ctx, write)
        raise
    note("untold", ctx, write)
    return result


@agent.task("freeze async")
async def freeze_async(ctx: milepost.TaskContext, write: str) -> object:
    """Do the same on the event loop."""
    note("begun", ctx)
    if ctx.attempt > 1:
        return "in time"
    try:
        await asyncio.to_thread(wait_until_thawed)
        result = await LATE_ASYNC[write](ctx)
    except (milepost.LeaseLost, asyncio.CancelledError):
        note("told", ctx, write)
        raise
    note("untold", ctx, write)
    return result


if __name__ == "__main__":
    milepost.init(endpoint=ENDPOINT)
    agent.serve(concurrency=SLOTS, endpoint=ENDPOINT)
