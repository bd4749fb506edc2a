"""Operations on scores and feedback: functions that say what is asked, and ask nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from milepost.resources._operation import Operation, path_of, query_of
from milepost.resources._pages import Listing
from milepost.resources._values import build, given_only, text_list, to_id
from milepost.wire.evaluation import ScoreSource
from milepost.wire.scores import Feedback, FeedbackCreate, FeedbackList, Score, ScoreCreate, ScoreList
from milepost.wire.tasks import Task

__all__ = ["add_feedback", "add_score", "list_feedback", "list_scores"]


def add_score(
    name: str,
    value: float | None = None,
    *,
    run_id: str | None = None,
    span_id: str | None = None,
    task: Task | str | None = None,
    label: str | None = None,
    explanation: str = "",
    source: ScoreSource = "code",
    by: str | None = None,
    time: datetime | str | None = None,
    idempotency_key: str | None = None,
) -> Operation[Score]:
    """Judge a recorded run, one of its spans, or a managed task by one measure: a value, a label or both.

    by: who or what judged. time: when; now if it is not said. idempotency_key: the same key is the same score, however
    often it is sent.

    Raises:
        InvalidRequestError: nothing is named that could be judged, or neither a value nor a label is given.
        NotFoundError: there is no such run, span or task.
    """
    given = _given(run_id, span_id, task, by, time, idempotency_key)
    given |= given_only({"value": value, "label": label, "explanation": explanation})
    body = build(ScoreCreate, {"name": name, "source": source, **given})
    return Operation(
        method="POST", path=path_of("scores"), answer=Score, body=body, repeatable=idempotency_key is not None
    )


def add_feedback(
    rating: int | None = None,
    text: str = "",
    *,
    run_id: str | None = None,
    span_id: str | None = None,
    task: Task | str | None = None,
    issues: Sequence[str] = (),
    by: str | None = None,
    time: datetime | str | None = None,
    idempotency_key: str | None = None,
) -> Operation[Feedback]:
    """Keep what a person thinks of a run, one of its spans, or a managed task. rating: from 1 to 5, which is best.

    issues: what was wrong, by name. idempotency_key: the same key is the same feedback, however often it is sent.

    Raises:
        InvalidRequestError: nothing is named that it could be about, or nothing is said.
        NotFoundError: there is no such run, span or task.
    """
    given = _given(run_id, span_id, task, by, time, idempotency_key) | given_only({"rating": rating, "text": text})
    body = build(FeedbackCreate, {"issues": text_list(issues), **given})
    return Operation(
        method="POST", path=path_of("feedback"), answer=Feedback, body=body, repeatable=idempotency_key is not None
    )


def list_scores(
    *,
    run_id: str | None = None,
    span_id: str | None = None,
    task: Task | str | None = None,
    name: str | None = None,
    source: ScoreSource | None = None,
    page_size: int = 100,
    cursor: str | None = None,
) -> Listing[ScoreList, Score]:
    """Return the scores that match, the newest first, page by page as they are iterated over."""
    query = _query(run_id, span_id, task, page_size, cursor, name=name, source=source)
    operation = Operation(method="GET", path=path_of("scores"), answer=ScoreList, query=query, repeatable=True)
    return Listing(operation, lambda page: page.scores)


def list_feedback(
    *,
    run_id: str | None = None,
    span_id: str | None = None,
    task: Task | str | None = None,
    page_size: int = 100,
    cursor: str | None = None,
) -> Listing[FeedbackList, Feedback]:
    """Return the feedback that matches, the newest first, page by page as it is iterated over."""
    query = _query(run_id, span_id, task, page_size, cursor)
    operation = Operation(method="GET", path=path_of("feedback"), answer=FeedbackList, query=query, repeatable=True)
    return Listing(operation, lambda page: page.feedback)


def _given(
    run_id: str | None,
    span_id: str | None,
    task: Task | str | None,
    by: str | None,
    time: datetime | str | None,
    idempotency_key: str | None,
) -> dict[str, object]:
    target = {"run_id": run_id, "span_id": span_id, "task_id": None if task is None else to_id(task)}
    return given_only({**target, "by": by, "time": time, "idempotency_key": idempotency_key})


def _query(
    run_id: str | None,
    span_id: str | None,
    task: Task | str | None,
    page_size: int,
    cursor: str | None,
    **more: str | None,
) -> tuple[tuple[str, str], ...]:
    task_id = None if task is None else to_id(task)
    target = {"run_id": run_id, "span_id": span_id, "task_id": task_id}
    return query_of({**target, **more, "limit": page_size, "cursor": cursor})
