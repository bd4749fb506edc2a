"""Every statement of the stores but the writing of whole rows (`writing`) and the lists of tasks (`listing`).

Functions and constants give SQLAlchemy Core statements; the stores only execute them. A `bindparam` is named after the
argument that fills it. States are literals where an index is partial: a parameter would hide it from the planner.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.sql.elements import ClauseElement

from milepost_collector.controller.rows import (
    AgentRow,
    AssignmentRow,
    AttemptRow,
    CheckpointRow,
    ContentRow,
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
from milepost_collector.controller.store.dialects import (
    all_among,
    any_of,
    contains_text,
    none_of,
    oldest_open_transaction,
)
from milepost_collector.controller.store.tables import (
    TABLES,
    agents,
    ask_links,
    asks,
    assignments,
    attempts,
    budget_holds,
    budget_periods,
    budget_runs,
    budget_turns,
    budgets,
    charges,
    checkpoints,
    contents,
    decisions,
    deliverables,
    dependencies,
    idempotency,
    instants,
    limits,
    payloads,
    rates,
    schedules,
    steps,
    task_history,
    tasks,
    transitions,
    workers,
)

_NOW: ColumnElement[int] = bindparam("now", type_=assignments.c.ready_at.type)
_BEFORE: ColumnElement[int] = bindparam("before", type_=assignments.c.ready_at.type)
_LIMIT = bindparam("limit", type_=assignments.c.ready_at.type)


def rows_of(row: type[Row], table: Table) -> Select[Any]:
    """Return a SELECT of the columns that make a row."""
    return select(*(table.c[name] for name in row.__struct_fields__))


def _equals(column: ColumnElement[Any], name: str | None = None) -> ColumnElement[bool]:
    return column == bindparam(name or column.key, type_=column.type)


def _is(column: ColumnElement[Any], literal: str) -> ColumnElement[bool]:
    return column == literal_column(f"'{literal}'")


def _by_ids(row: type[Row], table: Table, *order: str, column: str = "task_id") -> Select[Any]:
    return rows_of(row, table).where(any_of(table.c[column], "ids")).order_by(*(table.c[name] for name in order))


# Tasks
TASKS = _by_ids(TaskRow, tasks, column="id")
TASKS_LOCKED = _by_ids(TaskRow, tasks, "id", column="id").with_for_update()
FINISHED = _by_ids(TaskRow, task_history, column="id")
FINISHED_LOCKED = _by_ids(TaskRow, task_history, "id", column="id").with_for_update()
PAYLOADS = _by_ids(PayloadRow, payloads)
DELETE_TASKS = delete(tasks).where(any_of(tasks.c.id, "ids"))
DELETE_FINISHED = delete(task_history).where(any_of(task_history.c.id, "ids"))
DELETE_BELONGINGS = [
    delete(decisions).where(decisions.c.ask_id.in_(select(asks.c.id).where(any_of(asks.c.task_id, "ids")))),
    delete(ask_links).where(ask_links.c.ask_id.in_(select(asks.c.id).where(any_of(asks.c.task_id, "ids")))),
    *(
        delete(table).where(any_of(table.c.task_id, "ids"))
        for table in (
            *(payloads, assignments, attempts, dependencies, checkpoints, steps, asks, deliverables),
            *(budgets, budget_periods, budget_runs, charges, budget_holds, budget_turns),
        )
    ),
]
_NOT_ENDING = tasks.c.stop.is_distinct_from(literal_column("'deadline'"))
DUE_DEADLINES = (
    select(tasks.c.id)
    .where(tasks.c.deadline_at <= _NOW, _NOT_ENDING)
    .order_by(tasks.c.deadline_at, tasks.c.id)
    .limit(_LIMIT)
    .with_for_update(skip_locked=True)
)
COMING_DEADLINES = (
    rows_of(TaskRow, tasks)
    .where(tasks.c.deadline_at <= bindparam("until", type_=tasks.c.deadline_at.type), tasks.c.at_risk_at.is_(null()))
    .order_by(tasks.c.deadline_at, tasks.c.id)
    .limit(_LIMIT)
)
_READY_AT = case(
    (task_history.c.run_at > task_history.c.created_at, task_history.c.run_at), else_=task_history.c.created_at
)
DURATIONS = (
    select(
        task_history.c.finished_at - task_history.c.started_at,
        task_history.c.started_at - _READY_AT,
        task_history.c.last_agent,
    )
    .where(_equals(task_history.c.name), _is(task_history.c.status, "completed"))
    .where(task_history.c.started_at.is_not(null()))
    .order_by(task_history.c.finished_at.desc())
    .limit(_LIMIT)
)


def _newest(status: str) -> Select[Any]:
    """Return the SELECT of a name's newest tasks of one status, which the index by name has in order."""
    found = select(task_history.c.id, task_history.c.finished_at)
    found = found.where(_equals(task_history.c.name), _is(task_history.c.status, status))
    return found.order_by(task_history.c.finished_at.desc()).limit(_LIMIT)


