"""Batches: tasks that are counted together, mostly made in one call."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from milepost.wire.tasks import Name, TaskCreate

__all__ = ["MAX_BATCH", "BatchAnswer", "BatchCreate", "BatchList", "BatchProgress"]

MAX_BATCH = 10_000


class BatchCreate(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Tasks to be made in one transaction: all of them or none. batch: what they are counted as; None: a new one. The
    same tasks for the same batch again are the ones that there are; others are added to it."""

    tasks: Annotated[list[TaskCreate], Meta(min_length=1, max_length=MAX_BATCH)]
    batch: Name | None = None


class BatchAnswer(Struct, kw_only=True):
    """Ids of tasks in the order in which they were given, and the batch that they belong to."""

    ids: list[str]
    batch: str


class BatchProgress(Struct, omit_defaults=True, kw_only=True):
    """How far a batch is. counts: its tasks by status, as far as they are kept. finished: completed, failed and
    cancelled. estimated_completion: if it goes on as fast as it did since its first task began; None: too early."""

    id: str
    total: int
    finished: int
    counts: dict[str, int]
    created_at: datetime | None = None
    created_by: str | None = None
    estimated_completion: datetime | None = None


class BatchList(Struct, kw_only=True):
    """The newest batches first."""

    batches: list[BatchProgress]
