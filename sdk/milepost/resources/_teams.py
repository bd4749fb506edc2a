"""Operations on teams: functions that say what is asked, and ask nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType
from typing import Any

from msgspec import UNSET, UnsetType

from milepost.resources._operation import Operation, path_of
from milepost.resources._values import build, given_only, text_list
from milepost.wire.tasks import Fallback
from milepost.wire.teams import MemberRequest, Team, TeamCreate, TeamList, TeamUpdate

__all__ = ["add", "create", "delete", "get", "list_teams", "remove", "update"]


def create(
    name: str,
    *,
    description: str = "",
    members: Iterable[str] = (),
    fallback: Fallback | Mapping[str, Any] | None = None,
) -> Operation[Team]:
    """Make a team of agents and return it. fallback: for tasks of the team that have none of their own.

    Raises:
        InvalidRequestError: a field is malformed, or the fallback names not exactly one of agent, team and person.
        ConflictError: there is a team of this name.
    """
    fields = {"name": name, "description": description, "members": text_list(members), "fallback": fallback}
    return Operation(method="POST", path=path_of("teams"), answer=Team, body=build(TeamCreate, given_only(fields)))


def list_teams() -> Operation[TeamList]:
    """Return every team, by name: those that were made and those that agents merely name."""
    return Operation(method="GET", path=path_of("teams"), answer=TeamList, repeatable=True)


def get(team: Team | str) -> Operation[Team]:
    """Return a team by name.

    Raises:
        NotFoundError: there is no such team.
    """
    return Operation(method="GET", path=_path(team), answer=Team, repeatable=True)


def update(
    team: Team | str,
    *,
    description: str | UnsetType = UNSET,
    fallback: Fallback | Mapping[str, Any] | UnsetType | None = UNSET,
) -> Operation[Team]:
    """Change what is given of a team; None takes its fallback away.

    Raises:
        NotFoundError: there is no such team.
        InvalidRequestError: the fallback names not exactly one of agent, team and person.
    """
    fields = {"description": description, "fallback": fallback}
    body = build(TeamUpdate, {name: value for name, value in fields.items() if value is not UNSET})
    return Operation(method="PATCH", path=_path(team), answer=Team, body=body, repeatable=True)


def add(team: Team | str, agents: str | Iterable[str]) -> Operation[Team]:
    """Put agents into a team; those that are in it stay.

    Raises:
        NotFoundError: there is no such team.
    """
    return _members(team, agents, "members")


def remove(team: Team | str, agents: str | Iterable[str]) -> Operation[Team]:
    """Take agents out of a team.

    Raises:
        NotFoundError: there is no such team.
        ConflictError: an agent's own code says that it belongs to the team.
    """
    return _members(team, agents, "members", "remove")


def delete(team: Team | str) -> Operation[None]:
    """Delete a team; its agents and tasks stay.

    Raises:
        NotFoundError: there is no such team.
        ConflictError: an agent's own code says that it belongs to the team.
    """
    return Operation(method="DELETE", path=_path(team), answer=NoneType, repeatable=True)


def _members(team: Team | str, agents: str | Iterable[str], *more: str) -> Operation[Team]:
    body = build(MemberRequest, {"agents": text_list(agents)})
    return Operation(method="POST", path=_path(team, *more), answer=Team, body=body, repeatable=True)


def _path(team: Team | str, *more: str) -> str:
    return path_of("teams", team.name if isinstance(team, Team) else team, *more)
