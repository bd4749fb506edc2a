"""Ending open streams as soon as the process is asked to stop."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType
from typing import Any


def set_on_signal(stopping: asyncio.Event) -> None:
    """Set the event on SIGINT and SIGTERM, before whatever else they do.

    Servers wait for open requests before they tell the application that it ends, and a live stream is open for ever: it
    has to hear of the signal itself. Without effect outside the main thread, where signals cannot be handled.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        _chain(number, stopping, loop)


def _chain(number: signal.Signals, stopping: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    previous: Any = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)
        if callable(previous):
            previous(received, frame)
        elif previous == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    signal.signal(number, handle)
