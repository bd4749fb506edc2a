"""What nothing refers to is removed, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from milepost.wire.deliverables import CollectAnswer
from milepost.wire.tasks import TaskCreate
from milepost_collector.controller.engine.deliverables import Owner
from milepost_collector.controller.service import Controller, open_controller
from milepost_collector.deliverables import Deliverables, Incoming, Place, garbage
from tests.collector.deliverables.conftest import Clock


@pytest.fixture
async def controller(tmp_path: Path) -> AsyncIterator[Controller]:
    """Return a controller over a file."""
    running = await open_controller(tmp_path)
    running.start()
    yield running
    await running.stop()


@pytest.fixture
def kept(controller: Controller, place: Place) -> Deliverables:
    """Return deliverables whose contents lie in a place of each kind."""
    return Deliverables(controller, place, max_bytes=10**6, quota_bytes=10**7)


async def once(content: bytes) -> AsyncIterator[bytes]:
    """Yield a content."""
    yield content


async def attach(kept: Deliverables, owner: Owner, name: str, content: bytes) -> None:
    """Attach a content."""
    await kept.attach(owner, Incoming(name=name, type="file", content_type="text/plain"), once(content))


async def whole(kept: Deliverables, owner: Owner, name: str) -> bytes:
    """Return a deliverable's content."""
    found, key = await kept.find(owner, name, None)
    return b"".join([piece async for piece in kept.read(key, 0, found.size_bytes)])


async def test_contents_go_with_the_last_that_refers_to_them(
    kept: Deliverables, controller: Controller, monkeypatch: pytest.MonkeyPatch, ahead: Clock
) -> None:
    """And only once the grace is over."""
    first, second = Owner(run_id="1" * 32), Owner(run_id="2" * 32)
    await attach(kept, first, "a", b"same")
    await attach(kept, second, "b", b"same")
    await attach(kept, second, "c", b"other")
    await kept.remove(second, "b", None)
    await kept.remove(second, "c", None)
    assert await kept.collect() == CollectAnswer(contents=0, leftovers=0, bytes=0)
    monkeypatch.setattr(garbage, "GRACE_S", -1)
    assert await kept.collect() == CollectAnswer(contents=1, leftovers=0, bytes=5)
    assert await whole(kept, first, "a") == b"same"
    await attach(kept, first, "c", b"other")  # removed, it can come again
    assert await whole(kept, first, "c") == b"other"


async def test_deleted_tasks_take_their_contents_along(
    kept: Deliverables, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever deletes them: a person or the retention."""
    task, _ = await controller.create(TaskCreate(name="Report"))
    await attach(kept, Owner(task_id=task.id), "a", b"123")
    await controller.write(lambda engine, tx: engine.delete(tx, task.id))
    monkeypatch.setattr(garbage, "GRACE_S", -1)
    assert (await kept.collect()).contents == 1


async def test_contents_without_a_row_are_leftovers_once_they_are_old(
    kept: Deliverables, place: Place, ahead: Clock
) -> None:
    """What a killed collector stored and did not come to attach."""
    owner = Owner(run_id="3" * 32)
    await attach(kept, owner, "a", b"kept")
    await place.write(once(b"lost"), 100)
    assert await kept.collect() == CollectAnswer(contents=0, leftovers=0, bytes=0)
    ahead.ahead_s = garbage.GRACE_S + 10
    assert await kept.collect() == CollectAnswer(contents=0, leftovers=1, bytes=4)
    assert await whole(kept, owner, "a") == b"kept"


async def test_the_same_attached_by_many_at_once_is_kept_once(kept: Deliverables, place: Place) -> None:
    """None of them fails, and no copy stays."""
    owners = [Owner(run_id=f"{number:032x}") for number in range(12)]
    await asyncio.gather(*(attach(kept, owner, "a", b"same") for owner in owners))
    assert [await whole(kept, owner, "a") for owner in owners] == [b"same"] * 12
    assert len([key async for found in place.contents(-10) for key, _ in found]) == 1


async def test_versions_of_one_name_are_told_apart_however_close(kept: Deliverables) -> None:
    """Each of many at once has a number of its own."""
    owner = Owner(run_id="5" * 32)
    await asyncio.gather(*(attach(kept, owner, "a", str(number).encode()) for number in range(10)))
    found = await kept.list(owner, all_versions=True)
    assert sorted(one.version for one in found.deliverables) == list(range(1, 11))
