"""The way to the collector, over real sockets: batching, order, retries, refusals, drops, heartbeats, shutdown."""

from __future__ import annotations

import gzip
import logging
import socket
import sys
import threading
import time

import pytest

import milepost
from milepost import wire
from sdk.sink import DEADLINE_S, Sink, wait_for

MIB = 2**20


def record(client, name="step", **settings):
    client.start_task(name, **settings).complete()


@pytest.fixture
def one_batch(monkeypatch):
    """Let start and end of a task share a batch on a busy machine too: until `flush`, nothing is sent for a second."""
    monkeypatch.setattr("milepost._exporter._GAP_S", 1.0)


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_spans_arrive_whole_with_their_resource(client, sink):
    run = client.start_run("report", input={"file": "a.pdf"})
    run.start_task("parse").complete(output={"pages": 3})
    run.complete()
    assert client.flush()
    assert sink.ended_names() == ["parse", "report"]
    resource = sink.batches[0].resource
    assert (resource.agent, resource.sdk_name, resource.sdk_version) == (
        "test-agent",
        "milepost-python",
        milepost.__version__,
    )
    assert resource.process_id
    assert sink.requests[0][0]["content-type"] == "application/msgpack"


def test_event_that_nothing_follows_arrives_by_itself(client, sink):
    client.start_task("alone")
    wait_for(lambda: sink.started, "the start")
    assert [span.name for span in sink.started] == ["alone"]


def test_starting_a_task_sends_what_was_before_it(make_client, sink):
    client = make_client(flush_interval_ms=60_000)
    run = client.start_run("run")
    wait_for(lambda: sink.started, "the first flush of a quiet process")
    run.log("before the task")
    run.start_task("task")
    wait_for(lambda: len(sink.started) == 2, "the start of the task, an interval of 60 s notwithstanding")
    kinds = [type(event).__name__ for event in sink.events if not isinstance(event, wire.Heartbeat)]
    assert kinds == ["SpanStarted", "Event", "SpanStarted"]


def test_start_is_not_sent_when_the_end_overtook_it(client, sink):
    for _ in range(50):
        record(client)
    client.flush()
    assert len(sink.ended) == 50
    assert len(sink.started) < 50


@pytest.mark.usefixtures("one_batch")
def test_sequence_is_contiguous_and_the_producer_stays(client, sink):
    for _ in range(5):
        record(client)
        client.flush()
    assert [batch.sequence for batch in sink.batches] == list(range(5))
    assert len({batch.producer_id for batch in sink.batches}) == 1


@pytest.mark.usefixtures("one_batch")
def test_large_batches_are_compressed_and_small_ones_are_not(client, sink):
    record(client)
    client.flush()
    record(client, input={"text": "x" * 5_000})
    client.flush()
    small, large = sink.requests
    assert "content-encoding" not in small[0]
    assert large[0]["content-encoding"] == "gzip"
    assert len(gzip.decompress(large[1])) > len(large[1])


def test_batches_stay_near_a_megabyte(make_client, sink):
    client = make_client(max_value_bytes=MIB)
    for index in range(12):
        record(client, input={"text": str(index) * 400_000})
    assert client.flush()
    assert len(sink.ended) == 12
    sizes = [len(gzip.decompress(body)) for headers, body in sink.requests if "content-encoding" in headers]
    assert max(sizes) < 1_100_000


@pytest.mark.usefixtures("one_batch")
@pytest.mark.parametrize("trouble", [503, (429, {"Retry-After": "0"}), 500, 408, "close"])
def test_trouble_is_retried_with_the_same_bytes(client, sink, trouble):
    sink.script = [trouble, trouble]
    record(client)
    assert client.flush()
    bodies = [body for _, body in sink.requests]
    assert len(bodies) == 3
    assert len(set(bodies)) == 1
    assert sink.ended_names() == ["step"]


def test_retry_after_is_kept(client, sink):
    sink.script = [(503, {"Retry-After": "1"})]
    record(client)
    wait_for(lambda: sink.requests, "the first attempt")
    first = time.monotonic()
    wait_for(lambda: sink.ended, "the second attempt")
    assert time.monotonic() - first >= 0.8


@pytest.mark.usefixtures("one_batch")
@pytest.mark.parametrize("status", [400, 401, 404, 413])
def test_refused_batch_is_dropped_counted_and_logged_once(client, sink, caplog, status):
    sink.script = [status, status]
    with caplog.at_level(logging.WARNING):
        record(client, "refused")
        assert client.flush()
        record(client, "refused")
        assert client.flush()
        record(client, "taken")
        assert client.flush()
    assert sink.ended_names() == ["taken"]
    assert sink.batches[-1].dropped == 2
    assert [batch.sequence for batch in sink.batches] == [2]
    assert len(caplog.records) == 1
    assert f"refuses a batch ({status}" in caplog.text


