"""Tasks in files: JSON lines and CSV to requests, and tasks to lines. Pure."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from milepost.wire.deliverables import ExpectedDeliverable
from milepost.wire.tasks import Task, TaskCreate

FileFormat = Literal["jsonl", "csv"]
LISTS = ("tags", "agents", "dependencies")
SEPARATOR = ";"  # between the members of a list in a cell
# What a task was made from, without what belongs to one place and time.
DEFINITION = (
    *("name", "description", "agent", "team", "input", "context", "priority", "settings", "tags", "app", "key"),
    *("deadline", "run_at", "needs", "fallback"),
)
COLUMNS = (
    *("id", "name", "status", "agent", "team", "priority", "type", "attempt", "failures", "losses", "created_at"),
    *("created_by", "started_at", "finished_at", "error_type", "error_message", "input_tokens", "output_tokens"),
    *("cost_usd", "tags", "app", "key", "last_run_id"),
)

_EXPECTED = ExpectedDeliverable.__struct_fields__
_VALUES = ("input", "context")  # of which empty ones are values, too

_canonical = msgspec.json.Encoder(order="deterministic").encode


class LineError(ValueError):
    """A line of a file is no task. line: its number, from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


def read_tasks(lines: Iterable[str], file_format: FileFormat) -> Iterator[TaskCreate | LineError]:
    """Yield each line's task, or what is wrong with it; empty lines are passed over."""
    read = _json_lines if file_format == "jsonl" else _csv_lines
    for number, found in read(lines):
        if isinstance(found, LineError):
            yield found
            continue
        try:
            yield msgspec.convert(found, TaskCreate)
        except msgspec.ValidationError as error:
            yield LineError(number, str(error))
        except UnicodeEncodeError:
            yield LineError(number, "it holds half a character (a lone surrogate)")


def with_keys(tasks: Iterable[TaskCreate]) -> Iterator[TaskCreate]:
    """Give each task without an idempotency key one that the same file gives it again.

    It is made of what the task says, and of how many before it say the same.
    """
    seen: Counter[str] = Counter()
    for task in tasks:
        if task.idempotency_key is None:
            digest = hashlib.blake2b(_canonical(task), digest_size=16).hexdigest()
            seen[digest] += 1
            task.idempotency_key = f"import-{digest}-{seen[digest]}"
        yield task


def batch_name(tasks: Iterable[TaskCreate]) -> str:
    """Return what tasks that have idempotency keys are counted as, the same for the same ones."""
    keys = "\n".join(task.idempotency_key or "" for task in tasks)
    return f"import-{hashlib.blake2b(keys.encode(), digest_size=8).hexdigest()}"


def definition_line(task: Task) -> str:
    """Return a task as a line that `read_tasks` reads: what it was made from."""
    plain = msgspec.to_builtins(task)
    several = [one.agent for one in task.agents] if task.agent is None and len(task.agents) > 1 else []
    states = plain.get("expected_deliverables", ())
    expected = [{name: one[name] for name in _EXPECTED if name in one} for one in states]
    budgets = plain.get("budgets", ())  # of those that asked for the task, too
    own = next((one["definition"] for one in budgets if (one["scope"], one["value"]) == ("task", task.id)), None)
    more = {"agents": several, "deliverables": expected, "budget": own}
    given = (name for name in DEFINITION if name in _VALUES or plain.get(name) not in ("", [], {}))
    known = {name: plain[name] for name in given if plain.get(name) is not None}
    return json.dumps(known | {name: value for name, value in more.items() if value}, ensure_ascii=False)


def task_line(task: Task) -> str:
    """Return a task whole as a line of JSON."""
    return msgspec.json.encode(task).decode()


def csv_row(task: Task) -> list[str]:
    """Return a task's cells, in the order of COLUMNS."""
    plain = msgspec.to_builtins(task)
    return [_cell(plain.get(name)) for name in COLUMNS]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return SEPARATOR.join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)


def _json_lines(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                yield number, LineError(number, f"it is not JSON ({error})")


def _csv_lines(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    reader = csv.reader(lines, strict=True)
    header: Sequence[str] | None = None
    try:
        for row in reader:
            if not any(row):
                continue
            if header is None:
                header = [name.strip() for name in row]
            elif len(row) != len(header):
                reason = f"it has {len(row)} cells, and the header {len(header)}"
                yield reader.line_num, LineError(reader.line_num, reason)
            else:
                yield reader.line_num, _fields(reader.line_num, dict(zip(header, row, strict=True)))
    except csv.Error as error:
        yield reader.line_num, LineError(reader.line_num, f"it is not CSV ({error})")


def _fields(line: int, row: Mapping[str, str]) -> dict[str, Any] | LineError:
    """Return a row's fields: `input.city` is the member of an object, `input.limit:json` one that is JSON."""
    fields: dict[str, Any] = {}
    for column, text in row.items():
        if not text:
            continue
        path, _, kind = column.partition(":")
        name, _, member = path.partition(".")
        try:
            value = (
                json.loads(text) if kind == "json" or (name == "settings" and member) else _value(name, member, text)
            )
        except ValueError as error:
            return LineError(line, f"{column} {text!r} is not JSON ({error})")
        if member:
            fields.setdefault(name, {})[member] = value
        else:
            fields[name] = value
    return fields


def _value(name: str, member: str, text: str) -> Any:
    if name in LISTS and not member:
        return [part.strip() for part in text.split(SEPARATOR) if part.strip()]
    return text
