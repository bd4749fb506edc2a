"""What the tests ask of the controller's API."""

from __future__ import annotations

from typing import Any

import httpx

from tests.collector.server import Server


class Api:
    """Asks a collector; every answer must have the wanted status."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    @classmethod
    def of(cls, server: Server) -> Api:
        """Return one that asks a server of the tests."""
        return cls(server.client)

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200, **more: Any) -> Any:
        """Return the answer's JSON, None without a body."""
        given = {} if body is None else {"json": body}
        answer = self.client.request(method, f"/api{path}", **given, **more)
        assert answer.status_code == status, answer.text
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
        return answer.json() if answer.content else None

    def get(self, path: str, *, refused: int = 200, **parameters: Any) -> Any:
        """GET. refused: the status, if it is to be."""
        return self.ask("GET", path, status=refused, params=parameters)

    def post(self, path: str, body: Any = None, *, status: int = 200, **more: Any) -> Any:
        """POST."""
        return self.ask("POST", path, body, status=status, **more)

    def create(self, name: str = "Load", **fields: Any) -> Any:
        """Create a task."""
        return self.post("/tasks", {"name": name, **fields}, status=201)

    def worker(self, agent: str = "etl", **fields: Any) -> str:
        """Register a worker for any task; return its id."""
        body = {"agent": agent, "concurrency": 8, "any": True, **fields}
        worker_id: str = self.post("/worker/register", body)["worker_id"]
        return worker_id

    def poll(self, worker_id: str, **fields: Any) -> Any:
        """Poll."""
        return self.post("/worker/poll", {"worker_id": worker_id, **fields})

    def report(self, worker_id: str, *reports: Any, status: int = 200) -> Any:
        """Report."""
        return self.post("/worker/reports", {"worker_id": worker_id, "reports": list(reports)}, status=status)

    def lease(self, worker_id: str, task_id: str) -> Any:
        """Take a task that is ready, among others perhaps."""
        return next(lease for lease in self.poll(worker_id)["leases"] if lease["task_id"] == task_id)

    def finish(self, task_id: str, agent: str, kind: str = "completed", **fields: Any) -> None:
        """Work on a task that is ready for an agent, and end it."""
        worker_id = self.worker(agent)
        lease = self.lease(worker_id, task_id)
        self.report(worker_id, {"type": kind, "task_id": task_id, "attempt": lease["attempt"], **fields})
