"""Results that say more than a value. Any JSON object with these fields is shown so, whoever made it."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

__all__ = ["Result", "read_result"]


class Result(Struct, omit_defaults=True):
    """A task's result with what people want to read first.

    value: the result itself. summary: a sentence or some. insights: what was found out; recommendations: what is to be
    done about it; each a list of short texts. They are shown on the task's page and by `milepost task get`, and are
    columns of the view `attempts`.
    """

    value: Any = None
    summary: str = ""
    insights: list[str] = []
    recommendations: list[str] = []


class _Said(Struct):
    summary: str = ""
    insights: list[str] = []
    recommendations: list[str] = []


_decode = msgspec.json.Decoder(_Said).decode
_FIELDS = ('"summary"', '"insights"', '"recommendations"')


def read_result(text: str | None) -> Result | None:
    """Return what a result, as JSON, says of itself beside its value, None if it says nothing. Cheap for those."""
    if text is None or not text.startswith("{") or not any(field in text for field in _FIELDS):
        return None
    try:
        said = _decode(text)
    except msgspec.DecodeError:  # fields of these names that are something else
        return None
    if not (said.summary or said.insights or said.recommendations):
        return None
    return Result(None, said.summary, said.insights, said.recommendations)
