"""Uses of the public surface that only have to type-check; never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from opentelemetry.trace import Span

import milepost
from milepost.resources.answers import RunDetail
from milepost.testing import Captured, CapturedSpan, FixedClock, SequentialIds, capture
from milepost.wire import schedules, tasks
from milepost.wire.agents import LimitList


@milepost.task
def bare(path: str, *, pages: int = 1) -> list[str]:
    return [path] * pages


@milepost.task(name="configured", kind="llm", attributes={"a": 1})
async def configured(prompt: str) -> str:
    return prompt


@milepost.task
def items(n: int) -> Iterator[int]:
    yield from range(n)


@milepost.task
async def aitems(n: int) -> AsyncIterator[int]:
    yield n


@milepost.run(agent="writer", tags=["x"])
def report(path: str) -> int:
    return len(path)


class Agent:
    @milepost.task
    def method(self, n: int) -> int:
        return n


async def use_decorated() -> None:
    assert_type(bare("a", pages=2), list[str])
    assert_type(await configured("x"), str)
    assert_type(items(3), Iterator[int])
    assert_type(aitems(3), AsyncIterator[int])
    assert_type(report("x"), int)
    assert_type(Agent().method(1), int)
    bare(5)  # type: ignore[arg-type]


async def use_spans(client: milepost.Client) -> None:
    with client.start_run("run", input={"a": 1}, session_id="s") as run, run.start_task("t") as task:
        assert_type(run, milepost.Run)
        assert_type(task, milepost.Task)
        as_otel: Span = task
        as_otel.set_attribute("a", 1)
        task.log("x", severity="warn", pages=3)
        task.log("x", severity="loud")  # type: ignore[arg-type]
        task.checkpoint({"page": 1}, name="n")
        task.fail(ValueError("x"))
    async with milepost.start_task("t") as other:
        other.complete(output=object())
    assert_type(milepost.current_run(), milepost.Run | None)
    assert_type(milepost.current_task(), milepost.Task | None)
    assert_type(milepost.traceparent(), str | None)
    assert_type(milepost.init(endpoint="http://x", scrub=lambda path, value: value), milepost.Client)
    assert_type(milepost.flush(1.0), bool)


def returns_from_a_block(path: str) -> int:
    with milepost.start_task("t"):
        return len(path)


async def returns_from_an_async_block(path: str) -> int:
    async with milepost.start_task("t"):
        return len(path)


def use_testing() -> None:
    with capture(clock=FixedClock(), ids=SequentialIds(), capture=False) as captured:
        assert_type(captured, Captured)
        assert_type(captured.span("x"), CapturedSpan)


def use_client(client: milepost.Client) -> None:
    extract = client.tasks.create(name="Extract", agent="etl-agent", settings={"max_retries": 3})
    assert_type(extract, tasks.Task)
    assert_type(client.tasks.create("Load", dependencies=[extract.id, extract], priority="urgent"), tasks.Task)
    assert_type(client.tasks.wait(extract, timeout_s=5), tasks.Task)
    assert_type([task for task in client.tasks.list(status=["failed"], tag="a")], list[tasks.Task])
    assert_type(client.tasks.list().page(), tasks.TaskList)
    assert_type(client.tasks.delete(extract), None)
    assert_type(client.schedules.create("n", cron="0 2 * * *", zone="UTC", task={"name": "x"}), schedules.Schedule)
    assert_type(client.runs.get("0" * 32), RunDetail)
    client.tasks.create("Load", priority="soon")  # type: ignore[arg-type]
    client.tasks.list(colour="red")  # type: ignore[call-arg]


async def use_async_client(client: milepost.AsyncClient) -> None:
    assert_type(await client.tasks.create(name="Extract", agent="etl-agent"), tasks.Task)
    assert_type(await client.tasks.wait("t"), tasks.Task)
    assert_type([task async for task in client.tasks.list(status="failed")], list[tasks.Task])
    assert_type(await client.limits.list(), LimitList)


worker_agent = milepost.Agent("etl-agent", teams=["data"])


def fetch(url: str, *, pages: int = 1) -> list[str]:
    return [url] * pages


async def afetch(url: str) -> bytes:
    return url.encode()


@worker_agent.task("Extract Data")
def extract(ctx: milepost.TaskContext, url: str) -> list[str]:
    ctx.progress(0.5, "fetching")
    ctx.checkpoint({"url": url}, name="pages")
    assert_type(ctx.step("fetch", fetch, url, pages=2), list[str])
    return [url]


@worker_agent.task
async def transform(ctx: milepost.TaskContext) -> bytes:
    assert_type(await ctx.astep("fetch", afetch, "here"), bytes)
    assert_type(await ctx.astep("fetch", fetch, "here"), list[str])
    await ctx.acheckpoint(1)
    return b""


@worker_agent.task(any=True)
def anything(ctx: milepost.TaskContext) -> None: ...


def serving(ctx: milepost.TaskContext) -> None:
    assert_type(extract(ctx, "here"), list[str])
    with worker_agent.serve_in_background(concurrency=2) as worker:
        assert_type(worker, milepost.Worker)
    worker_agent.serve(drain_timeout_s=5)
    raise milepost.RetryLater(30)
