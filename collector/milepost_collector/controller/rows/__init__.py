"""The rows of the controller's store: one struct per table, one field per column.

Instants (`…_at`, `time`, `nominal`) are integer milliseconds since the Unix epoch; JSON is kept as text. Rows are plain
mutable values: the engine loads them, changes them and hands them back, and only the store knows of SQL.

`array_like`: the store makes them from a database's tuples. `gc=False`: they hold nothing that could form a cycle.

Read `tasks`, then `agents`, `teams` (batches too), `schedules`, `asks` with `links`, `triggers`, `webhooks` and
`deliverables`.
"""

from __future__ import annotations

from milepost_collector.controller.rows.agents import AgentRow, LimitRow, RateRow, WorkerRow
from milepost_collector.controller.rows.asks import AskEventRow, AskRow, DecisionRow
from milepost_collector.controller.rows.budgets import (
    BudgetEventRow,
    BudgetHoldRow,
    BudgetPeriodRow,
    BudgetRow,
    BudgetRunRow,
    BudgetTurnRow,
    ChargeRow,
    ReservationRow,
)
from milepost_collector.controller.rows.deliverables import ContentRow, DeliverableRow
from milepost_collector.controller.rows.links import LinkRow
from milepost_collector.controller.rows.schedules import InstantRow, ScheduleRow
from milepost_collector.controller.rows.tasks import (
    AssignmentRow,
    AssignmentState,
    AttemptRow,
    CheckpointRow,
    DependencyRow,
    IdempotencyRow,
    PayloadRow,
    StepRow,
    TaskRow,
    TransitionRow,
)
from milepost_collector.controller.rows.teams import BatchRow, TeamRow
from milepost_collector.controller.rows.triggers import PositionRow, TriggerEventRow, TriggerPayloadRow, TriggerRow
from milepost_collector.controller.rows.webhooks import (
    DeliveryRow,
    DeliveryTryRow,
    StartedRunRow,
    WebhookRow,
)

__all__ = [
    "AgentRow",
    "AskEventRow",
    "AskRow",
    "AssignmentRow",
    "AssignmentState",
    "AttemptRow",
    "BatchRow",
    "BudgetEventRow",
    "BudgetHoldRow",
    "BudgetPeriodRow",
    "BudgetRow",
    "BudgetRunRow",
    "BudgetTurnRow",
    "ChargeRow",
    "CheckpointRow",
    "ContentRow",
    "DecisionRow",
    "DeliverableRow",
    "DeliveryRow",
    "DeliveryTryRow",
    "DependencyRow",
    "IdempotencyRow",
    "InstantRow",
    "LimitRow",
    "LinkRow",
    "PayloadRow",
    "PositionRow",
    "RateRow",
    "ReservationRow",
    "Row",
    "ScheduleRow",
    "StartedRunRow",
    "StepRow",
    "TaskRow",
    "TeamRow",
    "TransitionRow",
    "TriggerEventRow",
    "TriggerPayloadRow",
    "TriggerRow",
    "WebhookRow",
    "WorkerRow",
]

Row = (
    TaskRow
    | PayloadRow
    | AssignmentRow
    | AttemptRow
    | DependencyRow
    | CheckpointRow
    | StepRow
    | TransitionRow
    | IdempotencyRow
    | AgentRow
    | WorkerRow
    | LimitRow
    | RateRow
    | ScheduleRow
    | InstantRow
    | AskRow
    | DecisionRow
    | LinkRow
    | AskEventRow
    | TriggerRow
    | TriggerEventRow
    | TriggerPayloadRow
    | PositionRow
    | WebhookRow
    | DeliveryRow
    | DeliveryTryRow
    | StartedRunRow
    | DeliverableRow
    | ContentRow
    | TeamRow
    | BatchRow
    | BudgetEventRow
    | BudgetHoldRow
    | BudgetPeriodRow
    | BudgetRow
    | BudgetRunRow
    | BudgetTurnRow
    | ChargeRow
    | ReservationRow
)
