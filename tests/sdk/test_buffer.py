"""The queue: bounded by number and bytes, first in first out, and never in the way."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost._buffer import SMALL_BYTES, Buffer, Marker


class Item:
    def __init__(self, name=""):
        self.name = name

    def export(self, codec):
        return None


def make_buffer(max_events=1_000, max_bytes=10_000_000, flush_events=512):
    signals = []
    return Buffer(max_events, max_bytes, flush_events, signals.append), signals


puts = st.lists(
    st.tuples(st.sampled_from(["start", "event", "end", "take"]), st.integers(1, 5_000)), min_size=1, max_size=200
)


@given(puts, st.integers(16, 60), st.integers(65_536, 200_000))
def test_bounds_hold_and_every_refusal_is_counted(steps, max_events, max_bytes):
    buffer, _ = make_buffer(max_events, max_bytes)
    accepted = refused = taken = starts = 0
    for kind, size in steps:
        if kind == "take":
            taken += len(buffer.take(size % 7, 2**40))
        elif kind == "start":
            before = len(buffer)
            buffer.put_start(Item(), size)
            starts += len(buffer) - before
        elif (buffer.put_event if kind == "event" else buffer.put_end)(Item(), size):
            accepted += 1
        else:
            refused += 1
        assert len(buffer) <= max_events
        assert buffer.size_bytes <= max_bytes
        assert buffer.dropped == refused
        assert len(buffer) == accepted + starts - taken


@given(puts)
def test_bytes_are_given_back_when_everything_is_taken(steps):
    buffer, _ = make_buffer(50)
    for kind, size in steps:
        if kind != "take":
            buffer.put_end(Item(), size)
    buffer.take(1_000, 2**40)
    assert buffer.size_bytes == 0


def test_order_is_kept_across_small_and_large_entries():
    buffer, _ = make_buffer()
    for index in range(20):
        buffer.put_event(Item(index), 5_000 if index % 3 else 10)
    assert [item.name for item in buffer.take(100, 2**40)] == list(range(20))


def test_ends_find_room_where_events_and_starts_do_not():
    buffer, _ = make_buffer(max_events=80)
    while buffer.put_event(Item(), 10):
        pass
    waiting = len(buffer)
    buffer.put_start(Item(), 10)
    assert (waiting, len(buffer)) == (70, 70)
    assert buffer.put_end(Item(), 10)
    assert buffer.dropped == 1


def test_take_stops_at_its_byte_limit():
    buffer, _ = make_buffer()
    for _ in range(10):
        buffer.put_end(Item(), 4_000)
    assert len(buffer.take(100, 10_000)) == 3


def test_first_entry_signals_and_a_start_behind_it_makes_it_urgent():
    buffer, signals = make_buffer()
    buffer.put_end(Item(), 10)
    buffer.put_end(Item(), 10)
    assert signals == [False]
    for _ in range(5):
        buffer.put_start(Item(), 10)
    assert signals == [False, True]
    buffer.take(100, 2**40)
    buffer.put_start(Item(), 10)
    assert signals == [False, True, False]


def test_many_entries_are_urgent_without_a_start():
    buffer, signals = make_buffer(flush_events=10)
    for _ in range(30):
        buffer.put_end(Item(), 10)
    assert signals == [False, True]


def test_marker_passes_a_full_buffer():
    buffer, _ = make_buffer(max_events=16)
    while buffer.put_end(Item(), 10):
        pass
    marker = Marker()
    buffer.put_marker(marker)
    assert buffer.take(100, 2**40)[-1] is marker


@pytest.mark.parametrize("size", [10, SMALL_BYTES + 1])
def test_closed_buffer_refuses_without_counting(size):
    buffer, _ = make_buffer()
    buffer.close()
    assert not buffer.put_end(Item(), size)
    buffer.put_start(Item(), size)
    assert (len(buffer), buffer.dropped) == (0, 0)


def test_threads_lose_and_invent_nothing():
    buffer, _ = make_buffer(max_events=100_000, max_bytes=2**40)
    threads = [
        threading.Thread(target=lambda: [buffer.put_end(Item(), 10 + 2_000 * (index % 2)) for index in range(2_000)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    taken = 0
    while any(thread.is_alive() for thread in threads) or len(buffer):
        taken += len(buffer.take(50, 2**40))
    assert (taken, buffer.size_bytes, buffer.dropped) == (16_000, 0, 0)
