"""What models were sent and answered, put together again from what is stored once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from duckdb import DuckDBPyConnection
from msgspec import Raw

from milepost_collector.errors import NotFoundError
from milepost_collector.protocol.api import Conversation, MessageItem

# Log records of a call may be stamped a little apart from its span.
SLACK_NS = 3_600_000_000_000

_CONVERSATION = """
SELECT source, input_ids, output_ids FROM span_messages
WHERE run_id = $run_id AND span_id = $span_id AND time BETWEEN make_timestamp_ns($low) AND make_timestamp_ns($high)
ORDER BY time, event_id
"""
_REPEATS = "SELECT span_id FROM uncounted WHERE run_id = ? AND of_span_id = ? ORDER BY span_id"
_MESSAGES = """
SELECT message_id, role, strlen(parts), CASE WHEN strlen(parts) <= $limit THEN parts::VARCHAR END
FROM messages WHERE message_id IN (SELECT unnest($ids::VARCHAR[]))
"""
_LATEST = 2**63 - 1


def conversation(
    connection: DuckDBPyConnection, run_id: str, span_id: str, between: tuple[int, int | None], limit: int
) -> Conversation | None:
    """Return the messages of a span, None if it has none.

    between: the span's start and end, Unix ns. limit: bytes of JSON up to which contents are given, the latest first.
    """
    low, high = max(between[0] - SLACK_NS, 0), min((between[1] or between[0]) + SLACK_NS, _LATEST)
    values = {"run_id": run_id, "span_id": span_id, "low": low, "high": high}
    rows = connection.execute(_CONVERSATION, values).fetchall() or _of_repeats(connection, values)
    given, answered = _ids(rows, 1), _ids(rows, 2)
    if not given and not answered:
        return None
    known = known_messages(connection, {*given, *answered}, limit)
    items = [known[message_id] for message_id in (*given, *answered) if message_id in known]
    _withhold(items, limit)
    return Conversation(
        input=[known[message_id] for message_id in given if message_id in known],
        output=[known[message_id] for message_id in answered if message_id in known],
    )


def _of_repeats(connection: DuckDBPyConnection, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return what a span that recorded the same call says, when the span itself says nothing."""
    for (span_id,) in connection.execute(_REPEATS, [values["run_id"], values["span_id"]]).fetchall():
        if rows := connection.execute(_CONVERSATION, {**values, "span_id": span_id}).fetchall():
            return rows
    return []


def message(connection: DuckDBPyConnection, message_id: str) -> MessageItem:
    """Return one message whole.

    Raises:
        NotFoundError: there is no such message.
    """
    found = known_messages(connection, [message_id], _LATEST)
    if not found:
        raise NotFoundError("message", message_id)
    return found[message_id]


def pieces(connection: DuckDBPyConnection, piece_ids: Sequence[str]) -> dict[str, str]:
    """Return the texts of pieces of attributes, by what attributes refer to them with.

    "=" and a message's id stand for its text in JSON's quotes, "~" and the id for its bare text.
    """
    own = [name for name in piece_ids if name[0] not in "=~"]
    of_messages = [name[1:] for name in piece_ids if name[0] in "=~"]
    found = _texts(connection, "pieces", "piece_id", own)
    texts = _texts(connection, "stored_messages", "message_id", of_messages)
    for name in piece_ids:
        if name[0] in "=~" and name[1:] in texts:
            text = texts[name[1:]]
            found[name] = msgspec.json.encode(text).decode() if name[0] == "=" else text
    return found


def _texts(connection: DuckDBPyConnection, table: str, key: str, ids: Sequence[str]) -> dict[str, str]:
    if not ids:
        return {}
    sql = f"SELECT {key}, text FROM {table} WHERE {key} IN (SELECT unnest(?::VARCHAR[]))"
    return dict(connection.execute(sql, [list(ids)]).fetchall())


def _ids(rows: Sequence[tuple[str, list[str] | None, list[str] | None]], place: int) -> list[str]:
    """Return the ids in one direction: what the span itself says, or else what events and logs say."""
    own = [ids for row in rows if row[0] == "span" and isinstance(ids := row[place], list)]
    told = [ids for row in rows if row[0] != "span" and isinstance(ids := row[place], list)]
    return own[0] if own else [message_id for ids in told for message_id in ids]


def known_messages(connection: DuckDBPyConnection, ids: Iterable[str], limit: int) -> dict[str, MessageItem]:
    """Return messages by id, without their parts where those are more than `limit` bytes of JSON."""
    rows = connection.execute(_MESSAGES, {"ids": sorted(ids), "limit": limit}).fetchall()
    return {
        message_id: MessageItem(
            message_id=message_id, role=role, bytes=size, parts=None if text is None else Raw(text.encode())
        )
        for message_id, role, size, text in rows
    }


def _withhold(items: Sequence[MessageItem], limit: int) -> None:
    """Leave the contents of the earliest messages out when all together are over the limit."""
    left = limit
    for item in reversed(items):
        left -= item.bytes
        if left < 0:
            item.parts = None


def decode_problems(attributes: Raw | None) -> list[str]:
    """Return what was wrong with a span as it was sent."""
    if attributes is None:
        return []
    found = msgspec.json.decode(attributes, type=_Problems).problems
    return [str(problem) for problem in found]


class _Problems(msgspec.Struct, rename={"problems": "milepost.problems"}):
    problems: list[str] = []
