"""Forwarding: every OTLP body that was taken in goes on to other OTLP endpoints too, each with a queue on disk.

Reading order: `service` (the door), `destinations` (settings to addresses and headers, pure), `records` (a body and its
bytes in a file, pure), `queue` (records in files), `retry` (what an answer means, pure), `sender` (one destination's
task), `throttle` (one log line a minute).
"""

from __future__ import annotations

from milepost_collector.forwarding.destinations import Destination, parse_destinations
from milepost_collector.forwarding.sender import Timing
from milepost_collector.forwarding.service import DestinationStats, Forwarding

__all__ = ["Destination", "DestinationStats", "Forwarding", "Timing", "parse_destinations"]
