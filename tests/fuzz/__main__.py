"""The long run.

    python -m tests.fuzz [--bodies N] [--seed N] [--first N] [--keep-going]

Every body follows from the seed and its number, so `--seed S --first N --bodies 1` repeats one. Ends with code 1 at the
first batch in which something happened that should not, or with --keep-going after all of them; the bodies are kept in
a folder that is named.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.bodies import Body, make_body
from tests.fuzz.judge import Failure, Judge, Tally

BATCH = 250  # bodies sent at once
BODIES_PER_DATABASE = 20_000
PROGRESS_S = 5.0
HANG_S = 120.0  # longer for a batch, and some body takes more time than its size deserves
MOST_TOLD = 5


class Run:
    """A run over numbers of bodies, with its progress on standard output."""

    def __init__(self, seed: int, *, keep_going: bool = False) -> None:
        self._seed = seed
        self._keep_going = keep_going
        self._failures: list[Failure] = []
        self._begin = self._told = time.monotonic()
        self.tally = Tally()

    async def over(self, numbers: range) -> list[str]:
        """Judge the bodies of these numbers; return what went wrong, and stop there."""
        for begin in range(numbers.start, numbers.stop, BODIES_PER_DATABASE):
            part = range(begin, min(begin + BODIES_PER_DATABASE, numbers.stop))
            with tempfile.TemporaryDirectory(prefix="milepost-fuzz-") as folder:
                judge = Judge(Path(folder))
                judge.tally = self.tally
                await judge.start()
                try:
                    await self._over_part(judge, part, numbers.stop)
                finally:
                    troubles = await judge.stop()
            if troubles or self._is_over:
                return [*told(self._failures), *troubles]
        return told(self._failures)

    @property
    def _is_over(self) -> bool:
        return bool(self._failures) and not self._keep_going

    async def _over_part(self, judge: Judge, part: range, last: int) -> None:
        bodies = self._bodies(part.start, part)
        while bodies and not self._is_over:
            done = bodies[-1].number + 1
            faulthandler.dump_traceback_later(HANG_S, exit=True)  # until the next batch
            failures, bodies = await asyncio.gather(judge.judge(bodies), asyncio.to_thread(self._bodies, done, part))
            faulthandler.cancel_dump_traceback_later()
            self._failures += failures
            if time.monotonic() - self._told > PROGRESS_S:
                self._told = time.monotonic()
                print(f"{done:,} of {last:,}, {self.rate:,.0f} bodies/s", flush=True)

    def _bodies(self, begin: int, part: range) -> list[Body]:
        return [make_body(self._seed, number) for number in range(begin, min(begin + BATCH, part.stop))]

    @property
    def rate(self) -> float:
        """Bodies per second so far, making and judging them included."""
        return self.tally.bodies / (time.monotonic() - self._begin)

    @property
    def summary(self) -> str:
        """What has been done, in a line."""
        tally = self.tally
        return (
            f"{tally.bodies:,} bodies, {tally.records:,} records, {tally.neighbours:,} neighbours compared, "
            f"{tally.rejected:,} records rejected, {sum(tally.refused.values()):,} bodies refused "
            f"{dict(tally.refused)}, {self.rate:,.0f} bodies/s"
        )


def told(failures: Sequence[Failure]) -> list[str]:
    if not failures:
        return []
    folder = Path(tempfile.mkdtemp(prefix="milepost-fuzz-failures-"))
    for failure in failures:
        (folder / f"{failure.body.number}.body").write_bytes(failure.body.content)
    more = [f"and {len(failures) - MOST_TOLD} more"] if len(failures) > MOST_TOLD else []
    return [*map(str, failures[:MOST_TOLD]), *more, f"their bodies are in {folder}"]


def main() -> None:
    """Run, print what came of it, and end with code 1 if something went wrong."""
    parser = argparse.ArgumentParser(description="Mutated OTLP bodies against the real ingest.")
    parser.add_argument("--bodies", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--first", type=int, default=0, help="number of the first body (default: 0)")
    parser.add_argument("--keep-going", action="store_true", help="go on after a failure")
    given = parser.parse_args()
    logging.getLogger("milepost").setLevel(logging.CRITICAL)  # what is wrong with a body is told by its answer
    print(f"seed {given.seed}", flush=True)
    run = Run(given.seed, keep_going=given.keep_going)
    wrong = asyncio.run(run.over(range(given.first, given.first + given.bodies)))
    print(run.summary)
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
