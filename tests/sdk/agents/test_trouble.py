"""Lost answers, collectors that go away, workers that are killed or frozen: what was promised still holds."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import httpx
import pytest

import milepost
from sdk.sink import wait_for

TIGHT = {"heartbeat_ms": 1_000, "retry_delay_ms": 0, "jitter": 0}


def finished(client, task_id):
    """Return a task once it is finished."""
    return wait_for(lambda: (task := client.tasks.get(task_id)).finished_at and task, "the end of the task")


def attempts(client, task_id):
    """Return a task's attempts, the first one first."""
    return client.tasks.list_runs(task_id).attempts[::-1]


def noted(folder: Path, pattern: str) -> list[str]:
    """Return the notes that handlers left, by name."""
    return sorted(path.name for path in folder.glob(pattern))


def test_lost_answer_of_a_poll_loses_no_work_and_doubles_none(agent, serve, create, client, wire):
    calls = []

    @agent.task("once")
    def handle(number):
        calls.append(number)

    worker = serve(endpoint=wire.endpoint)
    wait_for(lambda: worker.worker_id, "the registration")
    wire.lose["/api/worker/poll"] = 1
    ids = [create("once", input=number) for number in range(3)]
    assert wire.lost.wait(10)
    assert [finished(client, task_id).status for task_id in ids] == ["completed"] * 3
    assert sorted(calls) == [0, 1, 2]


def test_lost_answer_of_a_report_is_told_again_and_changes_nothing(agent, serve, create, client, wire):
    @agent.task("saves")
    def handle(ctx):
        wire.lose["/api/worker/reports"] = 1
        ctx.checkpoint("one")
        wire.lose["/api/worker/reports"] = 1
        return "done"

    serve(endpoint=wire.endpoint)
    task_id = create("saves")
    assert finished(client, task_id).agents[0].result == "done"
    assert len(client.tasks.checkpoints(task_id).checkpoints) == 1
    assert [attempt.status for attempt in attempts(client, task_id)] == ["completed"]
    wait_for(lambda: wire.count("/api/worker/reports") >= 4, "the end to be reported again")


def test_lost_answer_of_a_registration_leaves_a_worker_that_works(agent, serve, create, client, wire):
    @agent.task("works")
    def handle(): ...

    wire.lose["/api/worker/register"] = 1
    serve(endpoint=wire.endpoint)
    assert finished(client, create("works")).status == "completed"


def test_many_lost_answers_lose_no_work_and_double_none(agent, serve, client, wire):
    calls = []

    @agent.task("count")
    def count(ctx, number: int):
        calls.append(number)
        return ctx.step("double", lambda value: value * 2, number)

    worker = serve(endpoint=wire.endpoint)
    wait_for(lambda: worker.worker_id, "the registration")
    wire.lose_share = 0.2
    made = client.tasks.create_many({"name": "count", "agent": agent.name, "input": number} for number in range(40))
    assert [finished(client, task_id).agents[0].result for task_id in made.ids] == [number * 2 for number in range(40)]
    assert sorted(calls) == list(range(40))
    assert wire.lost.is_set()


def test_worker_that_was_forgotten_registers_anew(agent, serve, create, client, collector):
    began, go_on = threading.Semaphore(0), threading.Event()

    @agent.task("works")
    def handle(ctx):
        began.release()
        go_on.wait(10)
        return ctx.attempt

    worker = serve()
    task_id = create("works")
    assert began.acquire(timeout=10)
    before = worker.worker_id
    httpx.post(f"{collector.url}/api/worker/unregister", json={"worker_id": before}).raise_for_status()
    wait_for(lambda: worker.worker_id != before, "the new registration")
    go_on.set()
    assert finished(client, task_id).status == "completed"
    wait_for(lambda: [item.id for item in client.agents.get(agent.name).workers] == [worker.worker_id], "one worker")


def test_collector_without_workers_fails_the_agent(agent, serve, collector):
    @agent.task("works")
    def handle(): ...

    worker = serve(endpoint=f"{collector.url}/elsewhere")
    wait_for(lambda: worker.failure, "the failure")
    assert "takes no workers" in str(worker.failure)


