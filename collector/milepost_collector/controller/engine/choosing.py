"""Whether the agent that asks for a task should have it, or one that suits it better and is free.

Only tasks for no agent in particular are chosen for. What is known of agents is looked up at most once a second, what
they did before once in ten: it decides only who goes first, and for match_wait_ms at most.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from milepost.wire.tasks import Need
from milepost_collector.controller.engine.unit import names_in, settings_of
from milepost_collector.controller.matching import Contender, Wish, better, rank
from milepost_collector.controller.rows import AgentRow, AssignmentRow, TaskRow, WorkerRow
from milepost_collector.controller.store.interface import Candidate, Tried, Tx

MATCH_WAIT_MS = 1_000  # of tasks that need something, if they do not say
STANDING_MS = 1_000
RECORD_MS = 10_000
RECORDED = 100  # newest completed tasks of a name, and as many failed ones
MAX_NAMES = 1_000  # whose records are kept
LOOK_AGAIN_MS = 100  # who was passed over looks again so soon: the better one may not come after all


class Cost(Struct, frozen=True):
    """The median cost of an agent's attempts at tasks of a name."""

    usd: float
    samples: int


class Costs(Protocol):
    """What is known of costs outside of the controller. Never waits."""

    def of(self, name: str) -> Mapping[str, Cost]:
        """Return the costs of a task name by agent."""
        ...


class NoCosts:
    """Where costs are not known."""

    def of(self, name: str) -> Mapping[str, Cost]:
        """Return nothing."""
        return {}


class Standing(Struct, kw_only=True):
    """An agent's workers that poll, taken together."""

    agent: str
    teams: set[str]
    tasks: set[str]
    abilities: set[str]
    any_task: bool = False
    slots: int = 0
    busy: int = 0
    paused: bool = False

    def handles(self, name: str) -> bool:
        """Tell whether it takes tasks of a name."""
        return self.any_task or name in self.tasks


class Record(Struct, frozen=True):
    """What an agent's newest attempts at tasks of a name came to. run_ms: the median of those that were completed."""

    successes: int
    failures: int
    run_ms: float | None


class Chooser:
    """Who suits a task. Keeps what it has looked up for a moment; belongs to one engine."""

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self._standings: dict[str, Standing] = {}
        self._looked_at = -STANDING_MS
        self._records: dict[str, tuple[int, dict[str, Record]]] = {}

    def wait_ms(self, tx: Tx, worker: WorkerRow, candidate: Candidate) -> int:
        """Return how long a ready task is kept from a worker for the sake of a better agent; 0: it may have it."""
        row, task = candidate
        left_ms = row.ready_at + match_wait_ms(task) - tx.now
        if row.agent is not None or left_ms <= 0 or not self._may_choose(tx, worker.agent, row):
            return 0
        found = better(rank(wish_of(task), self._contenders(tx, row)), worker.agent)
        return 0 if found is None else left_ms

    def _may_choose(self, tx: Tx, agent: str, row: AssignmentRow) -> bool:
        """Tell whether another agent could take it at once: mostly there is none."""
        if not 0 <= tx.now - self._looked_at < STANDING_MS:
            self._standings = standings(tx, tx.agents(), [one for one in tx.workers() if is_alive(one, tx.now)])
            self._looked_at = tx.now
        others = (one for one in self._standings.values() if one.agent != agent)
        return any(obstacle(one, row, tx.now) is None and one.handles(row.name) for one in others)

    def _contenders(self, tx: Tx, row: AssignmentRow) -> list[Contender]:
        known = self._records.get(row.name)
        if known is None or not 0 <= tx.now - known[0] < RECORD_MS:
            if len(self._records) >= MAX_NAMES:
                self._records.clear()
            known = self._records[row.name] = (tx.now, records(tx.tried(row.name, RECORDED)))
        costs = self._costs.of(row.name)
        return [contender(one, row, known[1], costs, tx.now) for one in self._standings.values()]


