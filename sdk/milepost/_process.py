"""The life of the process: forks get producers of their own, exits wait for the last batch, within the deadline."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Resident", "finish_with_process", "importing", "register", "unregister"]


class Resident(Protocol):
    """Something that lives as long as the process does."""

    def after_fork(self) -> None:
        """Become the child's; called in the child, in its only thread."""

    def finish(self, deadline: float) -> None:
        """Send what is left; deadline: on the monotonic clock, in seconds. Called again, it does nothing."""

    @property
    def exit_timeout_s(self) -> float:
        """How long it may delay the exit."""


_residents: list[Resident] = []
_lock = threading.Lock()
_import_lock = threading.Lock()


def register(resident: Resident) -> None:
    """Tell it about forks and the exit from now on."""
    with _lock:
        _residents.append(resident)


def unregister(resident: Resident) -> None:
    """Forget it; one that is not known is ignored."""
    with _lock:
        if resident in _residents:
            _residents.remove(resident)


@contextmanager
def importing() -> Iterator[None]:
    """Import in a thread: a fork waits for it, because the child would inherit a half-imported module for ever."""
    with _import_lock:
        yield


def finish_with_process() -> None:
    """Have everything sent at the exit of a process started by multiprocessing too, which runs no atexit functions."""
    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util is not None and process is not None and process.parent_process() is not None:
        util.Finalize(None, _finish_all, exitpriority=0)


def _finish_all() -> None:
    residents = list(_residents)
    now = time.monotonic()
    deadline = now + max((resident.exit_timeout_s for resident in residents), default=0.0)
    for resident in residents:
        resident.finish(min(deadline, now + resident.exit_timeout_s))


def _after_fork_in_child() -> None:
    global _lock
    _import_lock.release()
    _lock = threading.Lock()  # another thread of the parent may have held it
    for resident in list(_residents):
        resident.after_fork()


atexit.register(_finish_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_import_lock.acquire, after_in_parent=_import_lock.release, after_in_child=_after_fork_in_child
    )
