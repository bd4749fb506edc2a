"""However the records of a program arrive, the tables end the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from milepost_collector.config import CollectorConfig
from milepost_collector.storage import Database
from milepost_collector.traces.commit import Clock
from milepost_collector.traces.ingest import Ingest
from tests.collector.corpus.reencoding import encoded, joined, records
from tests.collector.corpus.scenarios import JSON, PROTOBUF, SCENARIOS, Request, Scenario

MIB = 1024 * 1024
NOW = 1_800_000_000_000_000_000  # a span whose times no clock can have shown is put where it arrived

# Everything that is stored, but for when and in how many requests it came.
TABLES = {
    "spans": "* EXCLUDE (commit_id)",
    "events": "*",
    "stored_messages": "*",
    "span_messages": "*",
    "pieces": "*",
    "uncounted": "*",
    "run_links": "*",
    "metrics": "*",
    "rejected": "* EXCLUDE (received_at, batch_index, producer_id)",
    "producers": "* EXCLUDE (first_seen)",
    "runs": "*",
}


@st.composite
def deliveries(draw: st.DrawFn, scenario: Scenario) -> list[Request]:
    """Draw a way for the scenario's records to arrive: shuffled, split, repeated, in either encoding."""
    apart = records(scenario.requests)
    again = draw(st.lists(st.sampled_from(apart), max_size=5))
    order = draw(st.permutations([*apart, *again]))
    sent = []
    while order:
        size = draw(st.integers(1, max(len(order), 1)))
        group, order = order[:size], order[size:]
        for signal in ("traces", "logs"):
            messages = [message for of, message in group if of == signal]
            if messages:
                content_type = draw(st.sampled_from([PROTOBUF, JSON]))
                sent.append(encoded(signal, joined(signal, messages), content_type))
    return sent


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
# Not shrunk: an example is a database, and the first failure tells enough.
@settings(
    max_examples=3, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_every_delivery_ends_in_the_same_tables(scenario: Scenario, data: st.DataObject) -> None:
    assert tables_after(data.draw(deliveries(scenario))) == tables_as_sent(scenario.name)


@cache
def tables_as_sent(name: str) -> dict[str, list[Any]]:
    """Return what is stored of a scenario when it arrives as it did."""
    return tables_after(next(scenario for scenario in SCENARIOS if scenario.name == name).requests)


def tables_after(requests: Iterable[Request]) -> dict[str, list[Any]]:
    """Return what is stored once the requests have been taken in, each in a commit of its own."""
    with TemporaryDirectory() as folder:
        return asyncio.run(_tables_after(Path(folder), requests))


async def _tables_after(folder: Path, requests: Iterable[Request]) -> dict[str, list[Any]]:
    database = Database(folder / "milepost.duckdb", memory_limit_bytes=512 * MIB)
    ingest = Ingest(database, CollectorConfig(data_dir=folder), clock=Clock(wall=lambda: NOW))
    ingest.start()
    for request in requests:
        await ingest.submit_otlp(request.signal, request.body, request.content_type)
    with database.reader() as connection:
        found = {
            table: sorted(map(repr, connection.execute(f"SELECT {columns} FROM {table}").fetchall()))
            for table, columns in TABLES.items()
        }
    await ingest.stop()
    database.close()
    return found
