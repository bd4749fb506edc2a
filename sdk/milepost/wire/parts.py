"""What the fields of several kinds of structs are made of."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

__all__ = ["DurationMs", "Fraction", "Name", "Reason", "Tag", "TaskId", "Text"]

TaskId = Annotated[str, Meta(min_length=1, max_length=64)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=20_000)]
Reason = Annotated[str, Meta(max_length=2_000)]
Tag = Annotated[str, Meta(min_length=1, max_length=200)]
DurationMs = Annotated[int, Meta(ge=0, le=31_536_000_000)]  # a year at most
Fraction = Annotated[float, Meta(ge=0, le=1)]
