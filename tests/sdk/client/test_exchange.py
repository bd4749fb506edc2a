"""When an operation is sent again, and which error it ends with: flows driven by hand, no socket, no clock."""

from __future__ import annotations

import pickle
from types import NoneType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.errors import (
    ApiError,
    ConflictError,
    InvalidRequestError,
    MilepostError,
    NotFoundError,
    UnavailableError,
)
from milepost.resources import _tasks
from milepost.resources._exchange import (
    Answer,
    HttpRequest,
    NoAnswer,
    Outcome,
    Patience,
    Sleep,
    exchange,
    retry_delay_s,
)
from milepost.resources._operation import Operation

AWAY = NoAnswer(reached=False, cause=ConnectionRefusedError("refused"))
LOST = NoAnswer(reached=True, cause=TimeoutError("timed out"))
READ = Operation(method="GET", path="/api/x", answer=dict, repeatable=True)
COMMAND = Operation(method="POST", path="/api/x", answer=dict)
REMOVE = Operation(method="DELETE", path="/api/x", answer=NoneType, repeatable=True)


def answer(status: int, body: Any = None, retry_after_s: float | None = None) -> Answer:
    return Answer(status=status, content=msgspec.json.encode(body), retry_after_s=retry_after_s)


def problem(status: int, **more: Any) -> Answer:
    return answer(status, {"title": "t", "status": status, "detail": "it is wrong"} | more)


def drive(operation: Operation[Any], *outcomes: Outcome, patience: Patience | None = None) -> tuple[Any, list[Any]]:
    """Return a flow's result (or its error) and what it did."""
    flow = exchange(operation, endpoint="http://host", patience=patience or Patience(), random=lambda: 0.0)
    steps: list[Any] = []
    script, outcome = list(outcomes), None
    try:
        while True:
            steps.append(flow.send(outcome))
            outcome = script.pop(0) if isinstance(steps[-1], HttpRequest) else None
    except StopIteration as end:
        result = end.value
    except MilepostError as error:
        result = error
    assert script == [], "fewer requests than answers"
    return result, steps


def test_answer_is_decoded():
    assert drive(READ, answer(200, {"a": 1}))[0] == {"a": 1}


def test_reading_is_repeated_until_it_is_answered():
    result, steps = drive(READ, AWAY, LOST, answer(503), answer(502), answer(200, {}))
    assert result == {}
    assert [step.seconds for step in steps if isinstance(step, Sleep)] == [0.05, 0.1, 0.2, 0.4]


def test_command_that_may_have_been_done_is_not_repeated():
    result, steps = drive(COMMAND, LOST)
    assert isinstance(result, UnavailableError)
    assert result.maybe_done
    assert str(result) == "POST http://host/api/x was not answered: timed out"
    assert len(steps) == 1


@pytest.mark.parametrize("outcome", [AWAY, problem(503), problem(429)])
def test_command_that_was_certainly_not_done_is_repeated(outcome: Outcome):
    assert drive(COMMAND, outcome, answer(200, {}))[0] == {}


def test_creation_whose_answer_was_lost_is_repeated_with_the_same_key():
    creation = _tasks.prepared(_tasks.create("x"), new_key=lambda: "k-1", traceparent=None)
    result, steps = drive(creation, LOST, problem(409))
    keys = [step.headers["idempotency-key"] for step in steps if isinstance(step, HttpRequest)]
    assert keys == ["k-1", "k-1"]
    assert isinstance(result, ConflictError)


def test_deletion_that_is_repeated_may_find_nothing_left():
    assert drive(REMOVE, LOST, problem(404))[0] is None
    assert isinstance(drive(REMOVE, problem(404))[0], NotFoundError)
    assert isinstance(drive(REMOVE, AWAY, problem(404))[0], NotFoundError)


def test_absent_collector_is_given_up_with_a_remedy():
    result, steps = drive(READ, *[AWAY] * 6)
    assert str(result).startswith("no collector answers at http://host; start one with `milepost serve`")
    assert not result.maybe_done
    assert result.__cause__ is AWAY.cause
    assert sum(isinstance(step, Sleep) for step in steps) == 5


def test_impatient_caller_is_told_of_an_absent_collector_at_once():
    assert len(drive(READ, AWAY, patience=Patience(when_unreached=False))[1]) == 1


