"""Senders of webhooks, and how triggers are asked for over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

_numbers = itertools.count(1)


class Api:
    """Asks a collector; every answer must have the wanted status."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200, **more: Any) -> Any:
        """Return the answer's JSON, None without a body."""
        given = {} if body is None else {"json": body}
        answer = self.client.request(method, f"/api{path}", **given, **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str, *, status: int = 200, **parameters: Any) -> Any:
        """GET."""
        return self.ask("GET", path, status=status, params=parameters)

    def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """POST."""
        return self.ask("POST", path, {} if body is None else body, status=status)

    def trigger(self, **fields: Any) -> tuple[dict[str, Any], str | None]:
        """Make a trigger; return it and its secret."""
        name = fields.pop("name", f"trigger {next(_numbers)}")
        body = {"name": name, "kind": "event" if "event" in fields else "webhook", "task": {"name": "triage"}, **fields}
        made = self.post("/triggers", body, status=201)
        return made["trigger"], made["secret"]

    def github(self, **fields: Any) -> GitHub:
        """Make a trigger for GitHub, and a sender to it."""
        trigger, secret = self.trigger(signature={"scheme": "github"}, **fields)
        assert secret is not None
        return GitHub(self.client, trigger, secret)

    def events(self, trigger: dict[str, Any], **parameters: Any) -> list[dict[str, Any]]:
        """Return a trigger's log, the oldest first."""
        found: list[dict[str, Any]] = self.get(f"/triggers/{trigger['id']}/events", **parameters)["events"]
        return found[::-1]

    def made_by(self, trigger: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the tasks that a trigger made."""
        accepted = self.events(trigger, outcome="accepted", limit=500)
        return [self.get(f"/tasks/{event['task_id']}") for event in accepted]


class GitHub:
    """Sends to a trigger as GitHub does."""

    def __init__(self, client: httpx.Client, trigger: dict[str, Any], secret: str) -> None:
        self.client = client
        self.trigger = trigger
        self.secret = secret

    def headers(self, body: bytes, delivery: str, **more: str) -> dict[str, str]:
        """Return the headers of a delivery."""
        signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "X-GitHub-Event": "issues",
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": f"sha256={signature}",
            **more,
        }

    def send(self, payload: Any, delivery: str, *, status: int = 200, **more: str) -> Any:
        """Deliver; return the answer's JSON."""
        body = json.dumps(payload).encode()
        answer = self.client.post(self.trigger["path"], content=body, headers=self.headers(body, delivery, **more))
        assert answer.status_code == status, answer.text
        return answer.json()


def until(condition: Callable[[], T], within_s: float = 15.0) -> T:
    """Return the condition's first true answer; fail after a deadline."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")
