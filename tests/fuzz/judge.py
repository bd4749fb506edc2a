"""Puts bodies through the real ingest into a real database file, and says what should not have happened."""

from __future__ import annotations

import asyncio
import random
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from milepost_collector.config import CollectorConfig
from milepost_collector.errors import IngestError
from milepost_collector.protocol.otlp import decode_export
from milepost_collector.storage import Database
from milepost_collector.traces.commit import Clock
from milepost_collector.traces.ingest import Ingest, OtlpOutcome
from tests.fuzz.bodies import PROTOBUF, Body, plain_body
from tests.fuzz.seeds import Payload, payloads

MIB = 1024 * 1024
RECEIVED_AT = 1_800_000_000_000_000_000
VIEWS = ("runs", "tasks", "llm_calls", "tool_calls", "errors", "spans", "events", "messages")
# Everything a span is stored with but where it is: the run was renamed, and the commit is another.
STORED = "SELECT run_id, span_id, hash(COLUMNS(* EXCLUDE (run_id, commit_id))) FROM spans WHERE commit_id > ?"
DIFFERING = "SELECT * EXCLUDE (run_id, commit_id) FROM spans WHERE run_id = ? AND span_id = ?"

REQUESTS = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}

Origin = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that should not have happened with a body."""

    body: Body
    what: str

    def __str__(self) -> str:
        return (
            f"body {self.body.number} ({self.body.signal}, {self.body.content_type}, {self.body.mutation}): {self.what}"
        )


@dataclass(slots=True)
class Tally:
    """What has been done. refused: bodies answered with a declared error, by its name."""

    bodies: int = 0
    records: int = 0
    neighbours: int = 0
    rejected: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Judge:
    """An ingest on a database of its own, and what the corpus' spans look like in it when nobody touches them."""

    def __init__(self, folder: Path) -> None:
        config = CollectorConfig(data_dir=folder, memory_limit_bytes=1024 * MIB)
        self._database = Database(config.database_path, memory_limit_bytes=config.memory_limit_bytes)
        self._ingest = Ingest(self._database, config, clock=Clock(wall=lambda: RECEIVED_AT))
        self._expected: dict[Origin, tuple[tuple[int, ...], tuple[str, str]]] = {}
        self._seen_commit = -1
        self.tally = Tally()

    async def start(self) -> None:
        """Start the ingest and learn what spans look like."""
        self._ingest.start()
        dice = random.Random(0)
        alone = [
            plain_body(Payload(payload.name, payload.signal, payload.is_json, [record]), -1, dice)
            for payload in payloads()
            for record in payload.records
            if payload.signal == "traces"
        ]
        await asyncio.gather(*(self._submit(body) for body in alone))
        stored = await asyncio.to_thread(self._stored)
        for body in alone:
            for pair, origin in body.neighbours.items():
                if pair in stored:
                    self._expected[origin] = stored[pair], pair

    async def stop(self) -> list[str]:
        """Ask every view, then close; return what went wrong."""
        troubles = await asyncio.to_thread(self._troubles_of_views)
        await self._ingest.stop()
        self._database.close()
        return troubles

    async def judge(self, bodies: Sequence[Body]) -> list[Failure]:
        """Send bodies all at once; return what should not have happened."""
        outcomes = await asyncio.gather(*(self._submit(body) for body in bodies), return_exceptions=True)
        stored = await asyncio.to_thread(self._stored)
        found = []
        for body, outcome in zip(bodies, outcomes, strict=True):
            self._count(body, outcome)
            if what := self._wrong_with(body, outcome, stored):
                found.append(Failure(body, what))
        return found

    async def _submit(self, body: Body) -> OtlpOutcome:
        return await self._ingest.submit_otlp(body.signal, body.content, body.content_type)  # type: ignore[arg-type]

    def _count(self, body: Body, outcome: OtlpOutcome | BaseException) -> None:
        self.tally.bodies += 1
        self.tally.records += body.records
        self.tally.neighbours += len(body.neighbours)
        if isinstance(outcome, OtlpOutcome):
            self.tally.rejected += outcome.rejected
        else:
            self.tally.refused[type(outcome).__name__] += 1

    def _wrong_with(
        self, body: Body, outcome: OtlpOutcome | BaseException, stored: dict[tuple[str, str], tuple[int, ...]]
    ) -> str | None:
        if isinstance(outcome, BaseException) and not isinstance(outcome, IngestError):
            return "".join(traceback.format_exception(outcome, limit=-8))
        for pair, origin in body.neighbours.items():
            if origin in self._expected and stored.get(pair) != self._expected[origin][0] and not _collides(body, pair):
                return self._difference(pair, self._expected[origin][1]) if pair in stored else _loss(pair, outcome)
        if isinstance(outcome, OtlpOutcome) and outcome.rejected > body.refusable and not _is_salvaged(body):
            return f"{outcome.rejected} records were rejected ({outcome.reason}), {body.refusable} may be"
        return None

    def _stored(self) -> dict[tuple[str, str], tuple[int, ...]]:
        with self._database.reader() as connection:
            rows = connection.execute(STORED, [self._seen_commit]).fetchall()
            self._seen_commit = (connection.execute("SELECT max(commit_id) FROM spans").fetchone() or (-1,))[0]
        return {(row[0], row[1]): row[2:] for row in rows}

    def _difference(self, pair: tuple[str, str], expected: tuple[str, str]) -> str:
        with self._database.reader() as connection:
            names = [one[0] for one in connection.execute(DIFFERING, list(pair)).description or ()]
            is_, was = (connection.execute(DIFFERING, list(one)).fetchone() for one in (pair, expected))
        differing = [
            f"{name} is {str(now)[:300]}, alone it was {str(then)[:300]}"
            for name, now, then in zip(names, is_ or (), was or (), strict=True)
            if repr(now) != repr(then)
        ]
        return f"span {pair[1]}, a neighbour, is stored with other values: " + "; ".join(differing)

    def _troubles_of_views(self) -> list[str]:
        found = []
        with self._database.reader() as connection:
            for view in VIEWS:
                try:
                    connection.execute(f"SELECT count(*), any_value(columns(*)) FROM {view}").fetchall()
                except Exception as error:
                    found.append(f"view {view} cannot be read: {error}")
        return found


def _loss(pair: tuple[str, str], outcome: OtlpOutcome | BaseException) -> str:
    told = outcome.reason if isinstance(outcome, OtlpOutcome) else f"{type(outcome).__name__}: {outcome}"
    return f"span {pair[1]}, a neighbour of the one that was mutated, is lost ({told or 'nothing was rejected'})"


def _is_salvaged(body: Body) -> bool:
    """Tell whether protobuf itself refuses a body: what is left of a span in it may look like several."""
    if body.content_type != PROTOBUF:
        return False
    try:
        REQUESTS[body.signal].FromString(body.content)
    except DecodeError:
        return True
    return False


def _collides(body: Body, pair: tuple[str, str]) -> bool:
    """Tell whether the mutated span has taken the ids of a neighbour: which copy is kept is another promise."""
    export = decode_export(body.signal, body.content, body.content_type, RECEIVED_AT)  # type: ignore[arg-type]
    spans = [(span.run_id, span.span_id) for origin in export.origins for span in origin.spans]
    return spans.count(pair) > 1
