"""Waiting for batches by both clients: until all tasks are finished, and no longer than is asked."""

from __future__ import annotations

import inspect
import pickle
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from tests.sdk.client.hand import Hand

import milepost
from milepost.wire.batches import BatchProgress

if TYPE_CHECKING:
    from tests.sdk.client.conftest import Ask

    from conftest import CollectorProcess


@pytest.fixture
def ask(ask_at: Callable[[str], Ask], collector: CollectorProcess) -> Ask:
    """Let a client of either kind ask the collector something."""
    return ask_at(collector.url)


@pytest.fixture
def name() -> str:
    """Return the name of a batch, and of the agent that works on it, that no other test uses."""
    return f"batch-{secrets.token_hex(4)}"


@pytest.fixture
def hand(collector: CollectorProcess, name: str) -> Iterator[Hand]:
    """Return a worker that handles the tasks of the batch, one at a time."""
    hand = Hand(collector.url, name, "work")
    yield hand
    hand.close()


@pytest.fixture
def wait(ask: Ask, name: str) -> Callable[..., BatchProgress]:
    """Return a function that makes the batch's three tasks, if there are none, and waits for them."""
    tasks = [{"name": "work", "agent": name, "idempotency_key": f"{name} {number}"} for number in range(3)]

    async def awaited(made: Any, **given: Any) -> BatchProgress:
        seen: BatchProgress = await (await made).wait(**given)
        return seen

    def wait_for_it(**given: Any) -> BatchProgress:
        def use(client: Any) -> Any:
            made = client.tasks.create_many(tasks, batch=name)
            return awaited(made, **given) if inspect.isawaitable(made) else made.wait(**given)

        seen: BatchProgress = ask(use)
        return seen

    return wait_for_it


def test_timeout_names_what_is_still_open_and_the_batch_goes_on(
    wait: Callable[..., BatchProgress], hand: Hand, name: str
) -> None:
    with pytest.raises(milepost.BatchTimeoutError, match=r"0 of 3 tasks .*; still open: 3 pending"):
        wait(timeout_s=0)
    hand.complete(hand.take())
    hand.take()
    with pytest.raises(TimeoutError) as caught:
        wait(timeout_s=0.1)
    said, _, still = str(caught.value).partition("; still open: ")
    assert said == f"batch {name}: 1 of 3 tasks are finished after 0.1 s of waiting"
    assert set(still.split(", ")) == {"1 in_progress", "1 pending"}
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.batch.finished) == (str(caught.value), 1)


def test_wait_ends_when_all_tasks_have_however_they_end(
    wait: Callable[..., BatchProgress], ask: Ask, hand: Hand
) -> None:
    with pytest.raises(milepost.BatchTimeoutError):
        wait(timeout_s=0)
    hand.complete(hand.take())
    hand.fail(hand.take(), "no", retryable=False)
    last = hand.take()
    ask(lambda client: client.tasks.cancel(last.task_id))
    hand.fail(last, "was cancelled")
    told: list[BatchProgress] = []
    ended = wait(timeout_s=20, told=told.append)
    assert (ended.total, ended.finished, told[-1]) == (3, 3, ended)
    assert ended.counts == {"completed": 1, "failed": 1, "cancelled": 1}
