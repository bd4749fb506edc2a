"""Tools that look at what agents ask people, and those that answer it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from pydantic import Field

from milepost.wire.asks import Ask, AskStatus
from milepost_collector.mcp.collector import Collector
from milepost_collector.mcp.recorded import Budget, recorded
from milepost_collector.mcp.tables import table

_COLUMNS = ("id", "status", "kind", "title", "expires_at", "approvers", "approvals", "agent", "task")
AskId = Annotated[str, Field(description="An ask's id, from list_approvals.")]
By = Annotated[str, Field(description="The person who told you to, by name.", min_length=1, max_length=200)]
Digest = Annotated[
    str, Field(description="The digest of the action that this person has seen, from read_approval.", min_length=1)
]
Reason = Annotated[str, Field(description="Why, as that person said.", max_length=2_000)]


class AskTools:
    """What can be asked about approvals and questions. Read-only: nobody counts as having received them."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    async def list_approvals(
        self,
        status: Annotated[list[AskStatus], Field(description="Any of these; empty: all.")] = ["open"],  # noqa: B006 - never changed
        approver: Annotated[str, Field(description="For this person, or team:NAME, or for anybody.")] = "",
        agent: str = "",
        text: Annotated[str, Field(description="Part of a title, details, action, key or id.")] = "",
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
        budget_tokens: Budget = 4_000,
    ) -> str:
        """List what agents ask people: approvals of actions and questions, the soonest to expire first."""
        page = await self._collector.asks.list(
            status=status, approver=approver or (), agent=agent or (), text=text or None, limit=limit
        ).page()
        if not page.asks:
            return "Nothing matches."
        more = "\nThere are more; narrow the filters or raise the limit." if page.next_cursor else ""
        return recorded(table(_COLUMNS, map(_row, page.asks)), budget_tokens) + more

    async def read_approval(self, ask_id: AskId, budget_tokens: Budget = 3_000) -> str:
        """Read one ask whole: what is asked, the action with its digest, who may decide, and what was said to it."""
        ask = await self._collector.asks.get(ask_id)
        text = msgspec.json.format(msgspec.json.encode(ask), indent=1).decode()
        return recorded(text, budget_tokens)


class AnswerTools:
    """What answers approvals and questions. Offered only where the person who starts the server allows it."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    async def approve(
        self,
        ask_id: AskId,
        by: By,
        action_digest: Digest,
        option: Annotated[str, Field(description="Which of its options, where several approve.")] = "",
        team: Annotated[str, Field(description="Which of the approvers' teams that person decides for.")] = "",
        reason: Reason = "",
    ) -> str:
        """Approve an action for a person who has seen it and told you to. Never of your own accord."""
        ask = await self._collector.asks.approve(
            ask_id,
            by=by,
            action_digest=action_digest,
            option=option or None,
            team=team or None,
            reason=reason,
            via="mcp",
        )
        return _standing(ask)

    async def reject(
        self,
        ask_id: AskId,
        by: By,
        reason: Reason,
        team: Annotated[str, Field(description="Which of the approvers' teams that person decides for.")] = "",
    ) -> str:
        """Reject an action or a question for a person who told you to."""
        ask = await self._collector.asks.reject(ask_id, by=by, team=team or None, reason=reason, via="mcp")
        return _standing(ask)

    async def answer_question(
        self,
        ask_id: AskId,
        by: By,
        value: Annotated[Any, Field(description="The answer: any JSON value that fits the question's schema.")],
        reason: Reason = "",
    ) -> str:
        """Answer a question in the words of a person who told you to."""
        return _standing(await self._collector.asks.answer(ask_id, value, by=by, reason=reason, via="mcp"))


def _standing(ask: Ask) -> str:
    if ask.status == "open":
        return f"Ask {ask.id} is open: {ask.approvals} of {ask.quorum} approvals."
    return f"Ask {ask.id} is {ask.status}."


def _row(ask: Ask) -> tuple[Any, ...]:
    approvals = f"{ask.approvals} of {ask.quorum}"
    return (
        *(ask.id, ask.status, ask.kind, ask.title, ask.expires_at, ", ".join(ask.approvers) or "anybody", approvals),
        *(ask.agent, ask.task_id),
    )
