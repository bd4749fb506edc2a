"""The store's tables: one per row struct, one column per field, and the indexes that its queries need.

`tasks` and `task_history` have the same columns. `transitions` and `instants` have one more, the transaction that wrote
a row, by which those who follow them never miss one (`dialects.current_transaction`).

The queue's indexes are partial and exclude one another, so that an assignment stands in few of them at a time.
"""

from __future__ import annotations

import types
import typing
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TEXT as POSTGRES_TEXT
from sqlalchemy.types import TypeEngine

from milepost.wire.tasks import FINISHED_STATUSES
from milepost_collector.controller.rows import (
    AgentRow,
    AskEventRow,
    AskRow,
    AssignmentRow,
    AttemptRow,
    BatchRow,
    BudgetEventRow,
    BudgetHoldRow,
    BudgetPeriodRow,
    BudgetRow,
    BudgetRunRow,
    BudgetTurnRow,
    ChargeRow,
    CheckpointRow,
    ContentRow,
    DecisionRow,
    DeliverableRow,
    DeliveryRow,
    DeliveryTryRow,
    DependencyRow,
    IdempotencyRow,
    InstantRow,
    LimitRow,
    LinkRow,
    PayloadRow,
    PositionRow,
    RateRow,
    ReservationRow,
    Row,
    ScheduleRow,
    StartedRunRow,
    StepRow,
    TaskRow,
    TeamRow,
    TransitionRow,
    TriggerEventRow,
    TriggerPayloadRow,
    TriggerRow,
    WebhookRow,
    WorkerRow,
)
from milepost_collector.controller.store.dialects import current_transaction

# Texts are compared by their bytes on both databases: order and indexes do not depend on where a database was made.
TEXT = Text().with_variant(POSTGRES_TEXT(collation="C"), "postgresql")
COLUMN_TYPES: dict[type, TypeEngine[Any]] = {
    str: TEXT,
    int: BigInteger().with_variant(Integer(), "sqlite"),
    float: Double(),
    bool: Boolean(),
}
_FINISHED = ", ".join(f"'{status}'" for status in FINISHED_STATUSES)

metadata = MetaData()


def _columns(row: type[Row], given_by_database: str | None) -> list[Column[Any]]:
    hints = typing.get_type_hints(row)
    return [_column(name, hints[name], given_by_database) for name in row.__struct_fields__]


def _column(name: str, hint: Any, given_by_database: str | None) -> Column[Any]:
    members = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    (kind,) = (member for member in members if member is not types.NoneType)
    scalar = str if typing.get_origin(kind) is typing.Literal else kind
    given = (Identity(),) if name == given_by_database else ()
    return Column(name, COLUMN_TYPES[scalar], *given, nullable=types.NoneType in members)


def _table(
    row: type[Row], name: str, key: tuple[str, ...], *parts: Any, with_rowid: bool = False, is_hot: bool = False
) -> Table:
    """Return a table. with_rowid: for long rows. is_hot: pages keep room, so that a changed row stays in its own."""
    options: dict[str, Any] = {"postgresql_with": {"fillfactor": 70}} if is_hot else {}
    columns = _columns(row, None)
    return Table(name, metadata, *columns, PrimaryKeyConstraint(*key), *parts, sqlite_with_rowid=with_rowid, **options)


def _followed(row: type[Row], name: str, *parts: Any) -> Table:
    """Return a table whose rows get a rising `sequence` from the database."""
    writer = Column("transaction_id", COLUMN_TYPES[int], server_default=current_transaction(), nullable=False)
    order = Index(f"{name}_by_transaction", "transaction_id", "sequence").ddl_if(dialect="postgresql")
    columns = [*_columns(row, "sequence"), writer]
    # sqlite_autoincrement: a number is not given again when the newest rows are removed.
    return Table(name, metadata, *columns, PrimaryKeyConstraint("sequence"), order, *parts, sqlite_autoincrement=True)


def _readable_lists(name: str) -> CheckConstraint:
    """Keep lists out that PostgreSQL could not search: it has no U+0000, not even escaped. SQLite has."""
    check = "tags::jsonb IS NOT NULL AND (agents IS NULL OR agents::jsonb IS NOT NULL)"
    return CheckConstraint(check, name).ddl_if(dialect="postgresql")


