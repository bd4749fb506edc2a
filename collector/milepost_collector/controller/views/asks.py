"""Asks as they stand, and pages of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from milepost.wire.asks import Ask, AskFilter, AskList, AskOption, Decision
from milepost_collector.controller.engine.asks import answer, find_ask, raw
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.engine.unit import names_in
from milepost_collector.controller.rows import AskRow, DecisionRow
from milepost_collector.controller.store.interface import Find, Tx

_MOST_DECISIONS = 100_000  # of a page of asks


def ask(tx: Tx, ask_id: str) -> Ask:
    """Return an ask.

    Raises:
        NotFoundError: there is none.
    """
    return _asks(tx, [find_ask(tx, ask_id)])[0]


def asks(tx: Tx, wanted: AskFilter, *, cursor: str | None, limit: int) -> AskList:
    """Return a page of asks: open ones the soonest to expire first, then the others, the newest first.

    Raises:
        InvalidParameterError: the cursor is not valid.
    """
    page = tx.ask_page(wanted, cursor=cursor, limit=limit)
    return AskList(asks=_asks(tx, page.asks), open_count=tx.open_asks(wanted), next_cursor=page.cursor)


def is_open(tx: Tx, ask_id: str) -> bool:
    """Tell whether an ask waits for an answer.

    Raises:
        NotFoundError: there is none.
    """
    return find_ask(tx, ask_id).status == "open"


def _asks(tx: Tx, rows: Sequence[AskRow]) -> list[Ask]:
    if not rows:
        return []
    query = Find(one_of={"ask_id": [row.id for row in rows]}, order=("ask_id", "number"), limit=_MOST_DECISIONS)
    said: dict[str, list[DecisionRow]] = {}
    for decision in tx.find(DecisionRow, query):
        said.setdefault(decision.ask_id, []).append(decision)
    names = _task_names(tx, {row.task_id for row in rows if row.task_id is not None})
    return [_ask(row, said.get(row.id, []), names.get(row.task_id or "")) for row in rows]


def _task_names(tx: Tx, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    live = tx.tasks(ids, lock=False)
    missing = ids - live.keys()
    known = {**live, **(tx.finished(missing, lock=False) if missing else {})}
    return {task_id: row.name for task_id, row in known.items()}


def _ask(row: AskRow, said: Sequence[DecisionRow], task_name: str | None) -> Ask:
    return Ask(
        id=row.id,
        kind=row.kind,  # type: ignore[arg-type]
        status=row.status,  # type: ignore[arg-type]
        key=row.key,
        title=row.title,
        details=row.details,
        action=raw(row.action),
        action_digest=row.action_digest,
        options=msgspec.json.decode(row.options, type=list[AskOption]),
        schema=raw(row.schema),
        approvers=names_in(row.approvers),
        quorum=row.quorum,
        approvals=row.approvals,
        on_expiry=row.on_expiry,
        created_at=to_datetime(row.created_at),
        expires_at=to_datetime(row.expires_at),
        decisions=[_decision(each) for each in said],
        edited_action=raw(row.edited_action),
        edited_digest=row.edited_digest,
        closed_at=to_datetime(row.decided_at),
        task_id=row.task_id,
        task_name=task_name,
        agent=row.agent,
        attempt=row.attempt,
        run_id=row.run_id,
        span_id=row.span_id,
        received_at=to_datetime(row.received_at),
        alarmed_at=to_datetime(row.alarmed_at),
        answer=None if row.status == "open" else answer(row),
        consumed_by=row.consumed_by,
    )


def _decision(row: DecisionRow) -> Decision:
    kind: Any = row.decision
    via: Any = row.via
    return Decision(
        decision=kind,
        at=to_datetime(row.at),
        via=via,
        by=row.by,
        team=row.team,
        reason=row.reason,
        option=row.option,
        to=names_in(row.delegated_to),
    )
