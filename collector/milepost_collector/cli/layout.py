"""Shapes that the tables of the controller share: lists that fit the terminal, and facts one below the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from milepost_collector.cli.render import clean

MIN_LAST_WIDTH = 16
_COLUMN_GAP = 3


def fitted(headings: Sequence[str], rows: Sequence[Sequence[Text]], width: int) -> Table:
    """Return a list whose last column gets what the others leave: it says most, and its beginning most of that.

    width: of the terminal, in characters.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    others = sum(
        max([len(heading), *(row[place].cell_len for row in rows)]) for place, heading in enumerate(headings[:-1])
    )
    room = max(width - others - _COLUMN_GAP * len(headings), MIN_LAST_WIDTH)
    for *cells, last in rows:
        last.truncate(room, overflow="ellipsis")
        table.add_row(*cells, last)
    return table


def listed(headings: Sequence[str], rows: Iterable[Sequence[Text]]) -> Table:
    """Return a list of short columns."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for cells in rows:
        table.add_row(*cells)
    return table


def facts(pairs: Iterable[tuple[str, str]]) -> Table:
    """Return facts with their names, one below the other; what is empty is left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            table.add_row(f"  {name}", Text(clean(value)))
    return table


def counted(count: int, noun: str) -> str:
    """Write a number of things: `1 task`, `2 tasks`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
