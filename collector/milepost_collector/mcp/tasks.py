"""Tools that look at managed tasks, and those that change them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from pydantic import Field

from milepost.resources._filters import TaskFilters
from milepost.wire.tasks import Priority, Task, TaskStatus
from milepost_collector.mcp.collector import Collector
from milepost_collector.mcp.recorded import Budget, recorded
from milepost_collector.mcp.tables import table

_COLUMNS = ("id", "status", "name", "agent", "priority", "attempt", "created_at", "why not running", "error")
TaskId = Annotated[str, Field(description="A task's id, from list_tasks.")]
Reason = Annotated[str, Field(description="Why; shown with the task.", max_length=2_000)]


class TaskTools:
    """What can be asked about managed tasks. Read-only."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    async def list_tasks(
        self,
        status: Annotated[list[TaskStatus], Field(description="Any of these; empty: all.")] = [],  # noqa: B006 - never changed
        agent: str = "",
        name: str = "",
        text: Annotated[str, Field(description="Part of a name, description, tag, id or error.")] = "",
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
        budget_tokens: Budget = 4_000,
    ) -> str:
        """List managed tasks, newest first: status, agent, priority, attempts, why one is not running."""
        filters: TaskFilters = {"status": status, "agent": agent or (), "name": name or (), "text": text}
        page = await self._collector.tasks.list(page_size=limit, **filters).page()
        if not page.tasks:
            return "No task matches."
        more = "\nThere are more; narrow the filters or raise the limit." if page.next_cursor else ""
        return recorded(table(_COLUMNS, map(_row, page.tasks)), budget_tokens) + more

    async def read_task(self, task_id: TaskId, budget_tokens: Budget = 3_000) -> str:
        """Read one task: definition, state, progress, result or error, attempts with their runs, and its history."""
        tasks = self._collector.tasks
        task, attempts = await tasks.get(task_id), await tasks.list_runs(task_id)
        history = await tasks.transitions(task_id)
        parts = {"Task": task, "Attempts, each of which is a run": attempts, "History": history}
        text = "\n\n".join(f"{title}:\n{_json(value)}" for title, value in parts.items())
        return recorded(text, budget_tokens)


class ControlTools:
    """What changes managed tasks. Offered only where the person who starts the server allows it."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    async def create_task(
        self,
        name: Annotated[str, Field(description="What the agent's handler is registered under.")],
        agent: Annotated[str, Field(description="Who does it; empty: any worker that handles the name.")] = "",
        input: Annotated[Any, Field(description="The handler's input, any JSON value.")] = None,
        description: str = "",
        priority: Priority = "medium",
        idempotency_key: Annotated[
            str, Field(description="The same key makes the same task, however often it is asked for.")
        ] = "",
    ) -> str:
        """Queue a task for an agent; it is durable when this returns."""
        task = await self._collector.tasks.create(
            name,
            agent=agent or None,
            input=input,
            description=description,
            priority=priority,
            created_by="mcp",
            idempotency_key=idempotency_key or None,
        )
        return f"Task {task.id} is {task.status}."

    async def cancel_task(self, task_id: TaskId, reason: Reason) -> str:
        """Cancel a task; one that runs is asked to stop, and stopped after a grace."""
        return _standing(await self._collector.tasks.cancel(task_id, reason=reason, by="mcp"))

    async def pause_task(self, task_id: TaskId, reason: Reason) -> str:
        """Hold a task; one that runs is asked to save its state and yield."""
        return _standing(await self._collector.tasks.pause(task_id, reason=reason, by="mcp"))

    async def resume_task(self, task_id: TaskId) -> str:
        """Let a paused task go on."""
        return _standing(await self._collector.tasks.resume(task_id, by="mcp"))

    async def retry_task(
        self,
        task_id: TaskId,
        reassign: Annotated[bool, Field(description="Away from the agent that failed.")] = False,
        agent: Annotated[str, Field(description="To this agent.")] = "",
    ) -> str:
        """Try a failed or cancelled task again."""
        return _standing(await self._collector.tasks.retry(task_id, reassign=agent or reassign, by="mcp"))


def _standing(task: Task) -> str:
    if task.cancel_requested:
        return f"Task {task.id} is {task.status}; it was asked to stop."
    if task.pause_requested or task.yield_requested:
        return f"Task {task.id} is {task.status}; it was asked to yield."
    return f"Task {task.id} is {task.status}."


def _row(task: Task) -> tuple[Any, ...]:
    why = task.why_not_running
    error = task.error_message or task.error_type
    return (
        *(task.id, task.status, task.name, task.agent or task.team, task.priority, task.attempt, task.created_at),
        *(why and why.text, error[:200] if error else None),
    )


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode()
