"""Tasks are done by handlers, and recorded: agents of this process, a real collector."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

import milepost
from sdk.sink import wait_for

NO_RETRY = {"max_retries": 0}
AT_ONCE = {"retry_delay_ms": 0, "jitter": 0}


class Order(msgspec.Struct):
    item: str
    count: int = 1


def finished(client, task_id):
    """Return a task once it is finished."""
    return wait_for(lambda: (task := client.tasks.get(task_id)).finished_at and task, "the end of the task")


def attempts(client, task_id):
    """Return a task's attempts, the first one first."""
    return client.tasks.list_runs(task_id).attempts[::-1]


def test_task_is_done_by_the_handler_of_its_name(agent, serve, create, client):
    @agent.task("Order")
    def order(order: Order) -> dict[str, int]:
        return {order.item: order.count}

    @agent.task("Other")
    def other() -> str:
        return "other"

    serve()
    ids = [create("Order", input={"item": "pen", "count": 3}), create("Other")]
    assert [finished(client, task_id).agents[0].result for task_id in ids] == [{"pen": 3}, "other"]


def test_asynchronous_handlers_run_side_by_side(agent, serve, create, client):
    met, everyone = [], asyncio.Event()

    @agent.task("meet")
    async def meet(ctx: milepost.TaskContext) -> int:
        met.append(ctx.task_id)
        if len(met) == 3:
            everyone.set()
        await everyone.wait()
        return len(met)

    serve(concurrency=3)
    ids = [create("meet") for _ in range(3)]
    assert [finished(client, task_id).status for task_id in ids] == ["completed"] * 3


def test_context_tells_what_the_task_is(agent, serve, create, client):
    @agent.task("describe")
    def describe(ctx):
        names = ("name", "input", "context", "attempt", "failures", "priority", "tags", "cancelled", "pause_requested")
        facts = {name: getattr(ctx, name) for name in names}
        return facts | {"left": ctx.time_left_s, "deadline": ctx.deadline, "checkpoint": ctx.last_checkpoint}

    serve()
    deadline = datetime.now(UTC) + timedelta(hours=1)
    fields = {"priority": "high", "tags": ["a"], "context": {"c": 1}, "input": [1], "deadline": deadline}
    result = finished(client, create("describe", settings={"timeout_ms": 60_000}, **fields)).agents[0].result
    assert 50 < result.pop("left") <= 60
    assert datetime.fromisoformat(result.pop("deadline")) - deadline < timedelta(milliseconds=1)
    assert result == {
        "name": "describe", "input": [1], "context": {"c": 1}, "attempt": 1, "failures": 0, "priority": "high",
        "tags": ["a"], "cancelled": False, "pause_requested": False, "checkpoint": None,
    }  # fmt: skip


def test_attempt_is_recorded_as_the_run_that_the_controller_named(agent, serve, create, client, collector):
    @agent.task("traced")
    def traced(ctx, pages: int) -> str:
        with milepost.start_task("inner"):
            ctx.log("half way", pages=pages)
        ctx.progress(0.5, "counting")
        return "done"

    serve()
    task_id = create("traced", input={"pages": 3}, tags=["nightly"])
    run_id = finished(client, task_id) and attempts(client, task_id)[0].run_id
    query = (
        f"SELECT name, kind, status, agent, task_id, attempt FROM spans WHERE run_id = '{run_id}' ORDER BY start_time"
    )
    rows = wait_for(lambda: len(found := collector.sql(query)) == 2 and found, "the run")
    assert rows == [
        ["traced", "agent", "completed", agent.name, task_id, 1],
        ["inner", "task", "completed", agent.name, None, None],
    ]
    (run,) = collector.sql(f"SELECT input, output, tags FROM spans WHERE run_id = '{run_id}' AND kind = 'agent'")
    assert [str(part) for part in run[:2]] == ['{"pages":3}', '"done"']


def test_task_made_inside_of_a_run_names_it(agent, serve, create, client, collector):
    @agent.task("caused")
    def caused(ctx): ...

    serve()
    with milepost.start_run("cause") as run:
        task_id = create("caused")
    run_id = finished(client, task_id) and attempts(client, task_id)[0].run_id
    query = f"SELECT attributes FROM spans WHERE run_id = '{run_id}'"
    (attributes,) = wait_for(lambda: collector.sql(query), "the run")[0]
    assert f'"milepost.origin_run_id":"{run.run_id}"' in str(attributes).replace(" ", "")


def test_wrong_input_fails_at_once_and_names_the_field(agent, serve, create, client):
    @agent.task("Order")
    def order(order: Order): ...

    serve()
    task = finished(client, create("Order", input={"item": "pen", "count": "three"}))
    assert (task.status, task.attempt, task.error_type) == ("failed", 1, "milepost.errors.InvalidInputError")
    assert "$.count" in task.error_message
    assert "'three'" in task.error_message


