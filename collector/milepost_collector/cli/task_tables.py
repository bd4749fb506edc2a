"""Tasks, attempts and what they saved as text for the terminal; functions of values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text

from milepost.wire.attempts import Attempt, Checkpoint, CheckpointList, Step, TransitionList
from milepost.wire.results import read_result
from milepost.wire.tasks import CountList, Task
from milepost_collector.cli.fallback import fallback_text
from milepost_collector.cli.layout import facts, fitted, listed
from milepost_collector.cli.render import clean, cost, duration, one_line, tokens

MARKS = {
    "pending": ("○", ""),
    "blocked": ("◌", "yellow"),
    "assigned": ("◔", "blue"),
    "in_progress": ("●", "blue"),
    "running": ("●", "blue"),
    "review": ("◆", "magenta"),
    "paused": ("‖", "yellow"),
    "completed": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("■", "yellow"),
    "lost": ("?", "red"),
}
SHORT = 8  # digits of an id that lists show: its last, for the first ones tell the time
VALUE_CHARS = 2_000


def status_text(status: str) -> Text:
    """Return a status as mark and word, so that it reads without colour."""
    mark, style = MARKS.get(status, ("·", ""))
    return Text(f"{mark} {clean(status)}", style=style)


def relative(moment: datetime | None, now: datetime) -> str:
    """Write a time relative to now when it is within a day, as `in 5 min` or `3 h ago`; else in full, in UTC."""
    if moment is None:
        return ""
    seconds = (moment - now) / timedelta(seconds=1)
    if abs(seconds) >= 86_400:
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
    size, unit = next(((size, unit) for size, unit in ((3600, "h"), (60, "min")) if abs(seconds) >= size), (1, "s"))
    count = f"{abs(seconds) / size:.0f} {unit}"
    return f"in {count}" if seconds > 0 else f"{count} ago"


def tasks_table(tasks: Sequence[Task], now: datetime, width: int) -> Table:
    """Return tasks as a table. width: of the terminal, characters."""
    headings = ("task", "name", "status", "priority", "agent", "created", "attempt", "cost", "what about it")
    return fitted(headings, [_task_cells(task, now) for task in tasks], width)


def _task_cells(task: Task, now: datetime) -> list[Text]:
    return [
        Text(task.id[-SHORT:], style="bold"),
        Text(one_line(task.name, 40)),
        status_text(task.status),
        Text(task.priority, style="" if task.priority in ("low", "medium") else "bold"),
        Text(one_line(who(task), 24)),
        Text(relative(task.created_at, now)),
        Text(str(task.attempt or "")),
        Text(cost(task.cost_usd)),
        Text(one_line(about(task), 200), style="red" if task.status == "failed" else "dim"),
    ]


def who(task: Task) -> str:
    """Return who does a task."""
    agents = [result.agent for result in task.agents if result.agent]
    return ", ".join(agents) or task.agent or (f"team {task.team}" if task.team else "any")


def about(task: Task) -> str:
    """Return the one thing most worth knowing about a task: its error, why it waits, or how far it is."""
    if task.status == "failed":
        return _error(task) or task.reason or ""
    if task.why_not_running is not None:
        return task.why_not_running.text
    if task.stalled_since is not None:
        return "stalled: no sign of progress"
    if task.status in ("assigned", "in_progress"):
        percent = None if task.progress is None else f"{task.progress:.0%}"
        return " ".join(filter(None, (percent, task.phase)))
    return task.reason or ""


def task_view(task: Task, now: datetime) -> Group:
    """Return everything about a task, a line for each fact that it has."""
    heading = Text(one_line(task.name), style="bold").append("  ").append_text(status_text(task.status))
    return Group(heading, facts([*_facts(task, now), *_agent_facts(task)]))


def _agent_facts(task: Task) -> list[tuple[str, str]]:
    """Return how far each of several agents is."""
    if len(task.agents) < 2:
        return []
    lines = []
    for result in task.agents:
        said = ": ".join(filter(None, (result.error_type, result.error_message))) or value_text(result.result)
        lines.append(("agent", f"{result.agent or 'any'}: {result.status}, attempt {result.attempt} {said}"))
    return lines


def requested(task: Task) -> str:
    """Return what running attempts were asked to do; empty: nothing."""
    return next((name for name in ("cancel", "pause", "yield") if getattr(task, f"{name}_requested")), "")


def _facts(task: Task, now: datetime) -> list[tuple[str, str]]:
    why, used = task.why_not_running, task.input_tokens is not None or task.output_tokens is not None
    return [
        ("id", task.id),
        ("description", task.description),
        ("why not running", "" if why is None else why.text),
        ("requested", requested(task)),
        ("progress", " ".join(filter(None, ("" if task.progress is None else f"{task.progress:.0%}", task.phase)))),
        ("stalled", f"no sign of progress, noticed {relative(task.stalled_since, now)}" if task.stalled_since else ""),
        ("estimate", _estimate(task, now)),
        ("deadline", relative(task.deadline, now) + (", at risk" if task.deadline_at_risk else "")),
        ("priority", task.priority),
        ("agent", who(task)),
        ("attempts", f"{task.attempt} ({task.failures} failed, {task.losses} lost)" if task.attempt else "none yet"),
        ("last run", task.last_run_id or ""),
        ("next run", relative(task.next_run_at, now)),
        ("waits for", _states(task.dependencies)),
        ("waited for by", _states(task.dependents)),
        ("needs", _needs(task)),
        ("fallback", fallback_text(task.fallback)),
        ("batch", task.batch or ""),
        ("tags", ", ".join(task.tags)),
        ("app", task.app or ""),
        ("key", task.key or ""),
        ("created", f"{relative(task.created_at, now)}" + (f" by {task.created_by}" if task.created_by else "")),
        ("by schedule", f"{task.schedule_id} for {_utc(task.scheduled_for)}" if task.schedule_id else ""),
        ("asked for in run", task.origin_run_id or ""),
        ("started", relative(task.started_at, now)),
        ("finished", relative(task.finished_at, now)),
        ("tokens", f"{tokens(task.input_tokens or 0)} → {tokens(task.output_tokens or 0)}" if used else ""),
        ("cost", cost(task.cost_usd)),
        ("budgets", _budgets(task)),
        ("settings", "" if _json(task.settings) == "{}" else _json(task.settings)),
        ("input", value_text(task.input)),
        ("context", value_text(task.context)),
        ("deliverables", _handed_over(task)),
        (
            "missing",
            ", ".join(filter(None, (one.name or one.type for one in task.expected_deliverables if not one.met))),
        ),
        *result_facts(task.result),
        ("reason", task.reason or ""),
        ("error", _error(task)),
    ]


def _handed_over(task: Task) -> str:
    return ", ".join(f"{one.name} v{one.version} ({one.type})" for one in task.deliverables)


def result_facts(result: Any) -> list[tuple[str, str]]:
    """Return a result: what it says of itself first, a line for each insight and recommendation."""
    said = read_result(None if result is None else _json(result))
    if said is None:
        return [("result", value_text(result))]
    rest = {name: value for name, value in result.items() if name not in ("summary", "insights", "recommendations")}
    return [
        ("summary", said.summary),
        *(("insight", insight) for insight in said.insights),
        *(("recommendation", recommendation) for recommendation in said.recommendations),
        ("result", value_text(rest["value"] if set(rest) == {"value"} else rest or None)),
    ]


def _estimate(task: Task, now: datetime) -> str:
    """Return when a task will probably be finished, and by how many others that is judged."""
    found = task.estimate
    if found is None:
        return ""
    like = f"{found.samples} like it took {duration(found.median_ms)}, 90 % up to {duration(found.p90_ms)}"
    if found.completion is None:
        return like
    return f"{relative(found.completion, now)}, at 90 % {relative(found.completion_p90, now)}; {like}"


def _needs(task: Task) -> str:
    return ", ".join(one.what if one.weight is None else f"{one.what} (preferred)" for one in task.needs)


def _budgets(task: Task) -> str:
    from milepost_collector.cli.budgets import told

    return "; ".join(told(one) for one in task.budgets)


def _states(states: Sequence[Any]) -> str:
    return ", ".join(f"{state.name} {state.task_id[-SHORT:]} ({state.status})" for state in states)


def attempts_table(attempts: Sequence[Attempt], now: datetime, width: int) -> Table:
    """Return a task's attempts as a table. width: of the terminal, characters."""
    headings = ("attempt", "status", "run", "agent", "leased", "took", "steps reused", "cost", "what about it")
    return fitted(headings, [_attempt_cells(attempt, now) for attempt in attempts], width)


