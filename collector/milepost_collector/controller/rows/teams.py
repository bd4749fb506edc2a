"""Teams, and batches of tasks that were made together."""

from __future__ import annotations

from msgspec import Struct


class TeamRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `teams`, key name. fallback: JSON of the wire's `Fallback`, for tasks of the team without their own. Who
    belongs to it stands with the agents."""

    name: str
    created_at: int
    updated_at: int
    description: str = ""
    fallback: str | None = None


class BatchRow(Struct, kw_only=True, array_like=True, gc=False):
    """One call that made tasks of a batch. Table `batches`, key (id, digest). digest: of the call's content, so that
    the same call makes nothing twice. task_ids: JSON, in the order of the call."""

    id: str
    digest: str
    created_at: int
    task_count: int
    task_ids: str
    created_by: str | None = None
