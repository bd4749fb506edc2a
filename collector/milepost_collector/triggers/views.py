"""What is read of triggers: rows put together into the wire's structs, in a reading transaction."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import msgspec

from milepost.wire.triggers import TriggerEvent, TriggerEventDetail, TriggerEventList, TriggerList
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.rows import TriggerEventRow, TriggerPayloadRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import InvalidParameterError, NotFoundError
from milepost_collector.triggers.definitions import show
from milepost_collector.triggers.keeping import find
from milepost_collector.triggers.registry import every


def triggers(tx: Tx, *, text: str | None, kind: str | None, cursor: str | None, limit: int) -> TriggerList:
    """Return a page of triggers by name. text: part of a name or description.

    Raises:
        InvalidParameterError: the cursor is not one.
    """
    after = _read_cursor(cursor)
    found = [show(row, tx.now) for row in every(tx) if (after is None or row.name > after) and kind in (None, row.kind)]
    if text:
        wanted = text.lower()
        found = [one for one in found if wanted in one.name.lower() or wanted in one.description.lower()]
    more = len(found) > limit
    return TriggerList(triggers=found[:limit], next_cursor=_cursor(found[limit - 1].name) if more else None)


def events(tx: Tx, trigger: str, *, outcomes: Sequence[str], cursor: str | None, limit: int) -> TriggerEventList:
    """Return a page of a trigger's log, the newest first.

    Raises:
        InvalidParameterError: the cursor is not one.
        NotFoundError: there is no such trigger.
    """
    row = find(tx, trigger)
    after = _read_cursor(cursor)
    query = Find(
        equal={"trigger_id": row.id},
        one_of={"outcome": list(outcomes)} if outcomes else {},
        order=("id",),
        descending=True,
        after=None if after is None else (after,),
        limit=limit + 1,
    )
    found = tx.find(TriggerEventRow, query)
    more = len(found) > limit
    shown = found[:limit]
    kept = payload_ids(tx, [event.id for event in shown])
    return TriggerEventList(
        events=[TriggerEvent(**_facts(event), has_payload=event.id in kept) for event in shown],
        next_cursor=_cursor(shown[-1].id) if more else None,
    )


def event(tx: Tx, trigger: str, event_id: str) -> tuple[TriggerEventDetail, str | None]:
    """Return a line of a trigger's log, its headers, and its body as it is sealed.

    Raises:
        NotFoundError: there is no such line.
    """
    row = find(tx, trigger)
    found = tx.find(TriggerEventRow, Find(equal={"id": event_id, "trigger_id": row.id}, limit=1))
    if not found:
        raise NotFoundError("trigger event", event_id)
    kept = tx.find(TriggerPayloadRow, Find(equal={"event_id": event_id}, limit=1))
    headers = msgspec.json.decode(kept[0].headers, type=dict[str, str]) if kept else {}
    detail = TriggerEventDetail(**_facts(found[0]), has_payload=bool(kept), headers=headers)
    return detail, kept[0].body if kept else None


def payload_ids(tx: Tx, event_ids: Sequence[str]) -> set[str]:
    """Return which lines of the log have their payload still."""
    return {event_id for event_id in event_ids if tx.count(TriggerPayloadRow, Find(equal={"event_id": event_id}))}


def _facts(row: TriggerEventRow) -> dict[str, Any]:
    return {**msgspec.structs.asdict(row), "at": to_datetime(row.at)}


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_cursor(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        return base64.urlsafe_b64decode(cursor.encode()).decode()
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidParameterError("cursor", cursor, "use the next_cursor of the page before") from error
