"""A run's conversation: its calls of models and tools in order of start, each with what was new in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from duckdb import DuckDBPyConnection
from msgspec import Raw

from milepost_collector.errors import InvalidParameterError, NotFoundError
from milepost_collector.protocol.api import MessageItem, Payload, RunMessages, Turn
from milepost_collector.protocol.cursor import Cursor, encode_cursor, scope_of
from milepost_collector.traces.queries.conversations import known_messages
from milepost_collector.traces.queries.filters import decode
from milepost_collector.traces.queries.run_index import RunIndex
from milepost_collector.traces.queries.spans import OF_RUN, run_bounds

MAX_TURNS = 1000
# A page holds at most so many bytes of messages; those beyond come without their parts, as large ones do.
PAGE_BYTES = 4 * 1024 * 1024

KINDS = ("llm", "tool", "human", "approval", "assistance")
_TOLD = f"""
SELECT span_id, epoch_ns(start_time), kind, input_ids, output_ids
FROM (SELECT span_id, start_time, kind FROM {OF_RUN}) LEFT JOIN (
    SELECT span_id, input_ids, output_ids FROM conversations WHERE run_id = $run_id
) USING (span_id)
WHERE kind IN {KINDS} OR input_ids IS NOT NULL OR output_ids IS NOT NULL
ORDER BY start_time, span_id
"""
_REPEATS = "SELECT span_id, of_span_id FROM uncounted WHERE run_id = ? AND of_span_id IS NOT NULL"
_PARENTS = f"SELECT span_id, parent_span_id FROM {OF_RUN}"
_FACTS = f"""
SELECT span_id, error_message, attributes ->> '$."gen_ai.tool.call.id"',
    strlen(input), left(input::VARCHAR, $limit), strlen(output), left(output::VARCHAR, $limit)
