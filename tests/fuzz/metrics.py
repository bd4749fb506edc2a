"""A request of metrics with a point of every kind; the corpus has none."""

from __future__ import annotations

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

TIME = 1_762_000_000_000_000_000
ATTRIBUTES = [
    KeyValue(key="gen_ai.token.type", value=AnyValue(string_value="input")),
    KeyValue(key="gen_ai.request.model", value=AnyValue(string_value="gpt-4o-mini")),
]


def example_metrics() -> bytes:
    """Return an ExportMetricsServiceRequest."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.add(key="service.name", value=AnyValue(string_value="fuzz"))
    scoped = group.scope_metrics.add()
    scoped.scope.name = "fuzz.meter"
    at = {"start_time_unix_nano": TIME, "time_unix_nano": TIME + 10**9, "attributes": ATTRIBUTES}
    metrics = [scoped.metrics.add(name=name, unit="1", description="a metric") for name in "abcde"]
    metrics[0].gauge.data_points.add(as_double=0.5, **at)
    metrics[1].sum.data_points.add(as_int=7, **at)
    metrics[1].sum.is_monotonic = True
    metrics[1].sum.aggregation_temporality = 2
    metrics[2].histogram.data_points.add(
        count=3, sum=4.5, min=0.5, max=2, bucket_counts=[1, 1, 1], explicit_bounds=[1, 2], **at
    )
    points = metrics[3].exponential_histogram.data_points
    point = points.add(count=3, sum=4.5, scale=2, zero_count=1, **at)
    point.positive.offset = 1
    point.positive.bucket_counts.extend([1, 1])
    summary = metrics[4].summary.data_points.add(count=2, sum=3, **at)
    summary.quantile_values.add(quantile=0.5, value=1.5)
    return request.SerializeToString()
