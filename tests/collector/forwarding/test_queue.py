"""The queue's files: whatever is appended and popped, and wherever a crash cuts, what is left is a run of what came."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from milepost_collector.forwarding.queue import DiskQueue
from milepost_collector.forwarding.records import PROTOBUF, Record, decode, encode

KIB = 1024
BODIES = st.binary(max_size=40)
RECORDS = st.builds(
    Record,
    st.sampled_from(["traces", "logs", "metrics"]),
    st.sampled_from([PROTOBUF, "application/json"]),
    BODIES,
    st.sampled_from(["", "0123456789abcdef"]),
)


def traces(body: bytes) -> Record:
    return Record("traces", PROTOBUF, body)


def numbered(number: int, size: int = 100) -> Record:
    return traces(f"{number:08d}".encode().ljust(size, b"."))


def drained(queue: DiskQueue) -> list[Record]:
    """Take everything out, in requests of three."""
    found: list[Record] = []
    while entries := queue.peek(500, 3):
        found += [entry.record for entry in entries]
        queue.pop(entries[-1].number)
    return found


@pytest.fixture
def open_queue(tmp_path: Path) -> Callable[..., DiskQueue]:
    """Give a function that opens the test's queue."""
    return lambda max_bytes=1 << 20: DiskQueue(tmp_path / "queue", max_bytes)


