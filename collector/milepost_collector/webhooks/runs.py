"""From recorded runs to deliveries. Each collector follows the runs that it has recorded itself.

The traces know the order of their commits, the controller's store keeps the position, in the transaction that makes the
deliveries. Whose starts have been told is kept as well, so that each start and each end is told once.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from milepost_collector.controller.rows import PositionRow, StartedRunRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.traces.queries.run_ends import RunEnds, RunRoot
from milepost_collector.webhooks.events import MAX_TEXT, Happening, rfc3339
from milepost_collector.webhooks.outbox import FOLLOWER, NewId, deliveries, position_of, subscriptions
from milepost_collector.webhooks.subscriptions import Subscription, wanted_types

STARTED = "run.started"
NOBODY = ""  # as a position: nobody wants to know of runs, whoever does begins at the newest
_TYPES = tuple(f"run.{status}" for status in ("started", "completed", "failed", "cancelled", "skipped", "lost"))
MAX_RUNNING = 10_000  # whose starts are looked at in one step


def source_of(data_dir: Path) -> str:
    """Return the name of this collector's runs, the same in every life of its folder."""
    file = data_dir / "collector.id"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.new")
        draft.write_text(secrets.token_hex(8), "ascii")
        draft.replace(file)
    return f"runs/{file.read_text('ascii').strip()}"


def want_runs(wanted: Sequence[Subscription]) -> bool:
    """Tell whether anybody wants to know of runs."""
    return any(wanted_types(wanted, kind) for kind in _TYPES)


def want_starts(wanted: Sequence[Subscription]) -> bool:
    """Tell whether anybody wants to know of runs that start."""
    return wanted_types(wanted, STARTED)


def begin_runs(tx: Tx, source: str, newest: int, running: Sequence[str]) -> None:
    """Follow runs from the newest commit on if nobody did. Call before who wants to know of them is written. running:
    runs whose start is not news."""
    wanted = subscriptions(tx)
    if not want_runs(wanted):
        tx.upsert([PositionRow(follower=FOLLOWER, source=source, position=str(newest))])
    if not want_starts(wanted):
        tx.upsert([StartedRunRow(run_id=run_id, told_at=tx.now) for run_id in dict.fromkeys(running)])


def write_runs(tx: Tx, source: str, expected: str | None, found: RunEnds | None, new_id: NewId) -> bool:
    """Write the deliveries of what happened to runs, with the position; False, and nothing, if that was moved on.

    found: None: nobody wants to know.
    """
    if position_of(tx, source, lock=True) != expected:
        return False
    if found is None:
        tx.upsert([PositionRow(follower=FOLLOWER, source=source, position=NOBODY)])
        return True
    if expected in (None, NOBODY):  # somebody does from now on
        tx.upsert([PositionRow(follower=FOLLOWER, source=source, position=str(found.reached))])
        return True
    wanted = subscriptions(tx)
    told = _starts(tx, found) if want_starts(wanted) else []
    happened = [
        *(happening(run, tx.now, started=True) for run in told),
        *(happening(run, tx.now) for run in found.ended),
    ]
    made = list(deliveries(happened, wanted, tx.now, new_id))
    if made:
        tx.insert(made)
    if str(found.reached) != expected:
        tx.update([PositionRow(follower=FOLLOWER, source=source, position=str(found.reached))])
    return True


def _starts(tx: Tx, found: RunEnds) -> list[RunRoot]:
    """Return runs whose start has not been told, and note which have been told and are not over."""
    roots = {run.run_id: run for run in (*found.running[:MAX_RUNNING], *found.ended)}
    if not roots:
        return []
    known = {row.run_id for row in tx.find(StartedRunRow, Find(one_of={"run_id": roots}, limit=len(roots)))}
    new = [run for run_id, run in roots.items() if run_id not in known]
    ended = {run.run_id for run in found.ended}
    begun = [StartedRunRow(run_id=run.run_id, told_at=tx.now) for run in new if run.run_id not in ended]
    if begun:
        tx.insert(begun)
    if over := known & ended:
        tx.delete([StartedRunRow(run_id=run_id, told_at=0) for run_id in over])
    return new


def happening(run: RunRoot, now: int, *, started: bool = False) -> Happening:
    """Return a run's start or end as an event. Its times are those of another clock, and it may come late."""
    time_ns = run.start_time if started or run.end_time is None else run.end_time
    data: dict[str, Any] = {
        "run_id": run.run_id,
        "status": "running" if started else run.status,
        "name": run.name,
        "agent": run.agent,
        "task_id": run.task_id,
        "attempt": run.attempt,
        "tags": run.tags or None,
        "start_time": rfc3339(run.start_time // 1_000_000),
    }
    if not started and run.end_time is not None:
        data |= {
            "end_time": rfc3339(run.end_time // 1_000_000),
            "duration_ms": (run.end_time - run.start_time) / 1e6,
            "error_type": run.error_type,
            "error_message": run.error_message and run.error_message[:MAX_TEXT],
        }
    given = {name: value for name, value in data.items() if value is not None}
    kind = STARTED if started else f"run.{run.status}"
    time = time_ns // 1_000_000
    return Happening(kind, time, run.run_id, given, run.agent, run.name, tuple(run.tags), known_at=now)
