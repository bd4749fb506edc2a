"""What follows a failed attempt, and how it ends when nothing does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.wire.tasks import TaskSettings
from milepost_collector.controller.retry import after_failure, after_loss, delay_ms
from tests.controller.engine.house import House, Worker

SETTINGS = st.builds(
    TaskSettings,
    retry_delay_ms=st.integers(0, 31_536_000_000),
    max_retry_delay_ms=st.integers(0, 31_536_000_000),
    backoff=st.sampled_from(("fixed", "exponential")),
    jitter=st.floats(0, 1),
)


@given(SETTINGS, st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_delay_lies_between_its_jitter_and_its_cap(settings: TaskSettings, failures: int, draw: float) -> None:
    delay = delay_ms(settings, failures, draw)
    assert 0 <= delay <= settings.max_retry_delay_ms
    full = delay_ms(settings, failures, 0)
    assert full * (1 - settings.jitter) - 1 <= delay <= full


@given(SETTINGS, st.integers(1, 200))
def test_delay_never_shrinks_with_failures(settings: TaskSettings, failures: int) -> None:
    assert delay_ms(settings, failures, 0) <= delay_ms(settings, failures + 1, 0)


def test_exponential_delay_doubles_and_fixed_stays() -> None:
    exponential = TaskSettings(retry_delay_ms=100, jitter=0, max_retry_delay_ms=350)
    fixed = TaskSettings(retry_delay_ms=100, jitter=0, backoff="fixed")
    assert [delay_ms(exponential, number, 0.5) for number in (1, 2, 3, 99)] == [100, 200, 350, 350]
    assert [delay_ms(fixed, number, 0.5) for number in (1, 2, 3)] == [100, 100, 100]


def test_delay_of_no_failure_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        delay_ms(TaskSettings(), 0, 0)


def test_losses_are_tried_again_at_once_up_to_their_limit() -> None:
    settings = TaskSettings(max_losses=1)
    assert after_loss(settings, 1) == ("retry", 0, "")
    assert after_loss(settings, 2).kind == "exhausted"


@pytest.mark.parametrize(("error", "kind"), [("Fatal", "fatal"), ("lib.Fatal", "fatal"), ("FatalToo", "retry")])
def test_error_is_fatal_by_its_full_name_or_its_last_part(error: str, kind: str) -> None:
    settings = TaskSettings(non_retryable_errors=("Fatal",))
    verdict = after_failure(settings, 1, error_type=error, retryable=True, retry_after_ms=None, draw=0)
    assert verdict.kind == kind


def test_failed_attempt_is_tried_again_after_its_delay(house: House, worker: Worker) -> None:
    made = house.create(settings={"retry_delay_ms": 8_000, "jitter": 0})
    worker.fail(worker.take(), error_message="no luck")
    assert house.why(made) == ("retry", "retry in 8 s, after 1 failed attempt")
    assert house.attempts(made)[0].retry_at == house.task(made).next_run_at == house.at(8_000)
    house.pass_time(7_999)
    assert worker.names() == []
    house.pass_time(1)
    lease = worker.take()
    assert (lease.attempt, lease.failures) == (2, 1)
    worker.complete(lease)
    assert (house.status(made), house.ends(made)) == ("completed", ["failed", "completed"])


def test_error_may_say_when_to_come_back(house: House, worker: Worker) -> None:
    made = house.create(settings={"retry_delay_ms": 1_000})
    worker.fail(worker.take(), retry_after_ms=60_000)
    assert house.task(made).next_run_at == house.at(60_000)


@pytest.mark.parametrize(("policy", "status"), [("fail", "failed"), ("pause", "paused")])
def test_task_without_retries_left_is_parked_with_its_error(
    house: House, worker: Worker, policy: str, status: str
) -> None:
    made = house.create(settings={"max_retries": 1, "retry_delay_ms": 0, "on_exhausted": policy})
    for _ in range(2):
        worker.fail(worker.take(), "Flaky", error_message="no luck")
    task = house.task(made)
    assert (task.status, task.error_type, task.error_message) == (status, "Flaky", "no luck")
    assert (task.reason, task.failures) == ("failed 2 times, max_retries is 1", 2)


def test_fatal_error_is_not_tried_again(house: House, worker: Worker) -> None:
    made = house.create(settings={"non_retryable_errors": ("Fatal",)})
    worker.fail(worker.take(), "lib.Fatal")
    other = house.create()
    worker.fail(worker.take(), retryable=False)
    assert (house.status(made), house.status(other)) == ("failed", "failed")


@pytest.mark.parametrize("command", ["retry", "run"])
def test_parked_task_is_opened_with_all_its_retries(house: House, worker: Worker, command: str) -> None:
    made = house.create(input=1, settings={"max_retries": 0})
    worker.fail(worker.take())
    getattr(house, command)(made, input=2)
    task = house.task(made)
    assert (task.status, task.failures, task.error_type, task.finished_at) == ("pending", 0, None, None)
    lease = worker.take()
    assert (lease.attempt, lease.input) == (2, 2)


def test_exhausted_task_that_is_resumed_may_fail_again_as_often(house: House, worker: Worker) -> None:
    settings = {"max_retries": 1, "retry_delay_ms": 0, "on_exhausted": "pause"}
    made = house.create(settings=settings)
    for _ in range(2):
        worker.fail(worker.take())
    house.resume(made)
    worker.fail(worker.take())
    assert house.status(made) == "pending"


def test_retry_replaces_the_context(house: House, worker: Worker) -> None:
    made = house.create(context="old", settings={"max_retries": 0})
    worker.fail(worker.take())
    house.retry(made, context="new", by="ann")
    assert worker.take().context == "new"
