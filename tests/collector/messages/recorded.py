"""The corpus as spans and log records."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from milepost_collector.protocol.foreign import ForeignLog, ForeignSpan
from milepost_collector.protocol.messages import Found, event_messages, span_messages
from milepost_collector.protocol.otlp import Signal, decode_export

FOLDER = Path(__file__).parents[2] / "corpus"


@cache
def facts(name: str) -> dict[str, Any]:
    """Return what is true of a scenario."""
    found: dict[str, Any] = msgspec.json.decode((FOLDER / f"{name}.json").read_bytes())
    return found


@cache
def spans(name: str) -> list[ForeignSpan]:
    """Return a scenario's spans, each once."""
    found = {}
    for path in sorted([*FOLDER.glob(f"{name}.[0-9][0-9].binpb"), *FOLDER.glob(f"{name}.[0-9][0-9].json")]):
        for origin in _decoded(path, "traces").origins:
            found.update({(span.run_id, span.span_id): span for span in origin.spans})
    return list(found.values())


@cache
def logs(name: str) -> list[ForeignLog]:
    """Return a scenario's log records."""
    paths = sorted(FOLDER.glob(f"{name}.logs.*.binpb"))
    return [log for path in paths for origin in _decoded(path, "logs").origins for log in origin.logs]


def conversations(name: str) -> list[Found]:
    """Return what the spans and log records of a scenario hold, without those that hold nothing."""
    of_logs = [event_messages(log.event_name, log.attributes, log.body) for log in logs(name)]
    found = [*map(span_messages, spans(name)), *of_logs]
    return [one for one in found if one.input or one.output]


def _decoded(path: Path, signal: Signal) -> Any:
    content_type = "application/json" if path.suffix == ".json" else "application/x-protobuf"
    return decode_export(signal, path.read_bytes(), content_type, 0)
