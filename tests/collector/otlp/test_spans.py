"""Identity, times and everything odd about a span: each has an outcome that its problems tell."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from milepost.wire import Link, Resource
from milepost_collector.protocol.foreign import ForeignSpan, SpanEvent
from milepost_collector.protocol.otlp import decode_export, summary
from tests.collector.otlp.messages import (
    JSON,
    NOW,
    PROTOBUF,
    RUN_ID,
    SPAN_ID,
    attributes,
    both,
    decode,
    make_span,
    refusal_of,
    span_from,
    spans_of,
    traces,
)

RUN_HEX, SPAN_HEX = RUN_ID.hex(), SPAN_ID.hex()
LARGEST = 2**63 - 1


def json_span(**fields: Any) -> ForeignSpan:
    """Return what a span of OTLP/JSON with these fields becomes."""
    span = {"traceId": RUN_HEX, "spanId": SPAN_HEX, "startTimeUnixNano": "5", "endTimeUnixNano": "6", **fields}
    body = msgspec.json.encode({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    export = decode_export("traces", body, JSON, NOW)
    assert export.rejected == []
    [found] = spans_of(export)
    return found


def test_whole_span_is_read() -> None:
    event = Span.Event(name="e", time_unix_nano=NOW + 1, attributes=attributes({"n": 1}), dropped_attributes_count=2)
    link = Span.Link(trace_id=b"\1" * 16, span_id=b"\2" * 8, attributes=attributes({"l": "x"}), trace_state="s=1")
    span = make_span(
        {"a": "b"},
        parent_span_id=b"\3" * 8,
        status=Status(code=2, message="broke"),
        events=[event],
        links=[link],
        trace_state="v=1",
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
        flags=256,
    )
    assert spans_of(both("traces", traces(span))) == [
        ForeignSpan(
            run_id=RUN_HEX,
            span_id=SPAN_HEX,
            parent_span_id="03" * 8,
            name="work",
            start_time=NOW,
            end_time=NOW + 5,
            kind=1,
            status_code=2,
            status_message="broke",
            attributes={
                "a": "b",
                "otel.trace_state": "v=1",
                "otel.dropped_attributes_count": 1,
                "otel.dropped_events_count": 2,
                "otel.dropped_links_count": 3,
            },
            events=[SpanEvent(name="e", time=NOW + 1, attributes={"n": 1, "otel.dropped_attributes_count": 2})],
            links=[Link(run_id="01" * 16, span_id="02" * 8, attributes={"l": "x", "otel.trace_state": "s=1"})],
            scope="scope",
            scope_version="1.0",
        )
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace_id": b""}, "the trace id '' is not 32 hexadecimal digits"),
        ({"trace_id": b"\1" * 15}, f"the trace id {'01' * 15!r} is not 32"),
        ({"trace_id": bytes(16)}, "the trace id is all zeros"),
        ({"span_id": b""}, "the span id '' is not 16 hexadecimal digits"),
        ({"span_id": b"\1" * 9}, f"the span id {'01' * 9!r} is not 16"),
        ({"span_id": bytes(8)}, "the span id is all zeros"),
    ],
)
def test_span_without_good_ids_is_refused_with_the_reason(fields: dict[str, bytes], reason: str) -> None:
    assert reason in refusal_of(**fields)


def test_refused_span_costs_only_itself_and_is_kept_as_text() -> None:
    bad = make_span({"who": "bad one"}, trace_id=b"\1" * 3)
    export = decode("traces", traces(make_span(name="before"), bad, make_span(name="after")))
    assert [span.name for span in spans_of(export)] == ["before", "after"]
    [event] = export.rejected
    assert event.index == 1
    assert "bad one" in event.text


def test_hexadecimal_text_in_place_of_bytes_is_understood() -> None:
    as_text = decode("traces", traces(make_span(trace_id=RUN_HEX.encode(), span_id=SPAN_HEX.encode())))
    read_as_base64 = decode("traces", traces(make_span(trace_id=from_base64(RUN_HEX), span_id=from_base64(SPAN_HEX))))
    for export in (as_text, read_as_base64):
        [span] = spans_of(export)
        assert (span.run_id, span.span_id) == (RUN_HEX, SPAN_HEX)
        assert len(span.problems) == 2


def from_base64(text: str) -> bytes:
    return base64.b64decode(text)


@pytest.mark.parametrize(
    ("trace_id", "span_id", "noted"),
    [
        (RUN_HEX, SPAN_HEX, 0),
        (RUN_HEX.upper(), SPAN_HEX.upper(), 0),
        ("AAECAwQFBgcICQoLDA0ODw==", "CAkKCwwNDg8=", 2),
        ("AAECAwQFBgcICQoLDA0ODw", "CAkKCwwNDg8", 2),
        ("00010203-0405-0607-0809-0a0b0c0d0e0f", SPAN_HEX, 1),
    ],
)
def test_spelling_of_json_ids_is_understood(trace_id: str, span_id: str, noted: int) -> None:
    span = json_span(traceId=trace_id, spanId=span_id)
    assert (span.run_id, span.span_id) == (RUN_HEX, SPAN_HEX)
    assert len(span.problems) == noted


def test_zeros_and_nothing_are_no_parent() -> None:
    assert span_from(parent_span_id=bytes(8)).parent_span_id is None
    assert span_from(parent_span_id=b"").parent_span_id is None
    assert span_from(parent_span_id=bytes(8)).problems == []


def test_bad_parent_and_bad_link_are_left_out_and_noted() -> None:
    link = Span.Link(trace_id=b"\1", span_id=b"\2" * 8)
    span = span_from(parent_span_id=b"\1" * 5, links=[link])
    assert (span.parent_span_id, span.links) == (None, [])
    assert "its parent is not known" in span.problems[0]
    assert "a link was left out" in span.problems[1]


def test_span_that_is_its_own_parent_has_none() -> None:
    span = span_from(parent_span_id=SPAN_ID)
    assert span.parent_span_id is None
    assert span.problems == ["it was sent as its own parent and is shown without one"]


@pytest.mark.parametrize(
    ("start", "end", "becomes", "words"),
    [
        (NOW, NOW, (NOW, NOW), []),
        (1, 2, (1, 2), []),
        (NOW, NOW - 7, (NOW, NOW), [f"{NOW - 7}, before its start {NOW}"]),
        (0, NOW, (NOW, NOW), ["start time was sent as 0"]),
        (NOW - 9, 0, (NOW - 9, NOW - 9), ["without an end"]),
        (0, 0, (NOW, NOW), ["start time was sent as 0", "without an end"]),
        (2**63, 2**64 - 1, (NOW, NOW), [str(2**63), str(2**64 - 1)]),
        (5, 2**63, (5, 5), [str(2**63)]),
        (LARGEST, LARGEST, (LARGEST, LARGEST), []),
    ],
)
def test_times_become_a_duration_and_the_sent_ones_are_told(
    start: int, end: int, becomes: tuple[int, int], words: list[str]
) -> None:
    span = span_from(start_time_unix_nano=start, end_time_unix_nano=end)
    assert (span.start_time, span.end_time) == becomes
    assert len(span.problems) == len(words)
    assert all(word in problem for word, problem in zip(words, span.problems, strict=True))


def test_span_that_never_ended_ends_with_its_last_event() -> None:
    events = [Span.Event(name="a", time_unix_nano=NOW + 70), Span.Event(name="b", time_unix_nano=NOW + 30)]
    span = span_from(end_time_unix_nano=0, events=events)
    assert span.end_time == NOW + 70
    assert span.problems == ["it was sent without an end; its last event is used"]


def test_event_without_a_time_happens_at_the_start() -> None:
    events = [Span.Event(name="zero"), Span.Event(name="late", time_unix_nano=2**64 - 1)]
    assert [event.time for event in span_from(events=events).events] == [NOW, NOW]


@given(start=st.integers(0, 2**64 - 1), end=st.integers(0, 2**64 - 1), event=st.integers(0, 2**64 - 1))
def test_any_times_end_after_they_start(start: int, end: int, event: int) -> None:
    events = [Span.Event(time_unix_nano=event)]
    span = span_from(start_time_unix_nano=start, end_time_unix_nano=end, events=events)
    assert span.end_time is not None
    assert 0 < span.start_time <= span.end_time <= LARGEST
    assert 0 < span.events[0].time <= LARGEST


def test_numbers_that_no_enum_has_are_the_first_of_it() -> None:
    span = span_from(kind=99, status=Status(code=7))
    assert (span.kind, span.status_code) == (0, 0)


def test_enums_of_json_may_be_names() -> None:
    span = json_span(kind="SPAN_KIND_CLIENT", status={"code": "STATUS_CODE_ERROR", "message": "x"})
    assert (span.kind, span.status_code, span.status_message) == (3, 2, "x")


def test_times_of_json_may_be_numbers_or_texts() -> None:
    assert json_span(startTimeUnixNano=NOW, endTimeUnixNano=str(NOW)).problems == []
    assert json_span(startTimeUnixNano=None).problems == ["its start time was sent as 0; its end is used"]


PENDING = {"logfire.span_type": "pending_span", "logfire.pending_parent_id": "aaaaaaaaaaaaaaaa"}


def test_pending_span_is_the_running_span_it_announces() -> None:
    span = span_from(attribute_values=PENDING, parent_span_id=b"\7" * 8)
    assert (span.span_id, span.parent_span_id, span.end_time) == ("07" * 8, "aaaaaaaaaaaaaaaa", None)


def test_pending_root_has_no_parent() -> None:
    pending = {**PENDING, "logfire.pending_parent_id": "0" * 16}
    assert span_from(attribute_values=pending, parent_span_id=b"\7" * 8).parent_span_id is None


def test_pending_span_of_nothing_stays_as_sent() -> None:
    span = span_from(attribute_values=PENDING)
    assert (span.span_id, span.end_time) == (SPAN_HEX, NOW + 5)
    assert "does not say of which span" in span.problems[0]


def test_resource_is_read_and_names_the_producer() -> None:
    sent = {
        "service.name": "shop", "service.version": "2", "host.name": "h", "process.pid": 7, "telemetry.sdk.name": "o",
        "telemetry.sdk.version": "1", "process.runtime.name": "cpython", "process.runtime.version": "3.12", "x": True,
    }  # fmt: skip
    [origin] = both("traces", traces(make_span(), resource=sent)).origins
    assert origin.resource == Resource(
        service_name="shop", service_version="2", host_name="h", process_id=7, sdk_name="o", sdk_version="1",
        runtime="cpython 3.12", attributes=sent,
    )  # fmt: skip
    shuffled = both("traces", traces(make_span(), resource=dict(reversed(sent.items()))))
    assert shuffled.origins[0].producer_id == origin.producer_id
    assert origin.producer_id.startswith("otlp-")
    assert len(origin.producer_id) == 21


def test_groups_of_one_resource_are_one_origin() -> None:
    request = traces(make_span(name="a"))
    request.MergeFrom(traces(make_span(name="b"), resource={"service.name": "other"}))
    request.MergeFrom(traces(make_span(name="c")))
    origins = both("traces", request).origins
    assert [[span.name for span in origin.spans] for origin in origins] == [["a", "c"], ["b"]]


def test_digest_names_the_bytes_and_the_signal() -> None:
    body = traces(make_span()).SerializeToString()
    digests = [decode_export("traces", body, PROTOBUF, now).digest for now in (1, 2)]
    assert digests[0] == digests[1]
    assert len(digests[0]) == 32
    assert decode_export("traces", body + body, PROTOBUF, 1).digest != digests[0]


def test_reasons_are_summed_up() -> None:
    bad = [make_span(span_id=b"\1" * size) for size in (1, 1, 2, 3, 4, 5, 6)]
    told = summary(decode("traces", traces(*bad)).rejected)
    assert told.startswith("2 × the span id '01' is not 16 hexadecimal digits; the span id '0101' is not")
    assert told.endswith("and 1 other reasons")
    assert len(told) < 600
