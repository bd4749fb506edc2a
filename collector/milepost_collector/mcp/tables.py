"""Rows and figures as short text: tab-separated, so that no value can pass for a column of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a header line and a line per row, with tabs between cells and none inside them."""
    return "\n".join("\t".join(cell(value) for value in row) for row in (columns, *rows))


def cell(value: Any) -> str:
    """Return a value as one line: JSON for lists and mappings, nothing for None."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def facts(pairs: Iterable[tuple[str, Any]]) -> str:
    """Return `name: value` lines; what is None or empty is left out."""
    return "\n".join(f"{name}: {cell(value)}" for name, value in pairs if value not in (None, "", []))


def duration(ms: float | None) -> str | None:
    """Return milliseconds as "850 ms", "12.3 s" or "2 h 05 min"."""
    if ms is None:
        return None
    if ms < 1_000:
        return f"{ms:.3g} ms"
    if ms < 60_000:
        return f"{ms / 1_000:.1f} s"
    minutes, seconds = divmod(round(ms / 1_000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"
