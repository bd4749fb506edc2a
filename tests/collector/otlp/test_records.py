"""Log records and metric points."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
    Summary,
    SummaryDataPoint,
)

from milepost_collector.protocol.foreign import ForeignLog, ForeignPoint
from milepost_collector.protocol.otlp import decode_export
from tests.collector.otlp.messages import (
    JSON,
    NOW,
    RUN_ID,
    SPAN_ID,
    any_value,
    attributes,
    both,
    logs,
    logs_of,
    metrics,
    points_of,
)


def log_from(**fields: Any) -> ForeignLog:
    """Return what a log record becomes, in either encoding."""
    [log] = logs_of(both("logs", logs(LogRecord(**fields))))
    return log


def point_from(**fields: Any) -> ForeignPoint:
    """Return what a metric of one point becomes, in either encoding."""
    [point] = points_of(both("metrics", metrics(Metric(name="m", unit="s", description="d", **fields))))
    return point


def test_whole_log_record_is_read() -> None:
    log = log_from(
        time_unix_nano=NOW,
        observed_time_unix_nano=NOW + 1,
        severity_number=17,
        severity_text="ERROR",
        body=any_value({"role": "user", "content": [{"text": "hi"}]}),
        attributes=attributes({"a": 1}),
        trace_id=RUN_ID,
        span_id=SPAN_ID,
        event_name="gen_ai.user.message",
        dropped_attributes_count=1,
    )
    assert log == ForeignLog(
        run_id=RUN_ID.hex(),
        span_id=SPAN_ID.hex(),
        time=NOW,
        severity_number=17,
        severity_text="ERROR",
        event_name="gen_ai.user.message",
        body={"role": "user", "content": [{"text": "hi"}]},
        attributes={"a": 1, "otel.dropped_attributes_count": 1},
    )


@pytest.mark.parametrize(
    ("sent", "observed", "time"), [(5, 6, 5), (0, 6, 6), (0, 0, NOW), (2**63, 6, 6), (2**64 - 1, 2**63, NOW)]
)
def test_log_record_has_the_best_time_there_is(sent: int, observed: int, time: int) -> None:
    body = any_value("text")
    assert log_from(time_unix_nano=sent, observed_time_unix_nano=observed, body=body).time == time


@pytest.mark.parametrize(("run_id", "span_id"), [(b"", b""), (bytes(16), bytes(8)), (b"\1" * 3, SPAN_ID)])
def test_log_record_of_no_span_is_kept(run_id: bytes, span_id: bytes) -> None:
    log = log_from(trace_id=run_id, span_id=span_id, time_unix_nano=1)
    assert (log.run_id, log.span_id) == (None, None)


def test_log_record_of_a_run_alone_is_kept() -> None:
    log = log_from(trace_id=RUN_ID, time_unix_nano=1)
    assert (log.run_id, log.span_id) == (RUN_ID.hex(), None)


def test_event_name_may_be_an_attribute() -> None:
    assert log_from(time_unix_nano=1, attributes=attributes({"event.name": "gen_ai.choice"})).event_name == (
        "gen_ai.choice"
    )


def test_severity_that_there_is_not_is_none() -> None:
    assert log_from(time_unix_nano=1, severity_number=25).severity_number == 0  # type: ignore[arg-type]


def test_severity_of_json_may_be_a_name() -> None:
    body = b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityNumber": "SEVERITY_NUMBER_WARN2"}]}]}]}'
    assert logs_of(decode_export("logs", body, JSON, NOW))[0].severity_number == 14


def number(**fields: Any) -> NumberDataPoint:
    return NumberDataPoint(time_unix_nano=NOW, start_time_unix_nano=3, attributes=attributes({"a": "b"}), **fields)


@pytest.mark.parametrize(
    ("sent", "value"),
    [({"as_int": -7}, -7.0), ({"as_double": 0.5}, 0.5), ({"as_double": 0.0}, 0.0), ({"as_double": float("nan")}, None)],
)
def test_gauge_is_read(sent: dict[str, Any], value: float | None) -> None:
    assert point_from(gauge=Gauge(data_points=[number(**sent)])) == ForeignPoint(
        name="m", unit="s", description="d", kind="gauge", time=NOW, start_time=3, value=value, attributes={"a": "b"}
    )


@pytest.mark.parametrize(("number_", "name"), [(0, ""), (1, "delta"), (2, "cumulative"), (9, "")])
def test_sum_is_read(number_: int, name: str) -> None:
    data = Sum(data_points=[number(as_int=3)], aggregation_temporality=number_, is_monotonic=True)  # type: ignore[arg-type]
    point = point_from(sum=data)
    assert (point.kind, point.value, point.temporality, point.monotonic) == ("sum", 3.0, name, True)


def test_histogram_is_read() -> None:
    sent = HistogramDataPoint(
        time_unix_nano=1, count=3, sum=6, min=1, max=3, explicit_bounds=[1, 2.5], bucket_counts=[1, 1, 1]
    )
    point = point_from(histogram=Histogram(data_points=[sent], aggregation_temporality=1))  # type: ignore[arg-type]
    assert (point.count, point.sum, point.min, point.max) == (3, 6.0, 1.0, 3.0)
    assert point.buckets == {"bounds": [1.0, 2.5], "counts": [1, 1, 1]}
    assert (point.value, point.start_time, point.temporality) == (None, None, "delta")


def test_histogram_without_sum_and_extremes_says_nothing_of_them() -> None:
    point = point_from(histogram=Histogram(data_points=[HistogramDataPoint(count=0)]))
    assert (point.count, point.sum, point.min, point.max) == (0, None, None, None)
    assert point.time == NOW


def test_exponential_histogram_is_read() -> None:
    sent = ExponentialHistogramDataPoint(time_unix_nano=1, count=2, scale=-1, zero_count=1)
    sent.positive.offset = 2
    sent.positive.bucket_counts.extend([1, 0, 2])
    point = point_from(exponential_histogram=ExponentialHistogram(data_points=[sent]))
    positive = {"offset": 2, "counts": [1, 0, 2]}
    assert point.buckets == {"scale": -1, "zero_count": 1, "positive": positive, "negative": None}


def test_summary_is_read() -> None:
    sent = SummaryDataPoint(time_unix_nano=1, count=2, sum=5)
    sent.quantile_values.add(quantile=0.5, value=2.5)
    point = point_from(summary=Summary(data_points=[sent]))
    assert (point.kind, point.count, point.sum) == ("summary", 2, 5.0)
    assert point.buckets == {"quantiles": [[0.5, 2.5]]}


def test_count_beyond_what_columns_hold_is_cut_down() -> None:
    point = point_from(histogram=Histogram(data_points=[HistogramDataPoint(count=2**64 - 1)]))
    assert point.count == 2**63 - 1


def test_numbers_of_any_size_can_be_written_again() -> None:
    sent = '{"dataPoints": [{"count": 1e30, "bucketCounts": ["99999999999999999999999"], "timeUnixNano": -5}]}'
    body = f'{{"resourceMetrics": [{{"scopeMetrics": [{{"metrics": [{{"name": "m", "histogram": {sent}}}]}}]}}]}}'
    [point] = points_of(decode_export("metrics", body.encode(), JSON, NOW))
    assert (point.time, point.count) == (NOW, 2**63 - 1)
    assert str(2**64 - 1).encode() in msgspec.json.encode(point)


def test_metric_without_data_is_no_point_and_not_refused() -> None:
    export = both("metrics", metrics(Metric(name="empty"), Metric(name="none", gauge=Gauge())))
    assert (points_of(export), export.rejected) == ([], [])


def test_points_can_be_written_as_json() -> None:
    bounds = HistogramDataPoint(explicit_bounds=[float("-inf"), float("inf")], sum=float("inf"), bucket_counts=[1])
    point = point_from(histogram=Histogram(data_points=[bounds]))
    assert b"null" in msgspec.json.encode(point.sum)
    assert point.buckets["bounds"] == ["-Infinity", "Infinity"]
