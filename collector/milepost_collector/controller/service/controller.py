"""The controller at work: its store, the threads that use it, the clock, and the polls that wait."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple, TypeVar

import anyio.to_thread
import msgspec

from milepost.wire.tasks import BulkAnswer, BulkRequest, Task, TaskCreate
from milepost.wire.worker import (
    AttemptAsked,
    AttemptCancelled,
    AttemptCompleted,
    AttemptFailed,
    AttemptPaused,
    PollAnswer,
    PollRequest,
    ReportsAnswer,
    ReportsRequest,
)
from milepost_collector.controller import views
from milepost_collector.controller.engine import Created, Effects, Engine
from milepost_collector.controller.rows import WorkerRow
from milepost_collector.controller.service.ask_desk import AskDesk
from milepost_collector.controller.service.bulk import Bulk
from milepost_collector.controller.service.numbers import Numbers, count
from milepost_collector.controller.service.polls import PollDesk, Worker, settle
from milepost_collector.controller.service.readers import Readers
from milepost_collector.controller.service.stalls import StallWatch
from milepost_collector.controller.service.timer import Tick, Timer
from milepost_collector.controller.service.writers import Writers
from milepost_collector.controller.store.interface import Store, Tx
from milepost_collector.controller.views.asks import is_open
from milepost_collector.errors import NotFoundError

logger = logging.getLogger("milepost.controller")

T = TypeVar("T")

POSTGRESQL_THREADS = 2  # transactions at once, so that one may wait for the database; SQLite has one writer
RETELL_S = 1.0  # commands are told again after so long, should the answer that told them have been lost
# After a start, before leases are found to be over: workers that tried in vain come back within it.
RETURN_S = 3.0
HEARSAY_S = 0.01  # in which commits of other collectors, nobody knows for whom, are told together
ENDS = (AttemptCompleted, AttemptFailed, AttemptCancelled, AttemptPaused, AttemptAsked)


class Controller:
    """Everything that is asked of the controller goes through here. Belongs to one event loop.

    store: open; closed by `stop`. new_engine: makes an engine for each thread that writes.
    """

    def __init__(self, store: Store, new_engine: Callable[[], Engine]) -> None:
        self._loop = asyncio.get_running_loop()
        self._store = store
        self._desk = PollDesk()
        self._ask_desk = AskDesk()
        self._readers = Readers(store)
        self._writers = Writers(
            store,
            new_engine,
            threads=1 if store.dialect == "sqlite" else POSTGRESQL_THREADS,
            on_commit=self._on_commit,
        )
        self._timer = Timer(self._tick)
        self.stalls = StallWatch(self.read, self.write)
        self.may_forget: Callable[[], bool] = lambda: True  # asked before what is older than the retention is removed
        self._listeners: list[Callable[[], None]] = []
        self._metering: list[Callable[[Iterable[str]], None]] = []
        self._limits = True  # whether there are any, as the last tick saw it
        self._is_new = True  # nothing has been ticked for
        self._heard = False  # another collector's commit is about to be told

    @property
    def available(self) -> bool:
        """Whether the last transaction could be committed."""
        return self._writers.available

    @property
    def is_alone(self) -> bool:
        """Whether no other collector uses the store."""
        return self._store.dialect == "sqlite"

    def start(self) -> None:
        """Start the threads and the timer."""
        self._writers.start()
        self._timer.start()
        self._store.listen(self._hear)

    def end_waits(self) -> None:
        """Answer every poll and question that waits, and let none wait any more: the collector is being stopped."""
        self._desk.stop()
        self._ask_desk.stop()

    async def stop(self) -> None:
        """Do what has been asked for, then close the store. Safe to call twice."""
        self.end_waits()
        await self._timer.stop()
        await anyio.to_thread.run_sync(self._writers.stop)
        await anyio.to_thread.run_sync(self._readers.stop)
        await anyio.to_thread.run_sync(self._store.close)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call this after every commit that wrote transitions, instants or ask events, on the event loop."""
        self._listeners.append(listener)

    def on_metered(self, listener: Callable[[Iterable[str]], None]) -> None:
        """Call this after commits by which runs have begun to draw on budgets, with their ids, on the event loop."""
        self._metering.append(listener)

    async def read(self, question: Callable[[Tx], T]) -> T:
        """Return what a function finds in a snapshot of what is committed.

        Raises:
            MilepostError: what the function raises.
            ControllerBusyError: too many ask at once.
            StorageUnavailableError: the store cannot be read.
        """
        return await self._readers.run(question)

    async def write(self, work: Callable[[Engine, Tx], T], *, frees: bool = False) -> T:
        """Return what a function did, once it is durable. It may be run more than once, the last time to the end.

        frees: it lets workers take work that they were not allowed to: all may look.

        Raises:
            MilepostError: what the function raises; then nothing was done.
            ControllerBusyError: too many ask at once.
            StorageUnavailableError: the store cannot be written.
        """
        answer: T = await self._writers.submit(work)
        if frees:
            self._limits = True  # there may be some now; the next tick knows
            self._desk.announce_all()
        return answer

    async def create(self, task: TaskCreate) -> tuple[Task, bool]:
        """Return a task and whether this made it; its idempotency key may have made it before. It is created in one
        transaction with others that are asked for at the same time.

        Raises:
            MilepostError: this task is refused.
        """
        created: Created
        created, shown = await self._writers.submit(task)
        if shown is None or not created.made:
            shown = await self.read(lambda tx: views.task(tx, created.task_id))
        return shown, created.made

    async def poll(self, request: PollRequest, gone: asyncio.Future[None] | None = None) -> PollAnswer:
        """Return work and commands for a worker, at the latest after its wait_ms.

        gone: is done when its client has gone away; then nothing more is looked for.

        Raises:
            NotFoundError: there is no such worker.
        """
        begin_s = self._loop.time()
        worker, answer, is_news = self._nothing_new(request) or await self._look(request)
        until_s = min(begin_s + request.wait_ms / 1000, worker.seen_s + answer.poll_within_ms / 1000)
        if answer.commands:
            until_s = min(until_s, self._loop.time() + RETELL_S)
        while not is_news and (left_s := until_s - self._loop.time()) > 0:
            reason = await self._desk.wait(worker, request, left_s, gone)
            if reason not in ("woken", "joined", "time"):
                break
            joined = await self._joined(worker, request) if reason == "joined" else None
            worker, answer, is_news = joined or await self._look(request)
        return answer

    async def report(self, request: ReportsRequest) -> ReportsAnswer:
        """Apply a worker's reports.

        Raises:
            NotFoundError: there is no such worker.
        """
        ends = [(report.task_id, report.attempt) for report in request.reports if isinstance(report, ENDS)]
        # Under limits the slot that gets free may be anybody's: whose turn it is, the desk decides.
        joint = self._desk.join(request.worker_id, ends) if ends and not self._limits else None
        if joint is not None:
            return await self._report_and_look(request, *joint)
        answer = await self.write(lambda engine, tx: engine.reports(tx, request))
        self._note_ends(request, answer)
        return answer

    async def wait_for_answer(self, ask_id: str, wait_s: float, gone: asyncio.Future[None]) -> None:
        """Return when an ask is closed, at the latest after wait_s, or when its client has gone or the collector stops.

        Raises:
            NotFoundError: there is no such ask.
        """
        until_s = self._loop.time() + wait_s
        while await self.read(lambda tx: is_open(tx, ask_id)):
            left_s = until_s - self._loop.time()
            if left_s <= 0 or gone.done() or self._ask_desk.is_stopping:
                return
            await self._ask_desk.wait(ask_id, left_s)

    async def unregister(self, worker_id: str) -> None:
        """End a worker; an unknown one has ended already."""
        await self.write(lambda engine, tx: engine.unregister(tx, worker_id))
        self._desk.forget(worker_id)

    async def bulk(self, request: BulkRequest) -> BulkAnswer:
        """Do one thing to all tasks that match, some hundred at a time; tasks created meanwhile are left alone.

        Raises:
            InvalidParameterError: the arguments are not those of the action.
        """
        bulk = Bulk(request)
        while not bulk.is_done:
            bulk.take(*await self.write(bulk.step))
        return bulk.answer

    async def numbers(self) -> Numbers:
        """Return how much waits and runs.

        Raises:
            StorageUnavailableError: the store cannot be read.
        """
        return await self.read(lambda tx: count(tx, waiting_polls=self._desk.waiting, queued=self._writers.waiting))

    async def _report_and_look(
        self, request: ReportsRequest, poll: PollRequest, joint: asyncio.Future[PollAnswer | None]
    ) -> ReportsAnswer:
        """Apply reports and look what the worker is to do next, in one transaction. joint: gets the poll's answer."""
        try:
            answer, polled = await self.write(partial(_report_and_poll, request=request, poll=poll))
        except NotFoundError:  # the worker is not known any more, what it did may be
            settle(joint, None)
            answer = await self.write(lambda engine, tx: engine.reports(tx, request))
            self._note_ends(request, answer)
        except BaseException:
            settle(joint, None)
            raise
        else:
            self._note_ends(request, answer)
            settle(joint, polled)
        return answer

    def _note_ends(self, request: ReportsRequest, answer: ReportsAnswer) -> None:
        if ended := _ended(request, answer):
            self._desk.freed(request.worker_id, ended)

    def _nothing_new(self, request: PollRequest) -> tuple[Worker, PollAnswer, bool] | None:
        """Answer a poll that nothing can have come of since the last, without asking the store; None: it is to be
        asked, as it is before each answer."""
        worker = self._desk.find(request.worker_id)
        if worker is None or worker.needs_look(request, self._loop.time()):
            return None
        return worker, PollAnswer(leases=[], commands=[], poll_within_ms=worker.within_ms), False

    async def _joined(self, worker: Worker, request: PollRequest) -> tuple[Worker, PollAnswer, bool] | None:
        """Return what was found together with the worker's reports; None: that failed."""
        answer = None if worker.joint is None else await worker.joint
        return None if answer is None else (worker, answer, self._desk.end(worker, request, answer))

    async def _look(self, request: PollRequest) -> tuple[Worker, PollAnswer, bool]:
        """Poll once; tell too whether the worker knew the answer already."""
        worker = self._desk.find(request.worker_id)
        poll = request
        if worker is not None:
            self._desk.begin(worker, request)
            poll = worker.without_ended(request)
        try:
            answer, row = await self.write(partial(_poll, request=poll, is_known=worker is not None))
        except BaseException as error:
            if worker is not None:
                self._desk.give_back(worker)
            if isinstance(error, NotFoundError):
                self._desk.forget(request.worker_id)
            raise
        if worker is None:
            assert row is not None  # the engine has just found it
            worker = self._desk.learn(row)
        return worker, answer, self._desk.end(worker, request, answer)

    async def _tick(self) -> Tick:
        if self._is_new:
            await self._let_workers_return()
            self._is_new = False
        found = await self.write(partial(_tick, forget=self.may_forget()))
        self._limits = found.limits
        await self.stalls.look(self._loop.time())
        # What has waited for a time is ready, or a rate may allow what it did not before.
        if found.freed or found.limits:
            self._desk.announce_all()
        return found.tick

    async def _let_workers_return(self) -> None:
        """Wait for polls of workers that had leases when the collector ended: they could not prolong them meanwhile."""
        if (await self.numbers()).leased:
            await asyncio.sleep(RETURN_S)

    def _hear(self) -> None:
        """Note, in the store's thread, that another collector on the same store made work ready or gave commands."""
        if not self._heard:  # what is told meanwhile is told with it
            self._heard = True
            self._loop.call_soon_threadsafe(self._loop.call_later, HEARSAY_S, self._on_commit_elsewhere)

    def _on_commit_elsewhere(self) -> None:
        self._heard = False
        self._desk.announce_all(commands=True)
        self._ask_desk.announce_all()
        for listener in self._listeners:
            listener()

    def _on_commit(self, effects: Effects) -> None:
        if effects.due is not None:
            self._timer.fall_due(effects.due)
        if effects.regrouped:
            self._desk.relearn()
        if effects.look_again_ms is not None:
            self._loop.call_later(effects.look_again_ms / 1000, self._desk.announce_all)
        self._desk.announce(effects, limits=self._limits)
        self._ask_desk.announce(effects.asks)
        if effects.metered:
            for begin in self._metering:
                begin(effects.metered)
        if effects.changed:
            for listener in self._listeners:
                listener()


