"""A nightly report that hands something over: a page and its figures, which it owes before it counts as done.

Shows: a scheduled task with a contract, deliverables attached from files and values, a result with a summary, insights
and recommendations, a first try that forgot the figures, downloads whose digests are checked, and what a reader thinks.

    python examples/nightly_deliverables.py

Needs a collector (`milepost serve`); MILEPOST_ENDPOINT names one elsewhere than at http://127.0.0.1:4600.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import milepost
from milepost.wire.schedules import Schedule
from milepost.wire.tasks import Task

DATA = Path(__file__).parent / "data"
NAME = "nightly-word-report"

agent = milepost.Agent("word-report-agent")


@agent.task("Word Report")
def report(ctx: milepost.TaskContext, folder: str) -> milepost.Result:
    sizes = ctx.step("count words", count_words, folder)
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "report.md"
        page.write_text(page_of(sizes), "utf-8")
        ctx.attach("report.md", page, type="report")  # a file is streamed from the disk
    if ctx.failures:  # the first try forgets them, and fails for it
        ctx.attach("words.json", sizes, type="data")  # a value is kept as JSON
    longest = max(sizes, key=lambda name: sizes[name])
    return milepost.Result(
        sizes,
        summary=f"{len(sizes)} documents have {sum(sizes.values())} words.",
        insights=[f"{longest} is the longest with {sizes[longest]} words"],
        recommendations=[f"split {longest}"],
    )


def count_words(folder: str) -> dict[str, int]:
    texts = {path.name: path.read_text("utf-8", errors="replace") for path in sorted(Path(folder).glob("*.txt"))}
    return {name: sum(Counter(text.split()).values()) for name, text in texts.items()}


def page_of(sizes: dict[str, int]) -> str:
    rows = "\n".join(f"| {name} | {words} |" for name, words in sizes.items())
    return f"# Words by document\n\n| document | words |\n|---|---|\n{rows}\n"


def ensure_schedule(client: milepost.Client) -> Schedule:
    """Create the schedule, or let go on the one that is there."""
    task = {
        "name": "Word Report",
        "agent": agent.name,
        "input": {"folder": str(DATA)},
        "deliverables": [{"type": "report", "content_types": ["text/markdown"]}, {"name": "words.json"}],
        "settings": {"retry_delay_ms": 0, "jitter": 0},
    }
    try:
        return client.schedules.create(NAME, cron="30 2 * * *", zone="Europe/Berlin", task=task)
    except milepost.ConflictError:
        return client.schedules.resume(NAME, by="the example")


def read(client: milepost.Client, task: Task) -> None:
    """Save what the task handed over, and say what a reader thinks of it."""
    with tempfile.TemporaryDirectory() as folder:
        for made in client.tasks.deliverables(task).deliverables:
            saved = client.tasks.download(task, made.name, folder)
            print(f"  {made.name}: {made.type}, {saved.stat().st_size} bytes, by attempt {made.attempt}")
    client.feedback.add(5, "just what I needed", task=task, by="a reader", idempotency_key=f"read {task.id}")


def main() -> None:
    client = milepost.Client()
    schedule = ensure_schedule(client)
    with agent.serve_in_background():
        asked = client.schedules.run(schedule)  # tonight's report now
        task = client.tasks.wait(asked, timeout_s=60)
    client.schedules.pause(schedule, reason="the example is over", by="the example")
    first = client.tasks.get_run(task, 1)
    print(f"attempt 1 {first.status}: {first.error_type}: {first.error_message}")
    print(f"attempt {task.attempt} {task.status}: {task.result['summary']}")
    read(client, task)
    print(f"task {task.id} {task.name}")


if __name__ == "__main__":
    main()