tasks = _table(
    TaskRow,
    "tasks",
    ("id",),
    CheckConstraint(f"status NOT IN ({_FINISHED}) AND finished_at IS NULL", "tasks_are_not_finished"),
    _readable_lists("tasks_have_readable_lists"),
    Index("tasks_by_created_at", "created_at", "id"),
    with_rowid=True,
    is_hot=True,
)
task_history = _table(
    TaskRow,
    "task_history",
    ("id",),
    CheckConstraint(f"status IN ({_FINISHED}) AND finished_at IS NOT NULL", "history_is_finished"),
    _readable_lists("history_has_readable_lists"),
    Index("task_history_by_created_at", "created_at", "id"),
    Index("task_history_by_finished_at", "finished_at", "id"),
    Index("task_history_by_name", "name", "status", "finished_at"),
    Index("task_history_by_status", "status", "created_at", "id"),
    with_rowid=True,
)
payloads = _table(PayloadRow, "payloads", ("task_id",), with_rowid=True)
assignments = _table(AssignmentRow, "assignments", ("task_id", "position"), is_hot=True)
attempts = _table(AttemptRow, "attempts", ("task_id", "attempt"), with_rowid=True)
dependencies = _table(
    DependencyRow, "dependencies", ("task_id", "upstream_id"), Index("dependencies_by_upstream", "upstream_id")
)
checkpoints = _table(
    CheckpointRow,
    "checkpoints",
    ("task_id", "sequence"),
    UniqueConstraint("task_id", "attempt", "attempt_sequence", name="checkpoints_of_attempt"),
    with_rowid=True,
)
steps = _table(StepRow, "steps", ("task_id", "position", "name", "input_digest"), with_rowid=True)
transitions = _followed(
    TransitionRow,
    "transitions",
    Index("transitions_by_task", "task_id", "sequence"),
    Index("transitions_by_time", "time"),
)
idempotency = _table(IdempotencyRow, "idempotency", ("key",), Index("idempotency_by_created_at", "created_at"))
agents = _table(AgentRow, "agents", ("name",), with_rowid=True)
workers = _table(WorkerRow, "workers", ("id",), with_rowid=True)
limits = _table(LimitRow, "limits", ("scope", "value"))
teams = _table(TeamRow, "teams", ("name",), with_rowid=True)
batches = _table(
    BatchRow, "batches", ("id", "digest"), Index("batches_by_created_at", "created_at", "id"), with_rowid=True
)
rates = _table(RateRow, "rates", ("scope", "value"))
schedules = _table(ScheduleRow, "schedules", ("id",), UniqueConstraint("name", name="schedules_name"), with_rowid=True)
instants = _followed(
    InstantRow,
    "instants",
    UniqueConstraint("schedule_id", "nominal", name="instants_of_schedule"),
    Index("instants_by_recorded_at", "recorded_at"),
)
asks = _table(
    AskRow,
    "asks",
    ("id",),
    Index("asks_by_owner", "owner", "key"),
    Index("asks_by_created_at", "created_at", "id"),
    with_rowid=True,
)
decisions = _table(DecisionRow, "decisions", ("ask_id", "number"))
ask_links = _table(
    LinkRow,
    "ask_links",
    ("id",),
    UniqueConstraint("token_digest", name="ask_links_token"),
    Index("ask_links_by_ask", "ask_id"),
)
ask_events = _followed(AskEventRow, "ask_events", Index("ask_events_by_ask", "ask_id", "sequence"))
triggers = _table(
    TriggerRow,
    "triggers",
    ("id",),
    UniqueConstraint("name", name="triggers_name"),
    with_rowid=True,
    is_hot=True,
)
trigger_events = _table(
    TriggerEventRow,
    "trigger_events",
    ("id",),
    Index("trigger_events_by_trigger", "trigger_id", "id"),
    Index("trigger_events_by_outcome", "trigger_id", "outcome", "at"),
    Index("trigger_events_by_delivery", "trigger_id", "delivery_id"),
    Index("trigger_events_by_task", "task_id"),
    Index("trigger_events_by_at", "at"),
    with_rowid=True,
)
trigger_payloads = _table(
    TriggerPayloadRow,
    "trigger_payloads",
    ("event_id",),
    Index("trigger_payloads_by_expires_at", "expires_at"),
    Index("trigger_payloads_by_trigger", "trigger_id", "event_id"),
    with_rowid=True,
)
positions = _table(PositionRow, "positions", ("follower", "source"))
webhooks = _table(WebhookRow, "webhooks", ("id",), UniqueConstraint("name", name="webhooks_name"), with_rowid=True)
deliveries = _table(
    DeliveryRow,
    "deliveries",
    ("id",),
    Index("deliveries_by_webhook", "webhook_id", "created_at", "id"),
    Index("deliveries_by_created_at", "created_at", "id"),
    with_rowid=True,
    is_hot=True,
)
delivery_tries = _table(DeliveryTryRow, "delivery_tries", ("delivery_id", "number"))
started_runs = _table(StartedRunRow, "started_runs", ("run_id",))
deliverables = _followed(
    DeliverableRow,
    "deliverables",
    UniqueConstraint("owner", "name", "version", name="deliverables_of_owner"),
    Index("deliverables_by_sha256", "sha256"),
)
contents = _table(
    ContentRow,
    "contents",
    ("sha256",),
    Index("contents_by_key", "key"),
    Index("contents_by_used_at", "used_at"),
)

