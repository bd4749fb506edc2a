"""What is done to one protobuf record. Its frame stays whole, so whatever happens inside costs at most itself."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from tests.fuzz import oddities
from tests.fuzz.wire import BYTES, FIXED32, FIXED64, GROUP, TEXTS, VARINT, Field, any_field, encode, parse, walk

Mutation = Callable[[list[Field], random.Random], None]

ATTRIBUTES = {"span": 9, "log": 6}
IDS = {"span": (1, 2, 4), "log": (9, 10)}  # trace, span, parent
TIMES = {"span": (7, 8), "log": (1, 11)}
GIANT_BYTES = (70_000, 300_000)
DEPTHS = (3, 30, 99, 101, 400, 3000)


def mutated(record: bytes, kind: str, dice: random.Random) -> tuple[bytes, str]:
    """Return a record with one to three things wrong, and their names. kind: span, log or metric."""
    if dice.random() < 0.15:
        return _bent_bytes(record, dice), "bytes"
    fields = parse(record, kind)
    names = []
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        mutation = dice.choice(MUTATIONS)
        names.append(mutation.__name__)
        if fields:
            mutation(fields, dice)
    return encode(fields), "+".join(names)


def _bent_bytes(record: bytes, dice: random.Random) -> bytes:
    bent = bytearray(record)
    for _ in range(dice.choice((1, 1, 2, 8))):
        if not bent:
            break
        place = dice.randrange(len(bent))
        what = dice.randrange(4)
        if what == 0:
            bent[place] ^= 1 << dice.randrange(8)
        elif what == 1:
            del bent[place:]
        elif what == 2:
            bent[place:place] = dice.randbytes(dice.randrange(1, 9))
        else:
            del bent[place : place + dice.randrange(1, 40)]
    return bytes(bent)


def number(fields: list[Field], dice: random.Random) -> None:
    """Put an odd number into a field of numbers, or a fixed one in odd bytes."""
    numbers = [field for held, place in walk(fields) if (field := held[place]).wire_type != BYTES]
    if not numbers:
        return
    field = dice.choice(numbers)
    odd = dice.choice(oddities.NUMBERS)
    if field.wire_type == VARINT:
        field.value = dice.choice((odd, odd, 2**64, 2**90))
    else:
        width = 8 if field.wire_type == FIXED64 else 4
        field.value = (odd & 2 ** (8 * width) - 1).to_bytes(width, "little")


def wire_type(fields: list[Field], dice: random.Random) -> None:
    """Write a field with another wire type than it has."""
    held, place = any_field(fields, dice)
    field = held[place]
    field.wire_type = dice.choice((VARINT, FIXED64, BYTES, GROUP, 4, FIXED32, 6, 7))
    width = {FIXED64: 8, FIXED32: 4}.get(field.wire_type)
    if field.wire_type == VARINT:
        field.value = dice.choice(oddities.NUMBERS)
    elif width or isinstance(field.value, int):
        field.value = dice.randbytes(width or 3)


def length(fields: list[Field], dice: random.Random) -> None:
    """Lie about how long a field is."""
    held, place = any_field(fields, dice)
    size = len(encode([held[place]]))
    held[place].length = dice.choice((0, 1, max(size - 3, 0), size + 1, size * 2, 2**31, 2**32, 2**63, 2**64 + 5))


def text(fields: list[Field], dice: random.Random) -> None:
    """Put an odd text, UTF-8 or not, where a text belongs."""
    texts = [field for held, place in walk(fields) if ((field := held[place]).message, field.number) in TEXTS]
    if texts:
        odd = dice.choice((oddities.text(dice).encode(), dice.choice(oddities.BYTE_TEXTS)))
        dice.choice(texts).value = odd


def order(fields: list[Field], dice: random.Random) -> None:
    """Repeat, drop or move a field."""
    held, place = any_field(fields, dice)
    what = dice.randrange(3)
    if what == 0:
        held.insert(dice.randrange(len(held) + 1), held[place])
    elif what == 1:
        del held[place]
    else:
        dice.shuffle(held)


def unknown(fields: list[Field], dice: random.Random) -> None:
    """Add a field nobody knows."""
    held, place = any_field(fields, dice)
    held.insert(place, Field(dice.choice((0, 14, 99, 1000, 2**29 - 1)), BYTES, dice.randbytes(dice.randrange(9))))


def identity(fields: list[Field], dice: random.Random) -> None:
    """Give an id a wrong length, make it zero, or the same as another of the record."""
    kind = fields[0].message
    ids = [field for field in fields if field.number in IDS.get(kind, ())]
    if not ids:
        return
    field, other = dice.choice(ids), dice.choice(ids)
    raw = other.value if isinstance(other.value, bytes) else b""
    hexed = raw.hex().encode()
    field.value = dice.choice(
        (b"", b"\0" * 8, b"\0" * 16, raw, raw[:7], raw + b"\1", hexed, hexed.upper(), b"\xff" * 16)
    )


def time(fields: list[Field], dice: random.Random) -> None:
    """Move a record's times to where there are none."""
    for field in fields:
        if field.number in TIMES.get(field.message, ()) and dice.random() < 0.7:
            field.value = (dice.choice(oddities.NUMBERS) & 2**64 - 1).to_bytes(8, "little")


