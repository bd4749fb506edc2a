"""What is wrong with a cadence."""

from __future__ import annotations

from milepost.errors import MilepostError


class CadenceError(MilepostError, ValueError):
    """A cadence is malformed, out of range, or never fires.

    field: the part that is wrong, such as "minute", "zone" or "every_ms". value: what was given for it.
    """

    def __init__(self, field: str, value: object, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.value = value
