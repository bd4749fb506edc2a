"""Operations on budgets: functions that say what is asked, and ask nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Literal

from milepost.resources._operation import Operation, path_of, query_of
from milepost.resources._pages import Listing
from milepost.resources._values import build, given_only
from milepost.wire.budgets import (
    Budget,
    BudgetDetail,
    BudgetLimits,
    BudgetList,
    BudgetRaise,
    BudgetScope,
    BudgetSet,
    ReserveAnswer,
    ReserveRequest,
)

__all__ = ["delete", "get", "listing", "raise_by", "reserve", "set_budget"]


def listing(
    *, scope: BudgetScope | Sequence[BudgetScope] = (), page_size: int | None = None, cursor: str | None = None
) -> Listing[BudgetList, Budget]:
    """Return budgets with what is used of them, by scope and value.

    scope: of these alone; none: of all but those of single tasks, which the tasks themselves tell.

    Raises:
        InvalidRequestError: a scope or the cursor is not valid.
    """
    query = query_of({"scope": scope, "limit": page_size, "cursor": cursor})
    operation = Operation(method="GET", path=path_of("budgets"), answer=BudgetList, query=query, repeatable=True)
    return Listing(operation, lambda page: page.budgets)


def get(budget: Budget | str) -> Operation[BudgetDetail]:
    """Return a budget with the runs that draw on it, its former periods and what happened to it.

    Raises:
        NotFoundError: there is no such budget.
    """
    return Operation(method="GET", path=_path(budget), answer=BudgetDetail, repeatable=True)


def set_budget(
    scope: BudgetScope,
    value: str = "*",
    *,
    usd: float | None = None,
    tokens: int | None = None,
    wall_ms: int | None = None,
    tool_calls: int | None = None,
    per: Literal["total", "day"] = "total",
    zone: str = "UTC",
    soft: float | None = None,
    soft_limits: BudgetLimits | Mapping[str, Any] | None = None,
    grace_ms: int | None = None,
    finish: float | None = None,
    by: str | None = None,
) -> Operation[Budget]:
    """Set a budget and return it; it replaces the one of the same scope, value and period, what was used stays used.

    scope, value: a task's id, tasks of a name, an agent, a team; `project`: everything. per: `day`: used anew each day
    as zone has it. soft: the part of the limits from which on a warning is due (0.8), or soft_limits: amounts.
    grace_ms: how long attempts may take to stop when a limit is reached (10,000). finish: the part of the limits that a
    task may use beyond them to hand back what it has (0.05).

    Raises:
        InvalidRequestError: nothing is limited, or a field is out of range.
        NotFoundError: there is no such task.
    """
    limits = {"usd": usd, "tokens": tokens, "wall_ms": wall_ms, "tool_calls": tool_calls}
    fields = {
        **{"scope": scope, "value": value, "per": per, "zone": zone, "by": by},
        **{"soft": soft, "soft_limits": soft_limits, "grace_ms": grace_ms, "finish": finish},
    }
    body = build(BudgetSet, given_only({**limits, **fields}))
    return Operation(method="PUT", path=path_of("budgets"), answer=Budget, body=body, repeatable=True)


def raise_by(
    budget: Budget | str,
    *,
    usd: float | None = None,
    tokens: int | None = None,
    wall_ms: int | None = None,
    tool_calls: int | None = None,
    reason: str = "",
    by: str | None = None,
) -> Operation[Budget]:
    """Allow so much more until the present period ends (of a budget in total: for good); what waits for it goes on.

    Raises:
        InvalidRequestError: nothing is added, or to what the budget does not limit.
        NotFoundError: there is no such budget.
    """
    amounts = {"usd": usd, "tokens": tokens, "wall_ms": wall_ms, "tool_calls": tool_calls}
    body = build(BudgetRaise, given_only({**amounts, "reason": reason, "by": by}))
    return Operation(method="POST", path=_path(budget, "raise"), answer=Budget, body=body)


def delete(budget: Budget | str) -> Operation[None]:
    """Remove a budget; what it held back goes on.

    Raises:
        NotFoundError: there is no such budget.
    """
    return Operation(method="DELETE", path=_path(budget), answer=NoneType, repeatable=True)


def reserve(
    run_id: str,
    number: int,
    *,
    agent: str | None = None,
    usd: float = 0.0,
    tokens: int = 0,
    tool_calls: int = 0,
    expires_ms: int = 300_000,
    release: bool = False,
) -> Operation[ReserveAnswer]:
    """Reserve for a recorded run that no task stands behind; from then on its usage counts for its agent and the
    project. Handlers of tasks use `ctx.reserve` instead.

    number: the caller's, from 1, so that asking again reserves nothing twice. release: give it back instead.

    Raises:
        ConflictError: a budget does not allow it; `value` is the budget's id.
        InvalidRequestError: an amount is out of range.
    """
    fields = {
        **{"run_id": run_id, "number": number, "agent": agent, "expires_ms": expires_ms, "release": release},
        **{"usd": usd, "tokens": tokens, "tool_calls": tool_calls},
    }
    body = build(ReserveRequest, given_only(fields))
    return Operation(
        method="POST", path=path_of("budgets", "reserve"), answer=ReserveAnswer, body=body, repeatable=True
    )


def _path(budget: Budget | str, *more: str) -> str:
    return path_of("budgets", budget.id if isinstance(budget, Budget) else budget, *more)
