"""What answers mean, and how long is waited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.forwarding.retry import (
    LONGEST_DELAY_S,
    LONGEST_RETRY_AFTER_S,
    TRIES_OF_SERVER_ERRORS,
    Answer,
    decide,
    parse_retry_after,
)


@pytest.mark.parametrize("status", [429, 502, 503, 504, None])
def test_retryable_answers_are_tried_again_for_ever(status: int | None):
    assert decide(Answer(status=status), 10_000, jitter=0.5).verdict == "retry"


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 408, 413, 415])
def test_other_answers_below_500_are_final(status: int):
    assert decide(Answer(status=status), 0, jitter=0.5).verdict == "refused"


@pytest.mark.parametrize("status", [500, 501, 505])
def test_other_server_errors_are_final_after_some_tries(status: int):
    verdicts = [decide(Answer(status=status), failures, jitter=0).verdict for failures in range(TRIES_OF_SERVER_ERRORS)]
    assert verdicts == ["retry"] * (TRIES_OF_SERVER_ERRORS - 1) + ["refused"]


@given(st.integers(0, 100_000), st.floats(0, 1, exclude_max=True))
def test_delay_grows_to_its_limit_and_never_beyond(failures: int, jitter: float):
    delay_s = decide(Answer(status=503), failures, jitter=jitter).delay_s
    later_s = decide(Answer(status=503), failures + 1, jitter=jitter).delay_s
    assert 0.25 <= delay_s <= later_s <= LONGEST_DELAY_S


@given(st.floats(0, 1e9), st.floats(0, 1, exclude_max=True))
def test_wait_that_is_asked_for_is_kept_up_to_ten_minutes(asked_s: float, jitter: float):
    delay_s = decide(Answer(status=429, retry_after_s=asked_s), 0, jitter=jitter).delay_s
    assert min(asked_s, LONGEST_RETRY_AFTER_S) <= delay_s <= LONGEST_RETRY_AFTER_S * 1.1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("²", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None):
    assert parse_retry_after(text, now_unix_s=1_800_000_000) == seconds