def _poll(engine: Engine, tx: Tx, *, request: PollRequest, is_known: bool) -> tuple[PollAnswer, WorkerRow | None]:
    answer = engine.poll(tx, request)
    row = None if is_known else tx.worker(request.worker_id, lock=False)
    return answer, row


def _report_and_poll(
    engine: Engine, tx: Tx, *, request: ReportsRequest, poll: PollRequest
) -> tuple[ReportsAnswer, PollAnswer]:
    answer = engine.reports(tx, request)
    ended = set(_ended(request, answer))
    held = [item for item in poll.held if (item.task_id, item.attempt) not in ended]
    return answer, engine.poll(tx, msgspec.structs.replace(poll, held=held))


def _ended(request: ReportsRequest, answer: ReportsAnswer) -> list[tuple[str, int]]:
    """Return the attempts whose ends have been taken."""
    return [
        (report.task_id, report.attempt)
        for report, result in zip(request.reports, answer.results, strict=True)
        if isinstance(report, ENDS) and result.outcome != "refused"
    ]


class _Ticked(NamedTuple):
    """A tick; whether it made something ready or ended something, and whether there are limits."""

    tick: Tick
    freed: bool
    limits: bool


def _tick(engine: Engine, tx: Tx, *, forget: bool) -> _Ticked:
    freed_before, engine.effects.freed = engine.effects.freed, False
    more = engine.tick(tx, forget=forget)
    freed = engine.effects.freed
    engine.effects.freed |= freed_before
    return _Ticked(Tick(more, tx.now, tx.next_due()), freed, bool(tx.limits()))
