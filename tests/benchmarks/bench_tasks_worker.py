"""A worker as its user writes it, recorded like any other; when it is stopped it tells when its handlers began.

python -m tests.benchmarks.bench_tasks_worker AGENT ENDPOINT SLOTS FILE
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import milepost

NAME, ENDPOINT, SLOTS, FILE = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])

agent = milepost.Agent(NAME)
began: dict[str, int] = {}


@agent.task("work")
def work(ctx: milepost.TaskContext, number: int) -> dict[str, Any]:
    """Do nothing: what is measured is everything around it."""
    began[ctx.task_id] = time.time_ns()
    return {"number": number}


if __name__ == "__main__":
    milepost.init(endpoint=ENDPOINT)
    agent.serve(concurrency=SLOTS, endpoint=ENDPOINT)
    FILE.write_text(json.dumps(began))