def test_overflow_is_counted_and_reported_with_the_next_batch(make_client, sink):
    client = make_client(max_queue_events=100)
    sink.script = [(503, {"Retry-After": "0"})] * 3 + ["hang"]
    record(client, "first")
    wait_for(lambda: not sink.script, "a request that hangs")
    for index in range(500):
        record(client, f"task {index}")
    assert client._resident.producer.buffer.dropped > 300
    sink.released.set()
    assert client.flush()
    record(client, "last")
    assert client.flush()
    assert sink.batches[-1].dropped + len(sink.ended) == 502


def test_trouble_is_logged_once_a_minute(make_client, caplog):
    client = make_client(endpoint=f"http://127.0.0.1:{closed_port()}")
    with caplog.at_level(logging.WARNING):
        record(client)
        client.flush(timeout_s=1.0)
    assert len(caplog.records) == 1
    assert "start it with `milepost serve`, or set MILEPOST_DISABLED=true" in caplog.text


def test_collector_that_comes_late_gets_everything_that_fits(make_client):
    port = closed_port()
    client = make_client(endpoint=f"http://127.0.0.1:{port}")
    for index in range(100):
        record(client, f"task {index}")
    assert not client.flush(timeout_s=0.3)
    late = Sink(port)
    try:
        assert client.flush()
        assert len(late.ended) == 100
    finally:
        client.shutdown()
        late.close()


def test_memory_stays_bounded_without_a_collector(make_client):
    client = make_client(endpoint=f"http://127.0.0.1:{closed_port()}", max_queue_bytes=MIB)
    for _ in range(200):
        record(client, input={"text": "x" * 20_000})
    buffer = client._resident.producer.buffer
    assert buffer.size_bytes <= MIB
    assert buffer.dropped > 50


def test_flush_of_nothing_is_immediate(client, sink):
    assert client.flush(timeout_s=0)
    assert sink.requests == []


def test_flush_gives_up_at_its_timeout(client, sink):
    sink.script = ["hang"]
    record(client)
    began = time.monotonic()
    assert not client.flush(timeout_s=0.2)
    assert time.monotonic() - began < 5


def test_shutdown_sends_the_rest_and_says_goodbye(client, sink):
    record(client)
    left_open = client.start_task("left open")
    assert client.shutdown()
    assert sink.ended_names() == ["step"]
    assert [(beat.closing, beat.open_spans) for beat in sink.heartbeats] == [(True, [left_open.span_id])]
    assert isinstance(sink.events[-1], wire.Heartbeat)


def test_nothing_is_recorded_after_shutdown(client, sink):
    client.shutdown()
    record(client)
    with client.start_run("late") as run:
        run.checkpoint({})
    assert client.flush()
    assert sink.requests == []


def test_shutdown_of_a_client_that_recorded_nothing_is_silent(client, sink):
    assert client.shutdown()
    assert client.shutdown()
    assert sink.requests == []


def test_client_is_a_context_manager(make_client, sink):
    with make_client() as client:
        record(client)
    assert sink.ended_names() == ["step"]


def test_heartbeat_lists_open_spans(client, sink):
    exporter = client._resident.producer._exporter
    task = client.start_task("long")
    wait_for(lambda: sink.started, "the start")
    exporter._next_heartbeat = 0.0
    exporter.signal(False)
    wait_for(lambda: sink.heartbeats, "a heartbeat")
    assert sink.heartbeats[0].open_spans == [task.span_id]
    assert not sink.heartbeats[0].closing


def test_heartbeat_of_very_many_open_spans_says_nothing_about_them(client, sink):
    tasks = [client.start_task("long") for _ in range(1_001)]
    client._resident.producer._exporter._next_heartbeat = 0.0
    assert client.flush()
    assert sink.heartbeats[0].open_spans is None
    for task in tasks:
        task.complete()


def test_rejected_events_are_logged(client, sink, caplog):
    from milepost._retry import Answer

    with caplog.at_level(logging.WARNING):
        client._resident.producer._exporter._report_rejected(Answer(status=200, rejected=2, detail="no name"))
    assert "rejected 2 events, the first because no name" in caplog.text


def test_event_that_cannot_be_exported_costs_itself_alone(client, sink, caplog):
    class Broken:
        def export(self, codec):
            raise RuntimeError("broken")

    with caplog.at_level(logging.WARNING):
        client._resident.producer.buffer.put_end(Broken(), 10)
        record(client)
        assert client.flush()
    assert sink.ended_names() == ["step"]
    assert "an event cannot be encoded and is dropped: RuntimeError: broken" in caplog.text


