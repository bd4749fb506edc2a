"""Operations on agents and limits: functions that say what is asked, and ask nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType

from msgspec import UNSET, UnsetType

from milepost.resources._operation import Operation, path_of
from milepost.resources._values import build, given_only, text_list
from milepost.wire.agents import Agent, AgentList, AgentUpdate, Limit, LimitList, LimitScope
from milepost.wire.tasks import PauseRequest

__all__ = [
    "delete_limit",
    "get_agent",
    "list_agents",
    "list_limits",
    "pause_agent",
    "resume_agent",
    "set_limit",
    "update_agent",
]


def list_agents() -> Operation[AgentList]:
    """Return every agent that has ever registered or that a task names, with workers, leases and what waits for it."""
    return Operation(method="GET", path=path_of("agents"), answer=AgentList, repeatable=True)


def get_agent(agent: Agent | str) -> Operation[Agent]:
    """Return an agent by name.

    Raises:
        NotFoundError: there is no such agent.
    """
    return Operation(method="GET", path=_path(agent), answer=Agent, repeatable=True)


def update_agent(
    agent: Agent | str,
    *,
    capabilities: Iterable[str] | UnsetType | None = UNSET,
    labels: Mapping[str, str] | UnsetType | None = UNSET,
) -> Operation[Agent]:
    """Say what an agent is able to, instead of what its workers say of themselves; None: as they say.

    Raises:
        InvalidRequestError: a capability or label has a space or `=` in it, or is too long.
    """
    wanted = {
        "capabilities": capabilities if capabilities is None or capabilities is UNSET else text_list(capabilities),
        "labels": dict(labels) if isinstance(labels, Mapping) else labels,
    }
    body = build(AgentUpdate, {name: value for name, value in wanted.items() if value is not UNSET})
    return Operation(method="PATCH", path=_path(agent), answer=Agent, body=body, repeatable=True)


def pause_agent(agent: Agent | str, *, reason: str = "", by: str | None = None) -> Operation[Agent]:
    """Give an agent no more work; what its workers are doing goes on.

    Raises:
        NotFoundError: there is no such agent.
    """
    body = build(PauseRequest, given_only({"reason": reason, "by": by}))
    return Operation(method="POST", path=_path(agent, "pause"), answer=Agent, body=body, repeatable=True)


def resume_agent(agent: Agent | str, *, reason: str = "", by: str | None = None) -> Operation[Agent]:
    """Give an agent work again.

    Raises:
        NotFoundError: there is no such agent.
    """
    body = build(PauseRequest, given_only({"reason": reason, "by": by}))
    return Operation(method="POST", path=_path(agent, "resume"), answer=Agent, body=body, repeatable=True)


def list_limits() -> Operation[LimitList]:
    """Return every limit."""
    return Operation(method="GET", path=path_of("limits"), answer=LimitList, repeatable=True)


def set_limit(
    scope: LimitScope,
    value: str,
    *,
    concurrency: int | None = None,
    rate: int | None = None,
    per_ms: int | None = None,
) -> Operation[Limit]:
    """Limit how many attempts may run at once, or begin in a stretch of time; replaces the limit that was there.

    scope, value: the agent, the task name or the key that is limited; value `*` stands for each without a limit of its
    own. rate, per_ms: attempts begun in any stretch of that length; both or neither.

    Raises:
        InvalidRequestError: a number is out of range, or rate and per_ms do not come together.
    """
    fields = {"scope": scope, "value": value, "concurrency": concurrency, "rate": rate, "per_ms": per_ms}
    body = build(Limit, given_only(fields))
    return Operation(method="PUT", path=path_of("limits"), answer=Limit, body=body, repeatable=True)


def delete_limit(scope: LimitScope, value: str) -> Operation[None]:
    """Remove a limit.

    Raises:
        NotFoundError: there is no such limit.
    """
    return Operation(method="DELETE", path=path_of("limits", scope, value), answer=NoneType, repeatable=True)


def _path(agent: Agent | str, *more: str) -> str:
    return path_of("agents", agent.name if isinstance(agent, Agent) else agent, *more)
