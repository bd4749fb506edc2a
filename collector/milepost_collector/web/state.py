"""What the routes of one running collector share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

from starlette.requests import HTTPConnection

from milepost_collector.config import CollectorConfig
from milepost_collector.controller.follower import Follower
from milepost_collector.controller.service import Controller
from milepost_collector.controller.service.meter import Meter
from milepost_collector.deliverables import Deliverables
from milepost_collector.forwarding import Forwarding
from milepost_collector.storage import Database
from milepost_collector.traces.ingest import Ingest
from milepost_collector.traces.queries import QueryPool
from milepost_collector.triggers import EventFollower, Triggers
from milepost_collector.web.cost_book import CostBook
from milepost_collector.web.pace import Pace
from milepost_collector.webhooks.service import Webhooks


@dataclass(kw_only=True, slots=True)
class Services:
    """The opened databases and what works on them. stopping: set when open streams have to end. loop: the one all
    of it belongs to."""

    config: CollectorConfig
    database: Database
    ingest: Ingest
    queries: QueryPool
    forwarding: Forwarding
    controller: Controller
    deliverables: Deliverables
    follower: Follower
    triggers: Triggers
    event_follower: EventFollower
    costs: CostBook
    webhooks: Webhooks
    meter: Meter
    link_pace: Pace = field(default_factory=Pace)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)


def services(connection: HTTPConnection) -> Services:
    """Return what the application's lifespan has started."""
    return cast("Services", connection.app.state.services)
