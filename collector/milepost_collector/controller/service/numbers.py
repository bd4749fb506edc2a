"""How much waits and runs, for /metrics."""

from __future__ import annotations

from msgspec import Struct

from milepost_collector.controller.store.interface import Tx


class Numbers(Struct, kw_only=True, frozen=True):
    """The controller's state. ready, delayed, waiting, leased: assignments, of which most tasks have one. workers:
    those that have polled lately. waiting_polls: of them, those whose poll waits. queued: requests that wait for their
    transaction."""

    ready: int
    delayed: int
    waiting: int
    leased: int
    workers: int
    waiting_polls: int
    queued: int


def count(tx: Tx, *, waiting_polls: int, queued: int) -> Numbers:
    """Count."""
    states = dict.fromkeys(("ready", "delayed", "waiting", "leased"), 0)
    for found in tx.queued():
        if found.state in states:
            states[found.state] += found.count
    workers = sum(worker.polled_until >= tx.now for worker in tx.workers())
    return Numbers(**states, workers=workers, waiting_polls=waiting_polls, queued=queued)
