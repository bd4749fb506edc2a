"""Identifiers: random numbers inside, W3C Trace Context's hexadecimal text outside."""

from __future__ import annotations

import os
import random
import re
from typing import NamedTuple, Protocol

__all__ = [
    "IdGenerator",
    "RandomIds",
    "TraceParent",
    "format_traceparent",
    "parse_traceparent",
    "run_text",
    "span_text",
]

_TRACEPARENT = re.compile(r"\s*([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\s*")


class IdGenerator(Protocol):
    """Where ids come from. Both methods are called from any thread and return a number above 0."""

    def new_run_id(self) -> int:
        """Return a number of at most 128 bits."""

    def new_span_id(self) -> int:
        """Return a number of at most 64 bits."""


class RandomIds:
    """Random ids from a generator of our own, so that `random.seed` in user code cannot make two processes collide.

    A process that forks must make a new one: the generator's state is copied with the memory.
    """

    def __init__(self) -> None:
        # Mersenne Twister seeded with 256 bits of the system's entropy: ids need to be unique, not secret.
        self._bits = random.Random(int.from_bytes(os.urandom(32), "big")).getrandbits

    def new_run_id(self) -> int:
        return self._bits(128) or 1

    def new_span_id(self) -> int:
        return self._bits(64) or 1


class TraceParent(NamedTuple):
    """The run and span a remote caller is in."""

    run_id: int
    span_id: int


def parse_traceparent(text: str) -> TraceParent | None:
    """Return what a W3C `traceparent` names, or None if it is malformed or names the invalid id 0."""
    match = _TRACEPARENT.fullmatch(str(text)[:512])
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    parent = TraceParent(int(match[2], 16), int(match[3], 16))
    return parent if all(parent) else None


def format_traceparent(run_id: int, span_id: int, flags: int = 1) -> str:
    """Return the W3C `traceparent` of a span; flags: 1 means sampled."""
    return f"00-{run_id:032x}-{span_id:016x}-{flags:02x}"


def run_text(run_id: int) -> str:
    """Return 32 lower-case hexadecimal digits."""
    return f"{run_id:032x}"


def span_text(span_id: int) -> str:
    """Return 16 lower-case hexadecimal digits."""
    return f"{span_id:016x}"
