"""What the engine asks of a store: transactions over rows, and the few queries that find them.

Two stores implement it, SQLite and PostgreSQL, from one set of statements. Everything inside `Store.run` is one
transaction; what it returns is durable when `run` returns. A transaction that another one makes impossible (a deadlock,
a serialization failure) is begun again, so the function it is given must have no other effect than through its `Tx`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from milepost.wire.asks import AskFilter
from milepost.wire.tasks import TaskFilter
from milepost_collector.controller.estimates import Ended
from milepost_collector.controller.rows import (
    AgentRow,
    AskEventRow,
    AskRow,
    AssignmentRow,
    AttemptRow,
    BudgetEventRow,
    CheckpointRow,
    ContentRow,
    DeliverableRow,
    DependencyRow,
    IdempotencyRow,
    InstantRow,
    LimitRow,
    PayloadRow,
    RateRow,
    Row,
    ScheduleRow,
    StepRow,
    TaskRow,
    TransitionRow,
    WorkerRow,
)

T = TypeVar("T")
R = TypeVar("R")

Key = tuple[str, int]  # (task_id, position) of an assignment


class Find(Struct, kw_only=True, frozen=True):
    """Which rows of a table, and in what order. Columns are those of the row's struct.

    equal: None means NULL. one_of: texts. before, since: `<` and `>=`. order: the last columns make it unique. after:
    the values of `order` in the last row seen, for the next page. Every combination of columns is a statement of its
    own, compiled once: values may be anything, the combinations are few.
    """

    equal: Mapping[str, Any] = {}
    one_of: Mapping[str, Collection[str]] = {}
    before: Mapping[str, int] = {}
    since: Mapping[str, int] = {}
    order: tuple[str, ...] = ()
    descending: bool = False
    after: tuple[Any, ...] | None = None
    limit: int = 1_000


class ClaimQuery(Struct, kw_only=True, frozen=True):
    """Ready assignments that a worker may take, the smallest order_at first (then task_id).

    agent: the worker's. teams: it also takes what is for these. names: task names it handles, None: all. abilities:
    what it can do; an assignment that needs more is not among them, nor one that avoids the agent. without_keys,
    without_names: saturated, to be left out.
    """

    agent: str
    teams: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    abilities: tuple[str, ...] = ()
    without_keys: tuple[str, ...] = ()
    without_names: tuple[str, ...] = ()
    limit: int = 1


class Candidate(NamedTuple):
    """A ready assignment and its task."""

    assignment: AssignmentRow
    task: TaskRow


class Polling(NamedTuple):
    """A worker that polls, whether its agent is paused, and whether there are limits and budgets."""

    worker: WorkerRow
    is_paused: bool
    has_limits: bool
    has_budgets: bool


class Tried(NamedTuple):
    """An attempt that ended, completed or failed. longest_gap_ms: without a sign of progress."""

    task_id: str
    attempt: int
    agent: str
    status: str
    run_ms: int
    longest_gap_ms: int | None


class Usage(Struct, kw_only=True):
    """Live leases by what limits count: held_by, name and key."""

    agents: dict[str, int]
    names: dict[str, int]
    keys: dict[str, int]


class Queued(Struct, kw_only=True):
    """Assignments of one agent (None: any), team and state: how many."""

    agent: str | None
    team: str | None
    state: str
    count: int


class TaskPage(Struct, kw_only=True):
    """Tasks of one page. cursor: for the next, None at the end."""

    tasks: list[TaskRow]
    cursor: str | None


class AskPage(Struct, kw_only=True):
    """Asks of one page. cursor: for the next, None at the end."""

    asks: list[AskRow]
    cursor: str | None


class Tx(Protocol):
    """An open transaction. `now` is the same throughout: the store's clock, in milliseconds since the Unix epoch.

    Where a method loads by ids, what does not exist is left out. Rows that are loaded with `lock` stay so until
    the transaction ends (PostgreSQL: FOR UPDATE in the order of ids; SQLite has one writer anyway). In `Store.read`
    nothing is locked, whatever is asked for. Whoever locks an assignment has locked its task before, so that two
    transactions never wait for one another. After an error of the store a transaction can only be given up.
    """

    now: int

    # Rows of any table. insert: new ones; the key must be free (else DuplicateRowError). update: whole rows by key.
    # upsert: either. delete: by key. All take many rows at once and are executed as one statement per table.
    def insert(self, rows: Sequence[Row]) -> None: ...
    def update(self, rows: Sequence[Row]) -> None: ...
    def upsert(self, rows: Sequence[Row]) -> None: ...
    def delete(self, rows: Sequence[Row]) -> None: ...

    # What is written in a block of `together` is written at its end, on PostgreSQL in one statement if no table is
    # written in two ways. Nothing may be read in it.
    def together(self) -> AbstractContextManager[None]: ...

    # Rows of any table that is not the queue's: those have statements of their own, which keep to partial indexes.
    def find(self, row: type[T], query: Find, *, lock: bool = False) -> list[T]: ...
    def count(self, row: type[Row], query: Find) -> int: ...  # whatever its order, after and limit

    # Tasks. `tasks`/`finished` find live and finished ones. finish: from `tasks` to `task_history`; reopen: back; both
    # write the given rows. forget: remove finished or live tasks with everything that belongs to them.
    def tasks(self, ids: Collection[str], *, lock: bool = True) -> dict[str, TaskRow]: ...
    def finished(self, ids: Collection[str], *, lock: bool = True) -> dict[str, TaskRow]: ...
    def insert_finished(self, rows: Sequence[TaskRow]) -> None: ...
    def finish(self, rows: Sequence[TaskRow]) -> None: ...
    def reopen(self, rows: Sequence[TaskRow]) -> None: ...
    def forget(self, ids: Collection[str]) -> None: ...
    def payloads(self, ids: Collection[str]) -> dict[str, PayloadRow]: ...
    def page(self, wanted: TaskFilter, *, sort: str, cursor: str | None, limit: int) -> TaskPage: ...
    def matching_ids(self, wanted: TaskFilter, *, after: str | None, limit: int) -> list[str]: ...  # by id, rising
    def counts(self, wanted: TaskFilter, *, group_by: str) -> list[tuple[str | None, int]]: ...
    def due_deadlines(self, limit: int) -> list[str]: ...  # live tasks with deadline_at <= now
    def coming_deadlines(self, until: int, limit: int) -> list[TaskRow]: ...  # at_risk_at is None, soonest first
    def ended(self, name: str, limit: int) -> list[Ended]: ...  # of a name, the newest completed ones first
    def tried(self, name: str, limit: int) -> list[Tried]: ...  # attempts of the newest `limit` tasks that have ended
    def pace_of_batch(self, batch: str) -> tuple[int | None, int]: ...  # of what is finished: first start, how many
    def expired_history(self, before: int, limit: int) -> list[str]: ...  # finished_at < before

    # Assignments: the queue and the leases.
    def assignments(self, task_ids: Collection[str], *, lock: bool = True) -> dict[str, list[AssignmentRow]]: ...
    def candidates(self, query: ClaimQuery) -> list[Candidate]: ...  # locked, those locked elsewhere left out
    def held_by(self, worker_id: str) -> list[AssignmentRow]: ...
    def promote(self, limit: int) -> int: ...  # delayed with ready_at <= now become ready; returns how many
    def ended_leases(
        self, limit: int
    ) -> list[AssignmentRow]: ...  # leased, and expires_at, timeout_at or cut_off_at <= now
    # Unlocked: leased with moved_at < before, the longest first; and ready ones that have not fallen back: of tasks
    # with a fallback, by task id, and for a team, the oldest first.
    def still(self, before: int, limit: int) -> list[AssignmentRow]: ...
    def waiting_with_fallback(self, after: str, limit: int) -> list[AssignmentRow]: ...
    def waiting_for_team(self, team: str, limit: int) -> list[AssignmentRow]: ...
    def usage(self) -> Usage: ...
    def queued(self) -> list[Queued]: ...
    def next_due(
        self,
    ) -> (
        int | None
    ): ...  # least of ready_at (delayed), expires/timeout/cut_off (leased), deadline_at, schedules' next_at, and of
    # asks expires_at (open) and alarm_at
    def lock_limits(self) -> None: ...  # until the end of the transaction nobody else claims under limits
    def lock_dependencies(
        self,
    ) -> None: ...  # nor changes dependencies; the first lock to take

    # What belongs to a task.
    def attempts(self, task_ids: Collection[str]) -> dict[str, list[AttemptRow]]: ...  # the newest first
    def dependencies(self, task_ids: Collection[str]) -> dict[str, list[DependencyRow]]: ...
    def dependents(self, upstream_ids: Collection[str]) -> dict[str, list[DependencyRow]]: ...
    def checkpoints(self, task_id: str) -> list[CheckpointRow]: ...  # oldest first
    def newest_checkpoint(self, task_id: str, position: int) -> CheckpointRow | None: ...
    def checkpoint_of(self, task_id: str, attempt: int, attempt_sequence: int) -> CheckpointRow | None: ...
    def last_sequence(self, task_id: str) -> int: ...  # of checkpoints, 0 without
    def steps(self, task_id: str, position: int | None = None) -> list[StepRow]: ...
    def transitions(self, task_id: str) -> list[TransitionRow]: ...  # oldest first

    # For those who follow what happens: rows committed after a position, oldest first, with the position to go on
    # from ("" at the beginning). No row is ever left out, also when another transaction commits later with a smaller
    # sequence.
    def transitions_after(self, position: str, limit: int) -> tuple[list[TransitionRow], str]: ...
    def instants_after(self, position: str, limit: int) -> tuple[list[InstantRow], str]: ...
    def ask_events_after(self, position: str, limit: int) -> tuple[list[AskEventRow], str]: ...
    def log_end(self, row: type[Row]) -> str: ...  # the position after all that is committed now, of one of these logs
    def deliverables_after(self, position: str, limit: int) -> tuple[list[DeliverableRow], str]: ...
    def budget_events_after(self, position: str, limit: int) -> tuple[list[BudgetEventRow], str]: ...
    def prune_transitions(self, before: int, limit: int) -> int: ...  # of tasks that are gone, older than `before`

    def idempotency(self, keys: Collection[str]) -> dict[str, IdempotencyRow]: ...
    def prune_idempotency(self, before: int, limit: int) -> int: ...

    # Asks.
    def ask_page(self, wanted: AskFilter, *, cursor: str | None, limit: int) -> AskPage: ...
    def open_asks(self, wanted: AskFilter) -> int: ...  # how many, whatever status is wanted
    def due_asks(self, limit: int) -> list[AskRow]: ...  # open and expires_at <= now, not locked
    def alarming_asks(self, limit: int) -> list[AskRow]: ...  # alarm_at <= now, not locked
    def prune_asks(self, before: int, limit: int) -> int: ...  # closed ones of runs, and events of asks that are gone
    # Contents that no deliverable refers to, nor did since `before`; locked.
    def unreferenced_contents(self, before: int, limit: int) -> list[ContentRow]: ...

    # Agents, workers, limits.
    def agents(self) -> list[AgentRow]: ...
    def agent(self, name: str) -> AgentRow | None: ...
    def note_poll(self, agent: str, *, served: bool) -> None: ...  # now; the rest of its row others may be changing
    def workers(self) -> list[WorkerRow]: ...
    def worker(self, worker_id: str, *, lock: bool = True) -> WorkerRow | None: ...
    def polling(self, worker_id: str) -> Polling | None: ...  # the worker is locked
    def silent_workers(self, before: int) -> list[WorkerRow]: ...  # last_poll_at < before and no leases
    def limits(self) -> list[LimitRow]: ...
    def rates(self) -> list[RateRow]: ...

    # Schedules.
    def schedules(self, *, after: str | None, limit: int, text: str | None = None) -> list[ScheduleRow]: ...  # by name
    def schedule(self, id_or_name: str, *, lock: bool = True) -> ScheduleRow | None: ...
    def due_schedules(self, limit: int) -> list[ScheduleRow]: ...  # locked; next_at <= now
    def unfinished_of(self, schedule_id: str) -> list[TaskRow]: ...
    def insert_instant(self, row: InstantRow) -> bool: ...  # False: (schedule, nominal) is there already
    def instants(
        self, schedule_id: str, *, statuses: Sequence[str], before: int | None, limit: int
    ) -> list[InstantRow]: ...
    def instants_between(self, schedule_id: str, since: int, until: int) -> list[InstantRow]: ...
    def queued_instants(self, schedule_id: str, limit: int) -> list[InstantRow]: ...  # status `queued`, oldest first
    def prune_instants(self, before: int, limit: int) -> int: ...


class Store(Protocol):
    """Where tasks are kept. `run` may be called from one thread at a time (SQLite) or from several (PostgreSQL)."""

    dialect: str  # "sqlite" or "postgresql"

    def run(self, work: Callable[[Tx], R]) -> R:
        """Return what `work` returns, once everything it did is committed.

        Raises:
            StorageUnavailableError: the database cannot be reached, is full or locked; nothing was done. Only when a
                server goes away while it commits is that unknown, and the text says so: ask again.
            StorageError: the database refused it.
        """
        ...

    def run_each(self, works: Sequence[Callable[[Tx], Any]]) -> list[Any | Exception]:
        """Do several things in one transaction (group commit), each in a savepoint: one that raises leaves no trace and
        its exception stands in its place.

        Raises:
            StorageUnavailableError: see `run`; it concerns all of them.
        """
        ...

    def read(self, work: Callable[[Tx], R]) -> R:
        """Return what `work` finds, from a snapshot that sees only what is committed; never waits for a writer."""
        ...

    def listen(self, changed: Callable[[], None]) -> None:
        """Call `changed`, in a thread of the store's, after transactions of other collectors that made assignments
        ready or set commands. A hint: it may come too often, and late or never when the database is away; so nothing
        may depend on it. On SQLite, which one collector has to itself, never. At most once."""
        ...

    def close(self) -> None:
        """Close every connection. Idempotent."""
        ...