def test_lone_surrogates_anywhere_do_not_stop_a_batch(client, sink):
    with client.start_task("name \ud800") as task:
        task.log("message \udfff", field="\ud800")
        task.set_attribute("\ud800", ["\udfff"])
        task.fail(error_message="bad \ud800", error_type="\ud800")
    assert client.flush()
    assert sink.ended[0].name == "name \ufffd"
    assert sink.ended[0].error_message == "bad \ufffd"


def test_threads_lose_nothing(client, sink):
    def work(number):
        for index in range(200):
            with client.start_task(f"{number}-{index}", input={"n": index}) as task:
                task.checkpoint(index)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.flush()
    assert len({span.span_id for span in sink.ended}) == len(sink.ended) == 1_600
    assert sum(isinstance(event, wire.Event) for event in sink.events) == 1_600


def test_client_without_settings_shares_the_process_wide_one(sink):
    client = milepost.init(endpoint=sink.endpoint, agent="shared")
    try:
        assert milepost.Client().config is client.config
        with milepost.Client() as shared:
            record(shared)
        record(milepost.Client(), "second")
        assert milepost.flush()
        assert sink.ended_names() == ["second", "step"]
    finally:
        milepost.shutdown()


def test_init_again_closes_the_client_before(sink):
    milepost.init(endpoint=sink.endpoint, agent="one")
    milepost.start_task("first").complete()
    milepost.init(endpoint=sink.endpoint, agent="two")
    milepost.start_task("second").complete()
    milepost.shutdown()
    assert [batch.resource.agent for batch in sink.batches if not isinstance(batch.events[0], wire.Heartbeat)] == [
        "one",
        "two",
    ]


def test_tasks_in_a_clients_run_go_where_the_run_goes(make_client, sink):
    @milepost.task
    def step():
        return None

    client = make_client()
    with client.start_run("run"):
        step()
        milepost.start_task("plain").complete()
    assert client.flush()
    assert sink.ended_names() == ["plain", "run", "step"]


@pytest.mark.usefixtures("one_batch")
def test_batch_that_is_too_large_is_sent_in_halves_under_new_numbers(client, sink, caplog):
    sink.script = [413, 413]
    tasks = [client.start_task(f"task {index}") for index in range(4)]
    for task in tasks:
        task.complete()
    assert client.flush()
    assert sink.ended_names() == [f"task {index}" for index in range(4)]
    assert [batch.sequence for batch in sink.batches] == [2, 3, 4]
    assert client._resident.producer.buffer.dropped == 0
    assert caplog.records == []


@pytest.mark.usefixtures("one_batch")
def test_event_that_is_too_large_by_itself_is_dropped_and_its_company_is_not(client, sink, caplog):
    sink.script = [413, 413]
    with caplog.at_level(logging.WARNING):
        tasks = [client.start_task(name) for name in ("large", "small")]
        for task in tasks:
            task.complete()
        assert client.flush()
    assert sink.ended_names() == ["small"]
    assert sink.batches[-1].dropped == 1
    assert "refuses a batch (413" in caplog.text
    assert "lower MILEPOST_MAX_VALUE_BYTES" in caplog.text


@pytest.mark.usefixtures("one_batch")
def test_batch_that_may_have_been_stored_is_never_divided(client, sink):
    sink.script = ["close", 413]
    tasks = [client.start_task("step") for _ in range(2)]
    for task in tasks:
        task.complete()
    assert client.flush()
    assert len(sink.requests) == 2
    assert client._resident.producer.buffer.dropped == 2


def test_shutdown_without_a_collector_says_that_something_was_lost(make_client):
    client = make_client(endpoint=f"http://127.0.0.1:{closed_port()}")
    record(client)
    assert not client.shutdown()
    assert not client.flush()


@pytest.mark.usefixtures("one_batch")
def test_kept_connection_that_was_closed_meanwhile_is_no_trouble(client, sink, caplog):
    record(client)
    assert client.flush()
    sink.script = ["close"]
    record(client)
    assert client.flush()
    assert len(sink.ended) == 2
    assert caplog.records == []


def test_recording_may_interrupt_recording_anywhere(client):
    """Signal handlers and finalizers do; at a lock that is not re-entrant they would wait for themselves for ever."""
    interruptions = []

    def interrupt(frame, event, argument):  # at every call and return below; not called for what it does itself
        interruptions.append(event)
        record(client, "handler")
        client._resident.producer._exporter.urge()

    def work():
        sys.setprofile(interrupt)
        record(client, "interrupted", input={"text": "x" * 5_000})
        client._resident.producer._exporter.signal(False)
        sys.setprofile(None)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    assert len(interruptions) > 20
