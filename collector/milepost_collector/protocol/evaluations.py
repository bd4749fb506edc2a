"""Scores and feedback to rows of `events`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from milepost.wire.evaluation import EVALUATION, EXPLANATION, NAME, feedback_attributes, score_attributes
from milepost.wire.scores import FeedbackCreate, ScoreCreate

Row = tuple[Any, ...]
_encode = msgspec.json.Encoder().encode


def score_row(score: ScoreCreate, event_id: str, time: int) -> Row:
    """Return the row of a score. time: Unix nanoseconds."""
    attributes = score_attributes(score.name, score.value, score.label, score.source, score.by, score.task_id)
    return _row(score.run_id, score.span_id, time, "score", score.name, score.explanation, attributes, event_id)


def feedback_row(feedback: FeedbackCreate, event_id: str, time: int) -> Row:
    """Return the row of a feedback. time: Unix nanoseconds."""
    attributes = feedback_attributes(feedback.rating, feedback.issues, feedback.by, feedback.task_id)
    return _row(feedback.run_id, feedback.span_id, time, "feedback", None, feedback.text, attributes, event_id)


def evaluation_of(event_name: str, attributes: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """Return name and explanation of a score that OpenTelemetry sent as an event or log record; None for any other."""
    name = attributes.get(NAME)
    if event_name != EVALUATION or not isinstance(name, str) or not name:
        return None
    explanation = attributes.get(EXPLANATION)
    return name, explanation if isinstance(explanation, str) else None


def evaluation_event(attributes: Mapping[str, Any], explanation: str | None) -> tuple[str, dict[str, Any]]:
    """Return name and attributes of a score as OpenTelemetry's event."""
    return EVALUATION, {**attributes, EXPLANATION: explanation} if explanation else dict(attributes)


def _row(
    run_id: str | None,
    span_id: str | None,
    time: int,
    kind: str,
    name: str | None,
    message: str,
    attributes: Mapping[str, Any],
    event_id: str,
) -> Row:
    text = _encode(attributes).decode()
    return (run_id, span_id, time, kind, name, None, message or None, None, None, text, None, None, None, event_id)
