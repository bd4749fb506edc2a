"""Records of the corpus, each with the resource and scope it came under, to be put into bodies of a few."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.fuzz.metrics import example_metrics
from tests.fuzz.wire import parse

CORPUS = Path(__file__).parent.parent / "corpus"
MAX_RECORD_BYTES = 20_000  # the corpus has spans of a megabyte; a fuzz run would hardly do anything else
RECORD_KINDS = {"traces": "span", "logs": "log", "metrics": "metric"}
JSON_NAMES = {
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}


@dataclass(frozen=True, slots=True)
class Record:
    """One span, log record or metric. content: protobuf, or OTLP/JSON's object. place: where in its payload."""

    content: Any
    resource: Any
    scope: Any
    place: int


@dataclass(frozen=True, slots=True)
class Payload:
    """The records of one request, in order. is_json: what `Record` holds is OTLP/JSON."""

    name: str
    signal: str
    is_json: bool
    records: list[Record]


@cache
def payloads() -> list[Payload]:
    """Return every payload of the corpus that is there only once, and one of metrics."""
    found: dict[Any, Payload] = {}
    for file in sorted(CORPUS.glob("*.[0-9][0-9].*")):
        if ".received." in file.name:
            continue
        signal = "logs" if ".logs." in file.name else "traces"
        is_json = file.suffix == ".json"
        records = list(_json_records(file.read_bytes(), signal) if is_json else _records(file.read_bytes()))
        found.setdefault(file.read_bytes(), Payload(file.name, signal, is_json, records))
    metrics = example_metrics()
    found[metrics] = Payload("metrics", "metrics", False, list(_records(metrics)))
    return [payload for payload in found.values() if payload.records]


def _records(body: bytes) -> Iterator[Record]:
    # Of every signal: groups are field 1 of a request, resource and scope field 1 of theirs, what they hold field 2.
    place = 0
    for group in _members(body, 1):
        resource = next(_members(group, 1), b"")
        for scoped in _members(group, 2):
            scope = next(_members(scoped, 1), b"")
            for content in _members(scoped, 2):
                if len(content) <= MAX_RECORD_BYTES:
                    yield Record(content, resource, scope, place)
                place += 1


def _members(message: bytes, number: int) -> Iterator[bytes]:
    for field in parse(message, ""):
        if field.number == number and isinstance(field.value, bytes):
            yield field.value


def _json_records(body: bytes, signal: str) -> Iterator[Record]:
    groups, scopes, records = JSON_NAMES[signal]
    place = 0
    for group in json.loads(body)[groups]:
        for scoped in group[scopes]:
            for record in scoped[records]:
                if len(json.dumps(record)) <= MAX_RECORD_BYTES:
                    yield Record(record, group.get("resource", {}), scoped.get("scope", {}), place)
                place += 1
