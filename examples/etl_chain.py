"""An ETL chain of managed tasks: extract, transform, load, each queued until the one before it has ended.

Shows: an agent with three handlers, tasks that depend on each other and take each other's results, a failure that the
controller tries again, a load that may be done twice without harm.

    python examples/etl_chain.py

Needs a collector (`milepost serve`); MILEPOST_ENDPOINT names one elsewhere than at http://127.0.0.1:4600.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

import milepost
from milepost.wire.tasks import Task

DATA = Path(__file__).parent / "data"

agent = milepost.Agent("etl-agent")


class Row(TypedDict):
    file: str
    words: int
    longest: str


@agent.task("Extract Data")
def extract(ctx: milepost.TaskContext, folder: str) -> dict[str, str]:
    if ctx.failures == 0:
        # Stands for a source that is not always there. The handler need not try again: the controller does.
        raise ConnectionError("the archive closed the connection")
    paths = sorted(Path(folder).glob("*.txt"))
    return {path.name: path.read_text("utf-8", errors="replace") for path in paths}


@agent.task("Transform Data")
def transform(ctx: milepost.TaskContext, documents: dict[str, str]) -> list[Row]:
    rows: list[Row] = []
    for done, (file, text) in enumerate(documents.items(), 1):
        words = Counter(text.lower().split())
        rows.append({"file": file, "words": words.total(), "longest": max(words, key=len)})
        ctx.progress(done / len(documents), phase=file)
    return rows


@agent.task("Load Data")
def load(rows: list[Row], database: str) -> int:
    # An attempt whose worker dies after the commit, and before its report arrives, is done again. So what a handler
    # does to the outside must bear being done twice: this replaces rows, where an INSERT alone would double them.
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS documents (file TEXT PRIMARY KEY, words INTEGER, longest TEXT)")
        connection.executemany("REPLACE INTO documents VALUES (:file, :words, :longest)", rows)
    return len(rows)


def order_chain(client: milepost.Client, database: Path) -> list[Task]:
    """Hand over all three tasks at once; the controller releases each when it may begin."""
    extracted = client.tasks.create(
        name="Extract Data",
        agent="etl-agent",
        input={"folder": str(DATA)},
        settings={"max_retries": 3, "retry_delay_ms": 100},  # what brings a source down for hours wants longer delays
    )
    transformed = client.tasks.create(
        name="Transform Data",
        agent="etl-agent",
        dependencies=[{"task_id": extracted.id, "output_as": "documents"}],
        priority="urgent",
    )
    loaded = client.tasks.create(
        name="Load Data",
        agent="etl-agent",
        input={"database": str(database)},
        dependencies=[{"task_id": transformed.id, "output_as": "rows"}],
        # Without it a chain whose upstream failed stays blocked, until somebody has retried what failed.
        settings={"timeout_ms": 60_000, "on_upstream_failure": "skip"},
    )
    return [extracted, transformed, loaded]


def main() -> None:
    milepost.init(agent="etl-orders")
    client = milepost.Client()
    with TemporaryDirectory() as folder:
        database = Path(folder) / "documents.sqlite"
        # Tasks that are created inside a run are linked to it: the viewer leads from the order to the work.
        with milepost.start_run("order-etl"):
            tasks = order_chain(client, database)
        # A real agent is a process of its own (`milepost agent run etl_chain:agent`), or several of them.
        with agent.serve_in_background(concurrency=2):
            loaded = client.tasks.wait(tasks[-1], timeout_s=60)
        with closing(sqlite3.connect(database)) as connection:
            [(count, words)] = connection.execute("SELECT count(*), sum(words) FROM documents")
    for task in tasks:
        print(f"task {task.id} {task.name}")
    print(f"{loaded.result} rows loaded: {count} documents of {words} words")


if __name__ == "__main__":
    main()
