"""Attempts are cancelled, paused, abandoned, and workers drained: agents of this process, a real collector."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

import milepost
from sdk.sink import wait_for

SOON_S = 1.0
AT_ONCE = {"retry_delay_ms": 0, "jitter": 0}


def status(client, task_id):
    return client.tasks.get(task_id).status


def reach(client, task_id, *wanted):
    """Wait until a task has one of the statuses."""
    return wait_for(lambda: status(client, task_id) in wanted, f"status {wanted}")


def cancel_within_a_second(client, task_id, reason="changed my mind"):
    """Cancel a task and assert that it has stopped soon."""
    began = time.monotonic()
    client.tasks.cancel(task_id, reason=reason)
    reach(client, task_id, "cancelled")
    assert time.monotonic() - began < SOON_S


@pytest.mark.parametrize("call", ["raise_if_stopped", "progress", "log", "start_task", "milepost.log", "step"])
def test_synchronous_code_is_told_at_its_next_call(agent, serve, create, client, call):
    calls = {
        "raise_if_stopped": lambda ctx: ctx.raise_if_stopped(),
        "progress": lambda ctx: ctx.progress(0.5),
        "log": lambda ctx: ctx.log("still here"),
        "start_task": lambda ctx: milepost.start_task("more").complete(),
        "milepost.log": lambda ctx: milepost.log("still here"),
        "step": lambda ctx: ctx.step("poll", abs, 1),
    }
    told, working = [], threading.Event()

    @agent.task("works on")
    def handle(ctx):
        try:
            while True:
                calls[call](ctx)
                working.set()
                threading.Event().wait(0.01)
        except milepost.TaskCancelled as stop:
            told.append((stop.reason, ctx.cancelled))
            milepost.log("cleaning up")  # does not raise again
            with milepost.start_task("clean up"):
                raise

    serve()
    task_id = create("works on")
    assert working.wait(10)
    cancel_within_a_second(client, task_id)
    assert told == [("changed my mind", True)]


def test_asynchronous_code_is_cancelled_at_its_await(agent, serve, create, client):
    cleaned = []

    @agent.task("sleeps")
    async def handle(ctx):
        ctx.progress(phase="sleeping")
        try:
            await asyncio.sleep(60)
        finally:
            milepost.log("cleaning up")
            await asyncio.sleep(0)
            cleaned.append(ctx.cancelled)

    serve()
    task_id = create("sleeps")
    wait_for(lambda: client.tasks.get(task_id).phase, "the handler")
    cancel_within_a_second(client, task_id)
    assert cleaned == [True]


def test_thread_of_asynchronous_code_is_told_too(agent, serve, create, client):
    told = threading.Event()

    def work():
        try:
            while True:
                milepost.log("working")
                threading.Event().wait(0.01)
        except milepost.TaskCancelled:
            told.set()
            raise

    @agent.task("in a thread")
    async def handle(ctx):
        ctx.progress(phase="working")
        await asyncio.to_thread(work)

    serve()
    task_id = create("in a thread")
    wait_for(lambda: client.tasks.get(task_id).phase, "the handler")
    cancel_within_a_second(client, task_id)
    assert told.wait(SOON_S)


def test_cancelled_attempt_may_still_save_its_state(agent, serve, create, client):
    waiting, go_on = threading.Event(), threading.Event()

    @agent.task("saves at the end")
    def handle(ctx):
        waiting.set()
        go_on.wait(10)
        ctx.checkpoint({"page": 7})

    serve()
    task_id = create("saves at the end")
    assert waiting.wait(10)
    client.tasks.cancel(task_id)
    go_on.set()
    reach(client, task_id, "cancelled")
    wait_for(lambda: client.tasks.list_runs(task_id).attempts[0].ended_at, "the end of the attempt")
    assert [entry.state for entry in client.tasks.checkpoints(task_id).checkpoints] == [{"page": 7}]


def test_code_that_does_not_stop_is_cut_off_and_its_result_refused(agent, serve, create, client):
    stuck, release, seen = threading.Event(), threading.Event(), []

    @agent.task("stubborn")
    def handle(ctx):
        stuck.set()
        release.wait(20)
        try:
            ctx.checkpoint("too late")
        except milepost.LeaseLost as lost:
            seen.append(lost)
        return "too late"

    @agent.task("next")
    def follow():
        return "done"

    serve(concurrency=1)
    task_id = create("stubborn", settings={"cancel_grace_ms": 300})
    assert stuck.wait(10)
    client.tasks.cancel(task_id)
    reach(client, task_id, "cancelled")
    following = create("next")
    release.set()
    reach(client, following, "completed")  # the thread is free again
    assert len(seen) == 1
    assert client.tasks.get(task_id).agents[0].result is None
    assert client.tasks.checkpoints(task_id).checkpoints == []


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_paused_task_goes_on_from_its_checkpoint(agent, serve, create, client, kind):
    finish = threading.Event()

    @agent.task("sync")
    def count(ctx):
        number = ctx.last_checkpoint or 0
        while not finish.is_set():
            number += 1
            ctx.checkpoint(number)
            threading.Event().wait(0.01)
        return [ctx.attempt, number]

    @agent.task("async")
    async def count_async(ctx):
        number = ctx.last_checkpoint or 0
        while not finish.is_set():
            number += 1
            await ctx.acheckpoint(number)
            await asyncio.sleep(0.01)
        return [ctx.attempt, number]

    serve()
    task_id = create(kind)
    wait_for(lambda: client.tasks.checkpoints(task_id).checkpoints, "a checkpoint")
    client.tasks.pause(task_id, reason="lunch")
    reach(client, task_id, "paused")
    saved = client.tasks.checkpoints(task_id).checkpoints[-1].state
    assert client.tasks.list_runs(task_id).attempts[0].status == "paused"
    finish.set()
    client.tasks.resume(task_id)
    reach(client, task_id, "completed")
    assert client.tasks.get(task_id).agents[0].result == [2, saved]
    assert client.tasks.get(task_id).failures == client.tasks.get(task_id).losses == 0


def test_pause_waits_for_a_place_where_the_state_is_saved(agent, serve, create, client):
    asked, seen = threading.Event(), []

    @agent.task("careful")
    def handle(ctx):
        ctx.progress(phase="working")
        wait_for(lambda: ctx.pause_requested, "the request")
        ctx.log("not here")
        milepost.start_task("nor here").complete()
        ctx.raise_if_stopped()
        seen.append("went on")
        asked.set()
        ctx.yield_if_asked()
        seen.append("too far")

    serve()
    task_id = create("careful")
    wait_for(lambda: client.tasks.get(task_id).phase, "the handler")
    client.tasks.pause(task_id)
    reach(client, task_id, "paused")
    assert asked.is_set()
    assert seen == ["went on"]


def test_stopped_worker_lets_its_work_end(agent, serve, create, client):
    working, go_on = threading.Event(), threading.Event()

    @agent.task("short")
    def handle():
        working.set()
        go_on.wait(10)
        return "done"

    worker = serve()
    task_id = create("short")
    assert working.wait(10)
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    wait_for(lambda: any(item.draining for item in client.agents.get(agent.name).workers), "the drain")
    later = create("short")
    go_on.set()
    stopping.join(10)
    assert status(client, task_id) == "completed"
    assert status(client, later) == "pending"
    assert client.agents.get(agent.name).workers == []


def test_work_that_outlasts_the_drain_saves_its_state_and_goes_back(agent, serve, create, client):
    saved = threading.Event()

    @agent.task("endless")
    def handle(ctx):
        while True:
            ctx.checkpoint("here")
            saved.set()
            threading.Event().wait(0.01)

    worker = serve()
    task_id = create("endless")
    assert saved.wait(10)
    worker.stop(drain_timeout_s=0.05)
    task = client.tasks.get(task_id)
    assert (task.status, task.failures, task.losses) == ("pending", 0, 0)
    assert client.tasks.list_runs(task_id).attempts[0].status == "paused"


def test_coroutine_that_outlasts_the_drain_goes_back(agent, serve, create, client):
    @agent.task("sleeps")
    async def handle(ctx):
        ctx.progress(phase="sleeping")
        await asyncio.sleep(60)

    worker = serve()
    task_id = create("sleeps")
    wait_for(lambda: client.tasks.get(task_id).phase, "the handler")
    worker.ask_to_stop()
    worker.ask_to_stop()  # at once
    worker.stop()
    assert status(client, task_id) == "pending"
    assert client.tasks.get(task_id).losses == 0


def test_worker_that_cannot_stop_its_code_leaves_the_lease_to_run_out(agent, serve, create, client, caplog):
    stuck, release = threading.Event(), threading.Event()

    @agent.task("stubborn")
    def handle():
        stuck.set()
        release.wait(20)

    worker = serve()
    task_id = create("stubborn")
    assert stuck.wait(10)
    worker.ask_to_stop()
    worker.ask_to_stop()
    worker.stop()
    assert status(client, task_id) == "in_progress"
    assert "their leases run out" in caplog.text
    release.set()


def test_attempt_that_outlasts_its_timeout_is_stopped_and_tried_again(agent, serve, create, client):
    @agent.task("slow")
    def handle(ctx):
        while ctx.attempt == 1:
            ctx.progress(phase="slow")
            threading.Event().wait(0.01)
        return ctx.attempt

    serve()
    task_id = create("slow", settings=AT_ONCE | {"timeout_ms": 200})
    reach(client, task_id, "completed")
    first = client.tasks.list_runs(task_id).attempts[-1]
    assert first.status == "failed"
    assert "200 ms" in first.error_message


def test_blocked_event_loop_keeps_its_lease(agent, serve, create, client):
    @agent.task("blocks")
    async def handle(ctx):
        threading.Event().wait(1.5)  # longer than the lease
        return ctx.attempt

    serve()
    task_id = create("blocks", settings=AT_ONCE | {"heartbeat_ms": 1_000})
    reach(client, task_id, "completed")
    assert client.tasks.get(task_id).agents[0].result == 1


def test_forked_process_does_not_stop_its_parents_worker(agent, serve, create, client):
    @agent.task("works")
    def handle():
        return "done"

    worker = serve()
    wait_for(lambda: worker.worker_id, "the registration")
    if not (child := os.fork()):
        worker.stop()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert [item.id for item in client.agents.get(agent.name).workers] == [worker.worker_id]
    reach(client, create("works"), "completed")
