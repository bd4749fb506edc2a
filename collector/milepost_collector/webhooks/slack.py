"""Events as messages for incoming webhooks of Slack, and of what understands these: text, and the same in blocks. Pure.

Texts of others are escaped (`&`, `<`, `>`: https://docs.slack.dev/messaging/formatting-message-text), so that a task's
name cannot mention a channel or pose as a link.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

MAX_HEADER = 150  # of Slack's
MAX_FIELD = 300
_FIELDS = (
    "status", "agent", "attempt", "schedule", "instant", "deliverable", "version", "content_type", "measure", "used",
    "limit", "by", "option", "expires_at", "error_message", "reason",
)  # fmt: skip
_SUBJECTS = ("title", "budget", "name", "deliverable", "schedule", "webhook")
_PAGES = (("ask_id", "approvals"), ("task_id", "tasks"), ("run_id", "runs"), ("webhook_id", "webhooks"))


def message(payload: str, base_url: str) -> bytes:
    """Return the body for Slack. payload: the event. base_url: where people reach the viewer."""
    event = msgspec.json.decode(payload)
    data: Mapping[str, Any] = event["data"]
    title = _title(event["type"], data)
    link = _link(data, base_url)
    fields = [
        {"type": "mrkdwn", "text": f"*{name.replace('_', ' ')}*\n{_escaped(str(data[name]))[:MAX_FIELD]}"}
        for name in _FIELDS
        if name in data
    ]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:MAX_HEADER], "emoji": False}}
    ]
    if fields:
        blocks.append({"type": "section", "fields": fields})
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": f"<{link}|Open in Milepost>"}]})
    return msgspec.json.encode({"text": f"{_escaped(title)} <{link}|Open in Milepost>", "blocks": blocks})


def _title(kind: str, data: Mapping[str, Any]) -> str:
    subject = next((data[name] for name in _SUBJECTS if data.get(name)), None)
    what = kind.replace(".", " ").replace("_", " ")
    return f"{what}: {subject}" if subject else what


def _link(data: Mapping[str, Any], base_url: str) -> str:
    for name, page in _PAGES:
        if name in data:
            return f"{base_url}/{page}/{quote(str(data[name]), safe='')}"
    return f"{base_url}/budgets" if "budget_id" in data else base_url


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
