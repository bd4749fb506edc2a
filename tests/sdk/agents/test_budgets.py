"""Budgets end to end: a worker that records what it uses, over HTTP, until it is told to stop."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

import milepost
from milepost.agents.context import TaskContext
from sdk.sink import wait_for


def decide(collector, task_id: str, **said: str) -> None:
    """Decide what a task waits for."""
    (ask,) = httpx.get(f"{collector.url}/api/asks", params={"task_id": task_id, "status": "open"}).json()["asks"]
    httpx.post(f"{collector.url}/api/asks/{ask['id']}/decide", json=said).raise_for_status()


def test_recorded_usage_stops_the_task_and_asks_a_person(collector, client, agent, create, serve) -> None:
    told = threading.Event()

    @agent.task("spend")
    def spend(ctx: TaskContext) -> str:
        if ctx.budget.finishing:
            return f"finished with {ctx.budget.usd}"
        with milepost.start_task("call") as call:
            call.record_usage(model="m", input_tokens=900, output_tokens=100, cost_usd=1.5)
        while not ctx.pause_requested:
            told.wait(0.01)
        ctx.checkpoint("half")
        raise AssertionError("it was to stop")

    task_id = create("spend", budget={"usd": 1, "tokens": 100_000})
    serve()
    wait_for(lambda: client.tasks.get(task_id).status == "review", "it")
    found = client.tasks.get(task_id)
    (budget,) = found.budgets
    assert (budget.used.usd, budget.used.tokens, budget.state, budget.reached) == (1.5, 1_000, "hard", "usd")
    assert found.why_not_running is not None
    decide(collector, task_id, decision="approve", option="finish")
    assert client.tasks.wait(task_id, timeout_s=20).result == "finished with 0.05"


def test_handler_learns_what_is_left(client, agent, create, serve) -> None:
    seen = []

    @agent.task("look")
    def look(ctx: TaskContext) -> None:
        seen.append(ctx.budget.usd)
        with ctx.reserve(usd=0.25, tokens=10):
            seen.append(ctx.budget.usd)
        with pytest.raises(milepost.BudgetExceededError, match=r"\$2.00 asked for") as caught:
            ctx.reserve(usd=2)
        seen.append(caught.value.budget_id)

    task_id = create("look", budget={"usd": 1})
    serve()
    client.tasks.wait(task_id, timeout_s=20)
    assert seen == [1.0, 0.75, client.tasks.get(task_id).budgets[0].id]


def test_asynchronous_handler_reserves(client, agent, create, serve) -> None:
    @agent.task("look")
    async def look(ctx: TaskContext) -> float | None:
        with pytest.raises(RuntimeError, match="areserve"):
            ctx.reserve(usd=0.1)
        with await ctx.areserve(usd=0.25):
            return ctx.budget.usd

    task_id = create("look", budget={"usd": 1})
    serve()
    assert client.tasks.wait(task_id, timeout_s=20).result == 0.75


def test_refusal_that_leaves_the_handler_puts_the_task_before_a_person(client, agent, create, serve) -> None:
    @agent.task("dear")
    def dear(ctx: TaskContext) -> str:
        ctx.reserve(usd=3)
        return "done"

    task_id = create("dear", budget={"usd": 1})
    serve()
    wait_for(lambda: client.tasks.get(task_id).status == "review", "it")
    client.budgets.raise_by(client.tasks.get(task_id).budgets[0], usd=5)
    assert client.tasks.wait(task_id, timeout_s=20).result == "done"


def test_plain_run_reserves_for_its_agent(client, recorded, agent) -> None:
    budget = client.budgets.set("agent", agent.name, usd=1.0)
    with client.start_run(name="plain") as run, ThreadPoolExecutor(4) as pool:

        def ask(number: int) -> str | None:
            try:
                client.budgets.reserve(run.run_id, number, agent=agent.name, usd=0.4)
            except milepost.ConflictError as refused:
                return f"{refused.field} {refused.value}"
            return None

        answers = list(pool.map(ask, range(1, 5)))
        assert sorted(answers, key=str) == [None, None, *[f"budget {budget.id}"] * 2]
        with run.start_task("call") as call:
            call.record_usage(model="m", input_tokens=1, output_tokens=1, cost_usd=0.3)
        client.flush()
        wait_for(lambda: client.budgets.get(budget).budget.used.usd == 0.3, "it")
        assert client.budgets.get(budget).budget.reserved.usd == pytest.approx(0.5)
