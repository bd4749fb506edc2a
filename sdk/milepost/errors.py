"""The error tree of the SDK; the collector hangs its own errors under the same root.

MilepostError
├── ConfigurationError   a setting is missing, malformed or out of range (raised only while setting up)
└── Skip                 raised by user code inside a task to end it as skipped
"""

from __future__ import annotations

__all__ = ["ConfigurationError", "MilepostError", "Skip"]


class MilepostError(Exception):
    """The root of every error Milepost raises."""


class ConfigurationError(MilepostError, ValueError):
    """A setting is malformed or out of range.

    setting: the name of the setting as the user wrote it, for example `MILEPOST_FLUSH_INTERVAL_MS`.
    """

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(f"{setting}: {message}")
        self.setting = setting


class Skip(MilepostError):
    """Raise inside a task to end it as skipped; the reason is recorded and the exception goes no further than the task.

    A decorated function that raises it returns None to its caller.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
