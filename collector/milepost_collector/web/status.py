"""`GET /api/status`: what the collector is, holds and is held to, for people; /metrics tells the same to machines."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import version
from pathlib import Path

import duckdb
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from milepost._version import __version__
from milepost_collector.config import CollectorConfig
from milepost_collector.traces.ingest import price_book
from milepost_collector.web.runs import answer
from milepost_collector.web.state import Services, services

# By the catalog, at no cost: these tables only grow.
_ROWS = "SELECT table_name, estimated_size FROM duckdb_tables() WHERE table_name IN ('spans', 'events')"


class Versions(Struct, kw_only=True):
    """Of the parts that decide what is stored and computed."""

    milepost: str
    duckdb: str
    prices: str


class StorageStatus(Struct, kw_only=True):
    """What is on disk. Sizes are bytes."""

    data_dir: str
    traces_bytes: int
    wal_bytes: int
    tasks_bytes: int | None
    free_bytes: int
    spans: int
    live_spans: int
    events: int


class QueueStatus(Struct, kw_only=True):
    """What waits for the disk, and what came of batches since the start."""

    waiting_batches: int
    waiting_bytes: int
    committed_events: int
    rejected_events: int
    failed_commits: int


class PriceStatus(Struct, kw_only=True):
    """Where prices come from. own_file: the reader's own table, asked first; own_entries: how many it has."""

    own_file: str | None
    own_entries: int


class LimitStatus(Struct, kw_only=True):
    """Settings that bound what is kept and answered."""

    task_retention_days: int
    lost_after_s: float
    sql_timeout_s: float
    sql_max_rows: int
    max_body_bytes: int
    max_waiting_bytes: int


class CollectorStatus(Struct, kw_only=True):
    """The collector's state. task_store: sqlite or postgresql."""

    versions: Versions
    storage: StorageStatus
    queue: QueueStatus
    prices: PriceStatus
    limits: LimitStatus
    task_store: str
    forward_to: list[str]


async def get_status(request: Request) -> Response:
    """Return the collector's state."""
    shared = services(request)
    counts = await shared.queries.run(_counts)
    return answer(
        CollectorStatus(
            versions=Versions(milepost=__version__, duckdb=duckdb.__version__, prices=version("genai-prices")),
            storage=_storage(shared, counts),
            queue=_queue(shared),
            prices=_prices(shared.config),
            limits=_limits(shared.config),
            task_store="sqlite" if shared.config.controller_url is None else "postgresql",
            forward_to=list(shared.config.forward_to),
        )
    )


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(connection.execute(_ROWS).fetchall())


def _storage(shared: Services, counts: dict[str, int]) -> StorageStatus:
    config, database = shared.config, shared.database
    return StorageStatus(
        data_dir=str(config.data_dir),
        traces_bytes=database.path.stat().st_size,
        wal_bytes=database.wal_bytes(),
        tasks_bytes=_tasks_bytes(config.data_dir) if config.controller_url is None else None,
        free_bytes=shutil.disk_usage(config.data_dir).free,
        spans=counts["spans"],
        live_spans=shared.ingest.stats().live_spans,
        events=counts["events"],
    )


def _tasks_bytes(data_dir: Path) -> int:
    """Return the size of the controller's SQLite file with its log."""
    return sum(entry.stat().st_size for entry in os.scandir(data_dir) if ".sqlite" in entry.name)


def _queue(shared: Services) -> QueueStatus:
    stats = shared.ingest.stats()
    return QueueStatus(
        waiting_batches=stats.queued_batches,
        waiting_bytes=stats.queued_bytes,
        committed_events=stats.committed_events,
        rejected_events=stats.rejected_events,
        failed_commits=stats.failed_commits,
    )


def _prices(config: CollectorConfig) -> PriceStatus:
    found = config.read_price_file()
    return PriceStatus(own_file=str(found[0]) if found else None, own_entries=len(price_book(config).entries))


def _limits(config: CollectorConfig) -> LimitStatus:
    return LimitStatus(**{name: getattr(config, name) for name in LimitStatus.__struct_fields__})
