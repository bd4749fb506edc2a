"""The collector as an ASGI application: what is started, in which order it stops, and what surrounds the routes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from milepost.errors import MilepostError
from milepost_collector.config import CollectorConfig
from milepost_collector.controller.follower import Follower
from milepost_collector.controller.service import Activity, Controller, open_controller
from milepost_collector.controller.service.meter import Meter
from milepost_collector.deliverables import Deliverables, Place
from milepost_collector.forwarding import Forwarding, parse_destinations
from milepost_collector.outbound.policy import OutboundPolicy
from milepost_collector.secrets import Secrets
from milepost_collector.storage import Database
from milepost_collector.traces.ingest import Ingest, price_book
from milepost_collector.traces.queries import QueryPool, RunIndex, newest_activity
from milepost_collector.traces.spending import Spending
from milepost_collector.triggers import EventFollower, Triggers
from milepost_collector.web.cost_book import CostBook
from milepost_collector.web.counting import Counting
from milepost_collector.web.health import Metrics
from milepost_collector.web.openapi import OPENAPI
from milepost_collector.web.problems import UnexpectedErrors, handle_http_exception, handle_milepost_error
from milepost_collector.web.routes import routes
from milepost_collector.web.rpc import RpcServer
from milepost_collector.web.security import Security
from milepost_collector.web.shutdown import set_on_signal
from milepost_collector.web.state import Services
from milepost_collector.web.static import Viewer
from milepost_collector.webhooks.service import Webhooks, WebhookSettings

logger = logging.getLogger("milepost.collector")


def create_app(config: CollectorConfig) -> Starlette:
    """Return the collector's application. Its lifespan opens the database, and closes it in the end.

    The lifespan raises a `StorageError` when the database cannot be opened.
    """
    app_metrics = Metrics()
    app = Starlette(
        routes=[*routes(), Route(OPENAPI.path, OPENAPI.handler)],
        lifespan=_lifespan,
        middleware=[
            Middleware(RootPath, root_path=config.root_path),
            Middleware(Counting, metrics=app_metrics),
            Middleware(Security, host=config.host),
            Middleware(UnexpectedErrors),
        ],
        exception_handlers={MilepostError: handle_milepost_error, HTTPException: handle_http_exception},
    )
    app.router.default = Viewer()
    app.state.config = config
    app.state.metrics = app_metrics
    app.state.services = None
    return app


class RootPath:
    """Middleware that lets a reverse proxy serve the collector under a path, whether or not it strips the path."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = f"/{root_path.strip('/')}" if root_path.strip("/") else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application with `root_path` set and the path below it."""
        if scope["type"] == "http" and self._root_path and not scope.get("root_path"):
            path = scope["path"]
            below = path == self._root_path or path.startswith(f"{self._root_path}/")
            scope = {**scope, "root_path": self._root_path, "path": path if below else self._root_path + path}
        await self._app(scope, receive, send)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    services = await _start(app.state.config)
    set_on_signal(services.stopping)
    app.state.services = services
    app.state.metrics.watch(services.ingest, services.forwarding)
    warming_up = asyncio.create_task(services.queries.warm_up())
    ending_waits = asyncio.create_task(_end_waits(services))
    rpc = RpcServer(services, app.state.config.host, app.state.config.grpc_port or 0)
    app.state.rpc = rpc
    try:
        if app.state.config.grpc_port is not None:
            await rpc.start()
        yield
    finally:
        await rpc.stop()
        await _stop(services)
        await warming_up  # its query has been interrupted
        await ending_waits
        app.state.services = None


async def _start(config: CollectorConfig) -> Services:
    """Open and start everything; what has been started is stopped again when the rest cannot be."""
    price_book(config)  # a wrong file is told before the database is opened
    _outbound_policy(config)
    async with AsyncExitStack() as undo:
        costs = CostBook()
        # Its imports take as long as DuckDB takes to open.
        opening = asyncio.create_task(_start_controller(config, costs))
        undo.push_async_callback(_abandon, opening)
        database = await anyio.to_thread.run_sync(_open, config)
        undo.push_async_callback(anyio.to_thread.run_sync, database.close)
        index = RunIndex()
        ingest = Ingest(database, config, index=index)
        ingest.start()
        undo.push_async_callback(ingest.stop)
        queries = QueryPool(database, threads=config.query_threads, timeout_s=config.sql_timeout_s, index=index)
        forwarding = await _start_forwarding(config)
        undo.push_async_callback(forwarding.stop)
        controller = await opening
        costs.start(controller, queries)
        webhooks = _webhooks(config, controller, queries)
        await webhooks.start()
        controller.stalls.activity = _activity(queries)
        undo.pop_all()
    triggers = Triggers(controller, Secrets(config.data_dir, config.secret_key))
    services = Services(
        config=config,
        database=database,
        ingest=ingest,
        queries=queries,
        forwarding=forwarding,
        controller=controller,
        deliverables=_start_deliverables(config, controller),
        follower=_start_follower(controller, ingest),
        triggers=triggers,
        event_follower=_start_event_follower(triggers, controller, queries),
        costs=costs,
        webhooks=webhooks,
        meter=_start_meter(controller, ingest, queries),
    )
    controller.may_forget = partial(_all_is_told, services)
    return services


