"""To whom the controller tells what it did. The collector hands in one that keeps it in DuckDB."""

from __future__ import annotations

from typing import Protocol

from milepost_collector.protocol.managed import Recorded


class Recorder(Protocol):
    """Keeps a record of what the controller did. Called by one `Follower`, one call at a time."""

    async def position(self) -> str | None:
        """Return up to where everything has been recorded; None at the very beginning.

        Raises:
            MilepostError: it cannot be read now.
        """
        ...

    async def record(self, changes: Recorded) -> str | None:
        """Record changes together with their position, all or nothing, and return the position that then stands.

        When the record does not stand where the changes begin (`changes.after`), nothing is recorded; the answer says
        where it stands.

        Raises:
            MilepostError: it cannot be written now. Whether it was is told by `position`.
        """
        ...