_NEWEST_ENDED = union_all(*(select(_newest(status).subquery()) for status in ("completed", "failed"))).subquery()
RECORD_OF_NAME = (
    select(
        attempts.c.task_id,
        attempts.c.attempt,
        attempts.c.agent,
        attempts.c.status,
        attempts.c.ended_at - func.coalesce(attempts.c.started_at, attempts.c.leased_at),
        attempts.c.longest_gap_ms,
    )
    .select_from(attempts.join(_NEWEST_ENDED, _NEWEST_ENDED.c.id == attempts.c.task_id))
    .where(or_(_is(attempts.c.status, "completed"), _is(attempts.c.status, "failed")), attempts.c.agent.is_not(null()))
    .order_by(_NEWEST_ENDED.c.finished_at.desc(), attempts.c.attempt.desc())
)
PACE_OF_BATCH = select(func.min(task_history.c.started_at), func.count()).where(
    _equals(task_history.c.batch), task_history.c.started_at.is_not(null())
)
EXPIRED_HISTORY = (
    select(task_history.c.id)
    .where(task_history.c.finished_at < _BEFORE)
    .order_by(task_history.c.finished_at)
    .limit(_LIMIT)
)
UNFINISHED_OF_SCHEDULE = rows_of(TaskRow, tasks).where(_equals(tasks.c.schedule_id)).order_by(tasks.c.id)