def _attempt_cells(attempt: Attempt, now: datetime) -> list[Text]:
    percent = "" if attempt.progress is None or attempt.ended_at else f"{attempt.progress:.0%}"
    said = _error(attempt) or attempt.reason or " ".join(filter(None, (percent, attempt.phase)))
    return [
        Text(str(attempt.attempt), style="bold"),
        status_text(attempt.status),
        Text(attempt.run_id[:SHORT]),
        Text(one_line(attempt.agent or "", 24)),
        Text(relative(attempt.leased_at, now)),
        Text(duration(attempt.duration_ms)),
        Text(str(attempt.steps_reused or "")),
        Text(cost(attempt.cost_usd)),
        Text(one_line(said, 200), style="red" if attempt.error_type else "dim"),
    ]


def attempt_view(attempt: Attempt, now: datetime) -> Group:
    """Return one attempt with its error's stack."""
    heading = Text(f"attempt {attempt.attempt}", style="bold").append("  ").append_text(status_text(attempt.status))
    pairs = [
        ("run", attempt.run_id),
        ("agent", attempt.agent or ""),
        ("worker", attempt.worker_id),
        ("leased", relative(attempt.leased_at, now)),
        ("took", duration(attempt.duration_ms)),
        ("retry", relative(attempt.retry_at, now)),
        ("reason", attempt.reason or ""),
        ("result", value_text(attempt.result)),
        ("error", _error(attempt)),
    ]
    stack = [Text(f"\n{clean(attempt.error_stack)}", style="red")] if attempt.error_stack else []
    return Group(heading, facts(pairs), *stack)


