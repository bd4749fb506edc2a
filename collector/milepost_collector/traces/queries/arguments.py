"""What rows of a timeline say of their inputs: the first argument of spans, as a short text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from duckdb import DuckDBPyConnection

from milepost_collector.errors import InvalidParameterError
from milepost_collector.protocol.api import FirstArguments
from milepost_collector.traces.queries.run_index import RunIndex
from milepost_collector.traces.queries.source import SPAN_BOUNDS, Snapshot

MAX_SPANS = 200
MAX_CHARACTERS = 120
_HEAD = 1_000  # characters of an input that are looked at

_INPUTS = f"""
SELECT span_id, left(input::VARCHAR, {_HEAD}) FROM (
    SELECT span_id, input FROM spans WHERE run_id = $run_id AND {SPAN_BOUNDS} AND span_id IN (SELECT unnest($span_ids))
    UNION ALL
    SELECT span_id, input FROM live_spans WHERE run_id = $run_id AND span_id IN (SELECT unnest($span_ids))
) WHERE input IS NOT NULL
"""
_STRING = r'"(?:[^"\\]|\\.)*'
_TOKEN = re.compile(rf'(?P<key>{_STRING}")\s*:|(?P<text>{_STRING})"?|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false)')
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.?))")
_ESCAPED = {"n": " ", "t": " ", "r": " ", "b": "", "f": ""}
_REFERENCE = '"$'  # a key that begins so leads to a text that is kept elsewhere


def first_arguments(
    connection: DuckDBPyConnection, index: RunIndex, run_id: str, span_ids: Sequence[str]
) -> FirstArguments:
    """Return the first argument of those of the spans that have one. Call within a transaction.

    Raises:
        InvalidParameterError: too many spans are asked about.
    """
    if len(span_ids) > MAX_SPANS:
        raise InvalidParameterError("span_id", len(span_ids), f"ask about at most {MAX_SPANS} spans")
    Snapshot(connection, index)  # brings the index up to date
    values: dict[str, Any] = {"run_id": run_id, "span_ids": list(span_ids), **index.bounds([run_id])._asdict()}
    rows = connection.execute(_INPUTS, values).fetchall()
    found = {span_id: first_argument(text) for span_id, text in rows}
    return FirstArguments(run_id=run_id, arguments={span_id: text for span_id, text in found.items() if text})


def first_argument(text: str) -> str | None:
    """Return the first value within a JSON text that may be cut short: a string, number or truth value, in one line."""
    for token in _TOKEN.finditer(text):
        if token["key"]:
            if token["key"].startswith(_REFERENCE):
                return None
        elif token["text"] is not None:
            if said := " ".join(_ESCAPE.sub(_unescaped, token["text"][1:]).split()):
                return said[:MAX_CHARACTERS]
        else:
            return token["number"] or token["word"]
    return None


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1]:
        letter = chr(int(escape[1], 16))
        return "" if 0xD800 <= ord(letter) <= 0xDFFF else letter
    return _ESCAPED.get(escape[2], escape[2])
