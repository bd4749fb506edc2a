"""A worker's registration: made once, and anew when the collector does not know the worker any more."""

from __future__ import annotations

import logging
import threading

import msgspec

from milepost.agents.channel import REGISTER, Channel, Refusal
from milepost.errors import ConfigurationError
from milepost.wire.worker import RegisterRequest

__all__ = ["Membership"]

logger = logging.getLogger("milepost.agents")

_MAX_VALUE_BYTES = 1_000_000  # until the collector says how much it keeps


class Membership:
    """The worker's id and what the collector said with it. May be used from any thread."""

    def __init__(self, request: RegisterRequest) -> None:
        self._request = msgspec.json.encode(request)
        self._agent = request.agent
        self._lock = threading.Lock()
        self.worker_id: str | None = None
        self.max_wait_ms = 0
        self.max_value_bytes = _MAX_VALUE_BYTES

    def join(self, channel: Channel, unknown_id: str | None = None) -> str | None:
        """Register, unless another thread has meanwhile; return the worker's id, or None if the channel was closed.

        unknown_id: the id that the collector does not know; None: there is none yet.

        Raises:
            ConfigurationError: the collector refuses the agent, or knows no workers at all.
        """
        with self._lock:
            if self.worker_id == unknown_id:
                answer = channel.ask(REGISTER, lambda: self._request)
                if isinstance(answer, Refusal):
                    raise ConfigurationError("agent", _refusal_text(self._agent, answer))
                if answer is None:
                    return None
                self.max_wait_ms, self.max_value_bytes = answer.max_wait_ms, answer.max_value_bytes
                self.worker_id = answer.worker_id
                logger.debug("registered as worker %s of agent %s", answer.worker_id, self._agent)
            return self.worker_id


def _refusal_text(agent: str, answer: Refusal) -> str:
    if answer.status == 404:
        return f"the collector takes no workers ({answer.detail:.200}); it is older than this SDK, or not a collector"
    return f"the collector refuses workers of {agent!r}: {answer.status} {answer.detail}"
