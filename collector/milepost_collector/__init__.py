"""The collector: stores what agents send, answers questions about it, and serves the viewer.

Reading order: `config`, `errors`; `protocol` (pure: wire and OTLP to rows, answers); `storage` (the DuckDB file);
`forwarding` (OTLP bodies on to other endpoints); `traces` (ingest, live feed, queries); `controller` (managed tasks:
queue, leases, schedules, in a store of its own); `web` (HTTP and gRPC); `app` (how the parts are put together); `cli`.
Imports go one way only: cli → app → web → traces, forwarding, controller → storage, protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from milepost_collector.app import create_app
    from milepost_collector.config import CollectorConfig

__all__ = ["CollectorConfig", "create_app"]


def __getattr__(name: str) -> Any:
    # Lazy: the command line must be able to start, and name the missing extra, without the collector's dependencies.
    if name == "create_app":
        from milepost_collector.app import create_app

        return create_app
    if name == "CollectorConfig":
        from milepost_collector.config import CollectorConfig

        return CollectorConfig
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