@pytest.mark.crash
def test_killed_workers_steps_are_taken_over(agent, start_program, collector, create, client, tmp_path):
    first = start_program(collector.url)
    task_id = create("steps", input={"parts": 4}, settings=TIGHT)
    wait_for(lambda: noted(tmp_path, "hanging"), "the second step")
    first.kill()
    start_program(collector.url)
    assert finished(client, task_id).agents[0].result == [0, 10, 20, 30]
    assert [name.split("-")[1] for name in noted(tmp_path, "worked-*")] == ["0", "1", "2", "3"]
    lost, done = attempts(client, task_id)
    assert (lost.status, done.status, done.steps_reused) == ("lost", "completed", 2)
    assert (client.tasks.get(task_id).failures, client.tasks.get(task_id).losses) == (0, 1)


@pytest.mark.crash
def test_frozen_workers_late_writes_are_refused_and_it_knows(agent, start_program, collector, create, client, tmp_path):
    first = start_program(collector.url)
    task_id = create("frozen", settings=TIGHT)
    wait_for(lambda: noted(tmp_path, "attempt-1"), "the first attempt")
    first.send_signal(signal.SIGSTOP)
    start_program(collector.url)
    assert finished(client, task_id).agents[0].result == "the second"
    (tmp_path / "thawed").touch()
    first.send_signal(signal.SIGCONT)
    wait_for(lambda: noted(tmp_path, "told"), "the news of the lost lease")
    first.terminate()
    assert first.wait(10) == 0
    assert client.tasks.get(task_id).agents[0].result == "the second"
    assert client.tasks.checkpoints(task_id).checkpoints == []
    assert [attempt.status for attempt in attempts(client, task_id)] == ["lost", "completed"]


@pytest.mark.crash
@pytest.mark.parametrize("leaves", [False, True], ids=["stays", "leaves"])
def test_work_goes_on_while_the_collector_is_away_and_is_reported_later(
    agent, start_program, start_collector, recorded, tmp_path, leaves
):
    collector = start_collector()
    port = collector.url.rpartition(":")[2]
    program = start_program(collector.url)
    with milepost.Client(endpoint=collector.url) as client:
        task_id = client.tasks.create(name="waits", agent=agent.name).id
        wait_for(lambda: noted(tmp_path, "waiting"), "the handler")
        collector.process.kill()
        collector.process.wait(10)
        (tmp_path / "go").touch()
        if leaves:
            program.terminate()
        start_collector("--port", port)
        assert finished(client, task_id).agents[0].result == "waited"
        assert [attempt.status for attempt in attempts(client, task_id)] == ["completed"]


def test_terminated_program_finishes_its_work_and_leaves(agent, start_program, collector, create, client, tmp_path):
    program = start_program(collector.url)
    task_id = create("waits")
    wait_for(lambda: noted(tmp_path, "waiting"), "the handler")
    program.send_signal(signal.SIGTERM)
    wait_for(lambda: any(item.draining for item in client.agents.get(agent.name).workers), "the drain")
    (tmp_path / "go").touch()
    assert program.wait(15) == 0
    assert noted(tmp_path, "left")
    assert client.tasks.get(task_id).status == "completed"


def test_terminated_program_hands_long_work_to_the_next(agent, start_program, collector, create, client, tmp_path):
    program = start_program(collector.url)
    counting, sleeping = create("pauses"), create("sleeps")
    wait_for(lambda: noted(tmp_path, "counting") and noted(tmp_path, "sleeping"), "the handlers")
    program.send_signal(signal.SIGTERM)
    wait_for(lambda: any(item.draining for item in client.agents.get(agent.name).workers), "the drain")
    program.send_signal(signal.SIGTERM)  # at once
    assert program.wait(15) == 0
    assert [client.tasks.get(task_id).status for task_id in (counting, sleeping)] == ["pending", "pending"]
    (tmp_path / "finish").touch()
    start_program(collector.url)
    saved = client.tasks.checkpoints(counting).checkpoints[-1].state
    assert finished(client, counting).agents[0].result == saved
    assert client.tasks.get(counting).losses == 0


def test_process_that_a_handler_forked_can_be_terminated(agent, start_program, collector, create, client):
    start_program(collector.url)
    assert finished(client, create("forks")).agents[0].result == -signal.SIGTERM
