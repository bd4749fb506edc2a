"""`/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from milepost._version import __version__
from milepost_collector.controller.service import Numbers
from milepost_collector.forwarding import Forwarding
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
# Of every destination of forwarding, by its address.
_FORWARDING_GAUGES = {
    "queued_bytes": "Bytes waiting on disk for a destination.",
    "queued_bodies": "Bodies waiting on disk for a destination.",
}
_FORWARDING_COUNTERS = {
    "sent": "Bodies a destination has taken.",
    "attempts": "Requests made to a destination.",
    "failed_attempts": "Requests to a destination that failed.",
}
# Help texts by field of the controller's Numbers.
_CONTROLLER_GAUGES = {
    "ready": "Attempts that could begin.",
    "delayed": "Attempts that wait for a time.",
    "waiting": "Attempts of tasks that are blocked, paused or in review.",
    "leased": "Attempts that a worker holds.",
    "workers": "Workers that have polled lately.",
    "waiting_polls": "Polls of workers that wait for work.",
    "queued": "Requests that wait for their transaction.",
}
_DROPPED = ("full", "refused", "damaged", "unwritten")


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

        self._children: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}
        self._controller = {
            name: Gauge(f"milepost_controller_{name}", text, registry=self.registry)
            for name, text in _CONTROLLER_GAUGES.items()
        }

    def watch(self, ingest: Ingest, forwarding: Forwarding) -> None:
        """Show the numbers of ingest and forwarding too."""
        self.registry.register(_IngestCollector(ingest))
        self.registry.register(_ForwardingCollector(forwarding))

    def show(self, numbers: Numbers) -> None:
        """Show how much the controller has to do."""
        for name, gauge in self._controller.items():
            gauge.set(getattr(numbers, name))

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        key = (method, route, status)
        if key not in self._children:  # finding them by their labels takes longer than counting
            requests, seconds_of = (
                self._requests.labels(method, route, str(status)),
                self._seconds.labels(method, route),
            )
            self._children[key] = requests.inc, seconds_of.observe
        count, observe = self._children[key]
        count()
        observe(seconds)


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


class _ForwardingCollector(Collector):
    def __init__(self, forwarding: Forwarding) -> None:
        self._forwarding = forwarding

    def describe(self) -> Iterable[Metric]:
        """Say nothing, so that registering does not read the numbers."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read the numbers."""
        stats = self._forwarding.stats()
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for name, text in _FORWARDING_GAUGES.items():
            families[name] = GaugeMetricFamily(f"milepost_forwarding_{name}", text, labels=["destination"])
        for name, text in _FORWARDING_COUNTERS.items():
            families[name] = CounterMetricFamily(f"milepost_forwarding_{name}", text, labels=["destination"])
        for name, family in families.items():
            for one in stats:
                family.add_metric([one.destination], getattr(one, name))
            yield family
        dropped = CounterMetricFamily(
            "milepost_forwarding_dropped", "Bodies given up.", labels=["destination", "reason"]
        )
        for one in stats:
            for reason in _DROPPED:
                dropped.add_metric([one.destination, reason], getattr(one, f"dropped_{reason}"))
        yield dropped


async def healthz(request: Request) -> Response:
    """Tell that the process answers."""
    return _status("ok")


async def readyz(request: Request) -> Response:
    """Tell whether events and tasks are taken: the databases are open and their last commits reached the disk."""
    shared = getattr(request.app.state, "services", None)
    if shared is None or shared.stopping.is_set():
        return problem(503, "the database is not open", headers={"Retry-After": str(RETRY_AFTER_S)})
    if not shared.ingest.available:
        detail = f"database {shared.database.path} cannot be written; free space on its disk, senders will retry"
        return problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})
    if not shared.controller.available:
        detail = "the controller's store cannot be written; the log says why, and whoever asked it will retry"
        return problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})
    return _status("ready")


async def metrics(request: Request) -> Response:
    """Return the numbers in Prometheus' text format."""
    controller = services(request).controller
    shown: Metrics = request.app.state.metrics
    if controller.available:  # else these numbers stay as they were, and the others are told all the same
        shown.show(await controller.numbers())
    return Response(generate_latest(shown.registry), media_type=None, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _status(status: str) -> Response:
    body = msgspec.json.encode({"status": status, "version": __version__})
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _value(stats: IngestStats, name: str) -> float:
    return float(getattr(stats, name))
