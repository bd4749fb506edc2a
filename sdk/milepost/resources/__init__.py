"""What clients ask the collector: tasks, asks, schedules, triggers, agents, limits, budgets, runs, scores, feedback.

Reading order: `_operation` (what is asked, as a value), `_tasks`, `_batches`, `_asks`, `_schedules`, `_triggers`,
`_agents`, `_teams`, `_budgets`, `_runs`, `_scores`, `_webhooks` (functions that make such values of arguments, through
`_values`), `_exchange` (when an operation is sent again and which error it ends with) and `_wait`: all of it pure.
`_pages` iterates over lists; `_bound` makes methods of those functions, for `blocking` and `awaitable`, the resources
of the two clients. `_content` is what is attached, `_deliverables` how it is sent and fetched, `_handover` and
`_handover_awaited` the methods for that. What they send goes through `milepost._http`. `answers` are the structs of
recorded runs; the others are in `milepost.wire`.
"""

from __future__ import annotations

from milepost.resources._pages import AsyncPager, Pager
from milepost.resources.awaitable import (
    AsyncAgents,
    AsyncAsks,
    AsyncBudgets,
    AsyncFeedback,
    AsyncLimits,
    AsyncRuns,
    AsyncSchedules,
    AsyncScores,
    AsyncTasks,
    AsyncTeams,
    AsyncTriggers,
    AsyncWebhooks,
)
from milepost.resources.blocking import (
    Agents,
    Asks,
    Budgets,
    Feedback,
    Limits,
    Runs,
    Schedules,
    Scores,
    Tasks,
    Teams,
    Triggers,
    Webhooks,
)

__all__ = [
    "Agents",
    "Asks",
    "AsyncAgents",
    "AsyncAsks",
    "AsyncBudgets",
    "AsyncFeedback",
    "AsyncLimits",
    "AsyncPager",
    "AsyncRuns",
    "AsyncSchedules",
    "AsyncScores",
    "AsyncTasks",
    "AsyncTeams",
    "AsyncTriggers",
    "AsyncWebhooks",
    "Budgets",
    "Feedback",
    "Limits",
    "Pager",
    "Runs",
    "Schedules",
    "Scores",
    "Tasks",
    "Teams",
    "Triggers",
    "Webhooks",
]
