"""What the controller should do, as simply as it can be said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

FINISHED = ("completed", "failed", "cancelled")
HEAD_START_MS = {"low": 0, "medium": 60_000, "high": 600_000, "urgent": 3_600_000}
SLOTS = 2
LIMIT = 1  # at once of the key `k`
LEASE_MS = 3_600_000
GRACE_MS = 10_000  # that a cancelled attempt has to stop
LEGAL = {
    "pending": ["update", "run", "cancel", "pause", "redirect", "complete", "delete"],
    "blocked": ["update", "cancel", "pause", "redirect", "complete", "delete"],
    "assigned": ["update", "cancel", "pause", "resume", "redirect", "complete"],
    "review": ["update", "cancel", "pause", "redirect", "complete", "delete"],
    "paused": ["update", "run", "cancel", "resume", "retry", "redirect", "complete", "delete"],
    "completed": ["run", "delete"],
    "failed": ["run", "retry", "delete"],
    "cancelled": ["run", "retry", "delete"],
}


@dataclass(slots=True)
class Wanted:
    """What a task is created with."""

    agent: str | None
    priority: str
    key: str | None
    upstream: list[str]
    policy: str
    max_retries: int
    retry_delay_ms: int
    on_exhausted: str


@dataclass(slots=True)
class Asked:
    """What a task has put to people, under the only key there is."""

    action: int
    expires_at: int | None
    on_expiry: str
    status: str = "open"


@dataclass(slots=True)
class Item:
    """A task. edges: open, met or failed by the task waited for. delayed_until: None when it is ready."""

    id: str
    wanted: Wanted
    priority: str
    order_at: int
    status: str = "pending"
    edges: dict[str, str] = field(default_factory=dict)
    failures: int = 0
    attempt: int = 0
    delayed_until: int | None = None
    worker: str | None = None
    expires_at: int = 0
    stop: str | None = None
    cut_off_at: int | None = None
    asked: Asked | None = None  # since it was last opened
    closed: list[str] = field(default_factory=list)  # how other asks of it ended, in the order in which they were made

    @property
    def is_asking(self) -> bool:
        return self.asked is not None and self.asked.status == "open"

    @property
    def waits(self) -> bool:
        return any(state != "met" for state in self.edges.values())


class Model:
    """All tasks. Operations change it as the controller should change; whether they are legal says `refuses`."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}

    # What is asked.

    def create(self, task_id: str, wanted: Wanted, now: int) -> None:
        item = Item(task_id, wanted, wanted.priority, now - HEAD_START_MS[wanted.priority])
        item.edges = {upstream: self._state(item, upstream) for upstream in wanted.upstream}
        self.items[task_id] = item
        if item.waits:
            item.status = "blocked"
        if "failed" in item.edges.values() and wanted.policy == "skip":
            self._finish(item, "cancelled", now)

    def refuses(self, task_id: str, command: str) -> bool:
        item = self.items[task_id]
        if command not in LEGAL[item.status]:
            return True
        if command in ("pause", "redirect"):
            return item.stop == "cancel"
        if command == "resume" and item.status != "paused":
            return item.stop != "pause"
        if command == "delete":
            return any(other.edges.get(task_id, "met") != "met" and other.status not in FINISHED
                       for other in self.items.values())  # fmt: skip
        return False

    def cancel(self, task_id: str, now: int) -> None:
        item = self.items[task_id]
        if item.worker is None:
            self._finish(item, "cancelled", now)
        elif item.stop != "cancel":
            item.stop, item.cut_off_at = "cancel", now + GRACE_MS

    def pause(self, task_id: str) -> None:
        item = self.items[task_id]
        if item.worker is None:
            item.status = "paused"
        else:
            item.stop = "pause"

    def resume(self, task_id: str, now: int) -> None:
        item = self.items[task_id]
        item.stop = None
        if item.status != "paused":
            return
        if item.is_asking:
            item.status = "review"
            return
        if item.failures > item.wanted.max_retries and not item.waits:
            item.failures = 0
        self._enqueue(item, now)

    def run(self, task_id: str, now: int) -> None:
        item = self.items[task_id]
        if item.status != "pending":
            self.reopen(task_id, now)
        elif item.delayed_until is not None:
            self._enqueue(item, now)

    def reopen(self, task_id: str, now: int) -> None:
        item = self.items[task_id]
        for upstream in item.edges:
            other = self.items.get(upstream)
            item.edges[upstream] = "met" if other is None or other.status in FINISHED else "open"
        item.failures, item.stop = 0, None
        self._forget_ask(item, "cancelled")
        self._enqueue(item, now)

    def redirect(self, task_id: str, agent: str | None, now: int) -> None:
        item = self.items[task_id]
        item.wanted.agent = agent
        if item.worker is not None and item.cut_off_at is None:
            item.cut_off_at = now + GRACE_MS

    def prioritise(self, task_id: str, priority: str) -> None:
        item = self.items[task_id]
        item.order_at += HEAD_START_MS[item.priority] - HEAD_START_MS[priority]
        item.priority = priority

    def delete(self, task_id: str) -> None:
        del self.items[task_id]

    # What workers do.

    def poll(self, agent: str, now: int) -> list[str]:
        """Lease what comes first; return the ids in their order."""
        for item in self._held(agent):
            item.expires_at = now + LEASE_MS
        taken = []
        for item in sorted(self.items.values(), key=lambda item: (item.order_at, item.id)):
            is_ready = item.status == "pending" and item.delayed_until is None
            if not is_ready or item.wanted.agent not in (None, agent) or len(self._held(agent)) >= SLOTS:
                continue
            if item.wanted.key == "k" and self._running("k") >= LIMIT:
                continue
            item.status, item.worker, item.attempt = "assigned", agent, item.attempt + 1
            item.expires_at = now + LEASE_MS
            taken.append(item.id)
        return taken

    def complete(self, task_id: str, now: int) -> None:
        self._finish(self.items[task_id], "completed", now)

    def fail(self, task_id: str, now: int) -> None:
        item = self.items[task_id]
        item.failures += 1
        item.worker = item.cut_off_at = None
        is_last = item.failures > item.wanted.max_retries
        if item.stop == "cancel" or (is_last and item.wanted.on_exhausted == "fail"):
            self._finish(item, "cancelled" if item.stop == "cancel" else "failed", now)
        elif item.stop == "pause" or is_last:
            item.status, item.stop = "paused", None
        else:
            item.status = "pending"
            if item.wanted.retry_delay_ms:
                item.delayed_until = now + item.wanted.retry_delay_ms
                item.order_at = item.delayed_until - HEAD_START_MS[item.priority]

    def give_back(self, task_id: str, now: int) -> None:
        """End an attempt that stopped because it was told to, was lost, or gives up its lease."""
        item = self.items[task_id]
        item.worker = item.cut_off_at = None
        if item.stop == "cancel":
            self._finish(item, "cancelled", now)
        else:
            item.status, item.stop = "paused" if item.stop == "pause" else "pending", None

    def ask(self, task_id: str, action: int, timeout_ms: int | None, on_expiry: str, now: int) -> None:
        """End an attempt by asking a person."""
        item = self.items[task_id]
        item.worker = item.cut_off_at = None
        if item.stop == "cancel":
            self._finish(item, "cancelled", now)
            return
        if item.asked is None or item.asked.action != action:
            self._forget_ask(item, "invalidated", always=True)
            item.asked = Asked(action, None if timeout_ms is None else now + timeout_ms, on_expiry)
        if item.stop == "pause":
            item.status, item.stop = "paused", None
        else:
            item.status = "review" if item.is_asking else "pending"

    def answer(self, task_id: str, status: str, now: int) -> None:
        """Close what a task asks; it goes on unless it is paused."""
        item = self.items[task_id]
        assert item.asked is not None
        item.asked.status = status
        if item.status == "review":
            self._enqueue(item, now)

    def asks(self, task_id: str) -> list[str]:
        """Return how a task's asks stand, in the order in which they were made."""
        item = self.items[task_id]
        return [*item.closed, *([item.asked.status] if item.asked is not None else [])]

    def asking(self) -> list[Item]:
        return [item for item in self.items.values() if item.is_asking]

    def _forget_ask(self, item: Item, status: str, *, always: bool = False) -> None:
        """Ask anew from now on. always: also what was decided ends so."""
        if item.asked is not None:
            item.closed.append(status if always or item.is_asking else item.asked.status)
        item.asked = None

    def _expire(self, item: Item, now: int) -> None:
        assert item.asked is not None
        if item.asked.on_expiry == "continue":
            self.answer(item.id, "expired", now)
        else:
            item.asked.status = "expired"
            self._finish(item, "failed" if item.asked.on_expiry == "fail" else "cancelled", now)

    def pass_time(self, now: int) -> None:
        for item in list(self.items.values()):
            if item.is_asking and item.asked is not None and (item.asked.expires_at or 2**62) <= now:
                self._expire(item, now)
        for item in list(self.items.values()):
            if item.delayed_until is not None and item.delayed_until <= now:
                item.delayed_until = None
            is_over = item.expires_at <= now or (item.cut_off_at is not None and item.cut_off_at <= now)
            if item.worker is not None and is_over:
                self.give_back(item.id, now)

    # What is told.

    def statuses(self) -> dict[str, str]:
        return {task_id: item.status for task_id, item in self.items.items()}

    def counts(self) -> dict[str, int]:
        return dict(Counter(self.statuses().values()))

    def queued(self, agent: str, *, delayed: bool) -> int:
        return sum(
            item.status == "pending" and item.wanted.agent == agent and (item.delayed_until is not None) == delayed
            for item in self.items.values()
        )

    def leases(self) -> list[Item]:
        return [item for item in self.items.values() if item.worker is not None]

    def _held(self, agent: str) -> list[Item]:
        return [item for item in self.items.values() if item.worker == agent]

    def _running(self, key: str) -> int:
        return sum(item.worker is not None and item.wanted.key == key for item in self.items.values())

    def _enqueue(self, item: Item, now: int) -> None:
        item.status = "blocked" if item.waits else "pending"
        item.delayed_until = None
        item.order_at = now - HEAD_START_MS[item.priority]

    def _state(self, item: Item, upstream: str) -> str:
        status = self.items[upstream].status
        if status not in FINISHED:
            return "open"
        return "met" if status == "completed" or item.wanted.policy == "run" else "failed"

    def _finish(self, item: Item, status: str, now: int) -> None:
        item.status, item.worker, item.stop, item.delayed_until, item.cut_off_at = status, None, None, None, None
        if item.is_asking and item.asked is not None:
            item.asked.status = "cancelled"
        for other in list(self.items.values()):
            if other.edges.get(item.id, "met") == "met" or other.status in FINISHED:
                continue
            other.edges[item.id] = self._state(other, item.id)
            if other.edges[item.id] == "failed" and other.wanted.policy == "skip":
                self._finish(other, "cancelled", now)
            elif other.status == "blocked" and not other.waits:
                self._enqueue(other, now)
