"""The threads that write: they take what waits, run it in one transaction, and answer after its commit."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from milepost.errors import MilepostError
from milepost.wire.tasks import Task, TaskCreate
from milepost_collector.controller.engine import Created, Effects, Engine
from milepost_collector.controller.store.interface import Store, Tx
from milepost_collector.controller.views import new_tasks
from milepost_collector.errors import ControllerBusyError, StorageUnavailableError

logger = logging.getLogger("milepost.controller")

MAX_WAITING = 5_000  # works; a few seconds of them
# In one transaction: beyond it those in front only wait longer for their answers.
MAX_GROUP = 200

Function = Callable[[Engine, Tx], Any]


class Work(NamedTuple):
    """Something to do in a transaction: a function, or a task to be created, which waits for company.

    answer: gets what came of it, on the event loop, after the commit.
    """

    do: Function | TaskCreate
    answer: asyncio.Future[Any]


class Answered(NamedTuple):
    """A work whose transaction is over, and what came of it: a value or an exception."""

    answer: asyncio.Future[Any]
    result: Any


Deliver = Callable[[list[Answered], Effects], None]


class Writers:
    """A bounded queue and the threads that drain it. Belongs to one event loop: only its thread may call `submit`.

    new_engine: makes each thread's engine. threads: transactions at once; 1 for a store with one writer. on_commit: is
    called on the event loop with the effects of each transaction, before those who asked for its works go on.
    """

    def __init__(
        self,
        store: Store,
        new_engine: Callable[[], Engine],
        *,
        threads: int,
        on_commit: Callable[[Effects], None],
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._store = store
        self._new_engine = new_engine
        self._on_commit = on_commit
        self._max_waiting = max_waiting
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._threads = [
            threading.Thread(target=self._run, name=f"milepost-controller-{number}", daemon=True)
            for number in range(threads)
        ]
        self._stopped = False
        self.waiting = 0  # works that have not been answered
        self.available = True  # whether the last transaction could be committed

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Do what is queued, then end the threads. Blocks; safe to call twice."""
        self._stopped = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def submit(self, do: Function | TaskCreate) -> asyncio.Future[Any]:
        """Queue a work and return its answer to be. Whoever goes away without waiting leaves the work to be done.

        Raises:
            ControllerBusyError: too many wait already, or the controller is being stopped.
        """
        if self._stopped or self.waiting >= self._max_waiting:
            raise ControllerBusyError(self.waiting, self._max_waiting)
        answer: asyncio.Future[Any] = self._loop.create_future()
        self.waiting += 1
        self._queue.put(Work(do, answer))
        return answer

    # --- the threads

    def _run(self) -> None:
        engine = self._new_engine()
        while (first := self._queue.get()) is not None:
            group, is_last = self._fill([first])
            answered = self._commit(engine, group)
            self._loop.call_soon_threadsafe(self._settle, answered, engine.take_effects())
            if is_last:
                return

    def _fill(self, group: list[Work]) -> tuple[list[Work], bool]:
        """Add what waits to a group; tell whether the thread is to end then."""
        try:
            while len(group) < MAX_GROUP:
                work = self._queue.get_nowait()
                if work is None:
                    return group, True
                group.append(work)
        except Empty:
            pass
        return group, False

    def _commit(self, engine: Engine, group: list[Work]) -> list[Answered]:
        creates = [work for work in group if isinstance(work.do, TaskCreate)]
        others = [work for work in group if not isinstance(work.do, TaskCreate)]
        works = [_bound(work.do, engine) for work in others if callable(work.do)]
        if creates:  # first, so that a poll beside them finds them
            works.insert(0, _creating(creates, engine))
        try:
            results = self._store.run_each(works)
        except Exception as error:  # the thread must outlive it, and whoever waits must hear of it
            self._note(error)
            return [Answered(work.answer, error) for work in group]
        self.available = True
        made = self._made(creates, results.pop(0), engine) if creates else []
        return list(map(Answered, (work.answer for work in (*creates, *others)), (*made, *results)))

    def _made(self, creates: list[Work], results: Any, engine: Engine) -> list[Any]:
        """Return what became of each task that was to be created. When the database refused them all together, each is
        tried for itself: one of them is to blame."""
        if not isinstance(results, Exception):
            return list(results)
        if len(creates) == 1:
            return [results]
        try:
            alone = self._store.run_each([_creating([work], engine) for work in creates])
        except Exception as error:  # as above
            self._note(error)
            return [error] * len(creates)
        return [result if isinstance(result, Exception) else result[0] for result in alone]

    def _note(self, error: Exception) -> None:
        if isinstance(error, StorageUnavailableError):
            if self.available:
                logger.error("the controller's store is not available: %s", error)
            self.available = False
        elif not isinstance(error, MilepostError):
            logger.error("a transaction of the controller failed", exc_info=error)

    # --- the event loop

    def _settle(self, answered: list[Answered], effects: Effects) -> None:
        self.waiting -= len(answered)
        for answer, result in answered:
            if answer.done():  # whoever asked went away
                continue
            if isinstance(result, BaseException):
                answer.set_exception(result)
            else:
                answer.set_result(result)
        self._on_commit(effects)  # before any of those who asked goes on: they do with the loop's next round


def _bound(function: Function, engine: Engine) -> Callable[[Tx], Any]:
    return lambda tx: function(engine, tx)


def _creating(creates: Sequence[Work], engine: Engine) -> Callable[[Tx], list[Any]]:
    requests = [work.do for work in creates if isinstance(work.do, TaskCreate)]

    def create(tx: Tx) -> list[Any]:
        results = engine.create(tx, requests)
        made = [result.task_id for result in results if isinstance(result, Created) and result.made]
        shown = new_tasks(tx, made)  # here they share what they are told of, and nobody waits for another thread
        return [
            result if isinstance(result, Exception) else (result, _with_payload(shown.get(result.task_id), request))
            for result, request in zip(results, requests, strict=True)
        ]

    return create


def _with_payload(task: Task | None, request: TaskCreate) -> Task | None:
    if task is not None:
        task.input, task.context = request.input, request.context
    return task