def _all_is_told(services: Services) -> bool:
    """Tell whether what the controller logged is recorded, told to webhooks and dealt with by triggers."""
    return services.follower.is_level and services.webhooks.is_level and services.event_follower.is_level


async def _start_controller(config: CollectorConfig, costs: CostBook) -> Controller:
    controller = await open_controller(
        config.data_dir,
        url=config.controller_url,
        retention_days=config.task_retention_days,
        max_value_bytes=config.max_task_value_bytes,
        ask_alarm_ms=config.ask_alarm_s * 1_000,
        costs=costs,
    )
    controller.may_forget = lambda: False  # what ran out while no collector ran is told first
    controller.start()
    return controller


def _activity(queries: QueryPool) -> Activity:
    """Return how the controller learns what is recorded of runs: neither knows of the other."""

    async def newest(run_ids: Sequence[str], since_ms: int) -> dict[str, int]:
        return await queries.run(lambda connection: newest_activity(connection, run_ids, since_ms))

    return newest


async def _abandon(opening: asyncio.Task[Controller]) -> None:
    """Stop a controller that may still be opening; why it could not be opened is told by whoever waits for it."""
    await asyncio.wait((opening,))
    if opening.exception() is None:
        await opening.result().stop()


def _start_follower(controller: Controller, ingest: Ingest) -> Follower:
    """Have what the controller does recorded beside the runs: neither knows of the other."""
    follower = Follower(controller.read, ingest.recorder)
    controller.on_change(follower.wake)
    follower.start()
    return follower


def _start_meter(controller: Controller, ingest: Ingest, queries: QueryPool) -> Meter:
    """Have what runs use counted in their budgets as it is recorded."""
    meter = Meter(controller, Spending(queries))
    ingest.follow(lambda: meter.watched, meter.note)
    meter.start()
    return meter


def _start_event_follower(triggers: Triggers, controller: Controller, queries: QueryPool) -> EventFollower:
    follower = EventFollower(triggers, controller, queries, clock_ms=lambda: time.time_ns() // 1_000_000)
    controller.on_change(follower.wake)
    follower.start()
    return follower


def _start_deliverables(config: CollectorConfig, controller: Controller) -> Deliverables:
    deliverables = Deliverables(
        controller,
        Place(config.deliverables_url, config.data_dir / "deliverables"),
        max_bytes=config.max_deliverable_bytes,
        quota_bytes=config.max_task_deliverables_bytes,
    )
    deliverables.start()
    return deliverables


def _webhooks(config: CollectorConfig, controller: Controller, queries: QueryPool) -> Webhooks:
    host = f"[{config.host}]" if ":" in config.host else config.host
    settings = WebhookSettings(
        data_dir=config.data_dir,
        policy=_outbound_policy(config),
        base_url=f"http://{host}:{config.port}{config.root_path.rstrip('/')}",
        retention_days=config.webhook_retention_days,
    )
    return Webhooks(controller, queries, Secrets(config.data_dir, config.secret_key), settings)


def _outbound_policy(config: CollectorConfig) -> OutboundPolicy:
    return OutboundPolicy(allow_private=config.webhook_allow_private, allow_hosts=config.webhook_allow_hosts)


async def _start_forwarding(config: CollectorConfig) -> Forwarding:
    destinations = parse_destinations(config.forward_to, config.forward_headers, own_port=config.port)
    forwarding = Forwarding(config.data_dir, destinations, max_bytes=config.forward_max_bytes)
    await forwarding.start()
    return forwarding


def _open(config: CollectorConfig) -> Database:
    return Database(config.database_path, memory_limit_bytes=config.memory_limit_bytes)


async def _end_waits(services: Services) -> None:
    """Answer polls that wait as soon as the process is asked to stop: servers wait for what is open before stopping."""
    await services.stopping.wait()
    services.controller.end_waits()


async def _stop(services: Services) -> None:
    """End streams, commit what is queued, then stop queries and close the file, which checkpoints it."""
    services.stopping.set()
    await services.event_follower.stop()
    await services.webhooks.stop()
    await services.meter.stop()
    await services.follower.stop()
    await services.deliverables.stop()
    await services.costs.stop()
    await services.controller.stop()
    await services.ingest.stop()
    await services.forwarding.stop()
    await anyio.to_thread.run_sync(services.database.close)
    logger.info("database %s is closed", services.database.path)
