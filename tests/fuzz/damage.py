"""What is done to a whole body: afterwards nothing can be asked of it but a declared answer."""

from __future__ import annotations

import random


def damaged(body: bytes, other: bytes, dice: random.Random) -> tuple[bytes, str]:
    """Return a damaged body and what was done to it. other: a body to take bytes from."""
    damage = dice.choice((_flipped, _cut, _spliced, _torn, _filled))
    return damage(body, other, dice), damage.__name__.lstrip("_")


def _flipped(body: bytes, other: bytes, dice: random.Random) -> bytes:
    bent = bytearray(body)
    for _ in range(dice.choice((1, 2, 5, 50))):
        bent[dice.randrange(len(bent))] ^= 1 << dice.randrange(8)
    return bytes(bent)


def _cut(body: bytes, other: bytes, dice: random.Random) -> bytes:
    return body[: dice.randrange(len(body))]


def _spliced(body: bytes, other: bytes, dice: random.Random) -> bytes:
    return body[: dice.randrange(len(body))] + other[dice.randrange(len(other)) :]


def _torn(body: bytes, other: bytes, dice: random.Random) -> bytes:
    begin = dice.randrange(len(body))
    return body[:begin] + body[begin + dice.randrange(1, 200) :]


def _filled(body: bytes, other: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(body))
    return (
        body[:place]
        + dice.choice((b"\0", b"\xff", b"\n\xff", b"[", b"\x80" * 12)) * dice.randrange(1, 50)
        + body[place:]
    )
