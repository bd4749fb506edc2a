"""What a transaction changed that somebody waits for: told after the commit, so that nobody looks before."""

from __future__ import annotations

from msgspec import Struct, field


class Effects(Struct, kw_only=True):
    """Who is to be woken.

    ready: (agent, team) of assignments that became ready, both None for any agent. workers: those with commands. freed:
    a slot or a limit has become free, so that any waiting worker may find work. due: the earliest instant at which
    something new falls due, milliseconds since the Unix epoch. changed: there are new transitions, instants or events
    of asks or budgets. asks: those that something has happened to. look_again_ms: who found nothing may find something
    after so long. regrouped: workers belong to other teams. metered: runs that begin to draw on budgets.
    """

    ready: set[tuple[str | None, str | None]] = field(default_factory=set)
    workers: set[str] = field(default_factory=set)
    freed: bool = False
    due: int | None = None
    changed: bool = False
    asks: set[str] = field(default_factory=set)
    look_again_ms: int | None = None
    regrouped: bool = False
    metered: set[str] = field(default_factory=set)

    def fall_due(self, at: int | None) -> None:
        """Note an instant at which something falls due."""
        if at is not None and (self.due is None or at < self.due):
            self.due = at

    def look_again(self, after_ms: int) -> None:
        """Note that who found nothing is to look again."""
        self.look_again_ms = after_ms if self.look_again_ms is None else min(self.look_again_ms, after_ms)
