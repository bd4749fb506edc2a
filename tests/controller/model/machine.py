"""What hypothesis draws: operations on a subject and on the model, and what must agree after each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.controller.model.model import FINISHED, LEGAL, Model, Wanted
from tests.controller.model.subjects import AGENTS, Refused, Subject

PRIORITIES = ("low", "medium", "high", "urgent")
COMMANDS = ("update", "run", "cancel", "pause", "resume", "retry", "redirect", "complete", "delete")
OFFERS = st.builds(
    Wanted,
    agent=st.sampled_from((None, *AGENTS)),
    priority=st.sampled_from(PRIORITIES),
    key=st.sampled_from((None, "k")),
    upstream=st.just([]),
    policy=st.sampled_from(("block", "skip", "run")),
    max_retries=st.integers(0, 1),
    retry_delay_ms=st.sampled_from((0, 5_000)),
    on_exhausted=st.sampled_from(("fail", "pause")),
)
_INDEX = st.integers(0, 1_000)


class Machine(RuleBasedStateMachine):
    """A controller and its model, side by side. `make_subject` is given by the test."""

    delays = True  # whether time can be made to pass

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.subject = self.make_subject()

    def make_subject(self) -> Subject:
        """Return a controller without tasks."""
        raise NotImplementedError

    @rule(wanted=OFFERS, upstream=st.lists(_INDEX, max_size=2))
    def create(self, wanted: Wanted, upstream: list[int]) -> None:
        ids = list(self.model.items)
        wanted.upstream = list(dict.fromkeys(ids[index % len(ids)] for index in upstream)) if ids else []
        wanted.retry_delay_ms = wanted.retry_delay_ms if self.delays else 0
        task_id = self.subject.create(wanted)
        self.model.create(task_id, wanted, self.subject.now())

    @precondition(lambda self: self.model.items)
    @rule(
        index=_INDEX,
        command=st.sampled_from(COMMANDS),
        priority=st.sampled_from(PRIORITIES),
        agent=st.sampled_from((None, *AGENTS)),
    )
    def command(self, index: int, command: str, priority: str, agent: str | None) -> None:
        task_id = list(self.model.items)[index % len(self.model.items)]
        status, is_refused = self.model.items[task_id].status, self.model.refuses(task_id, command)
        if not is_refused:
            self.subject.command(task_id, command, priority, agent)
            self._apply(task_id, command, priority, agent)
            return
        with pytest.raises(Refused) as refused:
            self.subject.command(task_id, command, priority, agent)
        if command not in LEGAL[status]:
            assert refused.value.legal == LEGAL[status]

    @rule(agent=st.sampled_from(AGENTS))
    def poll(self, agent: str) -> None:
        held = [(item.id, item.attempt) for item in self.model.leases() if item.worker == agent]
        found = self.subject.poll(agent, held)
        expected = self.model.poll(agent, self.subject.now())
        assert found == [(task_id, self.model.items[task_id].attempt) for task_id in expected]

    @precondition(lambda self: self.model.leases())
    @rule(index=_INDEX, kind=st.sampled_from(("complete", "complete", "fail", "give_back")), late=st.booleans())
    def report(self, index: int, kind: str, late: bool) -> None:
        leases = self.model.leases()
        item = leases[index % len(leases)]
        assert item.worker is not None
        agent, attempt = item.worker, item.attempt
        if late:  # one that was over long ago, or never was
            assert self.subject.report(agent, "give_back", item.id, attempt + 1) == "stale"
        assert self.subject.report(agent, kind, item.id, attempt) == "applied"
        getattr(self.model, kind)(item.id, self.subject.now())
        assert self.subject.report(agent, kind, item.id, attempt) == "repeated"

    @precondition(lambda self: self.model.leases())
    @rule(
        index=_INDEX,
        action=st.sampled_from((1, 1, 2)),
        timeout_ms=st.sampled_from((None, 1_000, 600_000)),
        on_expiry=st.sampled_from(("continue", "fail", "cancel")),
    )
    def ask(self, index: int, action: int, timeout_ms: int | None, on_expiry: str) -> None:
        leases = self.model.leases()
        item = leases[index % len(leases)]
        assert item.worker is not None
        agent, attempt = item.worker, item.attempt
        given = {"action": action, "timeout_ms": timeout_ms if self.delays else None, "on_expiry": on_expiry}
        ask = {"key": "k", "title": "Go on?"} | {name: value for name, value in given.items() if value is not None}
        assert self.subject.report(agent, "ask", item.id, attempt, ask) == "applied"
        self.model.ask(item.id, action, given["timeout_ms"], on_expiry, self.subject.now())  # type: ignore[arg-type]
        assert self.subject.report(agent, "ask", item.id, attempt, ask) in ("repeated", "stale")

    @precondition(lambda self: self.model.asking())
    @rule(index=_INDEX, decision=st.sampled_from(("approve", "reject", "cancel")))
    def answer(self, index: int, decision: str) -> None:
        asking = self.model.asking()
        item = asking[index % len(asking)]
        self.subject.answer(item.id, decision)
        status = {"approve": "approved", "reject": "rejected", "cancel": "cancelled"}[decision]
        self.model.answer(item.id, status, self.subject.now())
        with pytest.raises(Refused):
            self.subject.answer(item.id, decision, again=True)

    @precondition(lambda self: self.delays)
    @rule(milliseconds=st.sampled_from((1, 1_000, 5_000, 600_000, 3_600_000)))
    def pass_time(self, milliseconds: int) -> None:
        self.subject.pass_time(milliseconds)
        self.model.pass_time(self.subject.now())

    @invariant()
    def statuses_agree(self) -> None:
        assert self.subject.statuses(list(self.model.items)) == self.model.statuses()
        assert self.subject.counts() == self.model.counts()

    @invariant()
    def asks_agree(self) -> None:
        for task_id in list(self.model.items)[-4:]:
            assert self.subject.asks(task_id) == self.model.asks(task_id)

    @invariant()
    def queues_agree(self) -> None:
        for agent in AGENTS:
            expected = tuple(self.model.queued(agent, delayed=delayed) for delayed in (False, True))
            assert self.subject.queued(agent) == expected

    def _apply(self, task_id: str, command: str, priority: str, agent: str | None) -> None:
        now = self.subject.now()
        does: dict[str, Any] = {
            "update": lambda: self.model.prioritise(task_id, priority),
            "run": lambda: self.model.run(task_id, now),
            "cancel": lambda: self.model.cancel(task_id, now),
            "pause": lambda: self.model.pause(task_id),
            "resume": lambda: self.model.resume(task_id, now),
            "retry": lambda: self.model.reopen(task_id, now),
            "redirect": lambda: self.model.redirect(task_id, agent, now),
            "complete": lambda: self.model.complete(task_id, now),
            "delete": lambda: self.model.delete(task_id),
        }
        does[command]()

    def clear(self) -> None:
        """Remove every task, for the next run on the same controller."""
        for task_id, item in self.model.items.items():
            if item.worker is not None:
                self.subject.report(item.worker, "complete", task_id, item.attempt)
                self.model.complete(task_id, self.subject.now())
            if item.status not in FINISHED:
                self.subject.command(task_id, "cancel")
                self.model.cancel(task_id, self.subject.now())
        for task_id in self.model.items:
            self.subject.command(task_id, "delete")
