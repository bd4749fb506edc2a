"""From a seed and a number to a body, always the same one, and what may be asked about it afterwards."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from tests.fuzz import jsonform, protobuf
from tests.fuzz.damage import damaged
from tests.fuzz.seeds import JSON_NAMES, RECORD_KINDS, Payload, Record, payloads
from tests.fuzz.wire import encode, member, parse

PROTOBUF, JSON = "application/x-protobuf", "application/json"
MAX_RECORDS = 4
DAMAGED_SHARE = 0.2
SPAN_IDS = {"span": (1, 2), "log": (9, 10)}


@dataclass(slots=True)
class Body:
    """One request. mutation: what was done, for people.

    neighbours: run and span ids of the records that nobody touched, each with the place in `payloads` it is from.
    refusable: how many records may be rejected: the mutated one, and those whose ids are none anyway.
    """

    number: int
    signal: str
    content_type: str
    content: bytes
    mutation: str
    records: int
    refusable: int = MAX_RECORDS
    neighbours: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)


def make_body(seed: int, number: int) -> Body:
    """Return the body of a number: records of one payload, one of them mutated, or the whole body damaged."""
    dice = random.Random(f"{seed}/{number}")
    payload = _payload(dice)
    count = min(dice.randrange(1, MAX_RECORDS + 1), len(payload.records))
    begin = dice.randrange(len(payload.records) - count + 1)
    records = payload.records[begin : begin + count]
    body = _renamed_body(payload, records, number, dice)
    if dice.random() < DAMAGED_SHARE:
        other = dice.choice([one for one in payloads() if one.is_json == payload.is_json])
        body.content, body.mutation = damaged(body.content, _whole(other, other.records[:2]), dice)
        body.neighbours, body.refusable = {}, sys.maxsize
    return body


def _payload(dice: random.Random) -> Payload:
    """Return a payload; large ones more often, and logs and metrics more often than the corpus has them."""
    signal = dice.choices(("traces", "logs", "metrics"), (8, 1, 1))[0]
    found = [payload for payload in payloads() if payload.signal == signal]
    return dice.choices(found, [len(payload.records) for payload in found])[0]


def plain_body(payload: Payload, number: int, dice: random.Random) -> Body:
    """Return a body of all records of a payload, nothing done to it but new run ids."""
    return _body(payload, [_renamed(record, payload, {}, dice) for record in payload.records], number, "none")


def _renamed_body(payload: Payload, records: Sequence[Record], number: int, dice: random.Random) -> Body:
    run_ids: dict[Any, Any] = {}
    renamed = [_renamed(record, payload, run_ids, dice) for record in records]
    victim = dice.randrange(len(renamed))
    before = renamed[victim]
    kind = RECORD_KINDS[payload.signal]
    if payload.is_json:
        content, mutation = jsonform.mutated(before.content, dice)
    else:
        content, mutation = protobuf.mutated(before.content, kind, dice)
    renamed[victim] = Record(content, before.resource, before.scope, before.place)
    body = _body(payload, renamed, number, mutation)
    touched = _ids(before, payload)
    intact = [record for place, record in enumerate(renamed) if place != victim]
    ids = [_ids(record, payload) for record in intact]
    body.refusable = 1 + (ids.count(None) if payload.signal == "traces" else 0)
    for pair, record in zip(ids, intact, strict=True):
        # a copy of the one that was mutated, or of another one, is settled between the copies
        if pair is not None and pair != touched and ids.count(pair) == 1:
            body.neighbours[pair] = (payload.name, record.place)
    return body


def _body(payload: Payload, records: Sequence[Record], number: int, mutation: str) -> Body:
    body = Body(
        number, payload.signal, JSON if payload.is_json else PROTOBUF, _whole(payload, records), mutation, len(records)
    )
    if mutation == "none":
        body.neighbours = {
            pair: (payload.name, record.place) for record in records if (pair := _ids(record, payload)) is not None
        }
    return body


def _renamed(record: Record, payload: Payload, run_ids: dict[Any, Any], dice: random.Random) -> Record:
    """Return a record with another run id, the same for all records of a run in the body."""
    if payload.is_json:
        content = dict(record.content)
        if (old := content.get("traceId")) and isinstance(old, str) and len(old) == 32 and old.strip("0"):
            content["traceId"] = run_ids.setdefault(old, f"{dice.getrandbits(128) | 1:032x}")
        return Record(content, record.resource, record.scope, record.place)
    kind = RECORD_KINDS[payload.signal]
    if kind not in SPAN_IDS:
        return record
    fields = parse(record.content, "")
    for one in fields:
        if one.number == SPAN_IDS[kind][0] and isinstance(one.value, bytes) and len(one.value) == 16:
            one.value = run_ids.setdefault(one.value, dice.randbytes(15) + b"\1") if any(one.value) else one.value
    return Record(encode(fields), record.resource, record.scope, record.place)


def _ids(record: Record, payload: Payload) -> tuple[str, str] | None:
    """Return run and span id of a span; None: it has no good ones."""
    if payload.signal != "traces":
        return None
    if payload.is_json:
        pair = record.content.get("traceId", ""), record.content.get("spanId", "")
    else:
        ids = {one.number: one.value for one in parse(record.content, "") if isinstance(one.value, bytes)}
        pair = ids.get(1, b"").hex(), ids.get(2, b"").hex()
    return pair if len(pair[0]) == 32 and len(pair[1]) == 16 and pair[0].strip("0") and pair[1].strip("0") else None


def _whole(payload: Payload, records: Sequence[Record]) -> bytes:
    return _json(payload, records) if payload.is_json else _protobuf(records)


def _protobuf(records: Sequence[Record]) -> bytes:
    groups = []
    for (resource, scope), held in groupby(records, key=lambda record: (record.resource, record.scope)):
        scoped = member(1, scope) + b"".join(member(2, record.content) for record in held)
        groups.append(member(1, member(1, resource) + member(2, scoped)))
    return b"".join(groups)


def _json(payload: Payload, records: Sequence[Record]) -> bytes:
    groups, scopes, name = JSON_NAMES[payload.signal]
    found = []
    for (resource, scope), held in groupby(records, key=lambda record: (record.resource, record.scope)):
        scoped = {"scope": scope, name: [record.content for record in held]}
        found.append({"resource": resource, scopes: [scoped]})
    return json.dumps({groups: found}).encode()
