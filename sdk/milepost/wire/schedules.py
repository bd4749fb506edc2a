"""Schedules as a client of `/api/schedules` sees them. Times are RFC 3339 in UTC; lengths of time end in `_ms`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from milepost.wire.tasks import DurationMs, Name, Text
from milepost.wire.tasks import TaskCreate as TaskTemplate

__all__ = [
    "INSTANT_STATUSES",
    "BackfillAnswer",
    "BackfillRequest",
    "Cadence",
    "Instant",
    "InstantList",
    "PlannedInstant",
    "Preview",
    "PreviewRequest",
    "Schedule",
    "ScheduleCreate",
    "ScheduleList",
    "ScheduleUpdate",
]

INSTANT_STATUSES = ("fired", "late", "skipped", "missed", "queued", "backfilled")

CatchUp = Literal["latest", "all", "none"]
Overlap = Literal["skip", "queue", "cancel_running", "allow"]
InstantStatus = Literal["fired", "late", "skipped", "missed", "queued", "backfilled"]


class Cadence(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """When a schedule is due: exactly one of cron, every_ms and at.

    cron: five fields, minute to day of week, in the zone's local time, by Debian's rules. zone: IANA name. dst_gap: a
    fixed time that a day does not have runs right after the gap, or not at all. dst_fold: which of two equal times
    counts; jobs whose minute or hour is `*` follow real time. every_ms: a fixed interval from `start` (the schedule's
    creation if none is given). at: one instant.
    """

    cron: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    zone: Annotated[str, Meta(min_length=1, max_length=64)] = "UTC"
    dst_gap: Literal["run_after", "skip"] = "run_after"
    dst_fold: Literal["first", "both", "second"] = "first"
    every_ms: Annotated[int, Meta(ge=1_000, le=31_536_000_000)] | None = None
    start: datetime | None = None
    at: datetime | None = None


class ScheduleCreate(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What a schedule is made from.

    name: unique. task: what each instant's task is made from; its type becomes `scheduled`. overlap: what happens when
    the task of an earlier instant is not finished. catch_up: which instants that passed while nothing ran are made up
    for, not further back than catch_up_window_ms. jitter_ms: tasks are spread over so long after the instant.
    """

    name: Name
    cadence: Cadence
    task: TaskTemplate
    description: Text = ""
    overlap: Overlap = "skip"
    catch_up: CatchUp = "latest"
    catch_up_window_ms: DurationMs = 3_600_000
    jitter_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 0
    paused: bool = False
    end: datetime | None = None


class ScheduleUpdate(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; a field that is not given stays."""

    cadence: Cadence | UnsetType = UNSET
    task: TaskTemplate | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    overlap: Overlap | UnsetType = UNSET
    catch_up: CatchUp | UnsetType = UNSET
    catch_up_window_ms: DurationMs | UnsetType = UNSET
    jitter_ms: Annotated[int, Meta(ge=0, le=86_400_000)] | UnsetType = UNSET
    end: datetime | UnsetType | None = UNSET


class PlannedInstant(Struct, omit_defaults=True, kw_only=True):
    """An instant to come. nominal: as the cadence says; due: with the jitter. local: in the zone, with its offset.
    note: what daylight saving does to it, if anything."""

    nominal: datetime
    due: datetime
    local: str
    note: str | None = None


class Instant(Struct, omit_defaults=True, kw_only=True):
    """A nominal instant and what became of it. fired: in time; late: made up for; skipped: by the overlap policy, a
    pause or catch_up; missed: nothing ran then and it lies before the window; queued: waits for the task before it;
    backfilled: asked for afterwards."""

    schedule_id: str
    nominal: datetime
    status: InstantStatus
    recorded_at: datetime
    task_id: str | None = None
    reason: str | None = None


class Schedule(Struct, kw_only=True):
    """A schedule as it stands. cadence_text: its cadence in words."""

    id: str
    name: str
    description: str
    cadence: Cadence
    cadence_text: str
    task: TaskTemplate
    overlap: Overlap
    catch_up: CatchUp
    catch_up_window_ms: int
    jitter_ms: int
    paused: bool
    created_at: datetime
    updated_at: datetime
    end: datetime | None = None
    paused_by: str | None = None
    next: list[PlannedInstant] = []
    last: list[Instant] = []
    fired_count: int = 0
    skipped_count: int = 0
    missed_count: int = 0


class ScheduleList(Struct, kw_only=True):
    """A page of schedules by name."""

    schedules: list[Schedule]
    next_cursor: str | None


class InstantList(Struct, kw_only=True):
    """A page of a schedule's ledger, the newest first."""

    instants: list[Instant]
    next_cursor: str | None


class PreviewRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which instants a cadence would have. after: None: now."""

    cadence: Cadence
    count: Annotated[int, Meta(ge=1, le=1_000)] = 10
    after: datetime | None = None


class Preview(Struct, kw_only=True):
    """The next instants of a cadence, and its rule in words."""

    text: str
    instants: list[PlannedInstant]


class BackfillRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Fire the instants of a stretch of the past that have not been fired. since: inclusive; until: exclusive."""

    since: datetime
    until: datetime
    dry_run: bool = False


class BackfillAnswer(Struct, kw_only=True):
    """What a backfill did, or (dry run) would do."""

    instants: list[datetime]
    task_ids: list[str]
    dry_run: bool
