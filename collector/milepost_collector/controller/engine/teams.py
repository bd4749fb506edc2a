"""Teams and what agents are able to: said by their workers, or given by people.

A worker's row holds the outcome (its teams, its abilities), so that a poll need not look anything up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec
from msgspec import UNSET

from milepost.wire.agents import AgentUpdate
from milepost.wire.tasks import Fallback
from milepost.wire.teams import TeamCreate, TeamUpdate
from milepost_collector.controller.engine.unit import Unit, names_in
from milepost_collector.controller.rows import AgentRow, TeamRow, WorkerRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import ConflictError, InvalidParameterError, NotFoundError


def create(unit: Unit, request: TeamCreate) -> None:
    """Make a team.

    Raises:
        ConflictError: there is one of this name.
        InvalidParameterError: the fallback names nobody, or several, or the team itself.
    """
    if find(unit.tx, request.name) is not None:
        raise ConflictError(f"there is a team {request.name!r}; change it, or choose another name")
    row = TeamRow(
        name=request.name,
        description=request.description,
        fallback=fallback_text(request.fallback, team=request.name),
        created_at=unit.now,
        updated_at=unit.now,
    )
    unit.tx.insert([row])
    if request.members:
        add_members(unit, request.name, request.members)


def update(unit: Unit, name: str, request: TeamUpdate) -> None:
    """Change a team; one that agents merely name is made by it.

    Raises:
        NotFoundError: there is none, and no agent names it.
        InvalidParameterError: the fallback names nobody, or several, or the team itself.
    """
    row = _made(unit, name)
    if request.description is not UNSET:
        row.description = request.description
    if request.fallback is not UNSET:
        row.fallback = fallback_text(request.fallback, team=name)
    row.updated_at = unit.now
    unit.tx.upsert([row])


def delete(unit: Unit, name: str) -> None:
    """Remove a team; who was added to it leaves it.

    Raises:
        NotFoundError: there is none.
        ConflictError: workers say that they belong to it.
    """
    row = find(unit.tx, name)
    if row is None:
        raise NotFoundError("team", name)
    members = _members(unit.tx, name)
    _refuse_declared(name, members)
    _change(unit, members, lambda agent: _without(agent, name))
    unit.tx.delete([row])


def add_members(unit: Unit, name: str, agents: Collection[str]) -> None:
    """Put agents into a team; those that are in it stay. An agent need not have been seen yet.

    Raises:
        NotFoundError: there is no such team.
    """
    _made(unit, name)
    known = {row.name: row for row in unit.tx.agents()}
    rows = [known.get(agent) or AgentRow(name=agent) for agent in dict.fromkeys(agents)]
    _change(unit, rows, lambda agent: _with(agent, name))


def remove_members(unit: Unit, name: str, agents: Collection[str]) -> None:
    """Take agents out of a team; those that are not in it stay out.

    Raises:
        NotFoundError: there is no such team.
        ConflictError: an agent's workers say that it belongs to it.
    """
    _made(unit, name)
    rows = [row for row in unit.tx.agents() if row.name in agents]
    _refuse_declared(name, rows)
    _change(unit, rows, lambda agent: _without(agent, name))


def update_agent(unit: Unit, name: str, request: AgentUpdate) -> None:
    """Change what an agent is said to be able to; null lets its workers say it again."""
    row = unit.tx.agent(name) or AgentRow(name=name)
    if request.capabilities is not UNSET:
        given = request.capabilities
        row.given_capabilities = None if given is None else text_of(sorted(set(given)))
    if request.labels is not UNSET:
        row.given_labels = None if request.labels is None else text_of(dict(sorted(request.labels.items())))
    unit.tx.upsert([row])
    _spread(unit, [row])


def abilities(row: AgentRow) -> list[str]:
    """Return what tasks may need of an agent: its capabilities, and its labels as `name=value`, sorted."""
    named = [f"{label}={value}" for label, value in labels_of(row).items()]
    return sorted({*capabilities_of(row), *named})


def capabilities_of(row: AgentRow) -> list[str]:
    """Return an agent's capabilities: given by people, else as its workers say."""
    return names_in(row.capabilities if row.given_capabilities is None else row.given_capabilities)


def labels_of(row: AgentRow) -> dict[str, str]:
    """Return an agent's labels: given by people, else as its workers say."""
    text = row.labels if row.given_labels is None else row.given_labels
    return msgspec.json.decode(text, type=dict[str, str])


def find(tx: Tx, name: str) -> TeamRow | None:
    """Return a team that somebody has made."""
    return next(iter(tx.find(TeamRow, Find(equal={"name": name}, limit=1))), None)


def fallback_text(fallback: Fallback | None, *, team: str | None = None) -> str | None:
    """Return a fallback as JSON.

    Raises:
        InvalidParameterError: it names nobody, or several, or the team that it is of.
    """
    if fallback is None:
        return None
    given = [name for name in ("agent", "team", "person") if getattr(fallback, name) is not None]
    if len(given) != 1:
        raise InvalidParameterError("fallback", given, "name one of agent, team and person")
    if team is not None and fallback.team == team:
        raise InvalidParameterError("fallback.team", team, "name another team than the one that falls back")
    return msgspec.json.encode(fallback).decode()


def text_of(value: object) -> str:
    """Return a value as JSON text."""
    return msgspec.json.encode(value).decode()


def _made(unit: Unit, name: str) -> TeamRow:
    row = find(unit.tx, name)
    if row is not None:
        return row
    if not _members(unit.tx, name):
        raise NotFoundError("team", name)
    row = TeamRow(name=name, created_at=unit.now, updated_at=unit.now)
    unit.tx.insert([row])
    return row


def _refuse_declared(name: str, agents: Collection[AgentRow]) -> None:
    declared = [row.name for row in agents if name in names_in(row.teams)]
    if declared:
        who = ", ".join(declared[:5])
        raise ConflictError(f"workers of {who} say that they belong to team {name!r}; take it out of their code first")


def _members(tx: Tx, name: str) -> list[AgentRow]:
    return [row for row in tx.agents() if name in (*names_in(row.teams), *names_in(row.joined))]


def _with(agent: AgentRow, name: str) -> None:
    agent.joined = text_of(sorted({*names_in(agent.joined), name}))


def _without(agent: AgentRow, name: str) -> None:
    agent.joined = text_of([team for team in names_in(agent.joined) if team != name])


def _change(unit: Unit, rows: list[AgentRow], change: Callable[[AgentRow], None]) -> None:
    were = {row.name: set(names_in(row.joined)) for row in rows}
    for row in rows:
        change(row)
    if rows:
        unit.tx.upsert(rows)
        _spread(unit, rows, were)


def _spread(unit: Unit, rows: list[AgentRow], were_joined: dict[str, set[str]] | None = None) -> None:
    """Bring the rows of agents' workers in line with them."""
    changed: list[WorkerRow] = []
    agents = {row.name: row for row in rows}
    for worker in unit.tx.workers():
        if (agent := agents.get(worker.agent)) is None:
            continue
        worker.abilities = text_of(abilities(agent))
        if were_joined is not None:
            joined = set(names_in(agent.joined))
            said = set(names_in(worker.teams)) - (were_joined[agent.name] - set(names_in(agent.teams)))
            worker.teams = text_of(sorted(said | joined))
        changed.append(worker)
    if changed:
        unit.tx.update(changed)
    unit.effects.regrouped = unit.effects.freed = True
