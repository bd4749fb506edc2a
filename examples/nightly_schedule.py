"""A report that is made every night at half past two, by Berlin's clock.

Shows: a cron schedule with a zone, what daylight saving does to it, nights that are made up for, a run at once, and the
ledger, which tells what became of every night.

    python examples/nightly_schedule.py

Needs a collector (`milepost serve`); MILEPOST_ENDPOINT names one elsewhere than at http://127.0.0.1:4600.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import milepost
from milepost.wire.schedules import Schedule
from milepost.wire.tasks import Task

DATA = Path(__file__).parent / "data"
NAME = "nightly-report"
CRON, ZONE = "30 2 * * *", "Europe/Berlin"

agent = milepost.Agent("report-agent")


@agent.task("Nightly Report")
def report(ctx: milepost.TaskContext, folder: str) -> dict[str, int]:
    sizes = {path.name: path.stat().st_size for path in sorted(Path(folder).glob("*.txt"))}
    ctx.log("report made", files=len(sizes))
    return sizes


def ensure_schedule(client: milepost.Client) -> Schedule:
    """Create the schedule, or let go on the one that is there: its name is unique, so there are never two."""
    try:
        return client.schedules.create(
            NAME,
            cron=CRON,
            zone=ZONE,
            task={"name": "Nightly Report", "agent": "report-agent", "input": {"folder": str(DATA)}},
            overlap="skip",  # a night whose report is not done by the next one is not joined by another
            catch_up="latest",  # after an outage the last night is made up for, not all of them
            catch_up_window_ms=12 * 3_600_000,
        )
    except milepost.ConflictError:
        return client.schedules.resume(NAME, by="the example")


def show_clock_changes(client: milepost.Client) -> None:
    """Print what happens in the nights when Berlin's clock is changed: half past two is skipped, or comes twice."""
    for day in ("2027-03-27", "2027-10-30"):
        preview = client.schedules.preview(cron=CRON, zone=ZONE, count=2, after=f"{day}T12:00:00Z")
        for instant in preview.instants:
            print(f"  {instant.local}  {instant.note or ''}".rstrip())


def make_reports(client: milepost.Client, schedule: Schedule) -> list[Task]:
    """Make the reports of the last three nights, as far as they are not made yet, and one at once."""
    now = datetime.now(UTC)
    # An instant never fires twice, so asking again for the same nights makes nothing.
    filled = client.schedules.backfill(schedule, since=now - timedelta(days=3), until=now)
    asked = client.schedules.run(schedule)
    return [client.tasks.wait(task, timeout_s=60) for task in (*filled.task_ids, asked.id)]


def main() -> None:
    client = milepost.Client()
    schedule = ensure_schedule(client)
    print(f"{schedule.name}: {schedule.cadence_text}, next {schedule.next[0].local}")
    show_clock_changes(client)
    with agent.serve_in_background():
        tasks = make_reports(client, schedule)
    # The agent of this example is gone now: paused, the schedule piles up no tasks that nobody does.
    client.schedules.pause(schedule, reason="the example is over", by="the example")
    for instant in client.schedules.instants(schedule, page_size=10).page().instants:
        print(f"  {instant.nominal:%Y-%m-%d %H:%M} UTC  {instant.status}")
    for task in tasks:
        print(f"task {task.id} {task.name}")


if __name__ == "__main__":
    main()
