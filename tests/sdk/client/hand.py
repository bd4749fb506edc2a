"""A worker that does what a test tells it, a step at a time, over the worker protocol."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from milepost.wire.worker import (
    AttemptCompleted,
    AttemptFailed,
    AttemptReport,
    CheckpointSaved,
    Held,
    PollAnswer,
    PollRequest,
    ProgressMade,
    RegisterAnswer,
    RegisterRequest,
    ReportsAnswer,
    ReportsRequest,
    TaskLease,
    UnregisterRequest,
)


class Hand:
    """One worker of an agent, with one slot."""

    def __init__(self, url: str, agent: str, *tasks: str) -> None:
        headers = {"content-type": "application/json"}
        self._http = httpx.Client(base_url=f"{url}/api/worker", headers=headers, timeout=30)
        request = RegisterRequest(agent=agent, tasks=list(tasks), concurrency=1)
        self.id = self._post("register", request, RegisterAnswer).worker_id

    def take(self) -> TaskLease:
        """Wait for an attempt, and begin it."""
        answer = self._poll()
        assert len(answer.leases) == 1, "no attempt was handed out within 10 s"
        self._poll(Held(task_id=answer.leases[0].task_id, attempt=answer.leases[0].attempt), wait_ms=0)
        return answer.leases[0]

    def progress(self, lease: TaskLease, fraction: float, phase: str) -> None:
        self._report(ProgressMade(task_id=lease.task_id, attempt=lease.attempt, progress=fraction, phase=phase))

    def checkpoint(self, lease: TaskLease, state: Any) -> None:
        self._report(CheckpointSaved(task_id=lease.task_id, attempt=lease.attempt, sequence=1, state=state))

    def complete(self, lease: TaskLease, result: Any = None) -> None:
        self._report(AttemptCompleted(task_id=lease.task_id, attempt=lease.attempt, result=result))

    def fail(self, lease: TaskLease, message: str, *, retryable: bool = True) -> None:
        self._report(
            AttemptFailed(
                task_id=lease.task_id,
                attempt=lease.attempt,
                error_type="ValueError",
                error_message=message,
                error_stack=f"Traceback: {message}",
                retryable=retryable,
            )
        )

    def close(self) -> None:
        """Go away, so that the agent has one worker fewer."""
        gone = self._http.post("/unregister", content=msgspec.json.encode(UnregisterRequest(worker_id=self.id)))
        self._http.close()
        assert gone.is_success, gone.text

    def _poll(self, *held: Held, wait_ms: int = 10_000) -> PollAnswer:
        return self._post("poll", PollRequest(worker_id=self.id, held=list(held), wait_ms=wait_ms), PollAnswer)

    def _report(self, report: AttemptReport) -> None:
        self._post("reports", ReportsRequest(worker_id=self.id, reports=[report]), ReportsAnswer)

    def _post(self, path: str, body: Any, answer: Any) -> Any:
        done = self._http.post(
            f"/{path}", content=msgspec.json.encode(body), headers={"content-type": "application/json"}
        )
        assert done.is_success, done.text
        return msgspec.json.decode(done.content, type=answer)