def attribute(fields: list[Field], dice: random.Random) -> None:
    """Add attributes that vendors use, with values they do not."""
    for _ in range(dice.choice((1, 2, 5, 20))):
        _add_attribute(fields, oddities.attribute_name(dice), any_value(dice), dice)


def content(fields: list[Field], dice: random.Random) -> None:
    """Replace the texts of attributes by documents that look like messages or usage."""
    values = [field for held, place in walk(fields) if (field := held[place]).message == "value" and field.number == 1]
    for field in dice.sample(values, min(len(values), 3)):
        field.value = oddities.json_text(dice).encode("utf-8", "surrogatepass")


def giant(fields: list[Field], dice: random.Random) -> None:
    """Add one very long attribute, or very many."""
    if dice.random() < 0.9:  # they are slow
        return
    if dice.random() < 0.5:
        _add_attribute(fields, "giant", [_value(1, b"x" * dice.choice(GIANT_BYTES))], dice)
    else:
        for place in range(2000):
            _add_attribute(fields, f"many.{place % 1500}", [Field(3, VARINT, place, "value")], dice)


def nesting(fields: list[Field], dice: random.Random) -> None:
    """Add an attribute of lists or objects in one another."""
    value = [_value(1, b"deep")]
    for _ in range(dice.choice(DEPTHS) if dice.random() < 0.2 else 5):
        if dice.random() < 0.5:
            value = [_value(5, encode([Field(1, BYTES, encode(value))]))]
        else:
            pair = [Field(1, BYTES, b"k"), Field(2, BYTES, encode(value))]
            value = [_value(6, encode([Field(1, BYTES, encode(pair))]))]
    _add_attribute(fields, oddities.attribute_name(dice), value, dice)


MUTATIONS: tuple[Mutation, ...] = (
    number, wire_type, length, text, order, unknown, identity, time, attribute, attribute, content, content, giant,
    nesting,
)  # fmt: skip


def any_value(dice: random.Random) -> list[Field]:
    """Return an AnyValue of a random type."""
    what = dice.randrange(9)
    if what == 0:
        return [_value(1, oddities.text(dice).encode())]
    if what == 1:
        return [_value(1, oddities.json_text(dice).encode("utf-8", "surrogatepass"))]
    if what == 2:
        return [Field(2, VARINT, dice.choice((0, 1, 2)), "value")]
    if what == 3:
        return [Field(3, VARINT, dice.choice(oddities.NUMBERS), "value")]
    if what == 4:
        return [Field(4, FIXED64, struct.pack("<d", dice.choice(oddities.FLOATS)), "value")]
    if what == 5:
        members = [Field(1, BYTES, encode(any_value(dice))) for _ in range(dice.randrange(4))]
        return [_value(5, encode(members))]
    if what == 6:
        pair = [Field(1, BYTES, dice.choice(oddities.KEYS).encode()), Field(2, BYTES, encode(any_value(dice)))]
        return [_value(6, encode([Field(1, BYTES, encode(pair))]))]
    return [_value(7, dice.randbytes(5))] if what == 7 else []


def _value(number: int, data: bytes) -> Field:
    return Field(number, BYTES, data, "value")


def _add_attribute(fields: list[Field], name: str, value: list[Field], dice: random.Random) -> None:
    kind = fields[0].message
    if kind not in ATTRIBUTES:
        return
    pair: list[Field] = [Field(1, BYTES, name.encode(), "attribute"), Field(2, BYTES, list(value), "attribute")]
    fields.insert(dice.randrange(len(fields) + 1), Field(ATTRIBUTES[kind], BYTES, pair, kind))
