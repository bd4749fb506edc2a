"""Bodies that are broken: only what is broken is lost, and nothing but MalformedBodyError is raised."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint

from milepost_collector.errors import MalformedBodyError, UnsupportedEncodingError
from milepost_collector.protocol.otlp import Export, Signal, decode_export
from tests.collector.otlp.jsonstyles import python_json
from tests.collector.otlp.messages import (
    JSON,
    NOW,
    PROTOBUF,
    RUN_ID,
    any_value,
    attributes,
    decode,
    logs,
    logs_of,
    make_span,
    metrics,
    spans_of,
    traces,
)

NAMES = ["span 0", "span 1", "span 2", "span 3", "span 4"]
SIGNALS: tuple[Signal, ...] = ("traces", "logs", "metrics")


def five() -> Any:
    """Return a request of five spans."""
    return traces(*(make_span({"place": at}, name=name, span_id=bytes([at + 1] * 8)) for at, name in enumerate(NAMES)))


BODY = five().SerializeToString()
JSON_BODY = python_json(five())


def names(export: Export) -> list[str]:
    return [span.name for span in spans_of(export)]


def begin_of(place: int) -> int:
    """Return where the span's tag is."""
    return BODY.index(b"\x12", BODY.index(bytes([place + 1] * 8)) - 25)


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("damage", [b"\xff" * 6, b"\x0b\x0c\x0b\x0c", b"\x4a\x7f"], ids=["ff", "groups", "too long"])
def test_span_that_does_not_decode_costs_only_itself(place: int, damage: bytes) -> None:
    at = BODY.index(f"span {place}".encode())
    broken = BODY[: at - 2] + damage + BODY[at - 2 + len(damage) :]
    export = decode_export("traces", broken, PROTOBUF, NOW)
    assert names(export) == [name for at, name in enumerate(NAMES) if at != place]
    [event] = export.rejected
    assert event.index == place
    assert "damaged" in event.reason
    assert "place" in event.text
    [origin] = export.origins
    assert origin.resource.service_name == "test"
    assert origin.spans[0].scope == "scope"


@pytest.mark.parametrize("change", [-60, -9, -1, 1, 5, 40])
@pytest.mark.parametrize("place", range(5))
def test_wrong_length_of_a_span_costs_no_other(place: int, change: int) -> None:
    at = BODY.index(b"\x0a\x10" + RUN_ID + b"\x12\x08" + bytes([place + 1] * 8)) - 1
    size = BODY[at] + change
    if not 0 <= size < 128:
        pytest.skip("the length would take another byte")
    export = decode_export("traces", BODY[:at] + bytes([size]) + BODY[at + 1 :], PROTOBUF, NOW)
    assert set(names(export)) >= {name for at, name in enumerate(NAMES) if at != place}


def test_length_of_the_outer_messages_may_be_wrong() -> None:
    for at in (1, 1 + 2):
        broken = bytearray(BODY)
        broken[at] ^= 0x01
        assert set(names(decode_export("traces", bytes(broken), PROTOBUF, NOW))) >= set(NAMES[:4])


def test_damaged_status_costs_only_itself() -> None:
    request = five()
    request.resource_spans[0].scope_spans[0].spans[0].status.message = "MARK"
    body = (
        request.SerializeToString()
        .replace(b"\x12\x04MARK", b"\x12\x05MARK")
        .replace(b"service.name", b"s\xffrvice.name")
    )
    export = decode_export("traces", body, PROTOBUF, NOW)
    assert names(export) == NAMES
    assert "damaged" in spans_of(export)[0].status_message


def mutated(draw: Any, body: bytes) -> bytes:
    changes = draw(st.lists(st.tuples(st.integers(0, len(body) - 1), st.integers(0, 255)), max_size=4))
    out = bytearray(body)
    for at, byte in changes:
        out[at] = byte
    begin = draw(st.integers(0, len(body)))
    end = draw(st.integers(begin, len(body)) | st.just(begin))
    return bytes(out[:begin] + out[end:])


@st.composite
def bodies(draw: Any) -> tuple[bytes, str]:
    body, content_type = draw(st.sampled_from([(BODY, PROTOBUF), (JSON_BODY, JSON)]))
    return draw(st.binary(max_size=60)) if draw(st.integers(0, 5)) == 0 else mutated(draw, body), content_type


