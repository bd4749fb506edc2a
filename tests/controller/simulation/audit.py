"""The invariants, held against what every commit has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from milepost.wire.tasks import FINISHED_STATUSES, TaskCreate, TaskSettings
from milepost.wire.worker import AttemptReport, TaskLease
from milepost_collector.controller.engine import Effects
from milepost_collector.controller.lifecycle import is_legal
from milepost_collector.controller.rows import AssignmentRow, AttemptRow, TaskRow, TransitionRow
from milepost_collector.controller.store.interface import Tx
from tests.controller.simulation.asks import AsksKept
from tests.controller.simulation.ledger import Ledger
from tests.controller.simulation.limits import LimitsKept
from tests.controller.simulation.world import World

_ANNOTATIONS = ("at_risk", "deleted", "edited", "attached", "reassigned", "stalled", "recovered")  # no change of status
_QUEUED = ("ready", "delayed")
_WHOLE_EVERY = 8  # commits


class BrokenError(AssertionError):
    """An invariant does not hold."""


def hold(truth: bool, text: str) -> None:
    """Raise unless an invariant holds."""
    if not truth:
        raise BrokenError(text)


class Audit:
    """Follows commits. statuses: of every task there is, as the transitions tell. slots: by worker id."""

    def __init__(self, world: World) -> None:
        self.statuses: dict[str, str] = {}
        self.slots: dict[str, int] = {}
        self.limits = LimitsKept()
        self.ledger = Ledger()
        self.asks = AsksKept()
        self.leased: list[TaskLease] = []  # by the newest commit
        self._world = world
        self._position = ""
        self._sequence = 0
        self._accepted: dict[str, str] = {}  # ids of tasks by idempotency key
        self._deleted: dict[str, None] = {}
        self._leases: dict[tuple[str, int], AssignmentRow] = {}  # live ones
        self._attempt: dict[str, int] = {}  # the newest of each task
        self._opened: dict[str, int] = {}  # the newest attempt before a task was last opened or resumed
        self._reopened: dict[str, None] = {}
        self._loose: dict[str, None] = {}  # may run although what they depend on did not complete
        self._ended: dict[str, dict[str, None]] = {}  # statuses that tasks have ever ended with
        self._queue: dict[str, list[AssignmentRow]] = {}  # what there is to do for live tasks
        self._rows: dict[tuple[str, int], AssignmentRow] = {}  # the same before the newest commit
        self._due_at: int | None = None
        self._commits = 0
        world.on_commit = self.follow

    # What the actors tell.

    def accept(self, task_id: str, request: TaskCreate) -> None:
        """Note that a client's request has become a task."""
        assert request.idempotency_key is not None
        known = self._accepted.setdefault(request.idempotency_key, task_id)
        hold(known == task_id or known in self._deleted, f"{request.idempotency_key} made {known} and {task_id}")
        self._accepted[request.idempotency_key] = task_id

    def loosen(self, task_id: str) -> None:
        """Note that a task's policy changes, so that it may for a moment have been to run after all."""
        self._loose[task_id] = None

    def begin_anew(self, task_id: str) -> None:
        """Note that a task's attempts count from now on: it is somebody else's."""
        self._opened[task_id] = self._attempt.get(task_id, 0)

    def reported(self, report: AttemptReport, outcome: str) -> None:
        """Hold a report's outcome against the leases before the transaction."""
        is_live = (report.task_id, report.attempt) in self._leases
        hold(outcome != "applied" or is_live, f"a stale write was accepted: {report}")

    # What commits tell.

    def follow(self, effects: Effects) -> None:
        """Check what the newest commit has changed, and every so often everything."""
        self._commits += 1
        self._world.read(self._newest)
        self._world.read(lambda tx: self.asks.check(tx, self.statuses, self._queue))
        for lease in self.leased:
            self.asks.told(lease)
        self.leased.clear()
        self._world.read(lambda tx: self._woken(tx, effects))
        if self._commits % _WHOLE_EVERY == 0:
            self._world.read(self.whole)

    def whole(self, tx: Tx) -> None:
        """Check that rows and transitions agree, that no task is lost, and the ledger."""
        rows = tx.tasks(self.live, lock=False) | tx.finished(list(self.statuses), lock=False)
        stored = {task_id: row.status for task_id, row in rows.items()}
        hold(stored == self.statuses, f"rows {stored} and transitions {self.statuses} differ")
        for key, task_id in self._accepted.items():
            hold(task_id in stored or task_id in self._deleted, f"task {task_id} of {key} is lost")
        for task_id, edges in tx.dependencies(self.live).items():
            self._waits(rows[task_id], [self.statuses.get(edge.upstream_id, "deleted") for edge in edges])
        self.ledger.check(tx)

    @property
    def has_leases(self) -> bool:
        """Whether any attempt is live."""
        return bool(self._leases)

    @property
    def live(self) -> list[str]:
        """The tasks that are not finished."""
        return [task_id for task_id, status in self.statuses.items() if status not in FINISHED_STATUSES]

    def _newest(self, tx: Tx) -> None:
        rows, self._position = tx.transitions_after(self._position, 10_000)
        touched = dict.fromkeys(row.task_id for row in rows)
        tasks = tx.tasks(touched, lock=False) | tx.finished(touched, lock=False) if touched else {}
        for task in tasks.values():
            self.ledger.note(task)
        waiting = [row.task_id for row in rows if row.event == "released"]
        needed = tx.dependencies(waiting) if waiting else {}
        for row in rows:
            self._transition(row)
            if row.event == "released" and row.task_id in tasks:
                self._released(tasks[row.task_id], [edge.upstream_id for edge in needed.get(row.task_id, [])])
        self._assignments(tx.assignments(self.live, lock=False))
        for task_id, attempts in tx.attempts(touched).items() if touched else ():
            if task_id in tasks:
                self._attempts(tasks[task_id], attempts)

    def _woken(self, tx: Tx, effects: Effects) -> None:
        """Check that everyone is woken whom a commit concerns: nobody looks again of himself for long."""
        rows = {(row.task_id, row.position): row for rows in self._queue.values() for row in rows}
        for key, row in rows.items():
            before = self._rows.get(key)
            if row.state == "ready" and (before is None or before.state != "ready"):
                hold(effects.freed or (row.agent, row.team) in effects.ready, f"nobody hears that {row} is ready")
            # A lease that changes hands in this very transaction: the poll that takes it over tells the command.
            is_told = row.stop is None or before is None or before.worker_id != row.worker_id or before.stop == row.stop
            hold(is_told or row.worker_id in effects.workers, f"the worker of {row} does not hear of its command")
        self._rows = rows
        due_at = tx.next_due()
        if due_at is not None and (self._due_at is None or due_at < self._due_at):
            hold(effects.due is not None and effects.due <= due_at, f"nobody hears that something is due at {due_at}")
        self._due_at = due_at

    def _transition(self, row: TransitionRow) -> None:
        hold(row.sequence > self._sequence, f"sequence {row.sequence} does not rise")
        self._sequence = row.sequence
        before = self.statuses.get(row.task_id)
        hold(row.from_status == before, f"{row} does not begin at {before}")
        if row.event == "deleted":
            del self.statuses[row.task_id]
            self._deleted[row.task_id] = None
        if row.event == "edited" and "given to" in (row.reason or ""):  # whoever it was told, or not
            self.begin_anew(row.task_id)
        if row.event in _ANNOTATIONS:
            return
        hold(is_legal(before, row.event, row.to_status), f"{row} is not legal")  # type: ignore[arg-type]
        self.statuses[row.task_id] = row.to_status
        if row.event == "leased":
            self._leased(row)
        if row.event in ("reopened", "resumed"):
            self.begin_anew(row.task_id)
            self._reopened[row.task_id] = None
            self.loosen(row.task_id)
        if row.to_status in FINISHED_STATUSES:
            self._ended.setdefault(row.task_id, {})[row.to_status] = None

    def _leased(self, row: TransitionRow) -> None:
        assert row.attempt is not None
        due = self._attempt.get(row.task_id, 0) + 1
        hold(row.attempt == due, f"attempt {row.attempt} of {row.task_id} is not {due}")
        self._attempt[row.task_id] = row.attempt

    def _released(self, task: TaskRow, upstream: Sequence[str]) -> None:
        runs = _settings(task).on_upstream_failure == "run" or task.id in self._loose
        for upstream_id in upstream:
            ended = self._ended.get(upstream_id, {})
            met = "completed" in ended or (runs and (ended or upstream_id in self._deleted))
            hold(bool(met), f"{task.id} was released before {upstream_id}")

    def _waits(self, task: TaskRow, upstream: Sequence[str]) -> None:
        if task.status != "blocked":
            return
        is_failed = any(status in ("failed", "cancelled", "deleted") for status in upstream)
        is_open = any(status not in (*FINISHED_STATUSES, "deleted") for status in upstream)
        policy = _settings(task).on_upstream_failure
        hold(is_open or (is_failed and policy == "block"), f"{task.id} ({policy}) still waits for {upstream}")

    def _assignments(self, found: dict[str, list[AssignmentRow]]) -> None:
        self._queue = found
        for task_id in self.live:
            self._agree(task_id, [row.state for row in found.get(task_id, [])])
        leases = {(row.task_id, row.attempt): row for rows in found.values() for row in rows if row.state == "leased"}
        begun = [row for key, row in leases.items() if key not in self._leases]
        held = Counter(row.worker_id for row in leases.values())
        for row in begun:
            assert row.worker_id is not None
            hold(held[row.worker_id] <= self.slots[row.worker_id], f"worker {row.worker_id} holds more than its slots")
        self.limits.check(list(leases.values()), begun, self._world.now)
        self._leases = leases

    def _agree(self, task_id: str, states: list[str]) -> None:
        status = self.statuses[task_id]
        leased, queued = "leased" in states, any(state in _QUEUED for state in states)
        fits = {"pending": queued and not leased, "assigned": leased, "in_progress": leased}
        hold(fits.get(status, not leased and not queued), f"{task_id} is {status}, its assignments are {states}")

    def _attempts(self, task: TaskRow, attempts: Sequence[AttemptRow]) -> None:
        for row in attempts:
            hold((row.task_id, row.attempt) not in self._leases, f"attempt {row.attempt} of {task.id} is live and over")
        since = self._opened.get(task.id, 0)
        settings = _settings(task)
        for status, allowed in (("failed", settings.max_retries), ("lost", settings.max_losses)):
            counts = Counter(row.position for row in attempts if row.status == status and row.attempt > since)
            hold(max(counts.values(), default=0) <= allowed + 1, f"{counts} attempts of {task.id} ended {status}")
        if task.id not in self._reopened:
            ended = Counter(row.status for row in attempts)
            hold(task.failures == ended["failed"], f"{task.id} counts {task.failures} failures of {ended}")
            hold(task.losses == ended["lost"], f"{task.id} counts {task.losses} losses of {ended}")


def _settings(task: TaskRow) -> TaskSettings:
    return msgspec.json.decode(task.settings, type=TaskSettings)
