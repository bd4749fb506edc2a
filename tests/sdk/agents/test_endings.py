"""Exceptions become reports."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from milepost.agents.endings import ending_of
from milepost.agents.stops import interrupts, is_more_urgent
from milepost.errors import (
    InvalidInputError,
    LeaseLost,
    NonRetryableError,
    ReportRefusedError,
    RetryLater,
    TaskCancelled,
    TaskPaused,
)
from milepost.wire.worker import AttemptCancelled, AttemptFailed, AttemptPaused, TaskLease

LEASE = TaskLease(task_id="t", name="n", attempt=2, run_id="1" * 32, lease_ms=12_000)
NOW = 1_767_225_600.0


def ending(error, asked=None):
    return ending_of(error, LEASE, asked, NOW)


def refused_by_provider(status, **headers):
    """Return what clients of providers raise, as they make it from httpx's."""
    response = httpx.Response(status, headers={name.replace("_", "-"): text for name, text in headers.items()})
    return httpx.HTTPStatusError("no", request=httpx.Request("GET", "http://x"), response=response)


def raised(error, cause=None):
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def test_exception_fails_the_attempt_with_type_message_and_stack():
    report = ending(raised(ValueError("no such page")))
    assert isinstance(report, AttemptFailed)
    assert (report.task_id, report.attempt) == ("t", 2)
    assert (report.error_type, report.error_message, report.retryable) == ("ValueError", "no such page", True)
    assert "in raised" in report.error_stack


@pytest.mark.parametrize(
    "error",
    [
        NonRetryableError("no"),
        InvalidInputError("no", field="$"),
        ReportRefusedError("result", "too large"),
        refused_by_provider(401),
        refused_by_provider(403),
    ],
)
def test_errors_that_stay_are_not_retryable(error):
    assert ending(error).retryable is False


@pytest.mark.parametrize(
    ("error", "delay_ms"),
    [
        (RetryLater(2.5), 2_500),
        (RetryLater(10.0**12), 31_536_000_000),
        (refused_by_provider(429, retry_after="7"), 7_000),
        (refused_by_provider(503, retry_after="Thu, 01 Jan 2026 00:01:00 GMT"), 60_000),
        (refused_by_provider(429, retry_after_ms="150"), 150),
        (refused_by_provider(429), None),
        (refused_by_provider(500, retry_after="7"), None),
        (ValueError("no"), None),
    ],
)
def test_errors_may_say_when_to_try_again(error, delay_ms):
    report = ending(error)
    assert (report.retryable, report.retry_after_ms) == (True, delay_ms)


def test_providers_answer_is_found_behind_what_a_framework_made_of_it():
    assert (
        ending(raised(RuntimeError("model failed"), refused_by_provider(429, retry_after="3"))).retry_after_ms == 3_000
    )


@pytest.mark.parametrize("error", [TaskCancelled("no"), asyncio.CancelledError()])
def test_stopping_when_cancelled_is_reported_as_that(error):
    assert isinstance(ending(error, "cancel"), AttemptCancelled)


def test_failing_when_cancelled_is_reported_as_a_failure():
    assert isinstance(ending(ValueError("while cleaning up"), "cancel"), AttemptFailed)


@pytest.mark.parametrize(("asked", "released"), [("pause", False), ("drain", True), ("release", True), (None, True)])
def test_pausing_says_whether_it_was_the_controllers_wish(asked, released):
    report = ending(TaskPaused("lunch"), asked)
    assert report == AttemptPaused(task_id="t", attempt=2, released=released, reason="lunch")


def test_coroutine_that_is_cut_off_hands_its_lease_back():
    assert ending(asyncio.CancelledError("the worker stops"), "release").released is True


def test_cancelled_error_that_nobody_asked_for_is_a_failure():
    assert ending(raised(asyncio.CancelledError())).error_type == "asyncio.exceptions.CancelledError"


@pytest.mark.parametrize("error", [LeaseLost(), ValueError("no"), TaskPaused()])
def test_lost_attempt_reports_nothing(error):
    assert ending(error, "lost") is None


def test_stops_of_a_task_group_count_as_one():
    group = BaseExceptionGroup("tasks", [TaskPaused("a"), BaseExceptionGroup("more", [TaskPaused("b")])])
    assert isinstance(ending(group, "pause"), AttemptPaused)


def test_group_with_an_error_beside_is_a_failure():
    assert isinstance(ending(BaseExceptionGroup("tasks", [TaskPaused("a"), ValueError("b")]), "pause"), AttemptFailed)


def test_what_is_asked_only_grows_more_urgent():
    order = [None, "drain", "pause", "release", "cancel", "lost"]
    for place, kind in enumerate(order[1:], 1):
        assert [is_more_urgent(kind, before) for before in order] == [index < place for index in range(len(order))]
    assert [interrupts(kind) for kind in order] == [False, False, False, True, True, True]


def test_negative_delay_is_refused():
    with pytest.raises(ValueError, match="from 0"):
        RetryLater(-1)
