"""Budgets, what was used of them and by whom. Amounts are whole numbers: billionths of a USD, tokens, milliseconds,
calls."""

from __future__ import annotations

from msgspec import Struct


class BudgetRow(Struct, kw_only=True, array_like=True, gc=False):
    """A budget and what is used of it in its present period. Table `budgets`, key id; (key, per) is unique.

    key: `scope:value`. task_id: of the scope `task`. limit_…, soft_…: None: not limited. raised_…: allowed beyond the
    limits in this period. period: the day in the zone; empty in total. ends_at: when the period does. soft_at, hard_at:
    when a limit was reached in this period. eased_at: when more was allowed last: set, raised, begun anew. reserved_…:
    what is left of all reservations that name the budget.
    """

    id: str
    key: str
    per: str
    zone: str
    created_at: int
    updated_at: int
    soft: float
    finish: float
    grace_ms: int
    task_id: str | None = None
    set_by: str | None = None
    limit_usd: int | None = None
    limit_tokens: int | None = None
    limit_wall_ms: int | None = None
    limit_tool_calls: int | None = None
    soft_usd: int | None = None
    soft_tokens: int | None = None
    soft_wall_ms: int | None = None
    soft_tool_calls: int | None = None
    period: str = ""
    ends_at: int | None = None
    used_usd: int = 0
    used_tokens: int = 0
    used_wall_ms: int = 0
    used_tool_calls: int = 0
    reserved_usd: int = 0
    reserved_tokens: int = 0
    reserved_wall_ms: int = 0
    reserved_tool_calls: int = 0
    raised_usd: int = 0
    raised_tokens: int = 0
    raised_wall_ms: int = 0
    raised_tool_calls: int = 0
    soft_at: int | None = None
    hard_at: int | None = None
    eased_at: int = 0


class BudgetPeriodRow(Struct, kw_only=True, array_like=True, gc=False):
    """A period that is over. Table `budget_periods`, key (budget_id, period). limit_…: as they were, with what was
    added to them."""

    budget_id: str
    period: str
    ended_at: int
    task_id: str | None = None
    used_usd: int = 0
    used_tokens: int = 0
    used_wall_ms: int = 0
    used_tool_calls: int = 0
    limit_usd: int | None = None
    limit_tokens: int | None = None
    limit_wall_ms: int | None = None
    limit_tool_calls: int | None = None
    soft_at: int | None = None
    hard_at: int | None = None


class BudgetRunRow(Struct, kw_only=True, array_like=True, gc=False):
    """A run that draws on budgets: an attempt's, or one that has reserved. Table `budget_runs`, key run_id.

    lineage: JSON, the keys of the budgets that it draws on, there be such or not: its own and those of the runs that
    its task was asked for in. used_…: all that is known of it. finishing: it is the turn to hand back what there is.
    """

    run_id: str
    lineage: str
    began_at: int
    task_id: str | None = None
    position: int = 0
    attempt: int = 0
    agent: str | None = None
    ended_at: int | None = None
    used_usd: int = 0
    used_tokens: int = 0
    used_wall_ms: int = 0
    used_tool_calls: int = 0
    finishing: int = 0


class ChargeRow(Struct, kw_only=True, array_like=True, gc=False):
    """What of a run's usage counts in a period of a budget. Table `charges`, key (budget_id, run_id, period)."""

    budget_id: str
    run_id: str
    period: str
    task_id: str | None = None
    used_usd: int = 0
    used_tokens: int = 0
    used_wall_ms: int = 0
    used_tool_calls: int = 0


class ReservationRow(Struct, kw_only=True, array_like=True, gc=False):
    """What a run may still use of what it was granted. Table `reservations`, key (run_id, number); gone when nothing is
    left or free_at has passed.

    number: the run's own, so that asking again grants nothing twice. budgets: JSON, ids of those it counts in. left_…:
    less what the run used since. released_at: since when nothing more is spent on it, and what was is recorded.
    """

    run_id: str
    number: int
    budgets: str
    created_at: int
    free_at: int
    released_at: int | None = None
    task_id: str | None = None
    left_usd: int = 0
    left_tokens: int = 0
    left_wall_ms: int = 0
    left_tool_calls: int = 0


class BudgetHoldRow(Struct, kw_only=True, array_like=True, gc=False):
    """An assignment that a used-up budget keeps from being leased. Table `budget_holds`, key (task_id, position).

    ask_id: the ask that its task waits for in review; None: it waits in the queue.
    """

    task_id: str
    position: int
    budget_id: str
    held_at: int
    ask_id: str | None = None


class BudgetTurnRow(Struct, kw_only=True, array_like=True, gc=False):
    """A task's one turn to hand back what it has. Table `budget_turns`, key task_id. limit_…: what it may use beyond
    the budget. run_id: of the attempt that has it; None: it has not begun."""

    task_id: str
    budget_id: str
    granted_at: int
    run_id: str | None = None
    limit_usd: int | None = None
    limit_tokens: int | None = None
    limit_wall_ms: int | None = None
    limit_tool_calls: int | None = None


class BudgetEventRow(Struct, kw_only=True, array_like=True, gc=False):
    """Table `budget_events`, key sequence, which the database gives, rising in order of commits: followed like
    `transitions`. event: see `milepost.wire.budgets.BudgetEvent`. used, budget_limit: of the measure reached."""

    budget_id: str
    key: str
    per: str
    event: str
    time: int
    period: str = ""
    measure: str | None = None
    used: int | None = None
    budget_limit: int | None = None
    task_id: str | None = None
    by: str | None = None
    reason: str = ""
    sequence: int = 0