# Assignments: whoever locks one has its task's lock, or takes both at once and skips what is locked; so nobody waits
# for the other.
ASSIGNMENTS = _by_ids(AssignmentRow, assignments, "task_id", "position")
ASSIGNMENTS_LOCKED = ASSIGNMENTS.with_for_update()
_WITH_TASK = assignments.join(tasks, tasks.c.id == assignments.c.task_id)
_LEASED = _is(assignments.c.state, "leased")
HELD_BY = (
    rows_of(AssignmentRow, assignments)
    .where(_LEASED, _equals(assignments.c.worker_id))
    .order_by(assignments.c.task_id, assignments.c.position)
)
_DELAYED = (
    select(assignments.c.task_id, assignments.c.position)
    .where(_is(assignments.c.state, "delayed"), assignments.c.ready_at <= _NOW)
    .order_by(assignments.c.ready_at)
    .limit(_LIMIT)
    .with_for_update(skip_locked=True)
)
PROMOTE = (
    update(assignments)
    .where(tuple_(assignments.c.task_id, assignments.c.position).in_(_DELAYED))
    .values(state=literal_column("'ready'"))
)
ENDED_LEASES = (
    rows_of(AssignmentRow, assignments)
    .select_from(_WITH_TASK)
    .where(
        or_(
            _LEASED & (assignments.c.expires_at <= _NOW),
            _LEASED & (assignments.c.timeout_at <= _NOW),
            _LEASED & (assignments.c.cut_off_at <= _NOW),
        )
    )
    .limit(_LIMIT)
    .with_for_update(skip_locked=True)
)
STILL = (
    rows_of(AssignmentRow, assignments)
    .where(_LEASED, assignments.c.moved_at < _BEFORE)
    .order_by(assignments.c.moved_at)
    .limit(_LIMIT)
)
_READY = _is(assignments.c.state, "ready") & assignments.c.fell_back.is_(false())
WAITING_WITH_FALLBACK = (
    rows_of(AssignmentRow, assignments)
    .select_from(_WITH_TASK)
    .where(tasks.c.fallback.is_not(null()), tasks.c.id > bindparam("after", type_=tasks.c.id.type), _READY)
    .order_by(tasks.c.id, assignments.c.position)
    .limit(_LIMIT)
)
WAITING_FOR_TEAM = (
    rows_of(AssignmentRow, assignments)
    .where(assignments.c.agent.is_(null()), _equals(assignments.c.team), _READY)
    .order_by(assignments.c.order_at, assignments.c.task_id)
    .limit(_LIMIT)
)
USAGE = (
    select(assignments.c.held_by, assignments.c.name, assignments.c.key, func.count())
    .where(_LEASED)
    .group_by(assignments.c.held_by, assignments.c.name, assignments.c.key)
)
QUEUED = select(assignments.c.agent, assignments.c.team, assignments.c.state, func.count()).group_by(
    assignments.c.agent, assignments.c.team, assignments.c.state
)
_DUE_TIMES = union_all(
    select(func.min(assignments.c.ready_at).label("due")).where(_is(assignments.c.state, "delayed")),
    *(select(func.min(column)).where(_LEASED) for column in (assignments.c.expires_at,)),
    *(
        select(func.min(column)).where(_LEASED, column.is_not(null()))
        for column in (assignments.c.timeout_at, assignments.c.cut_off_at)
    ),
    select(func.min(tasks.c.deadline_at)).where(tasks.c.deadline_at.is_not(null()), _NOT_ENDING),
    select(func.min(schedules.c.next_at)).where(schedules.c.next_at.is_not(null())),
    select(func.min(asks.c.expires_at)).where(_is(asks.c.status, "open")),
    select(func.min(asks.c.alarm_at)).where(asks.c.alarm_at.is_not(null())),
).subquery()
NEXT_DUE = select(func.min(_DUE_TIMES.c.due))


class ClaimShape(NamedTuple):
    """Which parts a claim has. teams: how many."""

    teams: int
    names: bool
    without_keys: bool
    without_names: bool


@cache
def claim(shape: ClaimShape) -> ClauseElement:
    """Return the SELECT of ready assignments with their tasks: the first of each of the queue's indexes, then of those.

    Parameters: agent, team_0 and so on, names, without_keys, without_names (if the shape has them), abilities, now,
    limit.
    """
    columns = assignments.c
    queues = [[_equals(columns.agent)]]
    queues += [[columns.agent.is_(null()), _equals(columns.team, f"team_{number}")] for number in range(shape.teams)]
    queues.append([columns.agent.is_(null()), columns.team.is_(null())])
    common = [
        or_(
            columns.avoid.is_(null()),
            columns.avoid != bindparam("agent", type_=columns.agent.type),
            columns.avoid_until <= _NOW,
        ),
        or_(columns.needs.is_(null()), all_among(columns.needs, "abilities")),
    ]
    if shape.names:
        common.append(any_of(columns.name, "names"))
    if shape.without_keys:
        common.append(or_(columns.key.is_(null()), none_of(columns.key, "without_keys")))
    if shape.without_names:
        common.append(none_of(columns.name, "without_names"))
    return _first_of([_first_ready(queue + common) for queue in queues])


_CANDIDATE = (
    *(assignments.c[name] for name in AssignmentRow.__struct_fields__),
    *(tasks.c[name].label(f"its_{name}") for name in TaskRow.__struct_fields__),
)


def _first_ready(conditions: list[ColumnElement[bool]]) -> Select[Any]:
    return (
        select(*_CANDIDATE)
        .select_from(_WITH_TASK)
        .where(_is(assignments.c.state, "ready"), *conditions)
        .order_by(assignments.c.order_at, assignments.c.task_id)
        .limit(_LIMIT)
        .with_for_update(skip_locked=True)
    )


def _first_of(branches: list[Select[Any]]) -> ClauseElement:
    both = union_all(*(select(branch.subquery()) for branch in branches))
    found = both.selected_columns
    return both.order_by(found.order_at, found.task_id).limit(_LIMIT)


