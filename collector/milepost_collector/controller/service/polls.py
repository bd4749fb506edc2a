"""Which waiting poll is woken when there is work, a command, or a free slot.

Workers of one agent that handle the same tasks are alike: if one of them with a free slot finds nothing, the others
need not look. So of each such group one is woken at a time, the one that has waited longest, and the next only when
that one's slots are all taken. `owed` says that there may be ready work no worker of the group has looked for since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeVar

import msgspec

from milepost.wire.worker import Command, PollAnswer, PollRequest
from milepost_collector.controller.engine import Effects
from milepost_collector.controller.rows import WorkerRow

T = TypeVar("T")

SILENT_AFTER_S = 600.0  # many times longer than a worker may be silent; and one that is forgotten is merely learnt anew

Reason = Literal["woken", "joined", "time", "gone", "replaced", "stopping"]
Key = tuple[str, int]  # task id and attempt
Queue = tuple[str | None, str | None]  # agent and team of ready work, both None: any agent


@dataclass(slots=True, eq=False)
class Group:
    """Workers that are alike. teams, tasks: JSON, as their rows have it. served: rises each time one gets work; the
    group with the smallest is woken first. waiting: those that wait, the longest first."""

    agent: str
    teams: str
    tasks: str
    any_task: bool
    team_names: frozenset[str]
    served: int = 0
    owed: bool = True
    waiting: dict[str, Worker] = field(default_factory=dict)

    def takes(self, queue: Queue) -> bool:
        """Tell whether work of that agent and team is for these workers."""
        agent, team = queue
        return agent == self.agent or (team in self.team_names if team is not None else agent is None)


@dataclass(slots=True, eq=False)
class Worker:
    """What is known of a worker. live: attempts it works on. begun: those that it has told to have started. ended:
    those it may still name although their ends have been taken. told: commands it has been given. poked: there is
    something for it that no poll has brought it yet. seen_s: when its polls were last looked into, by the event loop's
    clock; within_ms: how soon after that they must be again. request: of its poll that waits. joint: what that poll
    brings together with its reports, None if that fails."""

    worker_id: str
    group: Group
    concurrency: int
    live: set[Key] = field(default_factory=set)
    begun: set[Key] = field(default_factory=set)
    ended: set[Key] = field(default_factory=set)
    told: set[tuple[str, str, int]] = field(default_factory=set)
    draining: bool = False
    poked: bool = False
    seen_s: float = 0.0
    within_ms: int = 0
    request: PollRequest | None = None
    turn: asyncio.Future[Reason] | None = None
    joint: asyncio.Future[PollAnswer | None] | None = None

    @property
    def may_take(self) -> bool:
        """Whether it takes more work."""
        return not self.draining and len(self.live) < self.concurrency

    def needs_look(self, request: PollRequest, now_s: float) -> bool:
        """Tell whether the store may have something for a poll, or may have to know something of it, at once. Not when
        it holds just what it was given, in every slot."""
        is_free = self.may_take or self.draining or request.draining  # it may be free again, or say that it is not
        if self.poked or self.told or is_free or not request.wait_ms:
            return True
        if now_s >= self.seen_s + self.within_ms / 1000:
            return True
        held = {(item.task_id, item.attempt) for item in request.held}
        started = {(item.task_id, item.attempt) for item in request.held if item.started}
        return held - self.ended != self.live or not started - self.ended <= self.begun

    def without_ended(self, request: PollRequest) -> PollRequest:
        """Return a poll without attempts whose ends have been taken: it was made before their reports were answered."""
        held = [item for item in request.held if (item.task_id, item.attempt) not in self.ended]
        return request if len(held) == len(request.held) else msgspec.structs.replace(request, held=held)

    def is_news(self, answer: PollAnswer) -> bool:
        """Tell whether an answer has something that the worker does not know."""
        return bool(answer.leases) or any(_name(command) not in self.told for command in answer.commands)

    def note(self, request: PollRequest, answer: PollAnswer) -> None:
        """Learn from a poll what the worker works on."""
        held = {(item.task_id, item.attempt) for item in request.held}
        self.draining = request.draining
        self.ended &= held
        lost = {(command.task_id, command.attempt) for command in answer.commands if command.kind == "lost"}
        self.live = held - self.ended - lost | {(lease.task_id, lease.attempt) for lease in answer.leases}
        self.begun = {(item.task_id, item.attempt) for item in request.held if item.started} & self.live
        self.within_ms = answer.poll_within_ms
        self.told = {_name(command) for command in answer.commands}

    def end(self, keys: Iterable[Key]) -> None:
        """Learn that attempts have ended."""
        self.live.difference_update(keys)
        self.ended.update(keys)

    def wake(self, reason: Reason) -> None:
        """End its wait, if it waits."""
        if self.turn is not None:
            settle(self.turn, reason)
        self.group.waiting.pop(self.worker_id, None)


class PollDesk:
    """Who waits, and who is next. Belongs to one event loop."""

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}
        self._groups: dict[tuple[str, str, str, bool], Group] = {}
        self._served = 0
        self._stopping = False

    @property
    def waiting(self) -> int:
        """How many polls wait."""
        return sum(len(group.waiting) for group in self._groups.values())

    def find(self, worker_id: str) -> Worker | None:
        """Return what is known of a worker."""
        return self._workers.get(worker_id)

    def learn(self, row: WorkerRow) -> Worker:
        """Get to know a worker by its row."""
        self._forget_silent()
        key = (row.agent, row.teams, row.tasks, row.any_task)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(*key, frozenset(msgspec.json.decode(row.teams, type=list[str])))
        seen_s = asyncio.get_running_loop().time()
        return self._workers.setdefault(row.id, Worker(row.id, group, row.concurrency, seen_s=seen_s))

    def forget(self, worker_id: str) -> None:
        """Forget a worker that is no more; a poll of its that waits is answered."""
        worker = self._workers.pop(worker_id, None)
        if worker is None:
            return
        worker.wake("gone")
        group = worker.group
        if not any(other.group is group for other in self._workers.values()):
            self._groups.pop((group.agent, group.teams, group.tasks, group.any_task), None)

    def relearn(self) -> None:
        """Forget who belongs to which teams; whoever waits polls anew, and is known as the store has it then."""
        for worker_id in list(self._workers):
            self.forget(worker_id)

    def begin(self, worker: Worker, request: PollRequest) -> None:
        """Note that a worker looks for work now."""
        worker.seen_s = asyncio.get_running_loop().time()
        worker.poked = False
        if worker.may_take:
            worker.group.owed = False

    def give_back(self, worker: Worker) -> None:
        """Note that a worker did not come to look: another one of its group has to."""
        worker.poked = True
        self._owe(worker.group)

    def end(self, worker: Worker, request: PollRequest, answer: PollAnswer) -> bool:
        """Note what a worker found, and tell whether that is news to it. When its slots are all taken the next of its
        group looks."""
        is_news = worker.is_news(answer)
        worker.note(request, answer)
        if answer.leases:
            self._served += 1
            worker.group.served = self._served
            if not worker.may_take:
                self._owe(worker.group)
        return is_news

    def join(
        self, worker_id: str, keys: Collection[Key]
    ) -> tuple[PollRequest, asyncio.Future[PollAnswer | None]] | None:
        """Take over the poll of a worker that reports ends, if it waits for a free slot: what comes next is looked for
        together with the report. Returns the poll, and what is to be told of its answer."""
        worker = self._workers.get(worker_id)
        if worker is None or worker.turn is None or worker.turn.done() or worker.request is None:
            return None
        if worker.draining or not worker.live.intersection(keys):
            return None
        request, worker.joint = worker.request, asyncio.get_running_loop().create_future()
        worker.wake("joined")
        worker.seen_s = asyncio.get_running_loop().time()
        worker.group.owed = False  # as if it looked itself, with slots that are free
        return request, worker.joint

    async def wait(
        self, worker: Worker, request: PollRequest, timeout_s: float, gone: asyncio.Future[None] | None = None
    ) -> Reason:
        """Wait until there may be something for a worker, or the time is over, or its client is gone. A second wait
        ends the first. "joined": the answer is that of `worker.joint`."""
        worker.wake("replaced")
        if self._stopping:
            return "stopping"
        if gone is not None and gone.done():
            return "gone"
        if worker.poked or (worker.group.owed and worker.may_take):
            return "woken"
        turn: asyncio.Future[Reason] = asyncio.get_running_loop().create_future()
        worker.turn, worker.request = turn, request
        worker.group.waiting[worker.worker_id] = worker
        timeout = asyncio.get_running_loop().call_later(timeout_s, settle, turn, "time")
        leave = partial(_gone, turn)
        if gone is not None:
            gone.add_done_callback(leave)
        try:
            return self._if_still_there(worker, await turn, gone)
        except BaseException:
            self.give_back(worker)
            raise
        finally:
            timeout.cancel()
            if gone is not None:
                gone.remove_done_callback(leave)
            if worker.turn is turn:
                worker.turn = worker.request = None
                worker.group.waiting.pop(worker.worker_id, None)

    def _if_still_there(self, worker: Worker, reason: Reason, gone: asyncio.Future[None] | None) -> Reason:
        """Let another worker look when the client of one that was woken went away in that moment."""
        if reason != "woken" or gone is None or not gone.done():
            return reason
        self.give_back(worker)
        return "gone"

    def _forget_silent(self) -> None:
        """Forget workers that went away without a word; one that comes back is learnt anew."""
        before_s = asyncio.get_running_loop().time() - SILENT_AFTER_S
        silent = [key for key, worker in self._workers.items() if worker.seen_s < before_s and worker.turn is None]
        for worker_id in silent:
            self.forget(worker_id)

    def freed(self, worker_id: str, keys: Iterable[Key]) -> None:
        """Note that attempts of a worker have ended: its slots may be filled again."""
        worker = self._workers.get(worker_id)
        if worker is not None:
            worker.end(keys)
            self._call(worker.group)

    def announce(self, effects: Effects, *, limits: bool) -> None:
        """Wake whom a commit concerns. limits: attempts are limited, so that a free slot may be anybody's."""
        for worker_id in effects.workers:
            self._poke(worker_id)
        if effects.freed and limits:
            self.announce_all()
        elif effects.ready:
            self._announce([group for group in self._groups.values() if any(map(group.takes, effects.ready))])

    def announce_all(self, *, commands: bool = False) -> None:
        """Let everyone look for work who may take some, and if there may be commands whoever has an attempt too."""
        if commands:
            for worker in [worker for worker in self._workers.values() if worker.live]:
                self._poke(worker.worker_id)
        self._announce(list(self._groups.values()))

    def stop(self) -> None:
        """Answer all that wait, and let nobody wait any more."""
        self._stopping = True
        for worker in self._workers.values():
            worker.wake("stopping")

    def _announce(self, groups: list[Group]) -> None:
        for group in sorted(groups, key=lambda group: group.served):
            self._owe(group)

    def _owe(self, group: Group) -> None:
        group.owed = True
        self._call(group)

    def _call(self, group: Group) -> None:
        """Wake the one that has waited longest of those that may take work, if there is any."""
        if not group.owed:
            return
        worker = next((worker for worker in group.waiting.values() if worker.may_take), None)
        if worker is not None:
            group.owed = False
            worker.wake("woken")

    def _poke(self, worker_id: str) -> None:
        worker = self._workers.get(worker_id)
        if worker is not None:
            worker.poked = True
            worker.wake("woken")


def _name(command: Command) -> tuple[str, str, int]:
    return (command.kind, command.task_id, command.attempt)


def settle(future: asyncio.Future[T], value: T) -> None:
    """Give a future its value, unless whoever waited for it went away."""
    if not future.done():
        future.set_result(value)


def _gone(turn: asyncio.Future[Reason], gone: asyncio.Future[None]) -> None:
    settle(turn, "gone")
