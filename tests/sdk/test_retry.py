"""Retry decisions: which answers are final and how long the waits are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost._retry import Answer, decide, parse_retry_after

jitters = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_success_is_acknowledged(status):
    assert decide(Answer(status=status), 0, jitter=0.5).verdict == "acknowledged"


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413, 415, 422])
def test_a_client_error_is_final(status):
    assert decide(Answer(status=status, retry_after_s=1), 0, jitter=0.5).verdict == "refused"


@pytest.mark.parametrize("status", [None, 408, 425, 429, 500, 502, 503, 504])
def test_trouble_that_may_pass_is_retried(status):
    assert decide(Answer(status=status), 0, jitter=0.5).verdict == "retry"


@given(st.integers(0, 10_000), jitters)
def test_wait_lies_within_the_growing_limit(failures, jitter):
    delay_s = decide(Answer(status=None), failures, jitter=jitter).delay_s
    assert 0 <= delay_s <= min(0.1 * 2 ** min(failures, 16), 5.0)


@given(st.floats(0, 1e9), jitters)
def test_wait_that_is_asked_for_is_kept_up_to_a_minute(asked, jitter):
    delay_s = decide(Answer(status=503, retry_after_s=asked), 3, jitter=jitter).delay_s
    assert min(asked, 60) <= delay_s <= min(asked, 60) * 1.25


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("12", 12.0),
        ("soon", None),
        ("-3", None),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(text, seconds):
    assert parse_retry_after(text, 10.0) == seconds


def test_collector_that_is_not_listening_is_tried_every_second_at_least():
    absent = Answer(status=None, reached=False)
    silent = Answer(status=None)
    assert decide(absent, 100, jitter=0.999).delay_s < 1.0
    assert decide(silent, 100, jitter=0.999).delay_s > 4.0
