"""An agent that runs tasks until its standard input closes, while its collector is being killed and started again.

Prints, as JSON, how many runs and tasks it ended and whether everything was handed over at the end.
"""

from __future__ import annotations

import json
import sys
import threading

import milepost


def work(endpoint: str) -> None:
    """Run until told to stop."""
    # The queue holds all that is recorded while the collector is down: dropping is right, and tested elsewhere.
    milepost.init(
        endpoint=endpoint,
        agent="survivor",
        exit_timeout_ms=30_000,
        max_queue_events=1_000_000,
        max_queue_bytes=4 * 2**30,
    )
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    runs = tasks = 0
    while not stop.wait(0.005):  # some 200 runs a second: a steady load rather than a full queue
        with milepost.start_run("steady", input={"run": runs}) as run:
            for number in range(5):
                with run.start_task("step", input={"number": number}) as task:
                    task.checkpoint({"number": number})
                    tasks += 1
        runs += 1
    flushed = milepost.flush(30)
    print(json.dumps({"runs": runs, "tasks": tasks, "flushed": flushed}))


if __name__ == "__main__":
    work(sys.argv[1])
