"""Runs that no task stands behind ask people: the code waits, through restarts of the collector, and is told."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

import milepost
from milepost.testing import answer_asks, answered, approved, expired, rejected
from sdk.sink import wait_for

PAY = {"amount_usd": 120}


@pytest.fixture
def asking(collector):
    """Return a client whose runs a collector records, and that can decide."""
    with milepost.Client(endpoint=collector.url, agent="asker", flush_interval_ms=20) as client:
        yield client


@pytest.fixture
def people():
    """Return threads that act while the code waits."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


def open_ask(client, run_id):
    return wait_for(lambda: next(iter(client.asks.list(run_id=run_id, status="open")), None), "an open ask")


def test_run_waits_for_the_decision_and_shows_the_wait(asking, people):
    with asking.start_run("pay") as run:
        decided = people.submit(lambda: asking.asks.approve(open_ask(asking, run.run_id), by="ann", reason="fine"))
        approval = run.ask_approval("Pay 120 USD?", action=PAY)
        decided.result()
    assert (approval.approved, bool(approval), approval.by, approval.reason) == (True, True, "ann", "fine")
    ask = asking.asks.get(approval.ask_id)
    assert (ask.run_id, ask.agent, ask.task_id) == (run.run_id, "asker", None)
    asking.flush()
    (span,) = [span for span in asking.runs.spans(run.run_id).spans if span.kind == "approval"]
    assert (span.span_id, span.name, span.status) == (ask.span_id, "Pay 120 USD?", "completed")


def test_asynchronous_run_asks_a_question_and_does_not_block_the_loop(asking):
    async def main():
        with asking.start_run("read") as run:
            question = asyncio.create_task(run.aask("How many pages?", schema=int))
            ask = await asyncio.to_thread(open_ask, asking, run.run_id)
            await asyncio.to_thread(asking.asks.answer, ask, 12)
            return await question

    reply = asyncio.run(main())
    assert (reply.value, reply.answered, reply.status) == (12, True, "answered")


def test_blocking_an_event_loop_is_refused(asking):
    async def main():
        with asking.start_run("read") as run, pytest.raises(RuntimeError, match="aask_approval"):
            run.ask_approval("Go?")

    asyncio.run(main())


def test_asking_the_same_again_asks_nobody_twice(asking):
    with asking.start_run("pay") as run:
        threads = [
            threading.Thread(target=run.ask_approval, args=("Pay?",), kwargs={"key": "pay", "action": PAY})
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        asking.asks.approve(open_ask(asking, run.run_id))
        for thread in threads:
            thread.join(10)
        assert run.ask_approval("Pay?", key="pay", action=PAY).approved
        assert len(list(asking.asks.list(run_id=run.run_id))) == 1


def test_expiry_is_an_outcome_or_an_error(asking):
    with asking.start_run("pay") as run:
        approval = run.ask_approval("Pay?", timeout=0.05)
        assert (approval.approved, approval.expired) == (False, True)
        with pytest.raises(milepost.ApprovalExpired, match="nobody answered 'Pay\\?' in time"):
            run.ask_approval("Pay?", timeout=0.05, on_expiry="fail")
        with pytest.raises(milepost.InvalidRequestError, match="on_expiry"):
            run.ask_approval("Pay?", on_expiry="cancel")


def test_waiting_survives_a_collector_that_is_killed_and_comes_back(start_collector, people):
    first = start_collector()
    port = str(urlsplit(first.url).port)
    client = milepost.Client(endpoint=first.url)
    with client, client.start_run("pay") as run:
        waiting = people.submit(run.ask_approval, "Pay?", action=PAY)
        ask = open_ask(client, run.run_id)
        first.process.kill()
        first.process.wait(10)
        start_collector("--port", port)
        assert client.asks.approve(ask.id, by="ann").status == "approved"
        assert waiting.result(20).by == "ann"


def test_asking_waits_for_a_collector_that_is_not_there_yet(start_collector, people):
    first = start_collector()
    port = str(urlsplit(first.url).port)
    first.stop()
    client = milepost.Client(endpoint=first.url)
    with client, client.start_run("pay") as run:
        waiting = people.submit(run.ask_approval, "Pay?")
        start_collector("--port", port)
        client.asks.reject(open_ask(client, run.run_id), reason="no")
        assert waiting.result(20).reason == "no"


def test_long_poll_is_answered_when_the_collector_stops(start_collector, people):
    collector = start_collector()
    with milepost.Client(endpoint=collector.url) as client, client.start_run("pay") as run:
        ask_id = people.submit(lambda: open_ask(client, run.run_id).id)
        waiting = people.submit(run.ask_approval, "Pay?")
        polled = people.submit(client.asks.get, ask_id.result(10), wait_ms=5_000)
        began = time.monotonic()
        collector.stop()
        assert polled.result(10).status == "open"
        assert time.monotonic() - began < 4
        start_collector("--port", str(urlsplit(collector.url).port))
        client.asks.approve(ask_id.result())
        assert waiting.result(20).approved


def test_script_answers_instead_of_people(captured):
    script = (approved(action={"amount_usd": 50}), rejected("no"), answered([1, 2]), expired())
    with answer_asks(*script) as asked, milepost.start_run("pay") as run:
        assert run.ask_approval("Pay?", action=PAY).action == {"amount_usd": 50}
        assert run.ask_approval("Pay?").reason == "no"
        assert run.ask("Which?", schema=list[int]).value == [1, 2]
        assert run.ask("Which?").expired
        with pytest.raises(AssertionError, match="the script has 4 answers"):
            run.ask("More?")
    assert [ask.key for ask in asked] == ["Pay?", "Pay? #2", "Which?", "Which? #2", "More?"]
    assert [span.kind for span in captured.spans if span.name.endswith("?")] == [
        "approval", "approval", "assistance", "assistance", "assistance",
    ]  # fmt: skip


def test_function_answers_instead_of_people(captured):
    with answer_asks(by=lambda ask: approved(by=ask.title)), milepost.start_run("pay") as run:
        assert run.ask_approval("Pay?").by == "Pay?"
        assert asyncio.run(run.aask_approval("Spend?")).by == "Spend?"