budgets = _table(
    BudgetRow,
    "budgets",
    ("id",),
    UniqueConstraint("key", "per", name="budgets_of_key"),
    Index("budgets_by_task", "task_id"),
    with_rowid=True,
)
budget_periods = _table(
    BudgetPeriodRow,
    "budget_periods",
    ("budget_id", "period"),
    Index("budget_periods_by_ended_at", "ended_at"),
)
budget_runs = _table(
    BudgetRunRow,
    "budget_runs",
    ("run_id",),
    Index("budget_runs_by_task", "task_id", "began_at"),
    Index("budget_runs_by_ended_at", "ended_at"),
    with_rowid=True,
)
charges = _table(
    ChargeRow,
    "charges",
    ("budget_id", "run_id", "period"),
    Index("charges_by_run", "run_id"),
    Index("charges_by_task", "task_id"),
)
reservations = _table(ReservationRow, "reservations", ("run_id", "number"), Index("reservations_by_free_at", "free_at"))
budget_holds = _table(
    BudgetHoldRow, "budget_holds", ("task_id", "position"), Index("budget_holds_by_budget", "budget_id", "held_at")
)
budget_turns = _table(BudgetTurnRow, "budget_turns", ("task_id",))
budget_events = _followed(BudgetEventRow, "budget_events", Index("budget_events_by_budget", "budget_id", "sequence"))

# How rows are found for writing: their table and its key. An instant's physical key is its sequence.
TABLES: dict[type[Row], tuple[Table, tuple[str, ...]]] = {
    TaskRow: (tasks, ("id",)),
    PayloadRow: (payloads, ("task_id",)),
    AssignmentRow: (assignments, ("task_id", "position")),
    AttemptRow: (attempts, ("task_id", "attempt")),
    DependencyRow: (dependencies, ("task_id", "upstream_id")),
    CheckpointRow: (checkpoints, ("task_id", "sequence")),
    StepRow: (steps, ("task_id", "position", "name", "input_digest")),
    TransitionRow: (transitions, ("sequence",)),
    IdempotencyRow: (idempotency, ("key",)),
    AgentRow: (agents, ("name",)),
    WorkerRow: (workers, ("id",)),
    LimitRow: (limits, ("scope", "value")),
    RateRow: (rates, ("scope", "value")),
    ScheduleRow: (schedules, ("id",)),
    InstantRow: (instants, ("schedule_id", "nominal")),
    AskRow: (asks, ("id",)),
    DecisionRow: (decisions, ("ask_id", "number")),
    LinkRow: (ask_links, ("id",)),
    AskEventRow: (ask_events, ("sequence",)),
    TriggerRow: (triggers, ("id",)),
    TriggerEventRow: (trigger_events, ("id",)),
    TriggerPayloadRow: (trigger_payloads, ("event_id",)),
    PositionRow: (positions, ("follower", "source")),
    WebhookRow: (webhooks, ("id",)),
    DeliveryRow: (deliveries, ("id",)),
    DeliveryTryRow: (delivery_tries, ("delivery_id", "number")),
    StartedRunRow: (started_runs, ("run_id",)),
    DeliverableRow: (deliverables, ("owner", "name", "version")),
    ContentRow: (contents, ("sha256",)),
    TeamRow: (teams, ("name",)),
    BatchRow: (batches, ("id", "digest")),
    BudgetRow: (budgets, ("id",)),
    BudgetPeriodRow: (budget_periods, ("budget_id", "period")),
    BudgetRunRow: (budget_runs, ("run_id",)),
    ChargeRow: (charges, ("budget_id", "run_id", "period")),
    ReservationRow: (reservations, ("run_id", "number")),
    BudgetHoldRow: (budget_holds, ("task_id", "position")),
    BudgetTurnRow: (budget_turns, ("task_id",)),
    BudgetEventRow: (budget_events, ("sequence",)),
}
GIVEN_BY_DATABASE: dict[type[Row], str] = dict.fromkeys(
    (TransitionRow, InstantRow, AskEventRow, DeliverableRow, BudgetEventRow), "sequence"
)


