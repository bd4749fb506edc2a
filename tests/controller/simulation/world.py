"""Time, chance, and collectors that may crash around every commit."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from milepost_collector.controller.engine import Effects, Engine
from milepost_collector.controller.service.ids import Ids
from milepost_collector.controller.store import open_store
from milepost_collector.controller.store.interface import Store, Tx
from milepost_collector.errors import QueryError

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
HOUR_MS = 3_600_000


class Crash(Exception):
    """The collector died: whoever waited for an answer gets none."""


def nothing(_: Any) -> None:
    """Take an answer that nobody needs."""


@dataclass(frozen=True, slots=True)
class Request:
    """Something that is asked of the engine.

    committed: is told the result when it is durable, though its answer be lost: for the audit. answered: gets the
    answer, a refusal included. refusable: False: what refuses it is an error of the engine.
    """

    do: Callable[[Engine, Tx], Any]
    answered: Callable[[Any], None] = nothing
    committed: Callable[[Any], None] = nothing
    refusable: bool = True


@dataclass(frozen=True, slots=True)
class Faults:
    """How likely things go wrong, per transaction or per answer."""

    crash_before: float = 0.03
    crash_after: float = 0.03
    lost_answer: float = 0.08
    repeated: float = 0.05
    set_back: float = 0.2  # of crashes: the next clock is behind


CALM = Faults(crash_before=0, crash_after=0, lost_answer=0, repeated=0, set_back=0)


class World:
    """A store, the engines that use it, and the clock. on_commit: is called after each commit with its effects."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = START_MS
        self.faults = Faults()
        self.store: Store = open_store(":memory:", clock=lambda: self.now)
        self.on_commit: Callable[[Effects], None] = nothing
        self._engines = [self._new_engine() for _ in range(self.chance.choice((1, 2)))]

    def happens(self, probability: float) -> bool:
        """Draw whether something happens."""
        return self.chance.random() < probability

    def execute(self, requests: Sequence[Request]) -> None:
        """Do requests in one transaction of one engine; deliver the answers that do not get lost.

        Raises:
            Exception: one was not refused but failed.
        """
        requests = [again for request in requests for again in self._as_sent(request)]
        place = self.chance.randrange(len(self._engines))
        try:
            results = self._commit(self._engines[place], requests)
        except Crash:
            self._engines[place] = self._new_engine()
            self.now -= self.chance.randrange(HOUR_MS) if self.happens(self.faults.set_back) else 0
            return
        for request, result in zip(requests, results, strict=True):
            if not self.happens(self.faults.lost_answer):
                request.answered(result)

    def read(self, question: Callable[[Tx], Any]) -> Any:
        """Return what a function finds."""
        return self.store.read(question)

    def tick(self) -> Request:
        """Return a request to do what is due."""
        return Request(lambda engine, tx: engine.tick(tx), refusable=False)

    def _as_sent(self, request: Request) -> list[Request]:
        """Return a request, twice when the network repeats it; the first answer is lost then."""
        if self.happens(self.faults.repeated):
            return [replace(request, answered=nothing), request]
        return [request]

    def _commit(self, engine: Engine, requests: Sequence[Request]) -> list[Any]:
        crashes_before = self.happens(self.faults.crash_before)

        def work(request: Request, tx: Tx) -> Any:
            return request.do(engine, tx)

        def whole(tx: Tx) -> None:
            for request in requests:
                work(request, tx)
            raise Crash

        if crashes_before:
            self._crash_before(whole)
        results = self.store.run_each([partial(work, request) for request in requests])
        effects = engine.take_effects()
        for request, result in zip(requests, results, strict=True):
            if isinstance(result, Exception) and not (request.refusable and isinstance(result, QueryError)):
                raise result
            request.committed(result)
        self.on_commit(effects)
        if self.happens(self.faults.crash_after):
            raise Crash
        return results

    def _crash_before(self, whole: Callable[[Tx], None]) -> None:
        try:
            self.store.run(whole)
        except QueryError as error:  # one of them is refused: the crash comes as early as that
            raise Crash from error

    def _new_engine(self) -> Engine:
        chance = random.Random(self.chance.getrandbits(64))
        return Engine(new_id=Ids(chance), chance=chance)
