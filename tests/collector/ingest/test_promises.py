"""The wire's promises, over the ingest core and a real database."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.wire import Batch, Heartbeat, SpanEnded, SpanStarted
from milepost_collector.protocol.codec import decode_batch
from milepost_collector.protocol.pricing import BUNDLED
from milepost_collector.traces.poison import without_poison
from tests.collector.ingest.harness import Store, batch_of
from tests.collector.ingest.stories import START, deliveries, stories

salts = itertools.count(0x5A17_0000_0000_0000)  # unlike any span id
LIVE_AND_ENDED = (
    "SELECT * EXCLUDE (commit_id) FROM spans WHERE run_id LIKE ? ORDER BY ALL",
    "SELECT * FROM live_spans WHERE run_id LIKE ? ORDER BY ALL",
    "SELECT * FROM events WHERE run_id LIKE ? ORDER BY ALL",
    "SELECT * FROM runs WHERE run_id LIKE ? ORDER BY ALL",
)


def snapshot(store: Store, salt: int) -> list[list[str]]:
    """Return everything stored under a salt, the salt itself taken out."""
    pattern = f"{salt:016x}%"
    return [
        [repr(row).replace(f"{salt:016x}", "").replace(f"'{salt:x}-", "'-") for row in store.rows(query, pattern)]
        for query in LIVE_AND_ENDED
    ]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_order_and_repetition_ends_in_the_same_state(store: Store, data: st.DataObject) -> None:
    plain, shuffled = next(salts), next(salts)
    batches = data.draw(stories(plain))
    store.send(*batches)
    again = [salted(batch, plain, shuffled) for batch in batches]
    for group in data.draw(deliveries(again)):
        store.send(*group)
        if data.draw(st.booleans()):
            store.committer.sum_up()
    assert snapshot(store, shuffled) == snapshot(store, plain)


def salted(batch: Batch, old: int, new: int) -> Batch:
    """Return the same batch of other processes and runs."""
    text = msgspec.json.encode(batch).decode()
    text = text.replace(f"{old:016x}", f"{new:016x}").replace(f'"{old:x}-', f'"{new:x}-')
    return msgspec.json.decode(text, type=Batch)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_sending_everything_again_changes_nothing(store: Store, data: st.DataObject) -> None:
    salt = next(salts)
    batches = data.draw(stories(salt))
    assert all(store.send(*batches))
    before = snapshot(store, salt)
    for group in data.draw(deliveries(batches)):
        assert not any(store.send(*group))
    assert snapshot(store, salt) == before


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_same_spans_in_other_batches_are_stored_once(store: Store, data: st.DataObject) -> None:
    salt = next(salts)
    batches = data.draw(stories(salt))
    store.send(*batches)
    before = [snapshot(store, salt)[0], snapshot(store, salt)[3]]
    sent = [(batch, event) for batch in batches for event in batch.events if isinstance(event, SpanEnded)]
    for sequence, (batch, span) in enumerate(sent):
        store.send(msgspec.structs.replace(batch, sequence=1000 + sequence, events=[span]))
    assert [snapshot(store, salt)[0], snapshot(store, salt)[3]] == before


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_stored_sums_equal_the_sums_over_spans(store: Store, data: st.DataObject) -> None:
    salt = next(salts)
    for group in data.draw(deliveries(data.draw(stories(salt)))):
        store.send(*group)
        if data.draw(st.booleans()):
            store.committer.sum_up()
    pattern = f"{salt:016x}%"
    ((runs, spans, errors, tokens),) = store.rows(
        "SELECT count(*), sum(span_count)::INT, sum(error_count)::INT, sum(input_tokens)::INT FROM runs "
        "WHERE run_id LIKE ?",
        pattern,
    )
    assert [(runs, spans, errors, tokens)] == store.rows(
        "SELECT count(DISTINCT run_id), count(*), count(*) FILTER (status = 'failed'), sum(input_tokens)::INT "
        "FROM all_spans WHERE run_id LIKE ?",
        pattern,
    )


BAD_EVENTS: list[Any] = [
    {},
    None,
    7,
    "text",
    {"type": "unknown"},
    {"type": "span_started"},
    {"type": "event", "run_id": "short", "time": 1},
    {"type": "event", "run_id": "z" * 32, "time": 1},
    {"type": "event", "run_id": "0" * 32, "time": 1},
    {"type": "event", "run_id": "A" * 32, "time": 1},
    {"type": "event", "run_id": "a" * 32, "time": -1},
    {"type": "event", "run_id": "a" * 32, "time": 2**63},
    {"type": "event", "run_id": "a" * 32, "time": 1, "kind": "nonsense"},
    {"type": "span_ended", "run_id": "a" * 32, "span_id": "b" * 16, "name": 3, "start_time": 1, "end_time": 2},
    {"type": "span_ended", "run_id": "a" * 32, "span_id": " " * 16, "name": "", "start_time": 1, "end_time": 2},
]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_bad_event_costs_itself_alone(store: Store, data: st.DataObject) -> None:
    salt = next(salts)
    good = [event for batch in data.draw(stories(salt)) for event in batch.events]
    mixed: list[Any] = [(True, json.loads(msgspec.json.encode(event))) for event in good]
    for bad in data.draw(st.lists(st.sampled_from(BAD_EVENTS), min_size=1, max_size=4)):
        mixed.insert(data.draw(st.integers(0, len(mixed))), (False, bad))
    body = {"producer_id": f"bad-{salt}", "sequence": 0, "events": [event for _, event in mixed]}
    packed = data.draw(st.booleans())
    raw = msgspec.msgpack.encode(body) if packed else msgspec.json.encode(body)
    batch = decode_batch(raw, "application/msgpack" if packed else "application/json")
    store.committer.commit([batch])
    expected = [index for index, (is_good, _) in enumerate(mixed) if not is_good]
    assert sorted(rejection.index for rejection in batch.rejections) == expected
    assert all(rejection.reason for rejection in batch.rejections)
    assert batch.accepted == len(good)
    stored = store.rows("SELECT batch_index, reason FROM rejected WHERE producer_id = ? ORDER BY 1", f"bad-{salt}")
    assert [index for index, _ in stored] == expected


def test_more_complete_copy_of_a_span_replaces_the_poorer_one(store: Store) -> None:
    run_id = f"{next(salts):016x}" + "1" * 16
    poor = SpanEnded(run_id=run_id, span_id="1" * 16, name="a", start_time=START, end_time=START + 1)
    rich = msgspec.structs.replace(poor, output={"x": 1}, status="failed", error_type="E")
    store.send(batch_of([poor], producer_id=run_id, sequence=0))
    store.committer.sum_up()
    store.send(batch_of([rich], producer_id=run_id, sequence=1))
    store.send(batch_of([poor], producer_id=run_id, sequence=2))
    assert store.rows("SELECT status, output FROM spans WHERE run_id = ?", run_id) == [("failed", '{"x":1}')]
    assert store.rows("SELECT span_count, error_count, status FROM runs WHERE run_id = ?", run_id) == [(1, 1, "failed")]


def test_a_start_after_the_end_leaves_nothing_running(store: Store) -> None:
    run_id = f"{next(salts):016x}" + "2" * 16
    start = SpanStarted(run_id=run_id, span_id="1" * 16, name="a", start_time=START)
    end = SpanEnded(run_id=run_id, span_id="1" * 16, name="a", start_time=START, end_time=START + 1)
    store.send(batch_of([end], producer_id=run_id, sequence=1))
    store.send(batch_of([start], producer_id=run_id, sequence=0))
    assert store.rows("SELECT * FROM live_spans WHERE run_id = ?", run_id) == []


def test_identity_survives_a_restart(make_store: Any) -> None:
    store: Store = make_store()
    run_id = "3" * 32
    end = SpanEnded(run_id=run_id, span_id="1" * 16, name="a", start_time=START, end_time=START + 1)
    store.send(batch_of([end]))
    store.restart()
    assert store.send(batch_of([end])) == [False]
    assert store.send(batch_of([end], sequence=1)) == [True]
    assert store.rows("SELECT count(*) FROM spans") == [(1,)]
    assert store.rows("SELECT span_count FROM runs") == [(1,)]


def test_text_that_claims_to_be_json_and_is_not_becomes_a_json_string(make_store: Any) -> None:
    store: Store = make_store()
    ends = [
        SpanEnded(run_id="4" * 32, span_id=f"{n:016x}", name="a", start_time=START, end_time=START, output_json=text)
        for n, text in enumerate(['{"ok":1}', "{not json", "NaN"], 1)
    ]
    body = msgspec.msgpack.encode(batch_of(ends))
    cleaned = without_poison(body, "application/msgpack", BUNDLED, store.committer.would_commit)
    store.committer.commit([cleaned])
    stored = store.rows("SELECT output::VARCHAR FROM spans ORDER BY span_id")
    assert stored == [('{"ok":1}',), ('"{not json"',), ('"NaN"',)]


def test_heartbeats_alone_store_only_their_batch(store: Store) -> None:
    assert store.send(batch_of([Heartbeat(time=START)], producer_id="only-heartbeats")) == [True]
    assert store.rows("SELECT accepted FROM batches WHERE producer_id = 'only-heartbeats'") == [(1,)]


def test_runs_recorded_after_a_restart_are_listed(make_store: Any) -> None:
    store: Store = make_store()
    for sequence in range(3):
        store.send(batch_of([Heartbeat(time=START)], sequence=sequence))
    for number in range(1, 4):
        end = SpanEnded(run_id=f"{number:032x}", span_id="1" * 16, name="a", start_time=START, end_time=START + 1)
        store.send(batch_of([end], sequence=10 + number))
        store.committer.sum_up()
        store.restart()
        assert store.rows("SELECT count(*), sum(span_count)::INT FROM runs") == [(number, number)]
