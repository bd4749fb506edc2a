"""Contents in a folder, in memory and in S3."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milepost_collector.deliverables import Place
from milepost_collector.deliverables import place as places
from milepost_collector.deliverables.place import TooLong
from milepost_collector.errors import DeliverableStoreError, NotFoundError
from tests.collector.deliverables.conftest import Clock
from tests.collector.deliverables.s3 import S3Server

LIMIT = 100 * 1024 * 1024


async def pieces(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    """Yield chunks."""
    for chunk in chunks:
        yield chunk


async def whole(place: Place, key: str, start: int, end: int) -> bytes:
    """Return what is read."""
    return b"".join([piece async for piece in place.read(key, start, end)])


async def listed(place: Place) -> list[str]:
    """Return all keys of contents."""
    return [key async for found in place.contents(-10) for key, _ in found]


async def test_what_is_written_is_read(place: Place) -> None:
    """Whole and in part, with its digest."""
    content = bytes(range(256)) * 1_000
    stored = await place.write(pieces([content[:100], content[100:]]), LIMIT)
    assert (stored.size_bytes, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert await whole(place, stored.key, 0, len(content)) == content
    assert await whole(place, stored.key, 1_000, 1_003) == content[1_000:1_003]
    assert await listed(place) == [stored.key]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    chunks=st.lists(st.binary(max_size=5_000), max_size=8), cut=st.tuples(st.integers(0, 9_999), st.integers(1, 9_999))
)
def test_any_bytes_in_any_pieces_come_back(tmp_path: Path, chunks: list[bytes], cut: tuple[int, int]) -> None:
    """In a folder; parts as slices."""

    async def write_and_read() -> None:
        place, content = Place(None, tmp_path), b"".join(chunks)
        stored = await place.write(pieces(chunks), LIMIT)
        assert stored.sha256 == hashlib.sha256(content).hexdigest()
        start = min(cut[0], len(content))
        end = min(start + cut[1], len(content))
        if start < end:
            assert await whole(place, stored.key, start, end) == content[start:end]

    asyncio.run(write_and_read())


async def test_large_contents_go_in_parts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than a part is a multipart upload where the place has such."""
    monkeypatch.setattr(places, "PART_BYTES", 5 * 1024 * 1024)
    chunk = bytes(range(256)) * 4_096  # 1 MiB
    stored = await place.write(pieces([chunk] * 12), LIMIT)
    assert stored.sha256 == hashlib.sha256(chunk * 12).hexdigest()
    assert await whole(place, stored.key, 6 * len(chunk) - 5, 6 * len(chunk) + 5) == chunk[-5:] + chunk[:5]


async def test_equal_contents_have_keys_of_their_own(place: Place) -> None:
    """So that removing one can never hit the other."""
    first, second = [await place.write(pieces([b"same"]), LIMIT) for _ in range(2)]
    assert first.key != second.key
    await place.remove([first.key])
    assert await whole(place, second.key, 0, 4) == b"same"


async def test_an_upload_that_breaks_off_leaves_nothing(place: Place, ahead: Clock) -> None:
    """Neither a content nor a part of one."""

    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * (places.PART_BYTES + 1)
        raise ConnectionError("gone")

    with pytest.raises((ConnectionError, DeliverableStoreError)):
        await place.write(breaking(), LIMIT)
    ahead.ahead_s = 1_000
    assert await listed(place) == []
    assert await place.remove_incoming(0) == (0, 0)


async def test_what_is_too_long_leaves_nothing(place: Place, ahead: Clock) -> None:
    """It is given up at the first byte too many."""
    with pytest.raises(TooLong):
        await place.write(pieces([b"x" * 60, b"y" * 41]), 100)
    assert (await place.write(pieces([b"x" * 60, b"y" * 40]), 100)).size_bytes == 100
    ahead.ahead_s = 1_000
    assert await place.remove_incoming(0) == (0, 0)


async def test_a_content_that_is_gone_is_not_found(place: Place) -> None:
    """The error names it and where it should be."""
    with pytest.raises(NotFoundError, match="contents/ab/none"):
        await whole(place, "contents/ab/none", 0, 1)
    await place.remove(["contents/ab/none"])


async def test_parts_of_killed_uploads_are_removed_once_they_are_old(tmp_path: Path, ahead: Clock) -> None:
    """A folder's object store does not list them itself."""
    place = Place(None, tmp_path, clock=ahead)
    await place.write(pieces([b"kept"]), LIMIT)
    (tmp_path / "incoming" / "token#1").write_bytes(b"part")
    assert await place.remove_incoming(60) == (0, 0)
    ahead.ahead_s = 61
    assert await place.remove_incoming(60) == (1, 4)
    assert len(await listed(place)) == 1


async def test_broken_uploads_leave_no_parts_in_s3(s3_server: S3Server, s3_url: str, tmp_path: Path) -> None:
    """The multipart upload is aborted."""

    async def breaking() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * places.PART_BYTES
        raise ConnectionError("gone")

    place = Place(s3_url, tmp_path)
    with pytest.raises((ConnectionError, DeliverableStoreError)):
        await place.write(breaking(), LIMIT)
    status, body = s3_server.read("GET", "/bucket?uploads")
    assert status == 200
    assert "<Upload>" not in body


async def test_a_place_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    """With the remedy."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DeliverableStoreError, match="deliverables_url"):
        await Place(None, tmp_path / "file" / "folder").write(pieces([b"x"]), LIMIT)
