"""Sixteen attempts at once under one budget, end to end, with the controller on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from tests.conftest import CollectorProcess, launch_collector
from tests.controller.postgres import PostgresServer

import milepost
from milepost.agents.context import TaskContext
from sdk.sink import wait_for

RUNS = 16


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server of the module's own."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def collector(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """Return a collector that keeps its tasks in either database."""
    place = ["--controller-url", request.getfixturevalue("postgres").url] if request.param == "postgresql" else []
    process = launch_collector(tmp_path_factory.mktemp("collector"), *place)
    yield process
    process.stop()


def test_concurrent_runs_are_never_granted_more_than_there_is(client, agent, create, serve) -> None:
    """Sixteen attempts reserve for every call, and spend what they were granted: the budget holds to the cent."""
    begin, pause = threading.Barrier(RUNS), threading.Event()

    @agent.task("race")
    def race(ctx: TaskContext) -> int:
        begin.wait(30)
        calls = 0
        while True:
            try:
                with ctx.reserve(usd=0.10), milepost.start_task("call") as call:
                    call.record_usage(model="m", input_tokens=1, output_tokens=1, cost_usd=0.10)
                    calls += 1
            except milepost.BudgetExceededError as refused:
                if not refused.waits:
                    return calls
                pause.wait(0.05)

    budget = client.budgets.set("agent", agent.name, usd=4.0, grace_ms=60_000)
    tasks = [create("race") for _ in range(RUNS)]
    serve(concurrency=RUNS)
    calls = sum(client.tasks.wait(task_id, timeout_s=60).result for task_id in tasks)
    assert calls == 40
    wait_for(lambda: client.budgets.get(budget).budget.used.usd == pytest.approx(4.0), "the last cent")
    found = client.budgets.get(budget)
    assert found.budget.reserved.usd == 0
    assert sum(run.used.usd for run in found.runs) == pytest.approx(4.0)
