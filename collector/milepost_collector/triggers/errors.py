"""Why a delivery makes no task."""

from __future__ import annotations

from milepost.errors import MilepostError


class DeliveryRefusedError(MilepostError):
    """A delivery does not prove that its sender knows the secret. scheme: what was expected."""

    def __init__(self, scheme: str, reason: str) -> None:
        super().__init__(reason)
        self.scheme = scheme


class DeliveryLimitedError(MilepostError):
    """Too many deliveries came. limit: tasks a minute. retry_after_s: when to try again, seconds."""

    def __init__(self, limit: int, retry_after_s: int) -> None:
        super().__init__(
            f"this address has made {limit} tasks within a minute, its limit; retry in {retry_after_s} s, or raise "
            "rate_limit"
        )
        self.limit = limit
        self.retry_after_s = retry_after_s


class DeliveryFailedError(MilepostError):
    """No task can be made of a delivery as the trigger is defined."""


class TriggerChangedError(MilepostError):
    """A trigger is not what it was when a delivery was looked at; look again."""