def test_failure_is_retried_and_the_next_attempt_knows(agent, serve, create, client):
    @agent.task("second time lucky")
    async def handle(ctx):
        if ctx.attempt == 1:
            raise ConnectionError("the line is bad")
        return [ctx.attempt, ctx.failures]

    serve()
    task_id = create("second time lucky", settings=AT_ONCE)
    assert finished(client, task_id).agents[0].result == [2, 1]
    first = attempts(client, task_id)[0]
    assert (first.status, first.error_type, first.error_message) == ("failed", "ConnectionError", "the line is bad")
    assert "in handle" in first.error_stack


def test_non_retryable_error_fails_the_task(agent, serve, create, client):
    @agent.task("hopeless")
    def handle():
        raise milepost.NonRetryableError("no such customer")

    serve()
    assert finished(client, create("hopeless", settings=AT_ONCE)).attempt == 1


def test_handler_may_say_when_to_try_again(agent, serve, create, client):
    @agent.task("busy")
    def handle(ctx):
        if ctx.attempt == 1:
            raise milepost.RetryLater(0.3)

    serve()
    task_id = create("busy", settings=AT_ONCE)
    assert finished(client, task_id).status == "completed"
    first, second = attempts(client, task_id)
    assert second.leased_at - first.ended_at >= timedelta(seconds=0.3)


def test_skip_completes_the_task_without_a_result(agent, serve, create, client):
    @agent.task("cached")
    def handle():
        raise milepost.Skip("seen before")

    serve()
    task = finished(client, create("cached"))
    assert (task.status, task.agents[0].result) == ("completed", None)


class Hostile:
    def __getattr__(self, name):
        raise RuntimeError("no attributes here")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: "x" * 2_000_000, "2,000,002 bytes"),
        (object, "no JSON form"),
        (Hostile, "no attributes here"),
        (lambda: "\ud800", "cannot be written as JSON"),
    ],
)
def test_result_that_cannot_be_kept_fails_the_task(agent, serve, create, client, make, problem):
    @agent.task("large")
    def handle():
        return make()

    serve()
    task = finished(client, create("large", settings=AT_ONCE))
    assert (task.status, task.attempt) == ("failed", 1)
    assert problem in task.error_message


def test_name_without_a_handler_goes_to_the_catch_all(agent, serve, create, client):
    @agent.task(any=True)
    def handle(ctx):
        return ctx.name

    serve()
    assert finished(client, create("whatever")).agents[0].result == "whatever"


def test_steps_are_remembered_by_the_next_attempt(agent, serve, create, client, collector):
    calls = []

    @agent.task("careful")
    def handle(ctx):
        def fetch(url):
            calls.append(url)
            return {"url": url}

        pages = [ctx.step("fetch", fetch, url) for url in ("a", "a", "b")]
        if ctx.attempt == 1:
            raise ConnectionError
        return pages

    serve()
    task_id = create("careful", settings=AT_ONCE)
    assert finished(client, task_id).agents[0].result == [{"url": "a"}, {"url": "a"}, {"url": "b"}]
    assert calls == ["a", "a", "b"]
    second = attempts(client, task_id)[1]
    assert second.steps_reused == 3
    query = f"SELECT status, reason FROM spans WHERE run_id = '{second.run_id}' AND name = 'fetch'"
    rows = wait_for(lambda: len(found := collector.sql(query)) == 3 and found, "the steps")
    assert rows == [["skipped", "reused from attempt 1"]] * 3


def test_asynchronous_steps_are_remembered_as_what_they_return(agent, serve, create, client):
    calls = []

    async def fetch(item: str) -> Order:
        calls.append(item)
        return Order(item)

    @agent.task("careful")
    async def handle(ctx) -> list[str]:
        orders = await asyncio.gather(ctx.astep("fetch", fetch, "pen"), ctx.astep("fetch", fetch, "ink"))
        await ctx.acheckpoint({"orders": len(orders)})
        if ctx.attempt == 1:
            raise ConnectionError
        return [order.item for order in orders] + [ctx.last_checkpoint]

    serve()
    assert finished(client, create("careful", settings=AT_ONCE)).agents[0].result == ["pen", "ink", {"orders": 2}]
    assert sorted(calls) == ["ink", "pen"]


def test_checkpoint_is_kept_when_the_call_returns(agent, serve, create, client):
    @agent.task("saving")
    def handle(ctx):
        ctx.checkpoint({"page": 1})
        ctx.checkpoint({"page": 2}, name="pages")
        return [entry.state for entry in client.tasks.checkpoints(ctx.task_id).checkpoints]

    serve()
    task = finished(client, create("saving"))
    assert task.agents[0].result == [{"page": 1}, {"page": 2}]


