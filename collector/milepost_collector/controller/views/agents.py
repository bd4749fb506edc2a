"""Agents, their workers and what these hold; limits."""

from __future__ import annotations

import msgspec

from milepost.wire.agents import Agent, AgentList, Lease, Limit, LimitList, Worker
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.engine.teams import capabilities_of, labels_of
from milepost_collector.controller.engine.unit import names_in
from milepost_collector.controller.rows import AgentRow, AssignmentRow, WorkerRow
from milepost_collector.controller.store.interface import Tx
from milepost_collector.errors import NotFoundError


def agents(tx: Tx) -> AgentList:
    """Return every agent that has registered or that an unfinished task names, by name."""
    known = {row.name: row for row in tx.agents()}
    queued = tx.queued()
    names = sorted({*known, *(item.agent for item in queued if item.agent is not None)})
    found = {name: _agent(known.get(name) or AgentRow(name=name)) for name in names}
    for worker in tx.workers():
        if worker.agent in found:
            _add_worker(found[worker.agent], _worker(worker, tx.held_by(worker.id), tx.now))
    for item in queued:
        if item.agent is not None and item.state in ("ready", "delayed"):
            counted = found[item.agent]
            setattr(counted, item.state, getattr(counted, item.state) + item.count)
    return AgentList(agents=list(found.values()))


def agent(tx: Tx, name: str) -> Agent:
    """Return one agent.

    Raises:
        NotFoundError: it has never registered and no unfinished task names it.
    """
    for found in agents(tx).agents:
        if found.name == name:
            return found
    raise NotFoundError("agent", name)


def limits(tx: Tx) -> LimitList:
    """Return every limit, by scope and value."""
    rows = sorted(tx.limits(), key=lambda row: (row.scope, row.value))
    return LimitList(limits=[msgspec.convert(msgspec.structs.asdict(row), Limit) for row in rows])


def _agent(row: AgentRow) -> Agent:
    return Agent(
        name=row.name,
        teams=sorted({*names_in(row.teams), *names_in(row.joined)}),
        declared_teams=names_in(row.teams),
        tasks=names_in(row.tasks),
        capabilities=capabilities_of(row),
        labels=labels_of(row),
        set_by_hand=[
            name
            for name, given in (("capabilities", row.given_capabilities), ("labels", row.given_labels))
            if given is not None
        ],
        paused=row.paused,
        paused_by=row.paused_by,
        last_poll_at=to_datetime(row.last_poll_at),
    )


def _add_worker(found: Agent, worker: Worker) -> None:
    if worker.alive or worker.leases:
        found.workers.append(worker)
        found.busy += len(worker.leases)
    if worker.alive:
        found.slots += worker.concurrency


def _worker(row: WorkerRow, leases: list[AssignmentRow], now: int) -> Worker:
    return Worker(
        id=row.id,
        agent=row.agent,
        started_at=to_datetime(row.started_at),
        last_poll_at=to_datetime(row.last_poll_at),
        concurrency=row.concurrency,
        alive=row.polled_until >= now,
        draining=row.draining,
        tasks=names_in(row.tasks),
        host_name=row.host_name,
        process_id=row.process_id,
        sdk_version=row.sdk_version,
        leases=[_lease(lease) for lease in leases],
    )


def _lease(row: AssignmentRow) -> Lease:
    assert row.run_id is not None
    assert row.leased_at is not None
    assert row.expires_at is not None
    return Lease(
        task_id=row.task_id,
        task_name=row.name,
        attempt=row.attempt,
        run_id=row.run_id,
        leased_at=to_datetime(row.leased_at),
        expires_at=to_datetime(row.expires_at),
        progress=row.progress,
        phase=row.phase,
    )
