"""Operations on recorded runs, and SQL: functions that say what is asked, and ask nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from milepost.resources._operation import Operation, path_of, query_of
from milepost.resources._pages import Listing
from milepost.resources._values import checked_moment, text_list
from milepost.resources.answers import (
    RunDetail,
    RunEvent,
    RunEvents,
    RunList,
    RunSpans,
    RunSummary,
    SqlResult,
)

__all__ = ["events", "get", "listing", "spans", "sql"]


def listing(
    *,
    status: str | Sequence[str] = (),
    name: str | None = None,
    agent: str | None = None,
    session: str | None = None,
    user: str | None = None,
    tag: str | None = None,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    min_duration_ms: float | None = None,
    min_cost_usd: float | None = None,
    text: str | None = None,
    sort: str = "-start_time",
    page_size: int = 100,
    cursor: str | None = None,
) -> Listing[RunList, RunSummary]:
    """Return the recorded runs that match, page by page as they are iterated over.

    since, until: of the start; a time, or a text as `now-24h`. text: part of a name, input, output, error or attribute
    of any span.

    Raises:
        InvalidRequestError: a filter is malformed; while iterating.
    """
    given = {
        "status": text_list(status),
        "name": name,
        "agent": agent,
        "session": session,
        "user": user,
        "tag": tag,
        "from": checked_moment("since", since) if isinstance(since, datetime) else since,
        "to": checked_moment("until", until) if isinstance(until, datetime) else until,
        "min_duration_ms": min_duration_ms,
        "min_cost_usd": min_cost_usd,
        "text": text,
        "sort": sort,
        "limit": page_size,
        "cursor": cursor,
    }
    operation = Operation(method="GET", path=path_of("runs"), answer=RunList, query=query_of(given), repeatable=True)
    return Listing(operation, lambda page: page.runs)


def get(run_id: str) -> Operation[RunDetail]:
    """Return a run: its sums, its parts and who recorded it.

    Raises:
        NotFoundError: there is no such run.
    """
    return Operation(method="GET", path=path_of("runs", run_id), answer=RunDetail, repeatable=True)


def spans(run_id: str) -> Operation[RunSpans]:
    """Return all spans of a run by start.

    Raises:
        NotFoundError: there is no such run.
    """
    return Operation(method="GET", path=path_of("runs", run_id, "spans"), answer=RunSpans, repeatable=True)


def events(
    run_id: str,
    *,
    kind: str | None = None,
    span_id: str | None = None,
    page_size: int = 200,
    cursor: str | None = None,
) -> Listing[RunEvents, RunEvent]:
    """Return a run's events in time order, page by page as they are iterated over.

    kind: checkpoint, log, exception, progress, score, feedback or event. span_id: of this span only.
    """
    query = query_of({"kind": kind, "span_id": span_id, "limit": page_size, "cursor": cursor})
    operation = Operation(
        method="GET", path=path_of("runs", run_id, "events"), answer=RunEvents, query=query, repeatable=True
    )
    return Listing(operation, lambda page: page.events)


def sql(query: str, *, limit: int | None = None) -> Operation[SqlResult]:
    """Ask with SQL: one read-only SELECT in DuckDB's dialect. limit: rows at most; None: the collector's own limit.

    Raises:
        InvalidRequestError: it is not one SELECT, or names what there is not.
    """
    body = {"sql": query} | ({} if limit is None else {"limit": limit})
    return Operation(method="POST", path=path_of("sql"), answer=SqlResult, body=body, repeatable=True)
