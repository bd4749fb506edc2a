"""A transaction over a driver's cursor: what `interface.Tx` promises, the same on both databases."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from milepost_collector.controller.store.ask_part import AskPart
from milepost_collector.controller.store.finding import FindPart
from milepost_collector.controller.store.interface import Tx
from milepost_collector.controller.store.queue_part import QueuePart
from milepost_collector.controller.store.task_part import TaskPart
from milepost_collector.errors import StorageUnavailableError


class Transaction(TaskPart, QueuePart, AskPart, FindPart):
    """An open transaction."""

    def together(self) -> AbstractContextManager[None]:
        """Write what is written in the block at once: SQLite has no way to save by waiting."""
        return nullcontext()

    def lock_limits(self) -> None:
        """Let nobody else claim under limits until the end of the transaction; SQLite has one writer anyway."""

    def lock_dependencies(self) -> None:
        """Let nobody else change dependencies until the end of the transaction; SQLite has one writer anyway."""


def alone(run: Callable[[Callable[[Tx], Any]], Any], work: Callable[[Tx], Any]) -> Any | Exception:
    """Return the answer of the only work of a group: its transaction needs no savepoint."""
    try:
        return run(work)
    except StorageUnavailableError:
        raise
    except Exception as error:
        return error
