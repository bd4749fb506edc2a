"""Asks as text for the terminal; functions of values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text

from milepost.wire.asks import Ask, Decision
from milepost_collector.cli.layout import facts, fitted
from milepost_collector.cli.render import clean, one_line
from milepost_collector.cli.task_tables import SHORT, relative

MARKS = {
    "open": ("◆", "magenta"),
    "approved": ("✓", "green"),
    "answered": ("✓", "green"),
    "rejected": ("✗", "red"),
    "expired": ("○", "yellow"),
    "cancelled": ("■", "yellow"),
    "invalidated": ("■", "yellow"),
}
_SAID = {"approve": "approved", "edit": "edited and approved", "reject": "rejected", "answer": "answered"}


def asks_table(asks: Sequence[Ask], now: datetime, width: int) -> Table:
    """Return asks as a table. width: of the terminal, characters."""
    headings = ("ask", "kind", "what is asked", "status", "expires", "for", "asked by")
    return fitted(headings, [_cells(ask, now) for ask in asks], width)


def _cells(ask: Ask, now: datetime) -> list[Text]:
    return [
        Text(ask.id[-SHORT:], style="bold"),
        Text(ask.kind),
        Text(one_line(ask.title, 60)),
        _status(ask),
        Text("" if ask.status != "open" else relative(ask.expires_at, now) or "never"),
        Text(one_line(_approvers(ask), 30)),
        Text(one_line(ask.agent or "", 24), style="dim"),
    ]


def ask_line(ask: Ask, now: datetime) -> str:
    """Return the one line that tells how an ask stands."""
    if ask.status == "open":
        count = f", {ask.approvals} of {ask.quorum} approvals" if ask.quorum > 1 else ""
        expires = f", expires {relative(ask.expires_at, now)}" if ask.expires_at else ""
        return clean(f"{ask.id} {one_line(ask.title)}: open, for {_approvers(ask)}{count}{expires}")
    answer = ask.answer
    by = f" by {answer.by}" if answer is not None and answer.by else ""
    why = f": {one_line(answer.reason)}" if answer is not None and answer.reason else ""
    return clean(f"{ask.id} {one_line(ask.title)} is {ask.status}{by}{why}")


def ask_view(ask: Ask, now: datetime) -> Group:
    """Return everything about an ask."""
    heading = Text(one_line(ask.title), style="bold").append("  ").append_text(_status(ask))
    parts: list[Any] = [heading]
    if ask.details:
        parts.append(Text("\n".join(clean(line) for line in ask.details.splitlines()) + "\n"))
    parts.append(facts([*_facts(ask, now), *(("said", _decision(said, now)) for said in ask.decisions)]))
    return Group(*parts)


def _facts(ask: Ask, now: datetime) -> list[tuple[str, str]]:
    edited = ask.edited_digest is not None
    options = ", ".join(f"{each.name}{'' if each.approves else ' (rejects)'}" for each in ask.options)
    return [
        ("id", ask.id),
        ("kind", ask.kind),
        ("action", "" if ask.action is None else _json(ask.action)),
        ("edited to", _json(ask.edited_action) if edited else ""),
        ("digest", (ask.edited_digest or ask.action_digest) if ask.action is not None else ""),
        ("options", options),
        ("schema", "" if ask.schema is None else _json(ask.schema)),
        ("for", _approvers(ask)),
        ("approvals", f"{ask.approvals} of {ask.quorum}" if ask.quorum > 1 else ""),
        ("asked", f"{relative(ask.created_at, now)}{f' by {ask.agent}' if ask.agent else ''}"),
        ("task", f"{ask.task_name} {ask.task_id}" if ask.task_id else ""),
        ("run", ask.run_id or ""),
        ("expires", relative(ask.expires_at, now) if ask.status == "open" else ""),
        ("received", relative(ask.received_at, now) or ("by nobody yet" if ask.status == "open" else "")),
        ("answer", "" if ask.answer is None or ask.answer.value is None else _json(ask.answer.value)),
    ]


def _decision(said: Decision, now: datetime) -> str:
    who = said.by or "somebody"
    what = f"delegated to {', '.join(said.to)}" if said.decision == "delegate" else _SAID[said.decision]
    option = f" ({said.option})" if said.option else ""
    team = f" for team {said.team}" if said.team else ""
    why = f": {said.reason}" if said.reason else ""
    return f"{what}{option} by {who}{team} via {said.via}, {relative(said.at, now)}{why}"


def _approvers(ask: Ask) -> str:
    return ", ".join(ask.approvers) or "anybody"


def _status(ask: Ask) -> Text:
    mark, style = MARKS[ask.status]
    return Text(f"{mark} {ask.status}", style=style)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
