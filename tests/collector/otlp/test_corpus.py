"""Recorded payloads of real exporters: every span with every attribute, the same in both encodings."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from milepost_collector.protocol.foreign import SPAN_KINDS, STATUS_CODES, ForeignSpan
from milepost_collector.protocol.otlp import decode_export
from tests.collector.corpus.scenarios import PROTOBUF, SCENARIOS, Request, Scenario
from tests.collector.otlp.jsonstyles import Writer, javascript_json, python_json, snake_case_json
from tests.collector.otlp.messages import NOW, decode, logs_of, spans_of

MESSAGES = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest}
REQUESTS = [request for scenario in SCENARIOS for request in scenario.requests]
PROTOBUF_REQUESTS = [request for request in REQUESTS if request.content_type == PROTOBUF]


def spans_in(scenario: Scenario) -> list[ForeignSpan]:
    return [
        span
        for request in scenario.requests
        if request.signal == "traces"
        for span in spans_of(decode_export("traces", request.body, request.content_type, NOW))
    ]


def same_value(found: Any, fact: Any) -> bool:
    """Compare with the facts' way of writing values: long texts by digest, large integers and bytes in objects."""
    if isinstance(fact, dict) and "$chars" in fact:
        return hashlib.sha256(found.encode()).hexdigest() == fact["$sha256_utf8"]
    if isinstance(fact, dict) and "$int" in fact:
        return found == int(fact["$int"])
    if isinstance(fact, dict) and "$bytes_b64" in fact:
        return found == {"base64": fact["$bytes_b64"]}
    if isinstance(fact, dict) and "$float" in fact:
        return found == {"nan": "NaN", "inf": "Infinity"}[fact["$float"]]
    if isinstance(fact, list):
        return len(found) == len(fact) and all(map(same_value, found, fact))
    if isinstance(fact, dict) and isinstance(found, dict):
        return found.keys() == fact.keys() and all(same_value(found[key], fact[key]) for key in fact)
    return bool(found == fact)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_span_is_decoded(scenario: Scenario) -> None:
    spans = spans_in(scenario)
    assert len(spans) == scenario.facts["n_spans"]
    assert len({(span.run_id, span.span_id) for span in spans}) == scenario.facts["n_distinct_spans"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_spans_are_what_the_facts_say(scenario: Scenario) -> None:
    for span, fact in zip(spans_in(scenario), scenario.facts["spans"], strict=True):
        said = (fact["trace_id"], fact["span_id"], fact["name"], fact["kind"], fact["status"], fact["scope"])
        kind, status = SPAN_KINDS[span.kind], STATUS_CODES[span.status_code]
        assert (span.run_id, span.span_id, span.name, kind, status, span.scope) == said
        wrong = {key for key, value in fact["attributes"].items() if not same_value(span.attributes[key], value)}
        assert wrong == set()
        assert len(span.events) == fact["n_events"]
        told = [event["name"] for event in fact.get("events", [])]  # the facts name the first dozen
        assert [event.name for event in span.events][: len(told)] == told


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_times_and_parents_are_the_sent_ones_unless_noted(scenario: Scenario) -> None:
    for span, fact in zip(spans_in(scenario), scenario.facts["spans"], strict=True):
        if not span.problems:
            assert (str(span.start_time), str(span.end_time)) == (fact["start_unix_nano"], fact["end_unix_nano"])
            assert (span.parent_span_id or "") == fact["parent_span_id"]


@pytest.mark.parametrize("writer", [python_json, javascript_json, snake_case_json])
@pytest.mark.parametrize("request_", PROTOBUF_REQUESTS, ids=lambda request: hashlib.md5(request.body).hexdigest()[:8])
def test_protobuf_and_json_mean_the_same(request_: Request, writer: Writer) -> None:
    message = MESSAGES[request_.signal].FromString(request_.body)
    plain = decode_export(request_.signal, request_.body, PROTOBUF, NOW)  # type: ignore[arg-type]
    written = decode(request_.signal, message, writer)  # type: ignore[arg-type]
    if writer is javascript_json and b"int.max" in request_.body:
        assert len(spans_of(plain)) == len(spans_of(written))  # JavaScript has lost the digits before they are sent
        return
    assert plain.origins == written.origins
    assert plain.rejected == written.rejected == []


def test_log_records_belong_to_their_spans() -> None:
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == "openai_v2_content")
    [sent] = [request for request in scenario.requests if request.signal == "logs"]
    records = logs_of(decode_export("logs", sent.body, sent.content_type, NOW))
    span_ids = {span.span_id for span in spans_in(scenario)}
    assert len(records) == 14
    assert {record.span_id for record in records} <= span_ids
    assert any(isinstance(record.body, dict) and "content" in record.body for record in records)