def match_wait_ms(task: TaskRow) -> int:
    """Return how long a task is kept for an agent that suits it better."""
    if '"match_wait_ms"' not in task.settings:  # as of nearly every task: spare decoding them
        return MATCH_WAIT_MS if task.needs is not None else 0
    return settings_of(task).match_wait_ms or 0


def standings(tx: Tx, agents: Sequence[AgentRow], workers: Sequence[WorkerRow]) -> dict[str, Standing]:
    """Return what is known of the agents of these workers, by name."""
    found: dict[str, Standing] = {}
    paused = {row.name for row in agents if row.paused}
    busy = tx.usage().agents if workers else {}
    for worker in workers:
        one = found.get(worker.agent)
        if one is None:
            one = found[worker.agent] = Standing(
                agent=worker.agent,
                teams=set(),
                tasks=set(),
                abilities=set(),
                busy=busy.get(worker.agent, 0),
                paused=worker.agent in paused,
            )
        one.teams |= set(names_in(worker.teams))
        one.tasks |= set(names_in(worker.tasks))
        one.abilities |= set(names_in(worker.abilities))
        one.any_task |= worker.any_task
        one.slots += worker.concurrency
    return found


def is_alive(worker: WorkerRow, now: int) -> bool:
    """Tell whether a worker polls and takes work."""
    return worker.polled_until >= now and not worker.draining


def obstacle(one: Standing, row: AssignmentRow, now: int) -> str | None:
    """Return why an agent cannot take an assignment, beside what it handles and is able to."""
    if row.agent is not None and one.agent != row.agent:
        return f"the task is for agent {row.agent}"
    if row.agent is None and row.team is not None and row.team not in one.teams:
        return f"it is not in team {row.team}"
    if row.avoid == one.agent and (row.avoid_until is None or row.avoid_until > now):
        return "it failed the task before"
    if one.paused:
        return "it is paused"
    if not one.slots:
        return "no worker of it polls"
    return "all its slots are busy" if one.busy >= one.slots else None


def contender(
    one: Standing, row: AssignmentRow, known: Mapping[str, Record], costs: Mapping[str, Cost], now: int
) -> Contender:
    """Return an agent as the score sees it."""
    record, cost = known.get(one.agent), costs.get(one.agent)
    return Contender(
        agent=one.agent,
        handles=one.handles(row.name),
        abilities=frozenset(one.abilities),
        slots=one.slots,
        busy=one.busy,
        successes=record.successes if record else 0,
        failures=record.failures if record else 0,
        cost_usd=cost.usd if cost else None,
        cost_samples=cost.samples if cost else 0,
        obstacle=obstacle(one, row, now),
    )


def records(tried: Sequence[Tried]) -> dict[str, Record]:
    """Return what attempts came to, by agent."""
    found: dict[str, Record] = {}
    for agent in {one.agent for one in tried}:
        own = [one for one in tried if one.agent == agent]
        took = [one.run_ms for one in own if one.status == "completed"]
        found[agent] = Record(len(took), len(own) - len(took), statistics.median(took) if took else None)
    return found


def needs_of(task: TaskRow) -> list[Need]:
    """Return what a task wants of its agent."""
    return [] if task.needs is None else msgspec.json.decode(task.needs, type=list[Need])


def wish_of(task: TaskRow) -> Wish:
    """Return what a task wants of its agent, as the score sees it."""
    needs = needs_of(task)
    return Wish(
        required=tuple(need.what for need in needs if need.weight is None),
        preferred=tuple((need.what, need.weight) for need in needs if need.weight is not None),
    )


def needs_texts(given: Sequence[str | Need]) -> tuple[str | None, str | None]:
    """Return what a request wants of an agent, as its task and its assignments keep it: JSON, or None for nothing."""
    needs = {need.what: need for need in (Need(what=one) if isinstance(one, str) else one for one in given)}
    required = sorted(need.what for need in needs.values() if need.weight is None)
    whole = msgspec.json.encode(list(needs.values())).decode() if needs else None
    return whole, msgspec.json.encode(required).decode() if required else None
