"""Budgets: what tasks may use in money, tokens, running time and calls of tools, under `/api/budgets`.

A budget's *scope* says whose attempts draw on it: a task's, those of tasks of a name, those that an agent or a team
works on, or all (`project`). A task that an attempt asks for draws on everything that this attempt draws on, too, so a
budget of its own can only narrow what it may use. Amounts are USD, tokens (input and output), milliseconds of attempts'
running time, and calls of tools. What attempts used is known once their telemetry is recorded; an attempt may *reserve*
before it spends, and what is reserved counts as used. Times are RFC 3339 in UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from milepost.wire.events import RunId
from milepost.wire.parts import DurationMs, Fraction, Name, Reason, TaskId

__all__ = [
    "BUDGET_PERIODS",
    "BUDGET_SCOPES",
    "MEASURES",
    "Amounts",
    "Budget",
    "BudgetDetail",
    "BudgetEvent",
    "BudgetLeft",
    "BudgetLimits",
    "BudgetList",
    "BudgetPeriod",
    "BudgetRaise",
    "BudgetRun",
    "BudgetSet",
    "ReserveAnswer",
    "ReserveRequest",
    "TaskBudget",
]

MEASURES = ("usd", "tokens", "wall_ms", "tool_calls")
BUDGET_SCOPES = ("task", "name", "agent", "team", "project")
BUDGET_PERIODS = ("total", "day")

BudgetScope = Literal["task", "name", "agent", "team", "project"]
BudgetState = Literal["open", "soft", "hard"]


class BudgetLimits(Struct, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """So much of each measure at most; None: not limited. tokens: input and output. wall_ms: of attempts running."""

    usd: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    tokens: Annotated[int, Meta(ge=0, le=1_000_000_000_000)] | None = None
    wall_ms: Annotated[int, Meta(ge=0, le=31_536_000_000_000)] | None = None
    tool_calls: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None


class TaskBudget(BudgetLimits, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What may be used: hard limits, at least one. soft: the part of them from which on a warning is due; soft_limits:
    amounts instead. grace_ms: how long an attempt may take to stop when a hard limit is reached. finish: the part of
    the limits that a task may use beyond them to hand back what it has, when a person decides so."""

    soft: Fraction = 0.8
    soft_limits: BudgetLimits | None = None
    grace_ms: DurationMs = 10_000
    finish: Fraction = 0.05


class Amounts(Struct, omit_defaults=True, kw_only=True, frozen=True):
    """So much of each measure. usd: to a billionth."""

    usd: float = 0.0
    tokens: int = 0
    wall_ms: int = 0
    tool_calls: int = 0


class BudgetSet(TaskBudget, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Set a budget, in place of the one of this scope, value and period; what was used stays used.

    value: the task's id, the name, agent or team; `*` for `project`. per: `total`, or `day`: used anew each day as zone
    has it (IANA name). by: who.
    """

    scope: Literal["task", "name", "agent", "team", "project"]
    value: Name = "*"
    per: Literal["total", "day"] = "total"
    zone: Annotated[str, Meta(min_length=1, max_length=64)] = "UTC"
    by: Name | None = None


class BudgetRaise(BudgetLimits, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Allow more until the present period ends; of a budget in total for good. Tasks that wait for it go on."""

    reason: Reason = ""
    by: Name | None = None


class Budget(Struct, kw_only=True):
    """A budget as it stands in its present period.

    definition: as it was set. limits: with what it was raised by. soft_limits: from which a warning is due. used: by
    attempts, as far as is recorded. reserved: by attempts, not used yet. state: `open`, `soft` (a soft limit is
    reached) or `hard` (nothing more begins under it); reached: the measure that made it so. period: the day, as its
    zone has it; empty in total. running: attempts that draw on it now. waiting: tasks that it holds back.
    """

    id: str
    scope: BudgetScope
    value: str
    per: Literal["total", "day"]
    zone: str
    definition: TaskBudget
    limits: BudgetLimits
    soft_limits: BudgetLimits
    raised: BudgetLimits
    used: Amounts
    reserved: Amounts
    state: BudgetState
    grace_ms: int
    finish: float
    created_at: datetime
    updated_at: datetime
    period: str = ""
    reached: str | None = None
    resets_at: datetime | None = None
    running: int = 0
    waiting: int = 0
    set_by: str | None = None


class BudgetList(Struct, kw_only=True):
    """A page of budgets, by scope and value. next_cursor: of the next page; None at the end."""

    budgets: list[Budget]
    next_cursor: str | None


class BudgetPeriod(Struct, kw_only=True):
    """A period of a budget that is over."""

    period: str
    used: Amounts
    limits: BudgetLimits
    state: BudgetState
    ended_at: datetime


class BudgetRun(Struct, kw_only=True):
    """An attempt's run that draws, or drew, on a budget. used: charged to it in all its periods."""

    run_id: str
    used: Amounts
    reserved: Amounts
    began_at: datetime
    task_id: str | None = None
    attempt: int | None = None
    agent: str | None = None
    ended_at: datetime | None = None


class BudgetEvent(Struct, omit_defaults=True, kw_only=True):
    """Something that happened to a budget: `set`, `soft`, `hard`, `raised`, `reset` or `deleted`. used, limit: of the
    measure that was reached."""

    budget_id: str
    event: str
    time: datetime
    scope: str
    value: str
    per: str
    period: str = ""
    measure: str | None = None
    used: float | None = None
    limit: float | None = None
    task_id: TaskId | None = None
    by: str | None = None
    reason: str = ""


class BudgetDetail(Struct, kw_only=True):
    """A budget with the runs that draw on it (the newest 100), its former periods (the newest 90) and what happened to
    it (the newest 100)."""

    budget: Budget
    runs: list[BudgetRun]
    periods: list[BudgetPeriod]
    events: list[BudgetEvent]


class ReserveRequest(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """Reserve for a recorded run that no task stands behind; from then on its usage counts, for its agent and the
    project. number: the caller's, so that asking again reserves nothing twice. release: give it back instead."""

    run_id: RunId
    number: Annotated[int, Meta(ge=1, le=2_147_483_647)]
    agent: Name | None = None
    usd: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    tokens: Annotated[int, Meta(ge=0, le=1_000_000_000_000)] = 0
    tool_calls: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0
    expires_ms: Annotated[int, Meta(ge=1_000, le=86_400_000)] = 300_000
    release: bool = False


class BudgetLeft(Struct, omit_defaults=True, kw_only=True):
    """What an attempt may still use: over all its budgets the least of each measure; None: not limited. finishing: the
    budget is used up, and this is the one turn to hand back what there is."""

    usd: float | None = None
    tokens: int | None = None
    wall_ms: int | None = None
    tool_calls: int | None = None
    finishing: bool = False


class ReserveAnswer(Struct, kw_only=True):
    """It is reserved. left: what may be used beside it."""

    left: BudgetLeft
