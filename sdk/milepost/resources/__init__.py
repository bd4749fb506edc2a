"""What clients ask the collector: managed tasks, schedules, agents, limits, recorded runs.

Reading order: `_operation` (what is asked, as a value), `_tasks`, `_schedules`, `_agents`, `_runs` (functions that make
such values from arguments, through `_values`), `_exchange` (when an operation is sent again and which error it ends
with) and `_wait`: all of it pure. `_pages` iterates over lists; `_bound` makes methods from those functions, for
`blocking` and `awaitable`, the resources of the two clients. What they send goes through `milepost._http`. `answers`
are the structs of recorded runs; those of tasks, schedules and agents are in `milepost.wire`.
"""

from __future__ import annotations

from milepost.resources._pages import AsyncPager, Pager
from milepost.resources.awaitable import AsyncAgents, AsyncLimits, AsyncRuns, AsyncSchedules, AsyncTasks
from milepost.resources.blocking import Agents, Limits, Runs, Schedules, Tasks

__all__ = [
    "Agents",
    "AsyncAgents",
    "AsyncLimits",
    "AsyncPager",
    "AsyncRuns",
    "AsyncSchedules",
    "AsyncTasks",
    "Limits",
    "Pager",
    "Runs",
    "Schedules",
    "Tasks",
]
