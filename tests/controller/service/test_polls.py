"""Polls wait without asking, are woken by the commits that concern them, and are given up cleanly."""

from __future__ import annotations

import asyncio

import pytest

from milepost.wire.agents import Limit
from milepost.wire.tasks import CancelRequest, PauseRequest, TaskCreate
from milepost.wire.worker import PollRequest
from milepost_collector.controller.service import Controller
from milepost_collector.errors import NotFoundError
from tests.controller.service.conftest import Worker, create

LONG_MS = 15_000
SOON_S = 5.0


async def waiting(controller: Controller, polls: int) -> None:
    """Return once so many polls wait."""
    async with asyncio.timeout(SOON_S):
        while (await controller.numbers()).waiting_polls != polls:  # noqa: ASYNC110 - nothing tells but the number
            await asyncio.sleep(0)


async def test_poll_is_answered_when_a_task_is_created(any_controller: Controller) -> None:
    worker = await Worker.register(any_controller)
    poll = asyncio.create_task(worker.poll(LONG_MS))
    await waiting(any_controller, 1)
    task_id = await create(any_controller)
    answer = await asyncio.wait_for(poll, SOON_S)
    assert [lease.task_id for lease in answer.leases] == [task_id]


async def test_poll_ends_when_its_time_is_over(controller: Controller) -> None:
    worker = await Worker.register(controller)
    answer = await asyncio.wait_for(worker.poll(50), SOON_S)
    assert (answer.leases, answer.commands) == ([], [])


async def test_poll_of_an_unknown_worker_is_refused(controller: Controller) -> None:
    with pytest.raises(NotFoundError, match="worker 'nobody'"):
        await controller.poll(PollRequest(worker_id="nobody", wait_ms=LONG_MS))


def note_asked(controller: Controller, ticked: asyncio.Event | None = None) -> list[str]:
    """Return a list that gets the name of each work for the store. ticked: is set after two ticks, which are left out
    without it."""
    asked: list[str] = []
    submit = controller._writers.submit

    def noting(do: object) -> asyncio.Future[object]:
        name = getattr(getattr(do, "func", do), "__name__", "")
        if ticked is not None or name != "_tick":
            asked.append(name)
        if ticked is not None and asked.count("_tick") == 2:
            ticked.set()
        return submit(do)  # type: ignore[arg-type]

    controller._writers.submit = noting  # type: ignore[method-assign]
    return asked


async def test_waiting_asks_the_store_nothing(controller: Controller) -> None:
    worker = await Worker.register(controller)
    poll = asyncio.create_task(worker.poll(LONG_MS))
    await waiting(controller, 1)
    ticked = asyncio.Event()
    asked = note_asked(controller, ticked)
    await asyncio.wait_for(ticked.wait(), SOON_S)
    assert set(asked) == {"_tick"}
    controller.end_waits()
    await poll


async def test_poll_of_a_full_worker_asks_the_store_once_its_time_is_over(controller: Controller) -> None:
    worker = await Worker.register(controller)
    await create(controller)
    await worker.poll()
    await worker.poll()  # tells that it has started
    asked = note_asked(controller)
    poll = asyncio.create_task(worker.poll(50))
    await waiting(controller, 1)
    assert asked == []
    assert (await asyncio.wait_for(poll, SOON_S)).leases == []
    assert asked == ["_poll"]


async def test_report_brings_the_next_work_to_a_waiting_poll_in_the_same_transaction(
    any_controller: Controller,
) -> None:
    worker = await Worker.register(any_controller)
    await create(any_controller)
    await worker.poll()
    asked = note_asked(any_controller)
    for _ in range(5):  # what was committed before may wake a poll at any moment, which then asks for itself
        second = await create(any_controller)
        poll = asyncio.create_task(worker.poll(3_000))
        await waiting(any_controller, 1)
        asked.clear()
        done = worker.held[0].task_id
        [result] = (await worker.complete()).results
        assert result.outcome == "applied"
        assert [lease.task_id for lease in (await asyncio.wait_for(poll, SOON_S)).leases] == [second]
        assert (await any_controller.read(lambda tx: tx.finished([done]))).keys() == {done}  # noqa: B023 # called at once
        if asked == ["_report_and_poll"]:
            return
    pytest.fail(f"a waiting poll is never handed its work with the report: {asked}")


