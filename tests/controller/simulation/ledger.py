"""Whether schedules have decided every instant, and made one task of each at most."""

from __future__ import annotations

from dataclasses import dataclass

from milepost_collector.controller.rows import InstantRow, TaskRow
from milepost_collector.controller.store.interface import Tx


@dataclass(slots=True)
class Stretch:
    """How often a schedule was due from one instant (exclusive) to another (inclusive, None: still)."""

    every_ms: int
    since: int
    until: int | None = None


class Ledger:
    """What each schedule should have decided."""

    def __init__(self) -> None:
        self._stretches: dict[str, list[Stretch]] = {}
        self._tasks: dict[tuple[str, int], str] = {}

    def begin(self, schedule_id: str, every_ms: int, now: int) -> None:
        """Note a new schedule."""
        self._stretches[schedule_id] = [Stretch(every_ms, now)]

    def change(self, schedule_id: str, every_ms: int, mark_at: int) -> None:
        """Note a schedule's new interval, and up to where the one before has been decided."""
        self._stretches[schedule_id][-1].until = mark_at
        self._stretches[schedule_id].append(Stretch(every_ms, mark_at))

    def note(self, task: TaskRow) -> None:
        """Check that a task is the only one of its instant."""
        if task.schedule_id is not None and task.scheduled_for is not None:
            first = self._tasks.setdefault((task.schedule_id, task.scheduled_for), task.id)
            assert first == task.id, f"instant {task.scheduled_for} made {first} and {task.id}"

    def check(self, tx: Tx) -> None:
        """Check that every instant up to a schedule's mark has its line, and that the counts are the lines'.

        Raises:
            AssertionError: one is missing.
        """
        for schedule_id, stretches in self._stretches.items():
            row = tx.schedule(schedule_id, lock=False)
            if row is None:
                continue
            lines = tx.instants_between(schedule_id, 0, row.mark_at + 1)
            anchor = row.created_at
            expected = [at for stretch in stretches for at in _instants(stretch, anchor, row.mark_at)]
            missing = sorted({*expected} - {line.nominal for line in lines})
            assert not missing, f"schedule {schedule_id} has no line for {missing}"
            counts = (row.fired_count, row.skipped_count, row.missed_count)
            assert counts == _counts(lines), f"schedule {schedule_id} counts {counts} of {_counts(lines)}"
            for line in lines:
                made = line.status in ("fired", "late", "backfilled")
                assert made == (line.task_id is not None), f"{line} does not fit its status"


def _instants(stretch: Stretch, anchor: int, mark_at: int) -> range:
    until = mark_at if stretch.until is None else min(mark_at, stretch.until)
    first = anchor + ((stretch.since - anchor) // stretch.every_ms + 1) * stretch.every_ms
    return range(first, until + 1, stretch.every_ms)


def _counts(lines: list[InstantRow]) -> tuple[int, int, int]:
    of = [line.status for line in lines]
    return of.count("fired") + of.count("late"), of.count("skipped"), of.count("missed")
