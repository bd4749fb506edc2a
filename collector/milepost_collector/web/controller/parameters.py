"""Query parameters of the controller's lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from milepost.wire.schedules import INSTANT_STATUSES
from milepost.wire.tasks import PRIORITIES, TASK_STATUSES, TASK_TYPES, TaskFilter
from milepost_collector.errors import InvalidParameterError
from milepost_collector.web.parameters import instant

MAX_TASKS = 1_000  # of one page
MAX_SCHEDULES = 500
MAX_INSTANTS = 1_000
TASK_SORT_KEYS = ("created_at", "updated_at", "priority", "name", "status", "deadline", "finished_at")
TASK_GROUPS = ("status", "type", "priority", "name", "agent", "team", "app", "tag")

Cursor = Annotated[str, Meta(description="`next_cursor` of the page before.", max_length=1000)]


class TaskParameters(Struct, kw_only=True, rename={"since": "from", "until": "to"}):
    """Which tasks are meant."""

    ids: Annotated[list[str], Meta(description="Any of these tasks; may be repeated.")] = []
    status: Annotated[
        list[str], Meta(description=f"Any of these statuses; may be repeated: {', '.join(TASK_STATUSES)}.")
    ] = []
    type: Annotated[list[str], Meta(description=f"Any of these types; may be repeated: {', '.join(TASK_TYPES)}.")] = []
    priority: Annotated[
        list[str], Meta(description=f"Any of these priorities; may be repeated: {', '.join(PRIORITIES)}.")
    ] = []
    name: Annotated[list[str], Meta(description="Any of these names; may be repeated.")] = []
    agent: Annotated[list[str], Meta(description="For any of these agents; may be repeated.")] = []
    team: Annotated[list[str], Meta(description="For any of these teams; may be repeated.")] = []
    app: Annotated[list[str], Meta(description="Of any of these apps; may be repeated.")] = []
    tag: Annotated[list[str], Meta(description="With any of these tags; may be repeated.")] = []
    batch: Annotated[list[str], Meta(description="Of any of these batches; may be repeated.")] = []
    schedule_id: Annotated[str, Meta(description="Made by this schedule.")] | None = None
    origin_run_id: Annotated[str, Meta(description="Asked for inside this run.")] | None = None
    since: Annotated[str, Meta(description="Created at or after: ISO 8601, `now` or `now-24h`.")] | None = None
    until: Annotated[str, Meta(description="Created before: ISO 8601, `now` or `now-24h`.")] | None = None
    text: Annotated[str, Meta(description="Part of a name, description, tag, id or error.", max_length=1000)] | None = (
        None
    )

    def to_filter(self, *, now_ns: int) -> TaskFilter:
        """Return the filter.

        Raises:
            InvalidParameterError: a status, type, priority or time is not valid.
        """
        for name, allowed in (("status", TASK_STATUSES), ("type", TASK_TYPES), ("priority", PRIORITIES)):
            for value in getattr(self, name):
                check(name, value, allowed)
        return TaskFilter(
            ids=self.ids,
            status=self.status,  # type: ignore[arg-type]  # they have just been checked
            type=self.type,  # type: ignore[arg-type]
            priority=self.priority,  # type: ignore[arg-type]
            name=self.name,
            agent=self.agent,
            team=self.team,
            app=self.app,
            tag=self.tag,
            batch=self.batch,
            schedule_id=self.schedule_id,
            origin_run_id=self.origin_run_id,
            created_from=_time("from", self.since, now_ns),
            created_to=_time("to", self.until, now_ns),
            text=self.text,
        )


class TaskListParameters(TaskParameters, kw_only=True):
    """A page of tasks."""

    sort: Annotated[
        str, Meta(description=f"One of {', '.join(TASK_SORT_KEYS)}; with a leading - the largest come first.")
    ] = "-created_at"
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(description="Tasks at most.", ge=1, le=MAX_TASKS)] = 50


class TaskCountParameters(TaskParameters, kw_only=True):
    """Numbers of tasks."""

    group_by: Annotated[str, Meta(description=f"One of {', '.join(TASK_GROUPS)}.")] = "status"


class ScheduleListParameters(Struct, kw_only=True):
    """A page of schedules."""

    text: Annotated[str, Meta(description="Part of a name or description.", max_length=1000)] | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(description="Schedules at most.", ge=1, le=MAX_SCHEDULES)] = 50


class InstantListParameters(Struct, kw_only=True):
    """A page of a schedule's ledger."""

    status: Annotated[
        list[str], Meta(description=f"Any of these statuses; may be repeated: {', '.join(INSTANT_STATUSES)}.")
    ] = []
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(description="Instants at most.", ge=1, le=MAX_INSTANTS)] = 100


def check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a value.

    Raises:
        InvalidParameterError: it is none of those allowed.
    """
    if value not in allowed:
        raise InvalidParameterError(name, value, f"use one of {', '.join(allowed)}")


def check_sort(sort: str) -> None:
    """Refuse an order that there is not.

    Raises:
        InvalidParameterError: it is none of `TASK_SORT_KEYS`, with or without a leading -.
    """
    if sort.removeprefix("-") not in TASK_SORT_KEYS:
        keys = ", ".join(TASK_SORT_KEYS)
        raise InvalidParameterError("sort", sort, f"use one of {keys}, with a leading - for the largest first")


def _time(name: str, text: str | None, now_ns: int) -> datetime | None:
    ns = instant(name, text, now_ns)
    if ns is None:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)
    except OverflowError as error:
        raise InvalidParameterError(name, text, "use a time between the years 1 and 9999") from error