async def test_report_of_a_forgotten_worker_is_answered_and_its_poll_refused(controller: Controller) -> None:
    worker = await Worker.register(controller)
    await create(controller)
    await worker.poll()
    poll = asyncio.create_task(worker.poll(3_000))
    await waiting(controller, 1)
    await controller.write(lambda engine, tx: engine.unregister(tx, worker.id))  # by another collector
    [result] = (await worker.complete()).results
    assert result.outcome == "stale"
    with pytest.raises(NotFoundError, match="worker"):
        await asyncio.wait_for(poll, SOON_S)


async def test_report_whose_poll_has_gone_is_answered_and_the_work_handed_over_again(controller: Controller) -> None:
    worker = await Worker.register(controller)
    second = (await create(controller), await create(controller))[1]
    await worker.poll()
    poll = asyncio.create_task(worker.poll(3_000))
    await waiting(controller, 1)
    report = asyncio.create_task(worker.complete())
    while controller._desk.waiting:  # noqa: ASYNC110 - until the report has taken the poll over
        await asyncio.sleep(0)
    poll.cancel()
    assert [result.outcome for result in (await report).results] == ["applied"]
    worker.held.clear()
    assert [lease.task_id for lease in (await worker.poll(3_000)).leases] == [second]


async def test_free_slot_under_a_limit_is_not_for_its_worker_first(controller: Controller) -> None:
    limit = Limit(scope="name", value="Load", concurrency=1)
    await controller.write(lambda engine, tx: engine.set_limit(tx, limit), frees=True)
    worker = await Worker.register(controller)
    second = (await create(controller), await create(controller))[1]
    await worker.poll()
    poll = asyncio.create_task(worker.poll(3_000))
    await waiting(controller, 1)
    asked = note_asked(controller)
    await worker.complete()
    assert [lease.task_id for lease in (await asyncio.wait_for(poll, SOON_S)).leases] == [second]
    assert "_report_and_poll" not in asked


async def test_one_of_many_equal_workers_is_woken_for_one_task(controller: Controller) -> None:
    workers = [await Worker.register(controller) for _ in range(5)]
    polls = [asyncio.create_task(worker.poll(LONG_MS)) for worker in workers]
    await waiting(controller, 5)
    await create(controller)
    done, _ = await asyncio.wait(polls, timeout=SOON_S, return_when=asyncio.FIRST_COMPLETED)
    assert [len(poll.result().leases) for poll in done] == [1]
    await waiting(controller, 4)
    controller.end_waits()
    await asyncio.gather(*polls)


async def test_full_worker_passes_the_word_to_the_next(any_controller: Controller) -> None:
    workers = [await Worker.register(any_controller) for _ in range(3)]
    polls = [asyncio.create_task(worker.poll(LONG_MS)) for worker in workers]
    await waiting(any_controller, 3)
    tasks = [TaskCreate(name="Load", agent="etl")] * 3
    await any_controller.write(lambda engine, tx: engine.create_all(tx, tasks))
    answers = await asyncio.wait_for(asyncio.gather(*polls), SOON_S)
    assert [len(answer.leases) for answer in answers] == [1, 1, 1]


async def test_poll_is_answered_when_a_slot_of_its_worker_gets_free(controller: Controller) -> None:
    worker = await Worker.register(controller)
    first, second = await create(controller), await create(controller)
    assert [lease.task_id for lease in (await worker.poll()).leases] == [first]
    poll = asyncio.create_task(worker.poll(3_000))
    await waiting(controller, 1)
    await worker.complete()
    assert [lease.task_id for lease in (await asyncio.wait_for(poll, SOON_S)).leases] == [second]


