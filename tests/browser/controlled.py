"""Managed tasks for the pages to show: made over HTTP, and worked on by a worker that the test plays by hand."""

from __future__ import annotations

from typing import Any, Self

import httpx
from playwright.sync_api import Locator, Page

WAIT_MS = 10_000


class Controlled:
    """A collector's controller, asked over HTTP."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.http.close()

    def post(self, path: str, **body: Any) -> Any:
        """Post JSON and return the answer's; None when there is none."""
        answer = self.http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str, **query: Any) -> Any:
        """Return what is at a path."""
        answer = self.http.get(path, params=query)
        assert answer.is_success, answer.text
        return answer.json()

    def create(self, name: str, **fields: Any) -> str:
        """Create a task and return its id."""
        task_id: str = self.post("/api/tasks", name=name, **fields)["id"]
        return task_id

    def status(self, task_id: str) -> str:
        """Return the status of a task."""
        status: str = self.get(f"/api/tasks/{task_id}")["status"]
        return status

    def worker(self, agent: str, **fields: Any) -> HandWorker:
        """Register a worker that handles every task of an agent."""
        return HandWorker(self, agent, **fields)


class HandWorker:
    """A worker that does what the test tells it, and holds what it has not ended."""

    def __init__(self, controlled: Controlled, agent: str, concurrency: int = 4, **fields: Any) -> None:
        self.controlled = controlled
        wanted = {"agent": agent, "concurrency": concurrency, "any": True, **fields}
        self.id: str = controlled.post("/api/worker/register", **wanted)["worker_id"]
        self.held: list[list[Any]] = []

    def poll(self, wait_ms: int = 0) -> dict[str, Any]:
        """Poll once: new leases are held from then on."""
        answer: dict[str, Any] = self.controlled.post(
            "/api/worker/poll", worker_id=self.id, held=self.held, wait_ms=wait_ms
        )
        known = {task_id for task_id, *_ in self.held}
        leases = [lease for lease in answer.get("leases", []) if lease["task_id"] not in known]
        self.held += [[lease["task_id"], lease["attempt"]] for lease in leases]
        return {"leases": leases, "commands": answer.get("commands", [])}

    def take(self, task_id: str) -> dict[str, Any]:
        """Wait for a task, begin it and return its lease."""
        leases = self.poll(WAIT_MS)["leases"]
        lease: dict[str, Any] = next(lease for lease in leases if lease["task_id"] == task_id)
        self.report(task_id, "started")
        return lease

    def report(self, task_id: str, kind: str, **fields: Any) -> None:
        """Report something of an attempt that it holds."""
        attempt = next(attempt for held, attempt, *_ in self.held if held == task_id)
        report = {"type": kind, "task_id": task_id, "attempt": attempt, **fields}
        answer = self.controlled.post("/api/worker/reports", worker_id=self.id, reports=[report])
        assert answer["results"][0]["outcome"] == "applied", answer
        if kind in ("completed", "failed", "cancelled", "paused"):
            self.held = [held for held in self.held if held[0] != task_id]

    def fail(self, task_id: str, error_type: str, message: str, **fields: Any) -> None:
        """Report that an attempt failed."""
        self.report(task_id, "failed", error_type=error_type, error_message=message, **fields)

    def leave(self) -> None:
        """Go away."""
        self.controlled.post("/api/worker/unregister", worker_id=self.id)
        self.held = []


def task_row(page: Page, name: str) -> Locator:
    """Return a row of the task table."""
    return (
        page.get_by_role("grid", name="Tasks")
        .get_by_role("row")
        .filter(has=page.get_by_role("link", name=name, exact=True))
    )


def column(page: Page, title: str) -> Locator:
    """Return a column of the task board."""
    return page.get_by_role("region", name=title, exact=True)


def confirm(page: Page, verb: str) -> None:
    """Press the button of the open dialog."""
    page.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()
