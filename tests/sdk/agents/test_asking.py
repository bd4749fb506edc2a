"""Handlers ask people: the attempt ends, nothing is held, and the next one goes on with the answer."""

from __future__ import annotations

import asyncio
import dataclasses

import msgspec
import pytest

import milepost
from sdk.sink import wait_for

SPEND = {"tool": "pay", "amount_usd": 120}


@dataclasses.dataclass
class Invoice:
    number: int
    lines: list[str]


def open_ask(client, task_id):
    """Return the ask that a task waits for."""
    return wait_for(lambda: next(iter(client.asks.list(task_id=task_id, status="open")), None), "an open ask")


def test_handler_goes_on_with_the_answer_and_asks_once(agent, serve, create, client):
    executed, steps = [], []

    @agent.task("spends")
    def spend(ctx):
        executed.append(ctx.attempt)
        plan = ctx.step("plan", lambda: steps.append(1) or "buy")
        approval = ctx.ask_approval("Spend 120 USD?", "For *paper*.", action=SPEND, approvers=["ann"], timeout=3600)
        return {"plan": plan, "approved": approval.approved, "by": approval.by, "reason": approval.reason}

    worker = serve(concurrency=1)
    task_id = create("spends")
    ask = open_ask(client, task_id)
    wait_for(lambda: client.tasks.get(task_id).status == "review", "review")
    assert (ask.title, ask.action, ask.approvers, ask.agent) == ("Spend 120 USD?", SPEND, ["ann"], agent.name)
    assert client.tasks.get(task_id).why_not_running.ask_id == ask.id
    other = create("spends")  # the only slot is free while the first waits
    second = open_ask(client, other)
    client.asks.approve(ask, by="ann", reason="go", action_digest=ask.action_digest)
    assert client.tasks.wait(task_id, timeout_s=10).result == {
        "plan": "buy", "approved": True, "by": "ann", "reason": "go",
    }  # fmt: skip
    client.asks.reject(second.id, by="ann")
    assert client.tasks.wait(other, timeout_s=10).result["approved"] is False
    assert len(steps) == 2
    assert [ask.consumed_by for ask in client.asks.list(task_id=task_id)] == [2]
    assert worker is not None


def test_asynchronous_handler_asks_questions_of_a_type(agent, serve, create, client):
    @agent.task("books")
    async def book(ctx):
        reply = await ctx.aask("Which invoice?", schema=Invoice)
        colour = await ctx.aask("Which colour?", options=["red", "blue"])
        return [reply.answered, reply.value.number, reply.value.lines, colour.value, bool(colour)]

    serve()
    task_id = create("books")
    first = open_ask(client, task_id)
    with pytest.raises(milepost.InvalidRequestError, match=r"value\.number"):
        client.asks.answer(first, {"number": "seven", "lines": []})
    client.asks.answer(first, {"number": 7, "lines": ["paper"]}, by="ann")
    second = wait_for(
        lambda: next((ask for ask in client.asks.list(task_id=task_id, status="open") if ask.id != first.id), None),
        "the second question",
    )
    client.asks.answer(second, option="blue")
    assert client.tasks.wait(task_id, timeout_s=10).result == [True, 7, ["paper"], "blue", True]


def test_edited_action_is_what_the_code_gets(agent, serve, create, client):
    @agent.task("spends")
    def spend(ctx):
        approval = ctx.ask_approval("Spend?", action=SPEND)
        return [approval.edited, approval.action["amount_usd"]]

    serve()
    task_id = create("spends")
    client.asks.edit(open_ask(client, task_id), SPEND | {"amount_usd": 50})
    assert client.tasks.wait(task_id, timeout_s=10).result == [True, 50]


def test_changed_action_asks_anew(agent, serve, create, client):
    prices = iter([100, 200, 200])

    @agent.task("spends")
    def spend(ctx):
        price = next(prices)
        return [price, ctx.ask_approval("Spend?", action={"price": price}).approved]

    serve()
    task_id = create("spends")
    first = open_ask(client, task_id)
    client.asks.approve(first)
    second = wait_for(
        lambda: next((ask for ask in client.asks.list(task_id=task_id, status="open") if ask.id != first.id), None),
        "the second ask",
    )
    assert client.asks.get(first).status == "invalidated"
    client.asks.approve(second)
    assert client.tasks.wait(task_id, timeout_s=10).result == [200, True]


@pytest.mark.parametrize("swallows", ["returns", "raises", "asks again"])
def test_swallowing_the_suspension_changes_nothing(agent, serve, create, client, swallows, caplog):
    @agent.task("swallows")
    def handle(ctx):
        try:
            return ctx.ask_approval("Go?").approved
        except milepost.TaskSuspended:
            if swallows == "returns":
                return "made up"
            if swallows == "raises":
                raise ValueError("made up") from None
            return ctx.step("more", lambda: "made up")

    serve()
    task_id = create("swallows")
    client.asks.approve(open_ask(client, task_id))
    assert client.tasks.wait(task_id, timeout_s=10).result is True
    assert [run.status for run in client.tasks.list_runs(task_id).attempts] == ["completed", "paused"]