@given(body=bodies(), signal=st.sampled_from(SIGNALS))
def test_any_body_is_decoded_or_malformed(body: tuple[bytes, str], signal: Signal) -> None:
    content, content_type = body
    try:
        export = decode_export(signal, content, content_type, NOW)
    except MalformedBodyError:
        return
    assert all(event.reason for event in export.rejected)


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
@pytest.mark.parametrize("body", [b"hello", b"\x00", b"[]", b'"text"', b"null", b"<html>", b"\xff\xfe", b'{"a": 1}'])
@pytest.mark.parametrize("signal", SIGNALS)
def test_body_that_is_no_request_is_malformed(signal: Signal, body: bytes, content_type: str) -> None:
    with pytest.raises(MalformedBodyError, match="the body is no OTLP"):
        decode_export(signal, body, content_type, NOW)


def test_json_sent_as_protobuf_gets_a_hint() -> None:
    with pytest.raises(MalformedBodyError, match="it looks like JSON: say so in Content-Type"):
        decode_export("traces", JSON_BODY, PROTOBUF, NOW)


@pytest.mark.parametrize(("body", "content_type"), [(b"", PROTOBUF), (b"{}", JSON), (b'{"resourceSpans": []}', JSON)])
def test_empty_request_is_fine(body: bytes, content_type: str) -> None:
    export = decode_export("traces", body, content_type, NOW)
    assert (export.origins, export.rejected) == ([], [])


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/protobuf+json"])
def test_other_content_types_are_unsupported(content_type: str) -> None:
    with pytest.raises(UnsupportedEncodingError, match="send one of application/x-protobuf, application/json"):
        decode_export("traces", BODY, content_type, NOW)


def test_content_type_may_have_parameters_and_capitals() -> None:
    assert names(decode_export("traces", JSON_BODY, "Application/JSON; charset=utf-8", NOW)) == NAMES


def test_endless_bad_records_are_refused_whole() -> None:
    scope = b"\x12\x00" * 10_001
    length = bytes([len(scope) & 0x7F | 0x80, len(scope) >> 7 & 0x7F | 0x80, len(scope) >> 14])
    group = b"\x12" + length + scope
    length = bytes([len(group) & 0x7F | 0x80, len(group) >> 7 & 0x7F | 0x80, len(group) >> 14])
    with pytest.raises(MalformedBodyError, match=r"more than 10000 records .* the trace id '' is not 32"):
        decode_export("traces", b"\x0a" + length + group, PROTOBUF, NOW)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a": "' + b'\\"' * 500_000, JSON),  # a text that does not end
        (b'{"a": ' + b"[" * 1_000_000, JSON),
        (b"\x0a\x80\x80\x80\x01\x12\x80\x80\x80\x01" + b"\x12\x01\xff" * 300_000, PROTOBUF),
        (b"\x0a\x80\x80\x80\x01" + b"\x12\x00" * 300_000 + b"\xff", PROTOBUF),
    ],
    ids=["endless text", "brackets", "bad spans", "empty scopes"],
)
def test_hostile_body_takes_time_in_proportion_to_its_size(body: bytes, content_type: str) -> None:
    with pytest.raises(MalformedBodyError):
        decode_export("traces", body, content_type, NOW)


# --- JSON


def bent(**change: Any) -> bytes:
    """Return the five spans with the third one changed."""
    document = json.loads(JSON_BODY)
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][2].update(change)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": 5}, "$.name"),
        ({"startTimeUnixNano": True}, "$.startTimeUnixNano"),
        ({"startTimeUnixNano": "soon"}, "soon"),
        ({"kind": "SPAN_KIND_ODD"}, "SPAN_KIND_ODD"),
        ({"attributes": {"a": 1}}, "$.attributes"),
        ({"attributes": [{"key": 1}]}, "$.attributes[0].key"),
        ({"events": [{"name": "fine"}, {"name": []}]}, "$.events[1].name"),
        ({"status": "ok"}, "$.status"),
        ({"status": {"code": "STATUS_CODE_ODD"}}, "$.status"),
        ({"endTimeUnixNano": "Infinity"}, "'Infinity' is not an integer"),
        ({"droppedEventsCount": "NaN"}, "'NaN' is not an integer"),
        ({"traceId": "xyz"}, "the trace id 'xyz' is not 32 hexadecimal digits"),
    ],
)
def test_bad_field_costs_its_span_and_is_named(change: dict[str, Any], path: str) -> None:
    export = decode_export("traces", bent(**change), JSON, NOW)
    assert names(export) == [name for name in NAMES if name != "span 2"]
    [event] = export.rejected
    assert event.index == 2
    assert path in event.reason
    assert "span 2" in event.text or "name" in change