# What belongs to a task
ATTEMPTS = (
    rows_of(AttemptRow, attempts)
    .where(any_of(attempts.c.task_id, "ids"))
    .order_by(attempts.c.task_id, attempts.c.attempt.desc())
)
DEPENDENCIES = _by_ids(DependencyRow, dependencies, "task_id", "upstream_id")
DEPENDENTS = _by_ids(DependencyRow, dependencies, "upstream_id", "task_id", column="upstream_id")
CHECKPOINTS = rows_of(CheckpointRow, checkpoints).where(_equals(checkpoints.c.task_id)).order_by(checkpoints.c.sequence)
NEWEST_CHECKPOINT = (
    rows_of(CheckpointRow, checkpoints)
    .where(_equals(checkpoints.c.task_id), _equals(checkpoints.c.position))
    .order_by(checkpoints.c.sequence.desc())
    .limit(literal_column("1"))
)
CHECKPOINT_OF = rows_of(CheckpointRow, checkpoints).where(
    *(_equals(checkpoints.c[name]) for name in ("task_id", "attempt", "attempt_sequence"))
)
LAST_SEQUENCE = select(func.coalesce(func.max(checkpoints.c.sequence), literal_column("0"))).where(
    _equals(checkpoints.c.task_id)
)
STEPS = (
    rows_of(StepRow, steps)
    .where(_equals(steps.c.task_id))
    .order_by(steps.c.position, steps.c.created_at, steps.c.name, steps.c.input_digest)
)
STEPS_OF_POSITION = STEPS.where(_equals(steps.c.position))
TRANSITIONS = rows_of(TransitionRow, transitions).where(_equals(transitions.c.task_id)).order_by(transitions.c.sequence)
IDEMPOTENCY = _by_ids(IdempotencyRow, idempotency, column="key")


@cache
def after(row: type[Row], dialect: str) -> ClauseElement:
    """Return the SELECT of rows written after (transaction, sequence), with those two as last columns.

    On PostgreSQL only rows of transactions that are older than every open one are found. Such a set never grows: what
    commits later has a number that is not smaller. On SQLite sequences rise with commits, having one writer.
    """
    table = TABLES[row][0]
    found = rows_of(row, table).add_columns(table.c.transaction_id, table.c.sequence.label("position"))
    position = bindparam("sequence", type_=table.c.sequence.type)
    if dialect == "sqlite":
        return found.where(table.c.sequence > position).order_by(table.c.sequence).limit(_LIMIT)
    order = tuple_(table.c.transaction_id, table.c.sequence)
    newest = tuple_(bindparam("transaction", type_=table.c.sequence.type), position)
    ended = table.c.transaction_id < oldest_open_transaction()
    return found.where(order > newest, ended).order_by(table.c.transaction_id, table.c.sequence).limit(_LIMIT)


@cache
def log_end(row: type[Row], dialect: str) -> ClauseElement:
    """Return the SELECT of the position (transaction, sequence) after which `after` finds only what is not committed
    yet, and on PostgreSQL what is too young to tell."""
    table = TABLES[row][0]
    if dialect == "sqlite":
        return select(literal_column("0"), func.coalesce(func.max(table.c.sequence), literal_column("0")))
    return select(oldest_open_transaction() - literal_column("1"), literal_column(str(2**62)))


def _prune(table: Table, key: str, order: str, *conditions: ColumnElement[bool]) -> ClauseElement:
    found = select(table.c[key]).where(*conditions).order_by(table.c[order]).limit(_LIMIT)
    return delete(table).where(table.c[key].in_(found))


PRUNE_TRANSITIONS = _prune(
    transitions,
    "sequence",
    "time",
    transitions.c.time < _BEFORE,
    ~exists().where(tasks.c.id == transitions.c.task_id),
    ~exists().where(task_history.c.id == transitions.c.task_id),
)
PRUNE_IDEMPOTENCY = _prune(idempotency, "key", "created_at", idempotency.c.created_at < _BEFORE)