class AnyHistory(RuleBasedStateMachine):
    """Appends, pops and crashes in any order. came: what was appended and not lost to a cut; gone: how many popped."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "queue"
        self.queue = self.opened()
        self.came: list[Record] = []
        self.gone = 0

    def opened(self) -> DiskQueue:
        return DiskQueue(self.path, 4 * KIB)  # segments of 256 bytes

    @rule(record=RECORDS)
    @precondition(lambda self: self.queue.size < 3 * KIB)  # the bound has a test of its own
    def append(self, record: Record) -> None:
        self.queue.append(record)
        self.came.append(record)

    @rule(most=st.integers(1, 5))
    def pop(self, most: int) -> None:
        if entries := self.queue.peek(200, most):
            self.queue.pop(entries[-1].number)
            self.gone += len(entries)

    @rule()
    def restart(self) -> None:
        self.queue.close()
        self.queue = self.opened()

    @rule(record=RECORDS, share=st.floats(0, 1, exclude_max=True))
    @precondition(lambda self: self.queue.size < 3 * KIB)
    def killed_while_appending(self, record: Record, share: float) -> None:
        """The record is not acknowledged and only a part of its bytes has been written."""
        self.queue.append(record)
        self.queue.close()
        last = max(self.path.glob("*.segment"))
        cut = int(len(encode(record)) * share)
        last.write_bytes(last.read_bytes()[: last.stat().st_size - len(encode(record)) + cut])
        self.queue = self.opened()

    @rule(most=st.integers(1, 5))
    def killed_while_popping(self, most: int) -> None:
        """Segments are gone already and the position is still the old one: some are handed out again."""
        position = self.path / "position"
        before = position.read_bytes() if position.exists() else b"damaged"
        self.pop(most)
        self.queue.close()
        position.write_bytes(before)
        self.queue = self.opened()
        again = len(self.queue) - (len(self.came) - self.gone)
        assert again >= 0
        self.gone -= again

    @rule(share=st.floats(0, 1))
    def power_lost(self, share: float) -> None:
        """The end of the last file never reached the disk."""
        self.queue.close()
        for last in sorted(self.path.glob("*.segment"))[-1:]:
            last.write_bytes(last.read_bytes()[: int(last.stat().st_size * share)])
        self.queue = self.opened()
        lost = len(self.came) - self.gone - len(self.queue)
        assert lost >= 0
        del self.came[len(self.came) - lost :]

    @invariant()
    def what_waits_is_what_came_and_has_not_gone(self) -> None:
        copy = Path(self.folder.name) / "copy"
        shutil.copytree(self.path, copy)
        queue = DiskQueue(copy, 4 * KIB)
        assert len(queue) == len(self.queue) == len(self.came) - self.gone
        assert drained(queue) == self.came[self.gone :]
        assert (queue.dropped, queue.damaged) == (0, 0)
        queue.close()
        shutil.rmtree(copy)

    def teardown(self) -> None:
        self.queue.close()
        self.folder.cleanup()


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@given(RECORDS, st.binary(max_size=20))
def test_record_survives_its_encoding_whatever_follows(record: Record, more: bytes):
    assert decode(encode(record) + more) == (record, len(encode(record)))


@given(RECORDS, st.data())
def test_record_with_any_bit_turned_or_byte_missing_is_not_read(record: Record, data: st.DataObject):
    encoded = bytearray(encode(record))
    assert decode(bytes(encoded[: data.draw(st.integers(0, len(encoded) - 1))])) is None
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert decode(bytes(encoded)) is None


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(400, 3000))
def test_full_queue_drops_the_oldest_and_counts_them(sizes: list[int], max_bytes: int):
    with TemporaryDirectory() as folder:
        queue = DiskQueue(Path(folder), max_bytes)
        for number, size in enumerate(sizes):
            queue.append(numbered(number, size))
            assert sum(file.stat().st_size for file in Path(folder).glob("*.segment")) <= max_bytes
        kept = drained(queue)
        assert kept == [numbered(number, size) for number, size in enumerate(sizes)][len(sizes) - len(kept) :]
        assert queue.dropped == len(sizes) - len(kept)
        queue.close()


def test_full_queue_keeps_nearly_its_limit(open_queue: Callable[..., DiskQueue]):
    queue = open_queue(64 * KIB)
    for number in range(2000):
        queue.append(numbered(number))
    assert queue.size > 64 * KIB * 14 / 16
    queue.close()


def test_record_larger_than_the_queue_is_refused_and_drops_nothing(open_queue: Callable[..., DiskQueue]):
    queue = open_queue(1 * KIB)
    queue.append(traces(b"kept"))
    with pytest.raises(ValueError, match="does not fit a queue of 1024"):
        queue.append(traces(b"x" * 2 * KIB))
    assert drained(queue) == [traces(b"kept")]
    queue.close()


def test_records_handed_out_before_they_are_dropped_are_not_counted_as_dropped(open_queue: Callable[..., DiskQueue]):
    queue = open_queue(1 * KIB)
    queue.append(numbered(0))
    [entry] = queue.peek(1000, 1)
    for number in range(1, 20):
        queue.append(numbered(number))
    queue.pop(entry.number)
    assert queue.dropped == 20 - 1 - len(queue)
    queue.close()


def test_damage_in_a_segment_costs_the_rest_of_that_segment(open_queue: Callable[..., DiskQueue], tmp_path: Path):
    queue = open_queue(16 * KIB)
    for number in range(27):
        queue.append(numbered(number))  # nine of 112 bytes in a segment of 1 KiB
    queue.close()
    first = min((tmp_path / "queue").glob("*.segment"))
    damaged = bytearray(first.read_bytes())
    damaged[4 * 112 + 50] ^= 1
    first.write_bytes(damaged)
    queue = open_queue(16 * KIB)
    assert drained(queue) == [numbered(number) for number in (0, 1, 2, 3, *range(9, 27))]
    assert queue.damaged == 5
    queue.close()


def test_missing_segment_is_counted_and_passed_over(open_queue: Callable[..., DiskQueue], tmp_path: Path):
    queue = open_queue(16 * KIB)
    for number in range(27):
        queue.append(numbered(number))
    sorted((tmp_path / "queue").glob("*.segment"))[1].unlink()
    assert len(drained(queue)) == 18
    assert queue.damaged == 9
    queue.close()


def test_drained_queue_leaves_little_on_disk(open_queue: Callable[..., DiskQueue], tmp_path: Path):
    queue = open_queue(16 * KIB)
    for number in range(100):
        queue.append(numbered(number))
    drained(queue)
    assert queue.waiting_bytes == 0
    assert sum(file.stat().st_size for file in (tmp_path / "queue").glob("*.segment")) <= 1 * KIB
    queue.close()


def test_large_record_is_handed_out_alone(open_queue: Callable[..., DiskQueue]):
    queue = open_queue()
    large = traces(b"x" * 10 * KIB)
    queue.append(large)
    queue.append(traces(b"small"))
    assert [entry.record for entry in queue.peek(100, 10)] == [large]
    queue.close()


def test_unsynced_files_are_given_once(open_queue: Callable[..., DiskQueue]):
    queue = open_queue()
    queue.append(traces(b"one"))
    descriptors = queue.take_unsynced()
    assert len(descriptors) == 1
    assert queue.take_unsynced() == []
    for descriptor in descriptors:
        os.close(descriptor)
    queue.close()