def test_bad_resource_or_scope_costs_no_span() -> None:
    document = json.loads(JSON_BODY)
    document["resourceSpans"][0]["resource"] = {"attributes": "none"}
    document["resourceSpans"][0]["scopeSpans"][0]["scope"] = 7
    assert names(decode_export("traces", json.dumps(document).encode(), JSON, NOW)) == NAMES


def test_bad_group_costs_only_itself() -> None:
    document = json.loads(JSON_BODY)
    document["resourceSpans"].insert(0, "none")
    document["resourceSpans"][1]["scopeSpans"].insert(0, 3)
    export = decode_export("traces", json.dumps(document).encode(), JSON, NOW)
    assert names(export) == NAMES
    assert len(export.rejected) == 2


def test_json_with_what_only_lenient_readers_take_is_read() -> None:
    body = JSON_BODY.replace(b'"span 1"', b'"span \\ud800"').replace(b'"span 2"', b'"span \xff"')
    body = b"\xef\xbb\xbf" + body.replace(b'{"intValue": "3"}', b'{"doubleValue": NaN}')
    export = decode_export("traces", body, JSON, NOW)
    assert names(export) == ["span 0", "span \ufffd", "span \ufffd", "span 3", "span 4"]
    assert spans_of(export)[3].attributes == {"place": "NaN"}


# --- the wrong address


RECORD = LogRecord(time_unix_nano=NOW, severity_number=9, body=any_value("hello"), attributes=attributes({"a": 1}))
METRIC = Metric(name="tokens", unit="1", gauge=Gauge(data_points=[NumberDataPoint(as_int=1, time_unix_nano=NOW)]))
WRONG: list[tuple[Signal, Any, str]] = [
    ("traces", logs(RECORD, RECORD), "it is a log record, not a span; send it to /v1/logs"),
    ("traces", metrics(METRIC, METRIC), "it is a metric, not a span; send it to /v1/metrics"),
    ("logs", traces(make_span(), make_span()), "it is a span, not a log record; send it to /v1/traces"),
    ("metrics", traces(make_span(), make_span()), "it is a span, not a metric; send it to /v1/traces"),
    ("metrics", logs(RECORD, RECORD), "it is a log record, not a metric; send it to /v1/logs"),
]


@pytest.mark.parametrize("writer", [None, python_json], ids=["protobuf", "json"])
@pytest.mark.parametrize(("signal", "message", "reason"), WRONG)
def test_records_sent_to_the_wrong_address_are_told_the_right_one(
    signal: Signal, message: Any, reason: str, writer: Any
) -> None:
    export = decode(signal, message, writer)
    assert [event.reason for event in export.rejected] == [reason, reason]


def test_log_record_with_a_trace_is_told_the_right_address_too() -> None:
    record = LogRecord(time_unix_nano=NOW, trace_id=RUN_ID, span_id=b"\1" * 8, body=any_value("hello"))
    [event] = decode("traces", logs(record)).rejected
    assert event.reason.endswith("send it to /v1/logs")


def test_damaged_log_record_costs_only_itself() -> None:
    body = logs(*(LogRecord(time_unix_nano=NOW, severity_text=f"level {at}") for at in range(3))).SerializeToString()
    broken = body.replace(b"\x1a\x07level 1", b"\x1a\x0flevel 1")
    export = decode_export("logs", broken, PROTOBUF, NOW)
    assert [log.severity_text for log in logs_of(export)] == ["level 0", "level 2"]
    assert len(export.rejected) == 1
