"""Two copies of one span: which one stands. Pure, and the same whichever came first."""

from __future__ import annotations

from typing import Any

from milepost_collector.protocol.rows import LIVE_COLUMNS, SPAN_COLUMNS, Row

_STATUS = SPAN_COLUMNS.index("status")


def better(row: Row, stored: Row) -> bool:
    """Tell whether `row` should replace `stored`, a copy of the same span in the same columns."""
    return rank(row) > rank(stored)


def rank(row: Row) -> tuple[bool, int, int, str]:
    """Return how complete a row is: a real end before a guessed one, then fields known, then text kept.

    The last part is the row itself, so that any two different rows have an order.
    """
    is_real = len(row) == len(LIVE_COLUMNS) or row[_STATUS] != "lost"
    known = sum(value is not None for value in row)
    text = sum(len(value) for value in row if isinstance(value, str))
    return is_real, known, text, repr(tuple(map(_plain, row)))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value
