"""`/api/scores` and `/api/feedback`: what is thought of recorded work."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, TypeVar

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from milepost.wire.scores import Feedback, FeedbackCreate, FeedbackList, Score, ScoreCreate, ScoreList
from milepost_collector.controller import views
from milepost_collector.errors import InvalidParameterError
from milepost_collector.protocol.evaluations import feedback_row, score_row
from milepost_collector.protocol.timestamps import iso_from_ns
from milepost_collector.traces.queries.scores import MAX_LIMIT, check_target, list_feedback, list_scores
from milepost_collector.web.controller.bodies import Body, answer
from milepost_collector.web.endpoint import Endpoint
from milepost_collector.web.negotiation import JSON
from milepost_collector.web.parameters import checked_id, parse
from milepost_collector.web.state import services

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_score, _feedback = Body(ScoreCreate), Body(FeedbackCreate)
Judged = TypeVar("Judged", ScoreCreate, FeedbackCreate)


class _Narrowing(Struct, kw_only=True):
    run_id: Annotated[str, Meta(description="Of this run.")] | None = None
    span_id: Annotated[str, Meta(description="Of this span.")] | None = None
    task_id: Annotated[str, Meta(description="Of this managed task.")] | None = None
    cursor: Annotated[str, Meta(description="`next_cursor` of the page before.", max_length=1000)] | None = None
    limit: Annotated[int, Meta(description="At most so many.", ge=1, le=MAX_LIMIT)] = 100


class ScoresParameters(_Narrowing, kw_only=True):
    """Which scores, and which page of them."""

    name: Annotated[str, Meta(description="By this measure.")] | None = None
    source: Annotated[str, Meta(description="human, llm or code.")] | None = None


class FeedbackParameters(_Narrowing, kw_only=True):
    """Which feedback, and which page of it."""


async def post_score(request: Request) -> Response:
    """Keep a score."""
    wanted = await _targeted(request, await _score.read(request))
    if wanted.value is None and wanted.label is None:
        raise InvalidParameterError("value", None, "give a value, a label or both")
    score_id, moment = _new_id(wanted.idempotency_key), _nanoseconds(wanted.time)
    is_new = await services(request).ingest.record([score_row(wanted, score_id, moment)])
    kept = Score(
        id=score_id,
        time=iso_from_ns(moment),
        run_id=wanted.run_id,
        span_id=wanted.span_id,
        task_id=wanted.task_id,
        name=wanted.name,
        value=wanted.value,
        label=wanted.label,
        explanation=wanted.explanation or None,
        source=wanted.source,
        by=wanted.by,
    )
    return answer(kept, 201 if is_new else 200)


async def post_feedback(request: Request) -> Response:
    """Keep feedback."""
    wanted = await _targeted(request, await _feedback.read(request))
    if wanted.rating is None and not wanted.text and not wanted.issues:
        raise InvalidParameterError("rating", None, "give a rating, a text or issues")
    feedback_id, moment = _new_id(wanted.idempotency_key), _nanoseconds(wanted.time)
    is_new = await services(request).ingest.record([feedback_row(wanted, feedback_id, moment)])
    kept = Feedback(
        id=feedback_id,
        time=iso_from_ns(moment),
        run_id=wanted.run_id,
        span_id=wanted.span_id,
        task_id=wanted.task_id,
        rating=wanted.rating,
        text=wanted.text or None,
        issues=wanted.issues,
        by=wanted.by,
    )
    return answer(kept, 201 if is_new else 200)


async def get_scores(request: Request) -> Response:
    """Return a page of scores."""
    given = parse(request.query_params, ScoresParameters)
    narrowing = {**_narrowing(given), "name": given.name, "source": given.source}
    return answer(
        await services(request).queries.run(
            lambda connection: list_scores(connection, narrowing, given.cursor, given.limit)
        )
    )


async def get_feedback(request: Request) -> Response:
    """Return a page of feedback."""
    given = parse(request.query_params, FeedbackParameters)
    narrowing = _narrowing(given)
    return answer(
        await services(request).queries.run(
            lambda connection: list_feedback(connection, narrowing, given.cursor, given.limit)
        )
    )


async def _targeted(request: Request, wanted: Judged) -> Judged:
    """Check what is judged; of a task it is the run of its newest attempt, if it has one."""
    shared = services(request)
    if wanted.task_id is not None:
        task_id = wanted.task_id
        task = await shared.controller.read(lambda tx: views.task(tx, task_id))
        wanted.run_id = wanted.run_id or task.last_run_id
    elif wanted.run_id is None:
        raise InvalidParameterError("run_id", None, "name a run or a task")
    else:
        wanted.run_id = run_id = checked_id("run_id", wanted.run_id, 32)
        wanted.span_id = span_id = None if wanted.span_id is None else checked_id("span_id", wanted.span_id, 16)
        await shared.queries.run(lambda connection: check_target(connection, run_id, span_id))
    return wanted


def _narrowing(given: _Narrowing) -> dict[str, str | None]:
    run_id = None if given.run_id is None else checked_id("run_id", given.run_id, 32)
    span_id = None if given.span_id is None else checked_id("span_id", given.span_id, 16)
    return {"run_id": run_id, "span_id": span_id, "task_id": given.task_id}


def _nanoseconds(moment: datetime | None) -> int:
    if moment is None:
        return time.time_ns()
    if moment.tzinfo is None:
        raise InvalidParameterError("time", moment.isoformat(), "give a time with a zone, as 2026-11-21T07:30:00Z")
    since = moment - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def _new_id(key: str | None) -> str:
    """Return the id of what is judged: the same one for the same key."""
    return secrets.token_hex(16) if key is None else blake2b(key.encode(), digest_size=16).hexdigest()


SCORE_ENDPOINTS = (
    Endpoint(
        path="/api/scores",
        method="POST",
        handler=post_score,
        summary="Keep a judgement of a run, span or task. 200: a score of this key was kept before.",
        body={JSON: ScoreCreate},
        answers={JSON: Score},
        status=201,
        also=(200,),
        errors=(400, 404, 413, 415, 429, 503),
    ),
    Endpoint(
        path="/api/scores",
        handler=get_scores,
        summary="A page of scores, the newest first.",
        parameters=ScoresParameters,
        answers={JSON: ScoreList},
        errors=(400, 503, 504),
    ),
    Endpoint(
        path="/api/feedback",
        method="POST",
        handler=post_feedback,
        summary="Keep what a person thinks of a run, span or task. 200: feedback of this key was kept before.",
        body={JSON: FeedbackCreate},
        answers={JSON: Feedback},
        status=201,
        also=(200,),
        errors=(400, 404, 413, 415, 429, 503),
    ),
    Endpoint(
        path="/api/feedback",
        handler=get_feedback,
        summary="A page of feedback, the newest first.",
        parameters=FeedbackParameters,
        answers={JSON: FeedbackList},
        errors=(400, 503, 504),
    ),
)
