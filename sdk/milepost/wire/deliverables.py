"""Deliverables: files and values that a task, or a run of its own, hands over.

A deliverable is known by its owner and its name; attaching something else under the same name makes the next version,
attaching the same again changes nothing. Its content is kept once for every SHA-256 digest, whoever hands it over.
Times are RFC 3339 in UTC. Uploads name what they carry in the headers below; contents travel as they are.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

__all__ = [
    "ATTEMPT_HEADER",
    "BY_HEADER",
    "DEFAULT_CONTENT_TYPE",
    "DEFAULT_TYPE",
    "SPAN_HEADER",
    "TYPE_HEADER",
    "CollectAnswer",
    "Deliverable",
    "DeliverableList",
    "ExpectedDeliverable",
    "ExpectedState",
    "ValueAttach",
    "name_problem",
]

TYPE_HEADER = "milepost-type"  # percent-encoded UTF-8, as are the other two texts
ATTEMPT_HEADER = "milepost-attempt"
SPAN_HEADER = "milepost-span-id"
BY_HEADER = "milepost-by"
DEFAULT_TYPE = "file"
DEFAULT_CONTENT_TYPE = "application/octet-stream"

MAX_NAME_BYTES = 200  # file systems take 255, and downloads add something to it while they are under way
_FORBIDDEN = frozenset('/\\:*?"<>|')  # what no file of some system may be called

DeliverableName = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_BYTES)]
DeliverableType = Annotated[str, Meta(min_length=1, max_length=200)]
ContentType = Annotated[str, Meta(min_length=1, max_length=255)]


class ExpectedDeliverable(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a task is to hand over, by its type (`report`, `presentation`, `data`), its name, or both.

    required: without it the task is not completed. content_types: of which it must have one; `image/*` stands for all
    of a kind. max_bytes: of its content.
    """

    type: DeliverableType | None = None
    name: DeliverableName | None = None
    required: bool = True
    content_types: Annotated[tuple[ContentType, ...], Meta(max_length=50)] = ()
    max_bytes: Annotated[int, Meta(ge=1)] | None = None


class ExpectedState(Struct, omit_defaults=True, kw_only=True):
    """An expectation and whether it is met. attached, version: by what. problem: why it is not."""

    met: bool
    type: str | None = None
    name: str | None = None
    required: bool = True
    content_types: tuple[str, ...] = ()
    max_bytes: int | None = None
    attached: str | None = None
    version: int | None = None
    problem: str = ""


class Deliverable(Struct, kw_only=True):
    """A version of a deliverable; the first one is 1. sha256: hexadecimal digest of the content.

    attempt: of its task, if an attempt attached it. span_id: where in the run. by: who, if it was done by hand.
    """

    name: str
    version: int
    type: str
    content_type: str
    size_bytes: int
    sha256: str
    created_at: datetime
    task_id: str | None = None
    attempt: int | None = None
    run_id: str | None = None
    span_id: str | None = None
    agent: str | None = None
    by: str | None = None


class DeliverableList(Struct, kw_only=True):
    """Deliverables by name, the newest version of each first. expected: what the task is to hand over. total_bytes: of
    all versions, whether they are listed or not."""

    deliverables: list[Deliverable]
    expected: list[ExpectedState]
    total_bytes: int


class ValueAttach(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """A value to attach: it is kept as JSON, or a text of another content type as it is."""

    name: DeliverableName
    value: Any
    type: DeliverableType = "data"
    content_type: ContentType = "application/json"
    attempt: Annotated[int, Meta(ge=1, le=2_147_483_647)] | None = None
    span_id: Annotated[str, Meta(min_length=16, max_length=16)] | None = None
    by: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class CollectAnswer(Struct, kw_only=True):
    """What a collection of garbage removed: contents that nothing refers to, and what broken uploads left."""

    contents: int
    leftovers: int
    bytes: int


def name_problem(name: str) -> str | None:
    """Return why a text cannot be the name of a deliverable, None if it can: a download makes a file of that name."""
    if not name or len(name.encode(errors="replace")) > MAX_NAME_BYTES:
        return f"use 1 to {MAX_NAME_BYTES} bytes"
    if not name.isprintable():
        return "use printable characters"
    if _FORBIDDEN & set(name):
        return f"use none of {' '.join(sorted(_FORBIDDEN))}"
    if name[0] in ". " or name[-1] in ". ":
        return "it may not begin or end with a dot or a space"
    if unicodedata.normalize("NFC", name) != name:
        return "compose its characters (Unicode NFC)"
    return None
