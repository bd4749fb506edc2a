"""Judgements of recorded work: scores by code, models and people, and feedback. Times are RFC 3339 in UTC.

How they are kept is said in `evaluation`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from milepost.wire.evaluation import ScoreSource
from milepost.wire.events import RunId, SpanId
from milepost.wire.tasks import Name, Text

__all__ = [
    "Feedback",
    "FeedbackCreate",
    "FeedbackList",
    "Score",
    "ScoreCreate",
    "ScoreList",
]

_Value = Annotated[float, Meta(ge=-1e15, le=1e15)]
_Rating = Annotated[int, Meta(ge=1, le=5)]
_Issues = Annotated[list[Name], Meta(max_length=50)]


class _Target(Struct, omit_defaults=True, kw_only=True):
    """What is judged: a run, one of its spans, or a managed task, by the run of its newest attempt."""

    run_id: RunId | None = None
    span_id: SpanId | None = None
    task_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class ScoreCreate(_Target, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """A judgement by one measure: a value, a label, or both.

    name: the measure, as `relevance`. by: who or what judged. idempotency_key: the same key is the same score, however
    often it is sent; without one each request makes another.
    """

    name: Name
    value: _Value | None = None
    label: Name | None = None
    explanation: Text = ""
    source: ScoreSource = "code"
    by: Name | None = None
    time: datetime | None = None
    idempotency_key: Name | None = None


class Score(Struct, kw_only=True):
    """A score as it is kept."""

    id: str
    time: str
    run_id: str | None
    span_id: str | None
    task_id: str | None
    name: str
    value: float | None
    label: str | None
    explanation: str | None
    source: str
    by: str | None


class ScoreList(Struct, kw_only=True):
    """A page of scores, the newest first. next_cursor: of the next page; None at the end."""

    scores: list[Score]
    next_cursor: str | None


class FeedbackCreate(_Target, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What a person thinks of the work: a rating, a text, issues by name, or several of them. rating: 5 is best."""

    rating: _Rating | None = None
    text: Text = ""
    issues: _Issues = []
    by: Name | None = None
    time: datetime | None = None
    idempotency_key: Name | None = None


class Feedback(Struct, kw_only=True):
    """Feedback as it is kept."""

    id: str
    time: str
    run_id: str | None
    span_id: str | None
    task_id: str | None
    rating: int | None
    text: str | None
    issues: list[str]
    by: str | None


class FeedbackList(Struct, kw_only=True):
    """A page of feedback, the newest first. next_cursor: of the next page; None at the end."""

    feedback: list[Feedback]
    next_cursor: str | None
