"""Waiting for a task, on a clock that the test moves."""

from __future__ import annotations

import pickle
from collections.abc import Generator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sdk.client.samples import TASK

from milepost.errors import TaskNotCompletedError, UnavailableError, WaitTimeoutError
from milepost.resources._exchange import Sleep
from milepost.resources._wait import poll_delay_s, waiting
from milepost.wire.tasks import Task, WhyNotRunning


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def seen(status: str, **more: Any) -> Task:
    return msgspec.structs.replace(TASK, status=status, **more)


def wait(*looks: Task | Exception, timeout_s: float | None = None, check: bool = True) -> tuple[Task, float]:
    """Return what a wait returns and how long it took; the last look is repeated."""
    clock, left = Clock(), list(looks)

    def ask(operation: Any) -> Generator[Any, Any, Task]:
        look = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(look, Exception):
            raise look
        return look
        yield

    flow = waiting("t-1", timeout_s=timeout_s, check=check, ask=ask, clock=clock)
    try:
        while True:
            step = next(flow)
            assert isinstance(step, Sleep)
            clock.now += step.seconds
    except StopIteration as end:
        return end.value, clock.now - 1_000.0


def test_wait_returns_the_completed_task():
    task, took_s = wait(seen("pending"), seen("in_progress"), seen("completed", result=3))
    assert task.result == 3
    assert took_s == pytest.approx(0.04)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_wait_raises_for_a_task_that_did_not_complete(status: str):
    end = seen(status, error_type="ValueError", error_message="disk is full")
    with pytest.raises(TaskNotCompletedError, match=rf"task t-1 \(Extract\) is {status}: ValueError: disk") as caught:
        wait(seen("in_progress"), end)
    assert caught.value.task is end
    assert wait(end, check=False)[0] is end


def test_wait_ends_at_its_timeout_and_says_why_nothing_happens():
    why = WhyNotRunning(code="no_worker", text="no worker of agent a is polling")
    with pytest.raises(WaitTimeoutError, match=r"is pending \(no worker of agent a is polling\) after 5 s") as caught:
        wait(seen("pending", why_not_running=why), timeout_s=5)
    assert caught.value.task.status == "pending"
    assert isinstance(caught.value, TimeoutError)


def test_wait_outlasts_a_restart_of_the_collector():
    away = UnavailableError("away")
    assert wait(seen("in_progress"), away, away, seen("completed"))[0].status == "completed"


def test_wait_gives_up_when_the_collector_stays_away():
    with pytest.raises(UnavailableError):
        wait(seen("in_progress"), UnavailableError("away"))


def test_errors_of_waiting_survive_another_process():
    for error in (TaskNotCompletedError(seen("failed")), WaitTimeoutError(TASK, 2.5)):
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.task) == (str(error), error.task)


@given(st.floats(0, 1e9), st.none() | st.floats(0, 1e9))
def test_looks_are_seldom_but_not_late(waited_s: float, timeout_s: float | None):
    delay_s = poll_delay_s(waited_s, timeout_s)
    assert 0 <= delay_s <= 1.0
    if timeout_s is None:
        assert delay_s >= 0.02
        assert delay_s <= max(waited_s * 0.1, 0.02)
    elif waited_s <= timeout_s:
        assert waited_s + delay_s <= timeout_s + 1e-6