def _error(failed: Task | Attempt) -> str:
    return ": ".join(filter(None, (failed.error_type, failed.error_message)))


def transitions_table(history: TransitionList, width: int) -> Table:
    """Return what happened to a task as a table, oldest first. width: of the terminal, characters."""
    rows = [
        [
            Text(_utc(change.time)),
            Text(clean(change.event)),
            status_text(change.to_status),
            Text(str(change.attempt or "")),
            Text(one_line(change.by or change.agent or "", 30)),
            Text(one_line(change.reason or "", 200), style="dim"),
        ]
        for change in history.transitions
    ]
    return fitted(("time", "event", "status", "attempt", "by", "reason"), rows, width)


def checkpoints_table(saved: CheckpointList, width: int) -> Table:
    """Return checkpoints and steps as a table, oldest first. width: of the terminal, characters."""
    rows = [_saved_cells(one, one.name or "checkpoint", one.state) for one in saved.checkpoints]
    rows += [_saved_cells(one, f"step {one.name}{_reuse(one.reused_by)}", one.result) for one in saved.steps]
    cells = [list(map(Text, row)) for row in sorted(rows)]
    return fitted(("time", "what", "attempt", "bytes", "value"), cells, width)


def _saved_cells(one: Checkpoint | Step, what: str, value: Any) -> list[str]:
    numbers = [str(one.attempt), str(one.size_bytes)]
    return [_utc(one.created_at), one_line(what, 60), *numbers, one_line(_json(value), 200)]


def _reuse(attempts: Sequence[int]) -> str:
    return f" (reused by {', '.join(map(str, attempts))})" if attempts else ""


def counts_table(counts: CountList) -> Table:
    """Return numbers of tasks by a field as a table."""
    rows = [
        (Text("(none)" if group.value is None else clean(group.value)), Text(str(group.count), justify="right"))
        for group in counts.groups
    ]
    total = (Text("all", style="bold"), Text(str(counts.total), style="bold", justify="right"))
    return listed((counts.group_by, "tasks"), [*rows, total])


def value_text(value: Any) -> str:
    """Write a value as JSON, cut where it gets long; nothing for None."""
    if value is None:
        return ""
    text = _json(value)
    return text if len(text) <= VALUE_CHARS else f"{text[:VALUE_CHARS]}… ({len(text)} characters; --json has them all)"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _utc(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
