"""Following what happens, for as long as there is somebody to tell. Belongs to one event loop."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

from milepost.errors import MilepostError

logger = logging.getLogger("milepost.webhooks")

RETRY_S = 0.5  # after a failure, doubled with each up to
LONGEST_RETRY_S = 15.0


class Follower:
    """Does `step` whenever it is woken, and else after a pause, until it says that there is no more.

    step: deal with the next stretch; returns whether there may be more. pause_s: without being woken. break_s: between
    stretches that it is woken for, so that what happens together is dealt with together.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[bool]], *, pause_s: float, break_s: float) -> None:
        self._name = name
        self._step = step
        self._pause_s = pause_s
        self._break_s = break_s
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self.is_level = False  # the last time there was no more

    def start(self) -> None:
        """Begin."""
        self._woken.set()
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"milepost-webhooks-{self._name}")

    def wake(self) -> None:
        """Look at once: something has happened."""
        self._woken.set()

    async def stop(self) -> None:
        """Stop; what is not dealt with is after the next start. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            # Not wait_for, which on Python 3.11 may lose a cancellation that comes together with the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s):
                    await self._woken.wait()
            self._woken.clear()  # before looking: what happens from here on wakes it again
            pause_s = self._break_s
            try:
                while await self._step():
                    pass
                self._recovered()
            except MilepostError as error:
                pause_s = self._failed(error)
            except Exception as error:  # following must outlive a defect
                pause_s = self._failed(error)
                logger.error("webhooks: %s fails", self._name, exc_info=error)
            await asyncio.sleep(pause_s)

    def _failed(self, error: Exception) -> float:
        self._failures += 1
        self.is_level = False
        self._woken.set()
        if self._failures == 1:
            logger.warning("webhooks: %s falls behind, will be caught up with: %s", self._name, error)
        most_s: float = min(RETRY_S * 2 ** min(self._failures - 1, 10), LONGEST_RETRY_S)
        return most_s * random.uniform(0.5, 1)

    def _recovered(self) -> None:
        if self._failures:
            logger.info("webhooks: %s is up to date again", self._name)
        self._failures = 0
        self.is_level = True
