"""What tasks and runs handed over, and where its content is kept."""

from __future__ import annotations

from msgspec import Struct


class DeliverableRow(Struct, kw_only=True, array_like=True, gc=False):
    """A version of a deliverable. Table `deliverables`, key sequence, which the database gives, rising in order of
    commits: followed like `transitions`; (owner, name, version) is unique.

    owner: the task's id, or the run's id with `run:` before it. version: counted from 1. sha256: its content's.
    """

    owner: str
    name: str
    version: int
    type: str
    content_type: str
    size_bytes: int
    sha256: str
    created_at: int
    task_id: str | None = None
    attempt: int | None = None
    run_id: str | None = None
    span_id: str | None = None
    agent: str | None = None
    by: str | None = None
    sequence: int = 0


class ContentRow(Struct, kw_only=True, array_like=True, gc=False):
    """A content that is kept. Table `contents`, key sha256.

    key: where it lies in the store of contents; never used again once this row is gone, so that what removes it cannot
    hit a newer copy. used_at: when a deliverable last came to refer to it.
    """

    sha256: str
    key: str
    size_bytes: int
    stored_at: int
    used_at: int