def test_expiry_that_fails_fails_the_task(agent, serve, create, client):
    @agent.task("waits")
    def handle(ctx):
        ctx.ask_approval("Go?", timeout=0.05, on_expiry="fail")

    serve()
    task = client.tasks.wait(create("waits"), timeout_s=10, check=False)
    assert (task.status, task.error_type) == ("failed", "ApprovalExpired")


def test_expiry_is_told_as_what_it_is(agent, serve, create, client):
    @agent.task("waits")
    def handle(ctx):
        approval = ctx.ask_approval("Go?", timeout=0.05)
        return [approval.approved, approval.expired, approval.status]

    serve()
    assert client.tasks.wait(create("waits"), timeout_s=10).result == [False, True, "expired"]


def test_ask_that_cannot_be_answered_fails_at_once(agent, serve, create, client):
    @agent.task("asks nonsense")
    def handle(ctx):
        ctx.ask("How many?", schema={"type": "numeral"})

    serve()
    task = client.tasks.wait(create("asks nonsense"), timeout_s=10, check=False)
    assert (task.status, task.attempt) == ("failed", 1)
    assert task.error_type == "milepost.errors.ReportRefusedError"
    assert "schema" in task.error_message


def test_arguments_are_checked_where_they_are_given(agent, serve, create, client):
    wrong = [
        ({"timeout": 0}, ValueError),
        ({"approvers": "ann"}, TypeError),
        ({"quorum": 0}, ValueError),
        ({"action": object()}, milepost.ReportRefusedError),
        ({"on_expire": "fail"}, TypeError),
        ({"options": ["x" * 300]}, ValueError),
    ]

    @agent.task("asks wrongly")
    def handle(ctx):
        for arguments, error in wrong:
            with pytest.raises(error):
                ctx.ask_approval("Go?", **arguments)

    serve()
    client.tasks.wait(create("asks wrongly"), timeout_s=10)


def test_same_title_again_is_another_ask(agent, serve, create, client):
    @agent.task("asks twice")
    def handle(ctx):
        return [ctx.ask_approval("Go on?").by for _ in range(2)]

    serve()
    task_id = create("asks twice")
    seen: list[str] = []
    for by in ("ann", "bob"):
        fresh = wait_for(
            lambda: [ask for ask in client.asks.list(task_id=task_id, status="open") if ask.id not in seen], "an ask"
        )
        seen.append(fresh[0].id)
        client.asks.approve(fresh[0], by=by)
    assert client.tasks.wait(task_id, timeout_s=10).result == ["ann", "bob"]
    assert sorted(ask.key for ask in client.asks.list(task_id=task_id)) == ["Go on?", "Go on? #2"]


def test_asynchronous_client_decides_and_waits(agent, serve, create, client, collector):
    @agent.task("spends")
    def spend(ctx):
        return ctx.ask_approval("Spend?", quorum=2, approvers=["ann", "bob", "team:finance"]).by

    serve()
    task_id = create("spends")
    ask = open_ask(client, task_id)

    async def decide():
        async with milepost.AsyncClient(endpoint=collector.url) as asked:
            with pytest.raises(milepost.ApiError, match="not eve's to decide") as refused:
                await asked.asks.approve(ask, by="eve")
            assert refused.value.status == 403
            assert (await asked.asks.approve(ask, by="ann")).approvals == 1
            with pytest.raises(milepost.ConflictError, match="ann has approved"):
                await asked.asks.approve(ask, by="ann")
            with pytest.raises(milepost.AskNotAnsweredError):
                await asked.asks.wait(ask, timeout_s=0.05)
            waiting = asyncio.create_task(asked.asks.wait(ask))
            await asked.asks.approve(ask, by="carol", team="finance")
            return await waiting

    assert asyncio.run(decide()).status == "approved"
    assert client.tasks.wait(task_id, timeout_s=10).result == "carol"


def test_timeline_shows_the_ask_and_the_answer(agent, serve, create, client):
    @agent.task("spends")
    def spend(ctx):
        return ctx.ask_approval("Spend?", action=SPEND).approved

    serve()
    task_id = create("spends")
    client.asks.approve(open_ask(client, task_id), by="ann", reason="fine")
    client.tasks.wait(task_id, timeout_s=10)
    second, first = client.tasks.list_runs(task_id).attempts
    milepost.flush()

    def spans(run_id):
        return [span for span in client.runs.spans(run_id).spans if span.kind == "approval"]

    (asked,) = wait_for(lambda: spans(first.run_id), "the first span")
    (told,) = wait_for(lambda: spans(second.run_id), "the second span")
    assert (asked.name, asked.status) == ("Spend?", "cancelled")
    assert (told.name, told.status) == ("Spend?", "completed")
    assert msgspec.to_builtins(first.reason) == "asked: Spend?"
