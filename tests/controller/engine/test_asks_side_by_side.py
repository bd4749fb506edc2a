"""Several people, workers and clocks are at one ask at the same time, through several engines."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.wire.asks import AskCreate, DecideRequest
from milepost_collector.errors import ConflictError, DuplicateRowError
from tests.controller.engine.house import House, Worker
from tests.controller.engine.test_side_by_side import at_once

pytestmark = pytest.mark.parametrize("place", ["memory", "postgresql"], indirect=True)

ROUNDS = 5


def attempted(work: Any) -> Any:
    """Return what something raises, or None."""
    try:
        work()
    except (ConflictError, DuplicateRowError) as error:
        return error
    return None


def test_one_of_several_decisions_is_taken(house: House, worker: Worker) -> None:
    for number in range(ROUNDS):
        house.clock.advance(10)
        task_id = house.create()
        worker.ask(worker.take(), key=str(number))
        (ask,) = house.asks(task_id=task_id)

        def decide(engine: Any, tx: Any, place: int, ask_id: str = ask.id) -> Any:
            request = DecideRequest(decision=("approve", "reject", "approve")[place], by=f"p{place}")
            return attempted(lambda: engine.decide(tx, ask_id, request))

        outcomes = at_once(house, decide)
        (winner,) = [place for place, error in enumerate(outcomes) if error is None]
        assert house.ask(ask.id).decisions[0].by == f"p{winner}"
        assert all(f"by p{winner}" in str(error) for error in outcomes if error is not None)
        assert house.events(task_id).count("answered") == 1
        (answer,) = worker.take().answers
        assert answer.by == f"p{winner}"
        house.cancel(task_id)
        house.pass_time(60_000)


def test_decision_and_expiry_leave_one_outcome(house: House, worker: Worker) -> None:
    for number in range(ROUNDS):
        house.clock.advance(10)
        task_id = house.create()
        worker.ask(worker.take(), key=str(number), timeout_ms=1_000)
        (ask,) = house.asks(task_id=task_id)
        house.clock.advance(1_000)

        def act(engine: Any, tx: Any, place: int, ask_id: str = ask.id) -> Any:
            if place == 0:
                return attempted(lambda: engine.decide(tx, ask_id, DecideRequest(decision="approve")))
            return engine.tick(tx)

        at_once(house, act)
        ended = [event for event in house.ask_events(ask.id) if event in ("approved", "expired")]
        assert ended == [house.ask(ask.id).status]
        assert house.events(task_id).count("answered") == 1
        house.cancel(task_id)


def test_quorum_is_counted_once(house: House) -> None:
    for number in range(ROUNDS):
        house.clock.advance(10)
        ask_id = house.ask_for_run(key=str(number), quorum=2)

        def decide(engine: Any, tx: Any, place: int, ask_id: str = ask_id) -> Any:
            request = DecideRequest(decision="approve", by=f"p{place}")
            return attempted(lambda: engine.decide(tx, ask_id, request))

        outcomes = at_once(house, decide)
        assert sum(error is None for error in outcomes) == 2
        assert (house.ask(ask_id).status, house.ask(ask_id).approvals) == ("approved", 2)


def test_run_that_asks_several_times_at_once_asks_once(house: House) -> None:
    for number in range(ROUNDS):
        house.clock.advance(10)
        request = AskCreate(run_id="a" * 32, key=str(number), title="Go on?")

        def ask(engine: Any, tx: Any, place: int, request: AskCreate = request) -> Any:
            return engine.ask(tx, request)

        made = at_once(house, ask)
        assert len({ask_id for ask_id, _ in made}) == 1
        assert sorted(is_new for _, is_new in made) == [False, False, True]
