"""Results that say more than a value. Any JSON object with these fields is shown so, whoever made it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

__all__ = ["Result"]


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