# What transactions of others have just come to refer to has another used_at, which PostgreSQL looks at again once the
# row is locked; what they refer to since, it would not see.
UNREFERENCED_CONTENTS = (
    rows_of(ContentRow, contents)
    .where(contents.c.used_at < _BEFORE, ~exists().where(deliverables.c.sha256 == contents.c.sha256))
    .order_by(contents.c.used_at)
    .limit(_LIMIT)
    .with_for_update(skip_locked=True)
)

# Agents, workers, limits
AGENTS = rows_of(AgentRow, agents).order_by(agents.c.name)
AGENT = rows_of(AgentRow, agents).where(_equals(agents.c.name))
AGENT_POLLED = update(agents).where(_equals(agents.c.name, "agent_name")).values(last_poll_at=_NOW)
AGENT_SERVED = AGENT_POLLED.values(served_at=_NOW)
WORKERS = rows_of(WorkerRow, workers).order_by(workers.c.agent, workers.c.id)
WORKER = rows_of(WorkerRow, workers).where(_equals(workers.c.id))
WORKER_LOCKED = WORKER.with_for_update()
POLLING_UNLOCKED = (
    rows_of(WorkerRow, workers)
    .add_columns(func.coalesce(agents.c.paused, false()), exists(select(limits.c.scope)), exists(select(budgets.c.id)))
    .select_from(workers.outerjoin(agents, agents.c.name == workers.c.agent))
    .where(_equals(workers.c.id))
)
POLLING = POLLING_UNLOCKED.with_for_update(of=workers)
SILENT_WORKERS = (
    rows_of(WorkerRow, workers)
    .where(workers.c.last_poll_at < _BEFORE)
    .where(~exists().where(_LEASED, assignments.c.worker_id == workers.c.id))
    .order_by(workers.c.id)
)
LIMITS = rows_of(LimitRow, limits).order_by(limits.c.scope, limits.c.value)
RATES = rows_of(RateRow, rates).order_by(rates.c.scope, rates.c.value)

# Schedules
_ALL_SCHEDULES = rows_of(ScheduleRow, schedules).order_by(schedules.c.name).limit(_LIMIT)
_AFTER = schedules.c.name > bindparam("after", type_=schedules.c.name.type)
_WITH_TEXT = or_(contains_text(schedules.c.name, "text"), contains_text(schedules.c.description, "text"))
SCHEDULES = _ALL_SCHEDULES.where(_AFTER)
SCHEDULES_WITH_TEXT = SCHEDULES.where(_WITH_TEXT)
_IS_ID = _equals(schedules.c.id, "id_or_name")
SCHEDULE = (  # an id comes before a name that looks like it
    rows_of(ScheduleRow, schedules)
    .where(or_(_IS_ID, _equals(schedules.c.name, "id_or_name")))
    .order_by(case((_IS_ID, literal_column("0")), else_=literal_column("1")))
    .limit(literal_column("1"))
)
SCHEDULE_LOCKED = SCHEDULE.with_for_update()
DUE_SCHEDULES = (
    rows_of(ScheduleRow, schedules)
    .where(schedules.c.next_at <= _NOW)
    .order_by(schedules.c.next_at, schedules.c.id)
    .limit(_LIMIT)
    .with_for_update(skip_locked=True)
)
_INSTANTS = rows_of(InstantRow, instants).where(_equals(instants.c.schedule_id))
INSTANTS = _INSTANTS.where(instants.c.nominal < _BEFORE).order_by(instants.c.nominal.desc()).limit(_LIMIT)
INSTANTS_WITH_STATUS = INSTANTS.where(any_of(instants.c.status, "statuses"))
INSTANTS_BETWEEN = _INSTANTS.where(
    instants.c.nominal >= bindparam("since", type_=instants.c.nominal.type),
    instants.c.nominal < bindparam("until", type_=instants.c.nominal.type),
).order_by(instants.c.nominal)
QUEUED_INSTANTS = _INSTANTS.where(_is(instants.c.status, "queued")).order_by(instants.c.nominal).limit(_LIMIT)
PRUNE_INSTANTS = _prune(
    instants,
    "sequence",
    "recorded_at",
    instants.c.recorded_at < _BEFORE,
    instants.c.status != literal_column("'queued'"),
)
