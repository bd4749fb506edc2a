"""Teams, and how well agents suit a task."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from milepost.wire.tasks import Fallback
from milepost.wire.teams import Match, MatchCandidate, Team, TeamList
from milepost_collector.controller import matching
from milepost_collector.controller.engine.choosing import (
    RECORDED,
    Cost,
    Record,
    Standing,
    contender,
    is_alive,
    match_wait_ms,
    needs_of,
    records,
    standings,
    wish_of,
)
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.engine.queueing import new_assignments
from milepost_collector.controller.engine.teams import abilities
from milepost_collector.controller.engine.unit import names_in
from milepost_collector.controller.rows import AgentRow, AssignmentRow, TaskRow, TeamRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.controller.views.tasks import find
from milepost_collector.errors import NotFoundError

MAX_TEAMS = 10_000


def teams(tx: Tx) -> TeamList:
    """Return every team that was made or that an agent names, by name."""
    made = {row.name: row for row in tx.find(TeamRow, Find(order=("name",), limit=MAX_TEAMS))}
    found = {name: _team(name, row) for name, row in made.items()}
    alive = {worker.agent for worker in tx.workers() if is_alive(worker, tx.now)}
    for agent in tx.agents():
        declared = names_in(agent.teams)
        for name in sorted({*declared, *names_in(agent.joined)}):
            team = found.setdefault(name, _team(name, None))
            team.members.append(agent.name)
            if name in declared:
                team.declared.append(agent.name)
            if agent.name in alive:
                team.alive.append(agent.name)
    for item in tx.queued():
        if item.agent is None and item.team in found and item.state in ("ready", "delayed"):
            waiting = found[item.team]
            setattr(waiting, item.state, getattr(waiting, item.state) + item.count)
    return TeamList(teams=[found[name] for name in sorted(found)])


def team(tx: Tx, name: str) -> Team:
    """Return one team.

    Raises:
        NotFoundError: nobody has made it and no agent names it.
    """
    for found in teams(tx).teams:
        if found.name == name:
            return found
    raise NotFoundError("team", name)


def name_of(tx: Tx, task_id: str) -> str:
    """Return the name of a task.

    Raises:
        NotFoundError: there is no such task.
    """
    return find(tx, task_id).name


def match(tx: Tx, task_id: str, costs: Mapping[str, Cost]) -> Match:
    """Return how well every agent suits a task, as things stand. costs: of tasks of its name, by agent.

    Raises:
        NotFoundError: there is no such task.
    """
    task = find(tx, task_id)
    row = _assignment(tx, task)
    known = tx.agents()
    standing = standings(tx, known, [worker for worker in tx.workers() if is_alive(worker, tx.now)])
    for agent in known:
        standing.setdefault(agent.name, _absent(agent))
    history = records(tx.tried(task.name, RECORDED))
    contenders = {one.agent: contender(one, row, history, costs, tx.now) for one in standing.values()}
    scores = matching.rank(wish_of(task), list(contenders.values()))
    return Match(
        task_id=task.id,
        needs=needs_of(task),
        candidates=[_candidate(score, contenders[score.agent], history.get(score.agent)) for score in scores],
        weights=matching.WEIGHTS,
        margin=matching.MARGIN,
        match_wait_ms=match_wait_ms(task),
        best=next((score.agent for score in scores if score.obstacle is None), None),
    )


def _assignment(tx: Tx, task: TaskRow) -> AssignmentRow:
    """Return what is to be done next for a task; of a finished one what was."""
    rows = tx.assignments((task.id,), lock=False).get(task.id, [])
    waiting = [row for row in rows if row.state in ("ready", "delayed", "waiting")]
    return (waiting or rows or new_assignments(task, tx.now))[0]


def _absent(row: AgentRow) -> Standing:
    """Return an agent of which no worker polls."""
    return Standing(
        agent=row.name,
        teams={*names_in(row.teams), *names_in(row.joined)},
        tasks=set(names_in(row.tasks)),
        abilities=set(abilities(row)),
        paused=row.paused,
    )


def _candidate(score: matching.Score, one: matching.Contender, record: Record | None) -> MatchCandidate:
    return MatchCandidate(
        agent=score.agent,
        total=score.total,
        preference=score.preference,
        success=score.success,
        load=score.load,
        cost=score.cost,
        obstacle=score.obstacle,
        handles=one.handles,
        met=list(score.met),
        missing=list(score.missing),
        slots=one.slots,
        busy=one.busy,
        attempts=one.successes + one.failures,
        successes=one.successes,
        cost_usd=one.cost_usd,
        cost_samples=one.cost_samples,
        median_ms=record.run_ms if record else None,
    )


def _team(name: str, row: TeamRow | None) -> Team:
    if row is None:
        return Team(name=name)
    return Team(
        name=name,
        description=row.description,
        fallback=None if row.fallback is None else msgspec.json.decode(row.fallback, type=Fallback),
        created_at=to_datetime(row.created_at),
        updated_at=to_datetime(row.updated_at),
    )
