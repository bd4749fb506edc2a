"""The part of a transaction that knows the queue, leases, workers, limits and schedules."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from milepost_collector.controller.rows import (
    AgentRow,
    AssignmentRow,
    InstantRow,
    LimitRow,
    RateRow,
    ScheduleRow,
    TaskRow,
    WorkerRow,
)
from milepost_collector.controller.store import statements
from milepost_collector.controller.store.interface import Candidate, ClaimQuery, Polling, Queued, Usage
from milepost_collector.controller.store.session import Session

_WIDTH = len(AssignmentRow.__struct_fields__)  # of a candidate; its task follows
_NEVER_ENDING = 2**62  # after every instant


class QueuePart(Session):
    """Assignments, and who serves them."""

    def assignments(self, task_ids: Collection[str], *, lock: bool = True) -> dict[str, list[AssignmentRow]]:
        """Return tasks' assignments by task id, by position. With `lock` the tasks must be locked already."""
        statement = statements.ASSIGNMENTS_LOCKED if lock and self._may_lock else statements.ASSIGNMENTS
        found: dict[str, list[AssignmentRow]] = {}
        for row in self._rows(AssignmentRow, statement, ids=self._texts(task_ids)):
            found.setdefault(row.task_id, []).append(row)
        return found

    def candidates(self, query: ClaimQuery) -> list[Candidate]:
        """Return ready assignments, locked with their tasks; what another transaction has locked is left out."""
        shape = statements.ClaimShape(
            len(query.teams), query.names is not None, bool(query.without_keys), bool(query.without_names)
        )
        values = {
            "agent": query.agent,
            "names": self._texts(query.names or ()),
            "without_keys": self._texts(query.without_keys),
            "without_names": self._texts(query.without_names),
            "abilities": self._texts(query.abilities),
            "now": self.now,
            "limit": query.limit,
        }
        values |= {f"team_{number}": team for number, team in enumerate(query.teams)}
        found = self._tuples(statements.claim(shape), **values)
        assignments = self._as_rows(AssignmentRow, [row[:_WIDTH] for row in found])
        tasks = self._as_rows(TaskRow, [row[_WIDTH:] for row in found])
        return list(map(Candidate, assignments, tasks))

    def held_by(self, worker_id: str) -> list[AssignmentRow]:
        """Return what a worker has leased, not locked."""
        return self._rows(AssignmentRow, statements.HELD_BY, worker_id=worker_id)

    def promote(self, limit: int) -> int:
        """Make delayed assignments whose time has come ready; return how many."""
        return self._execute(statements.PROMOTE, now=self.now, limit=limit)

    def ended_leases(self, limit: int) -> list[AssignmentRow]:
        """Return leases that are over, locked with their tasks; what another transaction has locked is left out."""
        return self._rows(AssignmentRow, statements.ENDED_LEASES, now=self.now, limit=limit)

    def still(self, before: int, limit: int) -> list[AssignmentRow]:
        """Return running attempts without a sign of progress since an instant, the longest first."""
        return self._rows(AssignmentRow, statements.STILL, before=before, limit=limit)

    def waiting_with_fallback(self, after: str, limit: int) -> list[AssignmentRow]:
        """Return ready assignments of tasks that have a fallback and have not used it, by task id."""
        return self._rows(AssignmentRow, statements.WAITING_WITH_FALLBACK, after=after, limit=limit)

    def waiting_for_team(self, team: str, limit: int) -> list[AssignmentRow]:
        """Return ready assignments for a team that have not fallen back, the oldest first."""
        return self._rows(AssignmentRow, statements.WAITING_FOR_TEAM, team=team, limit=limit)

    def usage(self) -> Usage:
        """Return how many live leases there are, by what limits count."""
        usage = Usage(agents={}, names={}, keys={})
        for agent, name, key, count in self._tuples(statements.USAGE):
            for counts, value in ((usage.agents, agent), (usage.names, name), (usage.keys, key)):
                if value is not None:
                    counts[value] = counts.get(value, 0) + count
        return usage

    def queued(self) -> list[Queued]:
        """Return how many assignments there are by agent, team and state."""
        return [
            Queued(agent=agent, team=team, state=state, count=count)
            for agent, team, state, count in self._tuples(statements.QUEUED)
        ]

    def next_due(self) -> int | None:
        """Return when the clock has something to do next, None: never."""
        found: int | None = self._value(statements.NEXT_DUE)
        return found

    def agents(self) -> list[AgentRow]:
        """Return every agent, by name."""
        return self._rows(AgentRow, statements.AGENTS)

    def agent(self, name: str) -> AgentRow | None:
        """Return an agent."""
        return self._row(AgentRow, statements.AGENT, name=name)

    def note_poll(self, agent: str, *, served: bool) -> None:
        """Write down that an agent's worker polls now. served: and is given work."""
        self._execute(statements.AGENT_SERVED if served else statements.AGENT_POLLED, agent_name=agent, now=self.now)

    def workers(self) -> list[WorkerRow]:
        """Return every worker, by agent and id."""
        return self._rows(WorkerRow, statements.WORKERS)

    def worker(self, worker_id: str, *, lock: bool = True) -> WorkerRow | None:
        """Return a worker."""
        statement = statements.WORKER_LOCKED if lock and self._may_lock else statements.WORKER
        return self._row(WorkerRow, statement, id=worker_id)

    def polling(self, worker_id: str) -> Polling | None:
        """Return a worker, locked, with what decides whether it gets work."""
        found = self._tuples(statements.POLLING if self._may_lock else statements.POLLING_UNLOCKED, id=worker_id)
        if not found:
            return None
        *worker, is_paused, has_limits, has_budgets = found[0]
        row = self._as_rows(WorkerRow, [tuple(worker)])[0]
        return Polling(row, bool(is_paused), bool(has_limits), bool(has_budgets))

    def silent_workers(self, before: int) -> list[WorkerRow]:
        """Return workers that polled last before an instant and hold nothing."""
        return self._rows(WorkerRow, statements.SILENT_WORKERS, before=before)

    def limits(self) -> list[LimitRow]:
        """Return every limit, by scope and value."""
        return self._rows(LimitRow, statements.LIMITS)

    def rates(self) -> list[RateRow]:
        """Return how far every rate is used up."""
        return self._rows(RateRow, statements.RATES)

    def schedules(self, *, after: str | None, limit: int, text: str | None = None) -> list[ScheduleRow]:
        """Return schedules by name, from after a name; text: part of the name or description."""
        if text is None:
            return self._rows(ScheduleRow, statements.SCHEDULES, after=after or "", limit=limit)
        values = {"after": after or "", "limit": limit, "text": text}
        return self._rows(ScheduleRow, statements.SCHEDULES_WITH_TEXT, **values)

    def schedule(self, id_or_name: str, *, lock: bool = True) -> ScheduleRow | None:
        """Return a schedule."""
        statement = statements.SCHEDULE_LOCKED if lock and self._may_lock else statements.SCHEDULE
        return self._row(ScheduleRow, statement, id_or_name=id_or_name)

    def due_schedules(self, limit: int) -> list[ScheduleRow]:
        """Return schedules whose next instant has come, locked; what another transaction has locked is left out."""
        return self._rows(ScheduleRow, statements.DUE_SCHEDULES, now=self.now, limit=limit)

    def instants(
        self, schedule_id: str, *, statuses: Sequence[str], before: int | None, limit: int
    ) -> list[InstantRow]:
        """Return a schedule's ledger, the newest first. statuses: none for all. before: an instant, exclusive."""
        values = {"schedule_id": schedule_id, "before": _NEVER_ENDING if before is None else before, "limit": limit}
        if not statuses:
            return self._rows(InstantRow, statements.INSTANTS, **values)
        return self._rows(InstantRow, statements.INSTANTS_WITH_STATUS, statuses=self._texts(statuses), **values)

    def instants_between(self, schedule_id: str, since: int, until: int) -> list[InstantRow]:
        """Return a schedule's ledger from one instant (inclusive) to another (exclusive), oldest first."""
        return self._rows(InstantRow, statements.INSTANTS_BETWEEN, schedule_id=schedule_id, since=since, until=until)

    def queued_instants(self, schedule_id: str, limit: int) -> list[InstantRow]:
        """Return a schedule's instants that wait for the task before them, oldest first."""
        return self._rows(InstantRow, statements.QUEUED_INSTANTS, schedule_id=schedule_id, limit=limit)

    def prune_instants(self, before: int, limit: int) -> int:
        """Remove ledger rows written before an instant, but not queued ones; return how many."""
        return self._execute(statements.PRUNE_INSTANTS, before=before, limit=limit)
