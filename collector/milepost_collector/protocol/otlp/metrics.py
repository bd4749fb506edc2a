"""One OTLP metric to `ForeignPoint`s."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from milepost_collector.protocol.foreign import ForeignPoint
from milepost_collector.protocol.otlp.export import RefusedError
from milepost_collector.protocol.otlp.form import Form
from milepost_collector.protocol.otlp.values import MAX_INT64, finite, number

TEMPORALITIES = ("", "delta", "cumulative")


def points_of(record: Any, scope: str, form: Form, received_at: int) -> Iterator[ForeignPoint]:
    """Yield the metric's data points. Exemplars are left out.

    Raises:
        RefusedError: it is a span or log record that was sent to the wrong address.
    """
    kind = next((kind for kind in _KINDS if has(record, kind)), None)
    if kind is None:
        if form.signal_of(record) in ("traces", "logs"):
            raise RefusedError("it is not a metric")
        return
    data = getattr(record, kind)
    temporality = getattr(data, "aggregation_temporality", 0)
    common: dict[str, Any] = {
        "name": form.text(record.name),
        "kind": kind,
        "unit": form.text(record.unit),
        "description": form.text(record.description),
        "temporality": TEMPORALITIES[temporality] if 0 <= temporality < len(TEMPORALITIES) else "",
        "monotonic": bool(data.is_monotonic) if kind == "sum" else None,
        "scope": scope,
    }
    for point in data.data_points or ():
        yield ForeignPoint(
            **common,
            time=_time(point.time_unix_nano) or received_at,
            start_time=_time(point.start_time_unix_nano),
            attributes=form.attributes(point.attributes, []),
            **_KINDS[kind](point),
        )


def has(message: Any, name: str) -> bool:
    """Tell whether an optional field was sent."""
    ask: Callable[[str], bool] | None = getattr(message, "HasField", None)
    return ask(name) if ask else getattr(message, name) is not None


def _time(value: int) -> int | None:
    return value if 0 < value <= MAX_INT64 else None


def _optional(message: Any, name: str) -> float | None:
    return finite(float(getattr(message, name))) if has(message, name) else None


def _value(point: Any) -> dict[str, Any]:
    return {"value": _optional(point, "as_int" if has(point, "as_int") else "as_double")}


def _statistics(point: Any) -> dict[str, Any]:
    return {"count": min(point.count, MAX_INT64), **{name: _optional(point, name) for name in ("sum", "min", "max")}}


def _histogram(point: Any) -> dict[str, Any]:
    bounds = [number(bound) for bound in point.explicit_bounds or ()]
    return {**_statistics(point), "buckets": {"bounds": bounds, "counts": list(point.bucket_counts or ())}}


def _exponential(point: Any) -> dict[str, Any]:
    buckets: dict[str, Any] = {"scale": point.scale, "zero_count": point.zero_count}
    for side in ("positive", "negative"):
        sent = getattr(point, side) if has(point, side) else None
        buckets[side] = {"offset": sent.offset, "counts": list(sent.bucket_counts or ())} if sent else None
    return {**_statistics(point), "buckets": buckets}


def _summary(point: Any) -> dict[str, Any]:
    quantiles = [[number(at.quantile), number(at.value)] for at in point.quantile_values or ()]
    return {"count": min(point.count, MAX_INT64), "sum": finite(point.sum), "buckets": {"quantiles": quantiles}}


_KINDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "gauge": _value,
    "sum": _value,
    "histogram": _histogram,
    "exponential_histogram": _exponential,
    "summary": _summary,
}
