"""What is read of tasks, agents and schedules: rows put together into the wire's structs, in a reading transaction.

Read `tasks` (one task whole, pages of them), `attempts` (attempts, checkpoints, transitions), `agents` (agents,
workers, limits), `teams` (and who suits a task), `schedules`, `asks` and `deliverables`.
workers, limits), `schedules`, `asks` and `budgets`.
"""

from milepost_collector.controller.views.agents import agent, agents, limits
from milepost_collector.controller.views.asks import ask, asks
from milepost_collector.controller.views.attempts import attempt, attempts, checkpoints, transitions
from milepost_collector.controller.views.batches import batch, batches
from milepost_collector.controller.views.budgets import budget, budget_detail, budget_event, budgets
from milepost_collector.controller.views.deliverables import content, deliverable, deliverables, shown
from milepost_collector.controller.views.schedules import ledger, preview, schedule, schedules
from milepost_collector.controller.views.tasks import counts, new_tasks, task, tasks
from milepost_collector.controller.views.teams import match, name_of, team, teams

__all__ = [
    "agent",
    "agents",
    "ask",
    "asks",
    "attempt",
    "attempts",
    "batch",
    "batches",
    "budget",
    "budget_detail",
    "budget_event",
    "budgets",
    "checkpoints",
    "content",
    "counts",
    "deliverable",
    "deliverables",
    "ledger",
    "limits",
    "match",
    "name_of",
    "new_tasks",
    "preview",
    "schedule",
    "schedules",
    "shown",
    "task",
    "tasks",
    "team",
    "teams",
    "transitions",
]
