"""Spans whose process went away end as lost - by rule, and only those."""

from __future__ import annotations

from collections.abc import Callable

from milepost.wire import Heartbeat, SpanEnded, SpanStarted
from tests.collector.ingest.harness import Store, batch_of

RUN = "a" * 32
SPAN = "b" * 16


def started(store: Store, span_id: str = SPAN) -> SpanStarted:
    return SpanStarted(run_id=RUN, span_id=span_id, name="work", start_time=store.time.now)


def ended(store: Store, status: str = "completed") -> SpanEnded:
    now = store.time.now
    return SpanEnded(run_id=RUN, span_id=SPAN, name="work", start_time=now - 5, end_time=now, status=status)  # type: ignore[arg-type]


def statuses(store: Store) -> list[tuple[str, ...]]:
    return store.rows("SELECT status FROM all_spans ORDER BY span_id")


def test_silent_producers_spans_are_closed_as_lost_at_last_seen(make_store: Callable[[], Store]) -> None:
    store = make_store()
    store.send(batch_of([started(store)]))
    store.time.advance(20)
    store.send(batch_of([Heartbeat(time=store.time.now)], sequence=1))
    last_seen = store.time.now
    store.time.advance(29)
    store.committer.close_lost()
    assert statuses(store) == [("running",)]
    store.time.advance(2)
    store.committer.close_lost()
    assert statuses(store) == [("lost",)]
    assert store.rows("SELECT epoch_ns(end_time) FROM spans") == [(last_seen,)]
    assert store.rows("SELECT status FROM runs") == [("lost",)]


def test_closing_producers_spans_are_lost_at_once(make_store: Callable[[], Store]) -> None:
    store = make_store()
    store.send(batch_of([started(store)]))
    store.send(batch_of([Heartbeat(time=store.time.now, closing=True)], sequence=1))
    store.committer.close_lost()
    assert statuses(store) == [("lost",)]


def test_start_that_arrives_after_its_producer_closed_is_lost_too(make_store: Callable[[], Store]) -> None:
    store = make_store()
    store.send(batch_of([Heartbeat(time=store.time.now, closing=True)], sequence=1))
    store.restart()
    store.send(batch_of([started(store)], sequence=0))
    store.committer.close_lost()
    assert statuses(store) == [("lost",)]


def test_real_end_replaces_a_lost_one(make_store: Callable[[], Store]) -> None:
    store = make_store()
    store.send(batch_of([started(store)]))
    store.time.advance(31)
    store.committer.close_lost()
    store.committer.sum_up()
    store.send(batch_of([ended(store)], sequence=1))
    assert statuses(store) == [("completed",)]
    assert store.rows("SELECT status, span_count, live_span_count FROM runs") == [("completed", 1, 0)]


def test_span_that_two_heartbeats_do_not_name_is_lost(make_store: Callable[[], Store]) -> None:
    store = make_store()
    other = "c" * 16
    store.send(batch_of([started(store), started(store, other)]))
    for sequence in (1, 2):
        store.time.advance(5)
        assert statuses(store) == [("running",), ("running",)]
        store.send(batch_of([Heartbeat(time=store.time.now, open_spans=[other])], sequence=sequence))
        store.committer.close_lost()
    assert statuses(store) == [("lost",), ("running",)]


def test_heartbeat_without_a_list_keeps_spans_running(make_store: Callable[[], Store]) -> None:
    store = make_store()
    store.send(batch_of([started(store)]))
    for sequence in range(1, 12):
        store.time.advance(10)
        store.send(batch_of([Heartbeat(time=store.time.now)], sequence=sequence))
        store.committer.close_lost()
    assert statuses(store) == [("running",)]


def test_restart_gives_producers_the_full_time_again(make_store: Callable[[], Store]) -> None:
    store = make_store()
    store.send(batch_of([started(store)]))
    store.time.advance(3600)
    store.restart()
    store.committer.close_lost()
    assert statuses(store) == [("running",)]
    store.time.advance(31)
    store.committer.close_lost()
    assert statuses(store) == [("lost",)]


def test_runs_given_up_are_closed_at_once_and_the_real_end_still_wins(make_store: Callable[[], Store]) -> None:
    store = make_store()
    store.send(batch_of([started(store)]))
    store.time.advance(2)
    store.committer.given_up[RUN] = since = store.time.now
    store.committer.close_lost()
    assert store.rows("SELECT status, epoch_ns(end_time) FROM all_spans") == [("lost", since)]
    store.send(batch_of([ended(store)], sequence=1))
    assert statuses(store) == [("completed",)]


def test_starts_that_arrive_after_their_run_was_given_up_are_lost_too(make_store: Callable[[], Store]) -> None:
    store = make_store()
    store.committer.given_up[RUN] = store.time.now - 1_000
    store.send(batch_of([started(store)]))
    store.committer.close_lost()
    assert statuses(store) == [("lost",)]