def test_wait_that_the_collector_asks_for_is_kept():
    steps = drive(READ, answer(503, None, 2.0), answer(200, {}))[1]
    assert [step.seconds for step in steps if isinstance(step, Sleep)] == [2.0]


def test_collector_that_asks_for_a_long_wait_is_unavailable():
    assert isinstance(drive(READ, problem(503), patience=Patience(max_retries=0))[0], UnavailableError)
    assert isinstance(drive(READ, answer(503, None, 31.0))[0], UnavailableError)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (404, NotFoundError),
        (409, ConflictError),
        (413, InvalidRequestError),
        (415, InvalidRequestError),
        (422, InvalidRequestError),
        (500, ApiError),
        (504, UnavailableError),
    ],
)
def test_status_decides_the_error(status: int, kind: type[ApiError]):
    error = drive(READ, problem(status))[0]
    assert type(error) is kind
    assert (error.status, error.detail) == (status, "it is wrong")


def test_error_carries_the_problem():
    details = {"field": "limit", "value": 0, "limit": 10, "remedy": "use 1 to 10", "more": 1}
    error = drive(READ, problem(400, **details))[0]
    assert (error.field, error.value, error.limit, error.remedy) == ("limit", 0, 10, "use 1 to 10")
    assert error.problem["more"] == 1
    assert str(error) == "it is wrong; use 1 to 10"


def test_remedy_is_told_once():
    error = drive(READ, problem(400, detail="limit 0 is not valid; use 1 to 10", remedy="use 1 to 10"))[0]
    assert str(error) == "limit 0 is not valid; use 1 to 10"


def test_conflict_says_what_is_legal():
    assert drive(COMMAND, problem(409, legal=["run", "retry"]))[0].legal == ("run", "retry")
    assert drive(COMMAND, problem(409))[0].legal == ()


def test_stranger_is_recognised():
    refused = Answer(status=404, content=b"<html>")
    assert str(drive(READ, refused)[0]) == "http://host answered 404; it may not be a Milepost collector"
    assert "it may be another program" in str(drive(READ, Answer(status=200, content=b"<html>"))[0])
    assert "it may be another program" in str(drive(READ, Answer(status=200, content=b'"\xff"'))[0])


@pytest.mark.parametrize("builtin", [(InvalidRequestError, ValueError), (NotFoundError, LookupError)])
def test_errors_are_the_builtin_ones_too(builtin: tuple[type, type]):
    assert issubclass(*builtin)


def test_errors_survive_another_process():
    error = drive(COMMAND, LOST)[0]
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.maybe_done) == (UnavailableError, str(error), True)
    conflict = pickle.loads(pickle.dumps(drive(COMMAND, problem(409, legal=["run"], remedy="run it"))[0]))
    assert (conflict.legal, conflict.status, str(conflict)) == (("run",), 409, "it is wrong; run it")


OUTCOMES = st.builds(NoAnswer, reached=st.booleans(), cause=st.just(OSError("x"))) | st.builds(
    Answer, status=st.integers(300, 599), content=st.just(b""), retry_after_s=st.none() | st.floats(0, 100)
)


@given(OUTCOMES, st.integers(0, 1000), st.booleans(), st.floats(0, 1, exclude_max=True))
def test_waits_are_bounded(outcome: Outcome, failures: int, repeatable: bool, jitter: float):
    delay_s = retry_delay_s(
        outcome, failures, repeatable=repeatable, patience=Patience(max_retries=10_000), jitter=jitter
    )
    asked_s = getattr(outcome, "retry_after_s", None)
    assert delay_s is None or 0 <= delay_s <= (2.0 if asked_s is None else 37.5)
    if delay_s is not None and asked_s is not None:
        assert delay_s >= asked_s


@given(OUTCOMES, st.integers(0, 4), st.floats(0, 1, exclude_max=True))
def test_what_may_have_been_done_is_never_sent_twice(outcome: Outcome, failures: int, jitter: float):
    delay_s = retry_delay_s(outcome, failures, repeatable=False, patience=Patience(), jitter=jitter)
    certainly_undone = outcome.status in (408, 425, 429, 503) if isinstance(outcome, Answer) else not outcome.reached
    assert delay_s is None or certainly_undone


@given(OUTCOMES, st.integers(0, 10), st.booleans())
def test_patience_ends(outcome: Outcome, most: int, repeatable: bool):
    patience = Patience(max_retries=most)
    assert retry_delay_s(outcome, most, repeatable=repeatable, patience=patience, jitter=0.5) is None
