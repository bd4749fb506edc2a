"""How long it takes until the work of a worker that was killed is begun elsewhere."""

from __future__ import annotations

import time
from pathlib import Path

import milepost
from milepost.wire.tasks import TaskSettings
from tests.crash.audit import noted
from tests.crash.processes import WorkerProcess, until

MOST_S = 60.0


def recovery_s(endpoint: str, folder: Path, settings: TaskSettings, *, tasks: int) -> float:
    """Kill a worker with so many tasks, beside one that is idle; return when the last was begun there, in seconds.

    folder: where the two workers make their notes, and nobody else.
    """
    agent = f"crew with {settings.heartbeat_ms} ms"
    victim = WorkerProcess(agent, endpoint, folder, tasks)
    rescuer: WorkerProcess | None = None
    try:
        with milepost.Client(endpoint=endpoint) as client:
            client.tasks.create_many([{"name": "hang", "agent": agent, "settings": settings}] * tasks)
            until(lambda: len(_begun(folder, 1)) == tasks, "the beginning of all tasks", MOST_S)
            rescuer = WorkerProcess(agent, endpoint, folder, tasks)
            until(lambda: len(_polling(client, agent)) == 2, "the second worker's registration", MOST_S)
            victim.kill()
            killed_ns = time.time_ns()
            until(lambda: len(_begun(folder, 2)) == tasks, "the beginning of all tasks elsewhere", MOST_S)
        return (max(_begun(folder, 2)) - killed_ns) / 1e9
    finally:
        victim.kill()
        if rescuer is not None:
            rescuer.kill()


def _begun(folder: Path, attempt: int) -> list[int]:
    """Return when attempts of that number began."""
    return [at_ns for _, number, at_ns, _ in noted(folder, "begun") if number == attempt]


def _polling(client: milepost.Client, agent: str) -> list[str]:
    return [worker.id for worker in client.agents.get(agent).workers if worker.alive]
