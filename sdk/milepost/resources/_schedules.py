"""Operations on schedules: functions that say what is asked, and ask nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Any, Literal, TypedDict, Unpack

from msgspec import UNSET, UnsetType

from milepost.errors import InvalidRequestError
from milepost.resources._operation import Operation, path_of, query_of
from milepost.resources._pages import Listing
from milepost.resources._values import build, given_only, text_list, to_id
from milepost.wire.schedules import (
    BackfillAnswer,
    BackfillRequest,
    Cadence,
    CatchUp,
    Instant,
    InstantList,
    InstantStatus,
    Overlap,
    Preview,
    PreviewRequest,
    Schedule,
    ScheduleCreate,
    ScheduleList,
    ScheduleUpdate,
)
from milepost.wire.tasks import PauseRequest, RunRequest, Task, TaskCreate

__all__ = [
    "CadenceFields",
    "backfill",
    "create",
    "delete",
    "get",
    "instants",
    "listing",
    "pause",
    "preview",
    "resume",
    "run",
    "update",
]


class CadenceFields(TypedDict, total=False):
    """When a schedule is due: exactly one of cron, every_ms and at; see `Cadence`."""

    cron: str
    zone: str
    dst_gap: Literal["run_after", "skip"]
    dst_fold: Literal["first", "both", "second"]
    every_ms: int
    start: datetime | str
    at: datetime | str


def create(
    name: str,
    *,
    task: TaskCreate | Mapping[str, Any],
    description: str = "",
    overlap: Overlap = "skip",
    catch_up: CatchUp = "latest",
    catch_up_window_ms: int = 3_600_000,
    jitter_ms: int = 0,
    paused: bool = False,
    end: datetime | str | None = None,
    **cadence: Unpack[CadenceFields],
) -> Operation[Schedule]:
    """Make a schedule and return it.

    name: unique. task: what each instant's task is made from, as the fields of `TaskCreate`. overlap: what happens when
    the task of an earlier instant is not finished. catch_up: which instants that passed while nothing ran are made up
    for, not further back than catch_up_window_ms. jitter_ms: tasks are spread over so long after the instant. cadence:
    `cron="0 2 * * *", zone="Europe/Berlin"`, or `every_ms=…`, or `at=…`.

    Raises:
        InvalidRequestError: a field or the cadence is malformed.
        ConflictError: there is a schedule of that name.
    """
    fields = {
        "name": name,
        "cadence": _cadence(cadence),
        "task": task,
        "description": description,
        "overlap": overlap,
        "catch_up": catch_up,
        "catch_up_window_ms": catch_up_window_ms,
        "jitter_ms": jitter_ms,
        "paused": paused,
        "end": end,
    }
    return Operation(
        method="POST", path=path_of("schedules"), answer=Schedule, body=build(ScheduleCreate, given_only(fields))
    )


def get(schedule: Schedule | str) -> Operation[Schedule]:
    """Return a schedule by its id or name, with its next instants.

    Raises:
        NotFoundError: there is no such schedule.
    """
    return Operation(method="GET", path=_path(schedule), answer=Schedule, repeatable=True)


def listing(
    *, text: str | None = None, page_size: int = 100, cursor: str | None = None
) -> Listing[ScheduleList, Schedule]:
    """Return the schedules by name, page by page as they are iterated over. text: part of a name or description."""
    query = query_of({"text": text, "limit": page_size, "cursor": cursor})
    operation = Operation(method="GET", path=path_of("schedules"), answer=ScheduleList, query=query, repeatable=True)
    return Listing(operation, lambda page: page.schedules)


def update(
    schedule: Schedule | str,
    *,
    task: TaskCreate | Mapping[str, Any] | UnsetType = UNSET,
    description: str | UnsetType = UNSET,
    overlap: Overlap | UnsetType = UNSET,
    catch_up: CatchUp | UnsetType = UNSET,
    catch_up_window_ms: int | UnsetType = UNSET,
    jitter_ms: int | UnsetType = UNSET,
    end: datetime | str | UnsetType | None = UNSET,
    **cadence: Unpack[CadenceFields],
) -> Operation[Schedule]:
    """Change what is given and return the schedule; a task or a cadence replaces the whole of what was there.

    Raises:
        InvalidRequestError: a field or the cadence is malformed.
        NotFoundError: there is no such schedule.
    """
    fields = {
        "cadence": _cadence(cadence) if cadence else UNSET,
        "task": task,
        "description": description,
        "overlap": overlap,
        "catch_up": catch_up,
        "catch_up_window_ms": catch_up_window_ms,
        "jitter_ms": jitter_ms,
        "end": end,
    }
    body = build(ScheduleUpdate, {name: value for name, value in fields.items() if value is not UNSET})
    return Operation(method="PATCH", path=_path(schedule), answer=Schedule, body=body, repeatable=True)


def delete(schedule: Schedule | str) -> Operation[None]:
    """Delete a schedule; the tasks that it made stay, and its ledger in the SQL view `schedule_instants`.

    Raises:
        NotFoundError: there is no such schedule.
    """
    return Operation(method="DELETE", path=_path(schedule), answer=NoneType, repeatable=True)


def pause(schedule: Schedule | str, *, reason: str = "", by: str | None = None) -> Operation[Schedule]:
    """Hold a schedule: its instants are recorded as skipped.

    Raises:
        NotFoundError: there is no such schedule.
    """
    body = build(PauseRequest, given_only({"reason": reason, "by": by}))
    return Operation(method="POST", path=_path(schedule, "pause"), answer=Schedule, body=body)


def resume(schedule: Schedule | str, *, reason: str = "", by: str | None = None) -> Operation[Schedule]:
    """Let a paused schedule go on with its next instant.

    Raises:
        NotFoundError: there is no such schedule.
    """
    body = build(PauseRequest, given_only({"reason": reason, "by": by}))
    return Operation(method="POST", path=_path(schedule, "resume"), answer=Schedule, body=body)


def run(schedule: Schedule | str, *, input: Any | UnsetType = UNSET) -> Operation[Task]:
    """Make the schedule's task now, beside its instants, and return it. input: instead of the template's.

    Raises:
        NotFoundError: there is no such schedule.
    """
    return Operation(method="POST", path=_path(schedule, "run"), answer=Task, body=RunRequest(input=input))


def backfill(
    schedule: Schedule | str, *, since: datetime | str, until: datetime | str, dry_run: bool = False
) -> Operation[BackfillAnswer]:
    """Fire the instants of a stretch of the past that have not been fired; an instant never fires twice.

    since: inclusive; until: exclusive. dry_run: only say which.

    Raises:
        InvalidRequestError: the stretch is malformed or has too many instants.
        NotFoundError: there is no such schedule.
    """
    body = build(BackfillRequest, {"since": since, "until": until, "dry_run": dry_run})
    return Operation(method="POST", path=_path(schedule, "backfill"), answer=BackfillAnswer, body=body, repeatable=True)


def instants(
    schedule: Schedule | str,
    *,
    status: InstantStatus | Sequence[InstantStatus] = (),
    page_size: int = 100,
    cursor: str | None = None,
) -> Listing[InstantList, Instant]:
    """Return a schedule's ledger, the newest instant first: what became of each."""
    query = query_of({"status": text_list(status), "limit": page_size, "cursor": cursor})
    operation = Operation(
        method="GET", path=_path(schedule, "instants"), answer=InstantList, query=query, repeatable=True
    )
    return Listing(operation, lambda page: page.instants)


def preview(
    *, count: int = 10, after: datetime | str | None = None, **cadence: Unpack[CadenceFields]
) -> Operation[Preview]:
    """Return the next instants of a cadence, with what daylight saving does to them; nothing is made.

    after: None: now.

    Raises:
        InvalidRequestError: the cadence is malformed.
    """
    body = build(PreviewRequest, given_only({"cadence": _cadence(cadence), "count": count, "after": after}))
    return Operation(method="POST", path=path_of("schedules", "preview"), answer=Preview, body=body, repeatable=True)


def _cadence(fields: Mapping[str, Any]) -> Cadence:
    given = given_only(fields)
    cadence = build(Cadence, given)
    if len({"cron", "every_ms", "at"} & given.keys()) != 1:
        raise InvalidRequestError(
            f"a cadence has exactly one of cron, every_ms and at, got {', '.join(sorted(given)) or 'none'}",
            problem={"field": "cadence", "remedy": 'for example cron="0 2 * * *", zone="Europe/Berlin"'},
        )
    return cadence


def _path(schedule: Schedule | str, *more: str) -> str:
    return path_of("schedules", to_id(schedule), *more)
