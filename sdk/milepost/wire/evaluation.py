"""How scores and feedback are kept: as events of these kinds, whose attributes are named here.

A score's are those of OpenTelemetry's event `gen_ai.evaluation.result` (GenAI semantic conventions), so that a score
sent by any instrumentation and one given to Milepost are the same. Explanations and texts are the events' messages.
"""

from __future__ import annotations

from typing import Any, Literal

__all__ = [
    "BY",
    "EVALUATION",
    "EXPLANATION",
    "ISSUES",
    "LABEL",
    "NAME",
    "RATING",
    "SOURCE",
    "TASK",
    "VALUE",
    "ScoreSource",
    "feedback_attributes",
    "score_attributes",
]

ScoreSource = Literal["human", "llm", "code"]

EVALUATION = "gen_ai.evaluation.result"
NAME = "gen_ai.evaluation.name"
VALUE = "gen_ai.evaluation.score.value"
LABEL = "gen_ai.evaluation.score.label"
EXPLANATION = "gen_ai.evaluation.explanation"
SOURCE = "milepost.score.source"
BY = "milepost.by"
TASK = "milepost.task_id"
RATING = "milepost.feedback.rating"
ISSUES = "milepost.feedback.issues"


def score_attributes(
    name: str,
    value: float | None,
    label: str | None,
    source: str,
    by: str | None,
    task_id: str | None = None,
) -> dict[str, Any]:
    """Return the attributes of a score's event."""
    given = {NAME: name, VALUE: value, LABEL: label, SOURCE: source, BY: by, TASK: task_id}
    return {key: part for key, part in given.items() if part not in (None, "")}


def feedback_attributes(
    rating: int | None, issues: list[str], by: str | None, task_id: str | None = None
) -> dict[str, Any]:
    """Return the attributes of an event of feedback."""
    given = {RATING: rating, ISSUES: issues, BY: by, TASK: task_id}
    return {key: part for key, part in given.items() if part not in (None, "", [])}