def _partial(name: str, table: Table, columns: tuple[str, ...], where: str, *, unique: bool = False) -> Index:
    found = (table.c[column] for column in columns)
    return Index(name, *found, sqlite_where=text(where), postgresql_where=text(where), unique=unique)


_partial("tasks_by_deadline", tasks, ("deadline_at",), "deadline_at IS NOT NULL")
_partial("tasks_by_schedule", tasks, ("schedule_id",), "schedule_id IS NOT NULL")
_partial("task_history_by_schedule", task_history, ("schedule_id", "created_at"), "schedule_id IS NOT NULL")
_partial("tasks_by_batch", tasks, ("batch", "id"), "batch IS NOT NULL")
_partial("task_history_by_batch", task_history, ("batch", "id"), "batch IS NOT NULL")
_partial("tasks_with_fallback", tasks, ("id",), "fallback IS NOT NULL")
_partial("ready_by_agent", assignments, ("agent", "order_at", "task_id"), "state = 'ready' AND agent IS NOT NULL")
_partial(
    "ready_by_team",
    assignments,
    ("team", "order_at", "task_id"),
    "state = 'ready' AND agent IS NULL AND team IS NOT NULL",
)
_partial("ready_for_any", assignments, ("order_at", "task_id"), "state = 'ready' AND agent IS NULL AND team IS NULL")
_partial("delayed_by_ready_at", assignments, ("ready_at",), "state = 'delayed'")
_partial("leased_by_expires_at", assignments, ("expires_at",), "state = 'leased'")
_partial("leased_by_timeout_at", assignments, ("timeout_at",), "state = 'leased' AND timeout_at IS NOT NULL")
_partial("leased_by_cut_off_at", assignments, ("cut_off_at",), "state = 'leased' AND cut_off_at IS NOT NULL")
_partial("leased_by_worker", assignments, ("worker_id",), "state = 'leased'")
_partial("schedules_by_next_at", schedules, ("next_at",), "next_at IS NOT NULL")
_partial("instants_queued", instants, ("schedule_id", "nominal"), "status = 'queued'")
_partial("asks_open_by_expires_at", asks, ("expires_at", "id"), "status = 'open'")
_partial("asks_by_alarm_at", asks, ("alarm_at",), "alarm_at IS NOT NULL")
_partial("deliverables_by_task", deliverables, ("task_id",), "task_id IS NOT NULL")
_partial("asks_by_task", asks, ("task_id",), "task_id IS NOT NULL")
_partial("asks_of_owner", asks, ("owner", "key"), "status <> 'invalidated'", unique=True)
# IS NOT NULL, for SQLite sees of a comparison with a parameter that it implies this, and nothing more.
_partial("deliveries_due", deliveries, ("webhook_id", "next_at", "id"), "next_at IS NOT NULL")
_partial("deliveries_claimed", deliveries, ("claimed_at",), "claimed_at IS NOT NULL")
_partial("budgets_by_ends_at", budgets, ("ends_at",), "ends_at IS NOT NULL")
