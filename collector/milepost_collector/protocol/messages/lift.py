"""Attributes as they are stored: what repeats from call to call is taken out, and can be put back exactly.

In the stored JSON an attribute may be a marker, an object whose first key begins with `$`:

- {"$rope": [text, id, text, …]}: the text that these texts and pieces make together;
- {"$json": [text, id, text, …]}: the value whose JSON they make together;
- {"$group": {"0": id, …}} under "prefix.*": the attributes prefix.0.rest, …; the piece is {rest: value, …};
- {"$column": name}: the text of that column; with "as" = "string", the string, with "as" = "value", the value whose
  JSON the column holds;
- {"$value": value}: a value of the user's that looks like a marker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from milepost_collector.protocol.messages.rope import MIN_PIECE, MIN_TEXT, Rope, cut, joined, piece_id, whole
from milepost_collector.protocol.messages.table import MEMBERS, PLACES, Member
from milepost_collector.protocol.messages.telling import MIN_TOLD, Text, by_messages, told

Attributes = dict[str, Any]

MIN_GROUP = 48  # characters of a flattened message's JSON; a reference is 36
MARKER = b'{"$'
NO_COLUMNS: Mapping[str, str] = {}
_JSON_STARTS = frozenset('{["-0123456789tfn \t\r\n')

_encode = msgspec.json.Encoder(enc_hook=str).encode
_encode_sorted = msgspec.json.Encoder(enc_hook=str, order="deterministic").encode
_decode_raws = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_raw = msgspec.json.Decoder(Raw).decode
_decode = msgspec.json.Decoder().decode


class Lifted(Struct, frozen=True, gc=False):
    """Attributes without what repeats. attributes_json: None if there are none. pieces: texts by id."""

    attributes_json: str | None
    pieces: dict[str, str]


def lift(attributes: Attributes, *, columns: Mapping[str, str] = NO_COLUMNS, messages: Sequence[Text] = ()) -> Lifted:
    """Return attributes as JSON without the texts that repeat, and these as pieces.

    columns: attribute to the column that holds its text anyway: exactly, if it is valid JSON, else as a JSON string.
    messages: those whose texts may be in the attributes, in their order. `restore` undoes it. Safe in any thread.
    """
    if not attributes:
        return Lifted(None, {})
    pieces: dict[str, str] = {}
    marks: Attributes = {}
    if members := MEMBERS.of(attributes):
        attributes = _grouped(attributes, members, marks, pieces)
    for name in columns:
        if name in attributes:
            marks[name] = _column(attributes[name], columns[name])
    for name, value in attributes.items():
        kind = type(value)
        if kind is str:
            if len(value) < MIN_TOLD or name in marks:
                continue
            rope = by_messages(value, messages) if messages else None
            if rope is None and len(value) >= MIN_TEXT:
                rope = _of_text(name, value, pieces, messages)
            if rope is not None:
                marks[name] = {"$rope": rope}
        elif (kind is list or kind is dict) and name not in marks:
            mark = _of_value(value, pieces, messages)
            if mark is not None:
                marks[name] = mark
    return Lifted(_encode({**attributes, **marks} if marks else attributes).decode(), pieces)


def restore(attributes_json: str, pieces: Mapping[str, str], columns: Mapping[str, str] = NO_COLUMNS) -> str:
    """Return attributes as JSON as they were before `lift`: the same values, texts byte for byte.

    pieces: texts by id, at least those of `piece_ids`. columns: texts by column.

    Raises:
        LookupError: a piece or a column is missing.
    """
    if '{"$' not in attributes_json:
        return attributes_json
    restored: dict[str, Raw] = {}
    for name, raw in _decode_raws(attributes_json).items():
        if not bytes(raw).startswith(MARKER):
            restored[name] = raw
        elif bytes(raw).startswith(b'{"$group"'):
            restored.update(_ungrouped(name, _decode(raw)["$group"], pieces))
        else:
            restored[name] = _restored(_decode(raw), raw, pieces, columns)
    return _encode(restored).decode()


def piece_ids(attributes_json: str) -> list[str]:
    """Return the ids of the pieces that stored attributes refer to, each once, in order."""
    if '{"$' not in attributes_json:
        return []
    ids: dict[str, None] = {}
    for raw in _decode_raws(attributes_json).values():
        if bytes(raw).startswith(MARKER):
            marker = _decode(raw)
            ids.update(dict.fromkeys((marker.get("$rope") or marker.get("$json") or ())[1::2]))
            ids.update(dict.fromkeys(marker.get("$group", {}).values()))
    return list(ids)


def _of_text(name: str, text: str, pieces: dict[str, str], messages: Sequence[Text]) -> Rope | None:
    """Return a long text as a rope, None if it stays as it is."""
    rope = _cut(text, pieces, messages) if text[0] in "{[" else None
    return whole(text, pieces) if rope is None and PLACES[name] is not None else rope


def _of_value(value: Any, pieces: dict[str, str], messages: Sequence[Text]) -> Attributes | None:
    """Return the marker of a list or object, None if it stays as it is."""
    if isinstance(value, dict):
        if str(next(iter(value), "")).startswith("$"):
            return {"$value": value}
    elif not value or not (isinstance(first := value[0], (dict, list)) or _is_long(first)):
        return None
    text = _encode(value).decode()
    if len(text) < MIN_TEXT:
        return None
    rope = by_messages(text, messages) or _cut(text, pieces, messages)
    return None if rope is None else {"$json": rope}


def _cut(text: str, pieces: dict[str, str], messages: Sequence[Text]) -> Rope | None:
    if not messages:
        return cut(text, pieces)
    own: dict[str, str] = {}
    rope = cut(text, own)
    if rope is not None:
        rope = told(rope, own, messages)
        pieces.update(own)
    return rope


def _is_long(value: Any) -> bool:
    return type(value) is str and len(value) >= MIN_PIECE


def _column(value: Any, column: str) -> Attributes:
    if type(value) is not str:
        return {"$column": column, "as": "value"}
    return {"$column": column} if is_json(value) else {"$column": column, "as": "string"}


def is_json(text: str) -> bool:
    """Tell whether a text is valid JSON."""
    if text[:1] not in _JSON_STARTS:
        return False
    try:
        _decode_raw(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _grouped(attributes: Attributes, members: list[Member], marks: Attributes, pieces: dict[str, str]) -> Attributes:
    """Return the attributes without those of flattened messages, for which marks are added."""
    groups: dict[str, dict[int, Attributes]] = {}
    for family, number, path in members:
        if f"{family}*" not in attributes:
            value = attributes[f"{family}{number}.{path}"]
            groups.setdefault(family, {}).setdefault(number, {})[path] = value
    rest = dict(attributes)
    for family, items in groups.items():
        ids = {}
        for index, fields in items.items():
            text = _encode_sorted(fields).decode()
            if len(text) >= MIN_GROUP:
                ids[str(index)] = name = piece_id(text)
                pieces[name] = text
                for path in fields:
                    del rest[f"{family}{index}.{path}"]
        if ids:
            marks[f"{family}*"] = {"$group": ids}
    return rest


def _ungrouped(name: str, ids: dict[str, str], pieces: Mapping[str, str]) -> dict[str, Raw]:
    family = name[:-1]
    return {
        f"{family}{index}.{path}": value
        for index, piece in ids.items()
        for path, value in _decode_raws(joined(["", piece, ""], pieces)).items()
    }


def _restored(marker: Attributes, raw: Raw, pieces: Mapping[str, str], columns: Mapping[str, str]) -> Raw:
    if "$rope" in marker:
        return Raw(_encode(joined(marker["$rope"], pieces)))
    if "$json" in marker:
        return Raw(joined(marker["$json"], pieces).encode())
    if "$column" in marker:
        return _of_column(marker, columns)
    return _decode_raws(raw)["$value"]


def _of_column(marker: Attributes, columns: Mapping[str, str]) -> Raw:
    column = marker["$column"]
    text = columns.get(column)
    if text is None:
        raise LookupError(f"column {column} of an attribute is missing; pass its text in columns")
    return Raw(text.encode() if "as" in marker else _encode(text))