async def test_poll_is_answered_when_a_limit_is_lifted(controller: Controller) -> None:
    limit = Limit(scope="name", value="Load", concurrency=0)
    await controller.write(lambda engine, tx: engine.set_limit(tx, limit), frees=True)
    worker = await Worker.register(controller)
    await create(controller)
    poll = asyncio.create_task(worker.poll(LONG_MS))
    await waiting(controller, 1)
    await controller.write(lambda engine, tx: engine.delete_limit(tx, "name", "Load"), frees=True)
    assert len((await asyncio.wait_for(poll, SOON_S)).leases) == 1


async def test_poll_is_answered_when_its_agent_is_resumed(controller: Controller) -> None:
    worker = await Worker.register(controller)
    await controller.write(lambda engine, tx: engine.pause_agent(tx, "etl", PauseRequest()))
    await create(controller)
    poll = asyncio.create_task(worker.poll(LONG_MS))
    await waiting(controller, 1)
    await controller.write(lambda engine, tx: engine.resume_agent(tx, "etl", PauseRequest()), frees=True)
    assert len((await asyncio.wait_for(poll, SOON_S)).leases) == 1


async def test_command_reaches_a_waiting_poll_and_is_not_repeated_at_once(any_controller: Controller) -> None:
    worker = await Worker.register(any_controller)
    task_id = await create(any_controller)
    await worker.poll()
    poll = asyncio.create_task(worker.poll(3_000))
    await waiting(any_controller, 1)
    await any_controller.write(lambda engine, tx: engine.cancel(tx, task_id, CancelRequest(reason="enough")))
    [command] = (await asyncio.wait_for(poll, SOON_S)).commands
    assert (command.kind, command.reason) == ("cancel", "enough")
    again = asyncio.create_task(worker.poll(3_000))
    await waiting(any_controller, 1)  # it waits although the command stands
    assert [command.kind for command in (await asyncio.wait_for(again, SOON_S)).commands] == ["cancel"]


async def test_work_goes_to_another_worker_when_a_client_has_gone(controller: Controller) -> None:
    gone, other = await Worker.register(controller), await Worker.register(controller)
    left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    lost = asyncio.create_task(controller.poll(PollRequest(worker_id=gone.id, wait_ms=LONG_MS), left))
    await waiting(controller, 1)
    poll = asyncio.create_task(other.poll(LONG_MS))
    await waiting(controller, 2)
    left.set_result(None)
    assert (await asyncio.wait_for(lost, SOON_S)).leases == []
    await create(controller)
    assert len((await asyncio.wait_for(poll, SOON_S)).leases) == 1


async def test_second_poll_of_a_worker_ends_the_first(controller: Controller) -> None:
    worker = await Worker.register(controller)
    first = asyncio.create_task(worker.poll(LONG_MS))
    await waiting(controller, 1)
    second = asyncio.create_task(worker.poll(LONG_MS))
    assert (await asyncio.wait_for(first, SOON_S)).leases == []
    await create(controller)
    assert len((await asyncio.wait_for(second, SOON_S)).leases) == 1


async def test_stopping_answers_polls_and_lets_none_wait(controller: Controller) -> None:
    worker = await Worker.register(controller)
    poll = asyncio.create_task(worker.poll(LONG_MS))
    await waiting(controller, 1)
    controller.end_waits()
    assert (await asyncio.wait_for(poll, SOON_S)).leases == []
    assert (await asyncio.wait_for(worker.poll(LONG_MS), SOON_S)).leases == []


async def test_agents_that_share_work_take_turns(controller: Controller) -> None:
    served: list[str] = []
    workers = [await Worker.register(controller, agent) for agent in ("one", "two")]
    polls = {asyncio.create_task(worker.poll(LONG_MS)): worker for worker in workers}
    await waiting(controller, 2)
    for _ in range(4):
        await create(controller, agent=None)
        done, _ = await asyncio.wait(polls, timeout=SOON_S, return_when=asyncio.FIRST_COMPLETED)
        [poll] = done
        worker = polls.pop(poll)
        served.append(worker.id)
        await worker.complete()
        polls[asyncio.create_task(worker.poll(LONG_MS))] = worker
        await waiting(controller, 2)
    assert served[0] != served[1]
    assert served[:2] == served[2:]
    controller.end_waits()
    await asyncio.gather(*polls)
