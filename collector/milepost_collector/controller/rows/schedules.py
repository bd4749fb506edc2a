"""Schedules and their ledger."""

from __future__ import annotations

from msgspec import Struct


class ScheduleRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `schedules`, key id; name is unique. cadence, task: JSON of the wire's structs. mark_at: every nominal
    instant up to it (inclusive) has been decided. next_at: when the next one is due, with jitter; None: never again, or
    paused. counts: of ledger rows, kept in the same transactions."""

    id: str
    name: str
    description: str
    cadence: str
    task: str
    overlap: str
    catch_up: str
    catch_up_window_ms: int
    jitter_ms: int
    created_at: int
    updated_at: int
    mark_at: int
    paused: bool = False
    paused_by: str | None = None
    end_at: int | None = None
    next_at: int | None = None
    fired_count: int = 0
    skipped_count: int = 0
    missed_count: int = 0


class InstantRow(Struct, kw_only=True, array_like=True, gc=False):
    """The ledger. Table `instants`, key (schedule_id, nominal). See `milepost.wire.schedules.Instant`."""

    schedule_id: str
    nominal: int
    status: str
    recorded_at: int
    task_id: str | None = None
    reason: str | None = None
    sequence: int = 0  # rises with each row written, for those who follow the ledger
