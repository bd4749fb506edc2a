"""Which checkpoint the next attempt goes on from, when a person chooses another than the newest."""

from __future__ import annotations

from msgspec.structs import replace

from milepost_collector.controller.engine.unit import Unit, settings_of
from milepost_collector.controller.rows import CheckpointRow, TaskRow
from milepost_collector.controller.store.interface import Find
from milepost_collector.errors import ConflictError, InvalidParameterError


def take_up(unit: Unit, task: TaskRow, sequence: int) -> None:
    """Save the state of a checkpoint once more, as the newest: attempts go on from the newest, and what later ones save
    comes after it.

    Raises:
        ConflictError: attempts of this task get no checkpoints.
        InvalidParameterError: the task has no such checkpoint.
    """
    if not settings_of(task).memory:
        raise ConflictError(f"task {task.id} has no memory, so its attempts get no checkpoints; retry it without one")
    found = unit.tx.find(CheckpointRow, Find(equal={"task_id": task.id, "sequence": sequence}))
    last = unit.tx.last_sequence(task.id)
    if not found:
        has = f"has checkpoints 1 to {last}" if last else "has no checkpoint"
        raise InvalidParameterError("checkpoint", sequence, f"task {task.id} {has}")
    [chosen] = found
    position = chosen.position if task.agents else 0
    if unit.tx.newest_checkpoint(task.id, position) == chosen:
        return
    copy = replace(chosen, sequence=last + 1, position=position, attempt_sequence=None, created_at=unit.now)
    copy.copy_of = chosen.copy_of or chosen.sequence
    unit.tx.insert([copy])
