"""A transaction over a driver's cursor: what `interface.Tx` promises, the same on both databases."""

from __future__ import annotations

from milepost_collector.controller.store.queue_part import QueuePart
from milepost_collector.controller.store.task_part import TaskPart


class Transaction(TaskPart, QueuePart):
    """An open transaction."""

    def lock_limits(self) -> None:
        """Let nobody else claim under limits until the end of the transaction; SQLite has one writer anyway."""
