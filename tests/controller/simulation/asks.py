"""Whether asks are decided once, answers told and never lost, and reviews hold nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from milepost.wire.tasks import FINISHED_STATUSES
from milepost.wire.worker import TaskLease
from milepost_collector.controller.rows import AskRow, AssignmentRow
from milepost_collector.controller.store.interface import Find, Tx

_ENDS = ("approved", "rejected", "answered", "expired", "cancelled")


class AsksKept:
    """Every ask there is, as the newest commit left it. open: ids of those that wait for an answer."""

    def __init__(self) -> None:
        self.rows: dict[str, AskRow] = {}
        self._decided: dict[str, str] = {}  # what clients were told is done
        self._ends: dict[str, str] = {}  # how each was closed first
        self._position = ""

    @property
    def open(self) -> list[str]:
        """The asks that wait for an answer."""
        return [ask_id for ask_id, row in self.rows.items() if row.status == "open"]

    def decided(self, ask_id: str, status: str) -> None:
        """Note a decision that was taken.

        Raises:
            AssertionError: there was one before.
        """
        before = self._decided.setdefault(ask_id, status)
        assert before == status, f"ask {ask_id} was decided as {before} and as {status}"
        assert self._ends.get(ask_id, status) == status, f"ask {ask_id} is {self._ends[ask_id]}, {status} was accepted"

    def told(self, lease: TaskLease) -> None:
        """Check that a lease brings every answer that it is the first to have."""
        brought = {answer.ask_id for answer in lease.answers}
        due = {row.id for row in self.rows.values() if (row.task_id, row.consumed_by) == (lease.task_id, lease.attempt)}
        assert due <= brought, f"attempt {lease.attempt} of {lease.task_id} is not told of {due - brought}"

    def check(self, tx: Tx, statuses: Mapping[str, str], queue: Mapping[str, Sequence[AssignmentRow]]) -> None:
        """Hold asks against what was known of them, and against tasks and assignments.

        Raises:
            AssertionError: something does not hold.
        """
        self._follow(tx)
        before, self.rows = self.rows, {row.id: row for row in tx.find(AskRow, Find(limit=100_000))}
        for ask_id, row in self.rows.items():
            self._compare(before.get(ask_id), row)
        self._are_unique()
        self._fit(statuses, queue)

    def _follow(self, tx: Tx) -> None:
        events, self._position = tx.ask_events_after(self._position, 10_000)
        for event in events:
            if event.event in _ENDS:
                first = self._ends.setdefault(event.ask_id, event.event)
                assert first == event.event, f"ask {event.ask_id} was {first}, then {event.event}"

    def _compare(self, before: AskRow | None, row: AskRow) -> None:
        was_closed = before is not None and before.status != "open"
        if was_closed and before is not None:
            assert row.status in (before.status, "invalidated"), f"ask {row.id} was {before.status} and is {row.status}"
        if before is not None and before.consumed_by is not None:
            assert row.consumed_by == before.consumed_by, f"ask {row.id} was consumed by {before} and by {row}"
        if row.id in self._decided:
            assert row.status in (self._decided[row.id], "invalidated"), f"{self._decided[row.id]} is lost: {row}"
        if row.status == "rejected":
            assert row.decided_by is not None, f"{row} was rejected by nobody"
        if row.status == "expired":
            assert (row.expires_at or 2**62) <= (row.decided_at or 0), f"{row} expired too early"
            assert row.decided_by is None, f"{row} expired by somebody"
        assert (row.status == "open") == (row.decided_at is None), f"{row} does not fit its status"

    def _are_unique(self) -> None:
        known: dict[tuple[str, str], str] = {}
        for row in self.rows.values():
            if row.owner is not None and row.status != "invalidated":
                first = known.setdefault((row.owner, row.key), row.id)
                assert first == row.id, f"{row.owner} has {first} and {row.id} of {row.key}"

    def _fit(self, statuses: Mapping[str, str], queue: Mapping[str, Sequence[AssignmentRow]]) -> None:
        unread = {row.owner for row in self.rows.values() if row.status in _ENDS and row.consumed_by is None}
        waiting = {row.owner for row in self.rows.values() if row.status == "open"}
        for task_id, status in statuses.items():
            rows = queue.get(task_id, ())
            for row in rows:
                waits = f"{task_id}/{row.position}" in waiting
                assert waits == (row.ask_state == "open"), f"{row} waits for an ask: {waits}"
                has_answers = f"{task_id}/{row.position}" in unread
                assert not (has_answers and row.state == "leased"), f"{row} goes on, its answers are not consumed"
                assert not waits or row.state == "waiting", f"{row} goes on without its answer"
            open_states = [row.ask_state for row in rows if row.state == "waiting"]
            if status == "review":
                assert set(open_states) == {"open"}, f"{task_id} is in review, waits for {open_states}"
            if status in FINISHED_STATUSES:
                asked = [owner for owner in waiting if owner is not None and owner.startswith(f"{task_id}/")]
                assert not asked, f"{task_id} is {status} and still asks"
