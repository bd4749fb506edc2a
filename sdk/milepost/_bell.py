"""What wakes the exporter's thread."""

from __future__ import annotations

from queue import Empty, SimpleQueue

__all__ = ["Bell"]


class Bell:
    """Wakes one thread that waits for it. Ringing it again before it was heard changes nothing.

    A `threading.Event` would do, but for its lock: a signal handler or a finalizer that records while its thread is
    inside of `set` would wait for itself for ever. A SimpleQueue's `put` is made to be interrupted by itself.
    """

    def __init__(self) -> None:
        self._rung: SimpleQueue[None] = SimpleQueue()

    @property
    def is_rung(self) -> bool:
        return not self._rung.empty()

    def ring(self) -> None:
        """Wake the waiting thread, or the next wait. What it is to see must have been written before."""
        if self._rung.empty():
            self._rung.put(None)

    def wait(self, timeout_s: float | None) -> bool:
        """Wait until it rings, and silence it; tell whether it rang in time. None: however long it takes."""
        try:
            self._rung.get(timeout=timeout_s)
        except Empty:
            return False
        return True

    def silence(self) -> None:
        """Take back what was rung."""
        while self.wait(0):
            pass
