"""What OpenTelemetry sends, in the commit core: usage counted once, contents stored once, copies settled."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.wire import SpanEnded
from milepost_collector.protocol.foreign import ForeignLog, ForeignSpan
from tests.collector.ingest.foreign import SECOND, START, agent, call, linked, request_of, said, span
from tests.collector.ingest.harness import Store, batch_of

_runs = itertools.count(0xF0_0000)


@pytest.fixture
def run_id() -> str:
    return f"{next(_runs):032x}"


def usage_of(store: Store, run_id: str) -> tuple[int | None, int | None, int]:
    ((*usage,),) = store.rows("SELECT input_tokens, output_tokens, llm_call_count FROM runs WHERE run_id = ?", run_id)
    return tuple(usage)  # type: ignore[return-value]


def commit(store: Store, *spans: ForeignSpan) -> None:
    store.committer.commit([request_of(*spans)])


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_totals_are_left_out_in_whatever_order_spans_come(store: Store, data: st.DataObject) -> None:
    run_id = f"{next(_runs):032x}"
    tree = [
        agent(run_id, "a" * 16),
        span(run_id, "b" * 16, "a" * 16),
        call(run_id, "c" * 16, "b" * 16),
        call(run_id, "d" * 16, "a" * 16, start_time=START + SECOND, end_time=START + 2 * SECOND),
    ]
    for one in data.draw(st.permutations(tree)):
        commit(store, one)
        if data.draw(st.booleans()):
            store.committer.sum_up()
        if data.draw(st.integers(0, 9)) == 0:
            store.restart()
    assert usage_of(store, run_id) == (200, 20, 2)
    assert store.rows("SELECT span_id, reason FROM uncounted WHERE run_id = ?", run_id) == [
        ("a" * 16, "total of the 2 calls below")
    ]


def test_total_counts_until_its_calls_are_known(store: Store, run_id: str) -> None:
    commit(store, agent(run_id, "a" * 16))
    assert usage_of(store, run_id)[:2] == (200, 20)
    commit(store, call(run_id, "c" * 16, "a" * 16))
    assert usage_of(store, run_id)[:2] == (100, 10)


def test_own_spans_of_a_run_join_its_tree(store: Store, run_id: str) -> None:
    task = SpanEnded(
        run_id=run_id, span_id="b" * 16, parent_span_id="a" * 16, name="t", start_time=START, end_time=START
    )
    commit(store, call(run_id, "c" * 16, "b" * 16))
    commit(store, agent(run_id, "a" * 16))
    assert usage_of(store, run_id)[:2] == (300, 30)  # nothing says that the call is below the agent
    store.send(batch_of([task], producer_id=run_id))
    assert usage_of(store, run_id)[:2] == (100, 10)


def test_calls_list_each_call_once(store: Store, run_id: str) -> None:
    outer = call(run_id, "a" * 16, scope="outer")
    commit(store, outer, call(run_id, "b" * 16, "a" * 16, scope="inner"))
    assert len(store.rows("SELECT * FROM llm_calls WHERE run_id = ?", run_id)) == 1


def test_request_sent_again_is_known(store: Store, run_id: str) -> None:
    for restart in (False, True):
        is_new, _ = store.committer.commit([request_of(span(run_id, "a" * 16), digest="9" * 32)])
        assert is_new == [not restart]
        store.restart()


def test_log_record_sent_again_in_another_request_is_kept_once(store: Store, run_id: str) -> None:
    log = ForeignLog(run_id=run_id, span_id="a" * 16, time=START, body="hello", severity_number=9)
    for _ in range(3):
        store.committer.commit([request_of(logs=[log])])
    assert store.rows("SELECT kind, severity, message FROM events WHERE run_id = ?", run_id) == [
        ("log", "info", "hello")
    ]


def test_log_record_of_no_run_is_kept(store: Store) -> None:
    store.committer.commit(
        [request_of(logs=[ForeignLog(run_id=None, span_id=None, time=START, body="alone in the dark")])]
    )
    assert store.rows("SELECT run_id FROM events WHERE message = 'alone in the dark'") == [(None,)]


def test_messages_of_logs_join_their_span_whichever_comes_first(store: Store) -> None:
    for logs_first in (False, True):
        run_id = f"{next(_runs):032x}"
        log = ForeignLog(
            run_id=run_id, span_id="a" * 16, time=START, event_name="gen_ai.user.message", body={"content": "why so?"}
        )
        requests = [request_of(call(run_id, "a" * 16)), request_of(logs=[log])]
        for request in reversed(requests) if logs_first else requests:
            store.committer.commit([request])
        rows = store.rows("SELECT direction, role, text FROM llm_messages WHERE run_id = ?", run_id)
        assert rows == [("input", "user", "why so?")]


def test_message_is_stored_once_for_all_runs_and_restarts(store: Store) -> None:
    for _ in range(3):
        commit(store, call(f"{next(_runs):032x}", "a" * 16, events=said("who is there?", "nobody")))
        store.restart()
    assert store.rows("SELECT count(*) FROM messages WHERE text = 'who is there?'") == [(1,)]


def test_more_complete_copy_takes_its_messages_and_events_along(store: Store, run_id: str) -> None:
    poor = call(run_id, "a" * 16, events=said("one"))
    rich = call(run_id, "a" * 16, events=said("one", "two", "three"), attributes={"gen_ai.response.id": "r1"})
    for copies in ([poor, rich], [rich, poor]):
        for copy in copies:
            commit(store, copy)
        assert len(store.rows("SELECT * FROM events WHERE run_id = ?", run_id)) == 3
        assert len(store.rows("SELECT * FROM llm_messages WHERE run_id = ?", run_id)) == 3
    reasons = store.rows("SELECT reason FROM rejected WHERE event LIKE ?", f"%{run_id}%")
    assert reasons == [(f"span {'a' * 16} came with different contents; the more complete copy is kept",)]


def test_span_that_cannot_be_read_costs_only_itself(store: Store, run_id: str) -> None:
    request = request_of(span(run_id, "a" * 16, name=5), span(run_id, "b" * 16))
    store.committer.commit([request])
    assert store.rows("SELECT span_id FROM spans WHERE run_id = ?", run_id) == [("b" * 16,)]
    assert "cannot be read: " in request.rejections[0].reason


def test_pending_span_is_live_until_its_end_comes(store: Store, run_id: str) -> None:
    commit(store, span(run_id, "a" * 16, end_time=None))
    assert store.rows("SELECT status FROM runs WHERE run_id = ?", run_id) == [("running",)]
    store.time.advance(600)
    assert not store.committer.close_lost().spans  # OpenTelemetry's exporters are silent while spans run
    commit(store, span(run_id, "a" * 16))
    assert store.rows("SELECT status FROM runs WHERE run_id = ?", run_id) == [("completed",)]


def test_pending_span_of_a_process_long_silent_is_lost(make_store: Callable[[], Store], run_id: str) -> None:
    store = make_store()
    commit(store, span(run_id, "a" * 16, end_time=None))
    store.time.advance(3_700)
    assert len(store.committer.close_lost().spans) == 1


def test_links_to_other_runs_are_noted(store: Store, run_id: str) -> None:
    other = f"{next(_runs):032x}"
    commit(store, linked(run_id, "a" * 16, other), linked(other, "b" * 16, other))
    assert store.rows("SELECT run_id, linked_run_id FROM run_links WHERE run_id IN (?, ?)", run_id, other) == [
        (run_id, other)
    ]
