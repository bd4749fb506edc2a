"""`/api/budgets…`: what may be used, what was, and what runs without a task reserve."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from milepost.wire.budgets import BUDGET_SCOPES, BudgetRaise, BudgetSet, ReserveAnswer, ReserveRequest
from milepost_collector.controller import views
from milepost_collector.web.controller.bodies import Body, answer, nothing
from milepost_collector.web.controller.parameters import Cursor, check
from milepost_collector.web.parameters import parse
from milepost_collector.web.state import services

MAX_BUDGETS = 500  # of one page

_set = Body(BudgetSet)
_raise = Body(BudgetRaise)
_reserve = Body(ReserveRequest)


class BudgetListParameters(Struct, kw_only=True):
    """A page of budgets."""

    scope: Annotated[
        list[str],
        Meta(
            description=f"Any of these scopes; may be repeated: {', '.join(BUDGET_SCOPES)}. "
            "Without it all but those of single tasks."
        ),
    ] = []
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(description="Budgets at most.", ge=1, le=MAX_BUDGETS)] = 100


async def get_budgets(request: Request) -> Response:
    """Return a page of budgets."""
    wanted = parse(request.query_params, BudgetListParameters)
    for scope in wanted.scope:
        check("scope", scope, BUDGET_SCOPES)
    found = await services(request).controller.read(
        lambda tx: views.budgets(tx, scopes=wanted.scope, cursor=wanted.cursor, limit=wanted.limit)
    )
    return answer(found)


async def put_budget(request: Request) -> Response:
    """Set a budget, in place of the one for the same scope, value and period."""
    wanted = await _set.read(request)
    controller = services(request).controller
    budget_id = await controller.write(lambda engine, tx: engine.set_budget(tx, wanted), frees=True)
    return answer(await controller.read(lambda tx: views.budget(tx, budget_id)))


async def get_budget(request: Request) -> Response:
    """Return a budget with what draws on it."""
    budget_id = request.path_params["budget_id"]
    return answer(await services(request).controller.read(lambda tx: views.budget_detail(tx, budget_id)))


async def post_raise(request: Request) -> Response:
    """Allow more in the present period."""
    controller, budget_id = services(request).controller, request.path_params["budget_id"]
    wanted = await _raise.read(request)
    await controller.write(lambda engine, tx: engine.raise_budget(tx, budget_id, wanted), frees=True)
    return answer(await controller.read(lambda tx: views.budget(tx, budget_id)))


async def delete_budget(request: Request) -> Response:
    """Remove a budget."""
    budget_id = request.path_params["budget_id"]
    await services(request).controller.write(lambda engine, tx: engine.delete_budget(tx, budget_id), frees=True)
    return nothing()


async def post_reserve(request: Request) -> Response:
    """Reserve for a run that no task stands behind, or give that back."""
    wanted = await _reserve.read(request)
    left = await services(request).controller.write(lambda engine, tx: engine.reserve(tx, wanted))
    return answer(ReserveAnswer(left=left))