def test_checkpoint_that_is_too_large_says_so(agent, serve, create, client):
    @agent.task("saving")
    def handle(ctx):
        with pytest.raises(milepost.ReportRefusedError, match="keep a reference"):
            ctx.checkpoint("x" * 2_000_000)
        return "went on"

    serve()
    assert finished(client, create("saving", settings=NO_RETRY)).agents[0].result == "went on"


def test_blocking_calls_are_refused_on_the_event_loop(agent, serve, create, client):
    @agent.task("blocking")
    async def handle(ctx):
        with pytest.raises(RuntimeError, match=r"await ctx\.acheckpoint"):
            ctx.checkpoint(1)
        with pytest.raises(RuntimeError, match=r"await ctx\.astep"):
            ctx.step("step", len, "abc")
        await asyncio.to_thread(ctx.checkpoint, 2)

    serve()
    assert finished(client, create("blocking", settings=NO_RETRY)).status == "completed"


def test_asynchronous_step_of_a_synchronous_handler_is_refused(agent, serve, create, client):
    @agent.task("mixed")
    def handle(ctx):
        async def later(): ...

        with pytest.raises(TypeError, match=r"await ctx\.astep"):
            ctx.step("step", later)

    serve()
    assert finished(client, create("mixed", settings=NO_RETRY)).status == "completed"


def test_progress_costs_no_request_each(agent, serve, create, client, wire):
    @agent.task("counting")
    def handle(ctx):
        for done in range(2_000):
            ctx.progress(done / 2_000, f"phase {done // 1_000}")
        ctx.checkpoint(None)  # what was said before goes before
        return [client.tasks.get(ctx.task_id).progress, client.tasks.get(ctx.task_id).phase]

    serve(endpoint=wire.endpoint)
    task = finished(client, create("counting"))
    assert task.agents[0].result == [1_999 / 2_000, "phase 1"]
    assert wire.count("/api/worker/reports") <= 5


def test_progress_alone_is_sent_too(agent, serve, create, client):
    go_on = threading.Event()

    @agent.task("quiet")
    def handle(ctx):
        ctx.progress(0.25)
        ctx.progress(phase="waiting")
        go_on.wait(10)

    serve()
    task_id = create("quiet")
    task = wait_for(lambda: (task := client.tasks.get(task_id)).phase and task, "progress")
    go_on.set()
    assert (task.progress, task.phase) == (0.25, "waiting")


def test_forked_process_cannot_speak_for_the_attempt(agent, serve, create, client):
    @agent.task("forking")
    def handle(ctx):
        reader, writer = os.pipe()
        if not (child := os.fork()):
            try:
                ctx.checkpoint(1)
            except RuntimeError as error:
                os.write(writer, str(error).encode())
            os._exit(0)
        os.close(writer)
        os.waitpid(child, 0)
        return os.read(reader, 1_000).decode()

    serve()
    result = finished(client, create("forking", settings=NO_RETRY)).agents[0].result
    assert "forked" in result


def test_team_of_an_agent_gets_the_teams_tasks(agent, serve, create, client):
    agent._teams.append(f"team of {agent.name}")

    @agent.task("shared")
    def handle():
        return "done"

    serve()
    assert finished(client, create("shared", agent=None, team=f"team of {agent.name}")).status == "completed"


def test_agent_works_with_recording_disabled(agent, create, client, collector, monkeypatch):
    @agent.task("unrecorded")
    def handle(ctx):
        with milepost.start_task("inner"):
            ctx.checkpoint(1)
        return ctx.step("step", len, "abc")

    monkeypatch.setattr(milepost._client, "_default", None)
    milepost.init(endpoint=collector.url, disabled=True)
    with agent.serve_in_background(endpoint=collector.url):
        assert finished(client, create("unrecorded")).agents[0].result == 3


def test_exit_of_a_handler_is_a_failure(agent, serve, create, client):
    @agent.task("exits")
    def handle():
        raise SystemExit(3)

    serve(concurrency=1)
    task = finished(client, create("exits", settings=NO_RETRY))
    assert (task.status, task.error_type) == ("failed", "SystemExit")
    assert finished(client, create("exits", settings=NO_RETRY)).status == "failed"  # the thread is still there


def test_attempts_that_say_nothing_are_soon_known_to_have_started(agent, serve, create, client):
    release = threading.Event()

    @agent.task("silent")
    def handle():
        release.wait(20)

    serve()
    task_id = create("silent")
    try:
        wait_for(lambda: client.tasks.get(task_id).status == "in_progress", "a start")
        attempt = client.tasks.get_run(task_id, 1)
        assert attempt.started_at - attempt.leased_at < timedelta(seconds=3)  # a third of a lease is 4 s
    finally:
        release.set()
