"""Whole rows of any table: new ones, changed ones, gone ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from milepost_collector.controller.rows import InstantRow, Row, TaskRow
from milepost_collector.controller.store.changes import Change, writing_one
from milepost_collector.controller.store.session import Session


class Writing(Session):
    """The part of a transaction that writes rows, one statement per table."""

    def insert(self, rows: Sequence[Row]) -> None:
        """Write new rows.

        Raises:
            DuplicateRowError: a key is taken.
        """
        self._each_table("insert", rows)

    def update(self, rows: Sequence[Row]) -> None:
        """Write rows that are there; of rows with the same key the last."""
        self._each_table("update", self._renumber(rows))

    def upsert(self, rows: Sequence[Row]) -> None:
        """Write rows, whether they are there or not; of rows with the same key the last."""
        self._each_table("upsert", self._renumber(rows))

    def delete(self, rows: Sequence[Row]) -> None:
        """Remove rows by their keys."""
        self._each_table("delete", rows)

    def insert_finished(self, rows: Sequence[TaskRow]) -> None:
        """Write new tasks that are finished already."""
        self._write_rows(Change("insert", TaskRow, finished=True), rows)

    def finish(self, rows: Sequence[TaskRow]) -> None:
        """Move tasks to the history."""
        self.delete(rows)
        self.insert_finished(rows)

    def reopen(self, rows: Sequence[TaskRow]) -> None:
        """Move tasks back from the history."""
        self._write_rows(Change("delete", TaskRow, finished=True), rows)
        self.insert(rows)

    def insert_instant(self, row: InstantRow) -> bool:
        """Write an instant, unless its schedule has it already; tell whether it was written."""
        write = writing_one(Change("insert_if_absent", InstantRow), self._preparer.name)
        self._execute_many(write.sql, [write.parameters(row)])
        return self._cursor.rowcount == 1

    def _renumber(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Write changed instants as new rows, so that those who follow the ledger see the change; return the others."""
        renewed = [row for row in rows if type(row) is InstantRow]
        if not renewed:
            return rows
        self.delete(renewed)
        self.insert(renewed)
        return [row for row in rows if type(row) is not InstantRow]

    def _each_table(self, verb: Literal["insert", "update", "upsert", "delete"], rows: Sequence[Row]) -> None:
        by_type: dict[type[Row], list[Row]] = {}
        for row in rows:
            by_type.setdefault(type(row), []).append(row)
        for kind, same in by_type.items():
            self._write_rows(Change(verb, kind), same)

    def _write_rows(self, change: Change, rows: Sequence[Row]) -> None:
        if rows:
            write = writing_one(change, self._preparer.name)
            self._execute_many(write.sql, list(map(write.parameters, rows)))
