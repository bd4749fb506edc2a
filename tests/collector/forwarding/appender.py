"""A process that queues bodies and prints the number of each once it is queued, to be killed at any moment.

python -m tests.collector.forwarding.appender DIR URL LIFE
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

from milepost_collector.forwarding import Forwarding, parse_destinations

MIB = 1024 * 1024
SENDERS = 4


async def main(folder: str, url: str, life: str) -> None:
    """Queue for ever, from several tasks at once."""
    forwarding = Forwarding(Path(folder), parse_destinations([url], []), max_bytes=64 * MIB)
    await forwarding.start()
    await asyncio.gather(*(queue(forwarding, f"{life}/{sender}") for sender in range(SENDERS)))


async def queue(forwarding: Forwarding, sender: str) -> None:
    """Queue bodies of different sizes, one after the other."""
    for number in itertools.count():
        await forwarding.enqueue("traces", "application/json", body_of(f"{sender}/{number}"))
        print(f"{sender}/{number}", flush=True)


def body_of(name: str) -> bytes:
    """Return the body of a name: of up to 20 KB, and one can tell whether it is whole."""
    number = int(name.rpartition("/")[2])
    return name.encode() + b" " * (number * 7919 % 20_000) + b"."


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
