"""`/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from milepost._version import __version__
from milepost_collector.traces.ingest import Ingest, IngestStats
from milepost_collector.web.problems import RETRY_AFTER_S, problem
from milepost_collector.web.state import services

# Help texts by field of IngestStats; what only grows is a counter.
_GAUGES = {
    "queued_batches": "Batches waiting for the disk.",
    "queued_bytes": "Inflated bytes waiting for the disk.",
    "live_spans": "Spans that have started and not ended.",
    "wal_bytes": "Size of the write-ahead log.",
}
_COUNTERS = {
    "committed_batches": "Batches committed.",
    "committed_events": "Events committed.",
    "rejected_events": "Events refused one by one.",
    "duplicate_batches": "Batches that had been stored before.",
    "commits": "Transactions committed.",
    "failed_commits": "Transactions that failed.",
    "checkpoints": "Checkpoints of the database.",
}


class Metrics:
    """The numbers of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "milepost_http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "milepost_http_request_seconds", "Time until the answer began.", ["method", "route"], registry=self.registry
        )

    def watch(self, ingest: Ingest) -> None:
        """Show the numbers of an `Ingest` too."""
        self.registry.register(_IngestCollector(ingest))

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class _IngestCollector(Collector):
    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    def describe(self) -> Iterable[Metric]:
        """Say nothing, so that registering does not read the numbers."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read the numbers."""
        stats = self._ingest.stats()
        for name, text in _GAUGES.items():
            yield GaugeMetricFamily(f"milepost_ingest_{name}", text, value=_value(stats, name))
        for name, text in _COUNTERS.items():
            yield CounterMetricFamily(f"milepost_ingest_{name}", text, value=_value(stats, name))


async def healthz(request: Request) -> Response:
    """Tell that the process answers."""
    return _status("ok")


async def readyz(request: Request) -> Response:
    """Tell whether events are taken: the database is open and its last commit reached the disk."""
    shared = getattr(request.app.state, "services", None)
    if shared is None or shared.stopping.is_set():
        return problem(503, "the database is not open", headers={"Retry-After": str(RETRY_AFTER_S)})
    if not shared.ingest.available:
        detail = f"database {shared.database.path} cannot be written; free space on its disk, senders will retry"
        return problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})
    return _status("ready")


async def metrics(request: Request) -> Response:
    """Return the numbers in Prometheus' text format."""
    services(request)  # the numbers are complete only once everything has started
    registry: CollectorRegistry = request.app.state.metrics.registry
    return Response(generate_latest(registry), media_type=None, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _status(status: str) -> Response:
    body = msgspec.json.encode({"status": status, "version": __version__})
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _value(stats: IngestStats, name: str) -> float:
    return float(getattr(stats, name))
