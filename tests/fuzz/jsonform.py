"""What is done to one OTLP/JSON record. The body stays JSON, so whatever happens inside costs at most the record."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from tests.fuzz import oddities

IDS = ("traceId", "spanId", "parentSpanId")
ODD_IDS = ("", "0" * 32, "0" * 16, "XYZ", "AAAAAAAAAAAAAAAAAAAAAA==", "a" * 15, "f" * 33, None, 7, ["a"])
ODD_FIELDS = ("name", "status", "kind", "attributes", "events", "links", "startTimeUnixNano", "endTimeUnixNano",
              "flags", "traceState", "droppedAttributesCount", "body", "severityNumber", "extra")  # fmt: skip


def mutated(record: dict[str, Any], dice: random.Random) -> tuple[dict[str, Any], str]:
    """Return a copy of a record with one to three things wrong, and their names."""
    record = copy.deepcopy(record)
    names = []
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        mutation = dice.choice(MUTATIONS)
        mutation(record, dice)
        names.append(mutation.__name__)
    return record, "+".join(names)


def anything(dice: random.Random) -> Any:
    """Return a JSON value of any type; NaN and numbers beyond 64 bits are left to `number`."""
    return dice.choice(
        (None, True, 0, -1, 2**53 + 1, 1.5, "", "42", "NaN", oddities.text(dice), [], {}, [None], {"a": 1})
    )


def replace(record: dict[str, Any], dice: random.Random) -> None:
    """Put a value of any type somewhere."""
    holder, key = dice.choice(list(_places(record)))
    holder[key] = anything(dice)


def remove(record: dict[str, Any], dice: random.Random) -> None:
    """Take something away."""
    holder, key = dice.choice(list(_places(record)))
    del holder[key]


def top_level(record: dict[str, Any], dice: random.Random) -> None:
    """Put anything into a field of the record itself."""
    record[dice.choice(ODD_FIELDS)] = anything(dice)


def number(record: dict[str, Any], dice: random.Random) -> None:
    """Put an odd number, as a number or as text, somewhere."""
    holder, key = dice.choice(list(_places(record)))
    odd = dice.choice((*oddities.NUMBERS, 2**64, 2**90, 10**400, -(2**80)))
    holder[key] = dice.choice((odd, str(odd), float(dice.choice(oddities.FLOATS[:5]))))


def identity(record: dict[str, Any], dice: random.Random) -> None:
    """Give an id that is none."""
    record[dice.choice(IDS)] = dice.choice((*ODD_IDS, record.get("spanId"), str(record.get("traceId")).upper()))


def attribute(record: dict[str, Any], dice: random.Random) -> None:
    """Add attributes that vendors use, with values they do not."""
    found = record.setdefault("attributes", [])
    if isinstance(found, list):
        for _ in range(dice.choice((1, 2, 5, 20))):
            found.append({"key": oddities.attribute_name(dice), "value": any_value(dice)})


def content(record: dict[str, Any], dice: random.Random) -> None:
    """Replace texts of attributes by documents that look like messages or usage."""
    texts = [(holder, key) for holder, key in _places(record) if key == "stringValue"]
    for holder, key in dice.sample(texts, min(len(texts), 3)):
        holder[key] = oddities.json_text(dice)


def nesting(record: dict[str, Any], dice: random.Random) -> None:
    """Add an attribute of lists in one another."""
    value: Any = {"stringValue": "deep"}
    for _ in range(dice.choice((30, 99, 101, 300)) if dice.random() < 0.2 else 5):
        value = {"arrayValue": {"values": [value]}}
    found = record.setdefault("attributes", [])
    if isinstance(found, list):
        found.append({"key": oddities.attribute_name(dice), "value": value})


MUTATIONS = (replace, replace, remove, top_level, number, identity, attribute, attribute, content, content, nesting)


def any_value(dice: random.Random) -> Any:
    """Return an AnyValue of a random type, or what is none."""
    return dice.choice(
        (
            {"stringValue": oddities.text(dice)},
            {"stringValue": oddities.json_text(dice)},
            {"boolValue": dice.choice((True, "true", 0))},
            {"intValue": dice.choice((*oddities.NUMBERS, "12", "-0", "1.0", "x", 1e300))},
            {"doubleValue": dice.choice((1.5, "NaN", "Infinity", None, 1, "1e400"))},
            {"arrayValue": dice.choice(({}, {"values": [{"intValue": 1}, {}]}, None))},
            {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}},
            {"bytesValue": dice.choice(("AAEC", "not base64!", ""))},
            {"stringValue": "a", "intValue": 1},
            {},
            None,
            "bare",
        )
    )


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a document that holds a value, as its holder and the key there."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in list(members):
        yield value, key
        if isinstance(member, dict | list):
            yield from _places(member)