FROM {OF_RUN} WHERE span_id IN (SELECT unnest($ids::VARCHAR[]))
"""

_Told = tuple[str, int, str, list[str] | None, list[str] | None]


def run_messages(
    connection: DuckDBPyConnection,
    index: RunIndex,
    run_id: str,
    *,
    cursor: str | None = None,
    limit: int = 200,
    payload_limit: int = 16_384,
) -> RunMessages:
    """Return a page of a run's conversation. Call within a transaction.

    A span that only repeats what spans inside it say, or what another span of the run is counted for, has no turn.
    payload_limit: bytes of JSON up to which a message or captured value is given whole.

    Raises:
        NotFoundError: the run has no spans.
        InvalidParameterError: the cursor is malformed or of another run.
    """
    values: dict[str, Any] = {"run_id": run_id, **run_bounds(connection, index, run_id)._asdict()}
    place = _place(cursor, scope_of("turns", run_id))
    told = _once(connection, values, connection.execute(_TOLD, values).fetchall())
    if not told and not connection.execute(f"SELECT 1 FROM {OF_RUN} LIMIT 1", values).fetchall():
        raise NotFoundError("run", run_id)
    before = sum(1 for row in told if (row[1], row[0]) <= place)
    page = _news(told[: before + limit])[before:]
    more = len(told) > before + limit
    last = told[before + len(page) - 1] if page else None
    return RunMessages(
        run_id=run_id,
        turns=_turns(connection, values, page, payload_limit),
        next_cursor=encode_cursor(Cursor(scope_of("turns", run_id), last[1], last[0])) if more and last else None,
    )


def _place(cursor: str | None, scope: str) -> tuple[int, str]:
    """Return the start and id after which the page begins."""
    if cursor is None:
        return (-(2**63), "")
    after = decode(cursor, scope)
    if not isinstance(after.key, int):
        raise InvalidParameterError("cursor", cursor, "the cursor is malformed; start again without it")
    return (after.key, after.tie)


def _once(connection: DuckDBPyConnection, values: dict[str, Any], told: list[_Told]) -> list[_Told]:
    """Leave out spans whose messages other spans have: the counted one of a repeated call, or those within."""
    talking = {row[0] for row in told if row[3] or row[4]}
    repeats = connection.execute(_REPEATS, [values["run_id"]]).fetchall()
    repeated = {span_id for span_id, of_span_id in repeats if span_id in talking and of_span_id in talking}
    left = talking - repeated
    silent = repeated | _around(connection, values, left) if left else repeated
    return [row for row in told if row[0] not in silent]


def _around(connection: DuckDBPyConnection, values: dict[str, Any], inner: set[str]) -> set[str]:
    """Return the members of `inner` that contain another member."""
    parents: dict[str, str | None] = dict(connection.execute(_PARENTS, values).fetchall())
    seen: set[str] = set()
    for span_id in inner:
        above = parents.get(span_id)
        while above is not None and above not in seen:
            seen.add(above)
            above = parents.get(above)
    return inner & seen


class _New:
    """What was new in a call."""

    def __init__(self, span_id: str, sent: Sequence[str], repeated: int, answered: Sequence[str]) -> None:
        self.span_id = span_id
        self.sent = sent
        self.repeated = repeated
        self.answered = answered


def _news(told: Sequence[_Told]) -> list[_New]:
    """Tell for each call which messages are new: those after the longest beginning that an earlier call had, too.

    A history that was cut or summarised meanwhile shares no such beginning; then messages seen before are left out as
    far as they come first, all but the last, which is what the call is about.
    """
    beginnings: set[int] = set()
    seen: set[str] = set()
    found: list[_New] = []
    for span_id, _, _, given, answered in told:
        sent, answered = given or [], answered or []
        hashes = list(_rolling([*sent, *answered]))
        known = next((i for i in range(len(sent)) if hashes[i] not in beginnings), len(sent))
        while known < len(sent) - 1 and sent[known] in seen:
            known += 1
        beginnings.update(hashes)
        seen.update(sent, answered)
        found.append(_New(span_id, sent[known:], known, answered))
    return found


def _rolling(ids: Iterable[str]) -> Iterator[int]:
    """Yield a hash of each beginning of a conversation."""
    so_far = 0
    for message_id in ids:
        so_far = hash((so_far, message_id))
        yield so_far


def _turns(connection: DuckDBPyConnection, values: dict[str, Any], page: Sequence[_New], limit: int) -> list[Turn]:
    ids = {message_id for new in page for message_id in (*new.sent, *new.answered)}
    known = known_messages(connection, ids, limit)
    asked = {**values, "ids": [new.span_id for new in page], "limit": limit}
    facts = {row[0]: row[1:] for row in connection.execute(_FACTS, asked).fetchall()}
    turns = [_turn(new, facts[new.span_id], known) for new in page]
    _withhold(turns)
    return turns


def _turn(new: _New, facts: tuple[Any, ...], known: dict[str, MessageItem]) -> Turn:
    error_message, call_id, *captured = facts
    turn = Turn(span_id=new.span_id, error_message=error_message, call_id=call_id, repeated=new.repeated)
    turn.input = [known[message_id] for message_id in new.sent if message_id in known]
    turn.output = [known[message_id] for message_id in new.answered if message_id in known]
    if not new.sent and not new.repeated:
        turn.sent = _payload(*captured[:2])
    if not new.answered:
        turn.returned = _payload(*captured[2:])
    return turn


def _payload(size: int | None, text: str | None) -> Payload | None:
    if size is None or text is None:
        return None
    whole = len(text.encode()) == size
    return Payload(bytes=size, value=Raw(text.encode())) if whole else Payload(bytes=size, head=text)


def _withhold(turns: Sequence[Turn]) -> None:
    """Leave the parts of the last messages out when all together are more than a page holds."""
    left = PAGE_BYTES
    for turn in turns:
        for item in (*turn.input, *turn.output):
            left -= item.bytes if item.parts is not None else 0
            if left < 0:
                item.parts = None
