"""OTLP/JSON that strict JSON or the schema would refuse whole, made into what they take."""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import Struct

from milepost_collector.protocol.otlp import jsontypes
from milepost_collector.protocol.otlp.values import MAX_DEPTH, TOO_DEEP

# A level of a map is four brackets deep: {"kvlistValue": {"values": [{"value": …
MAX_BRACKETS = 4 * MAX_DEPTH + 24
# Possessive, and a text need not end: else one that does not would be tried again from every quote in it.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_CUT = json.dumps({"key": "…", "value": {"stringValue": TOO_DEEP}, "stringValue": TOO_DEEP}).encode()

# What protobuf's own JSON writers send when told to keep the names of fields.
_SNAKE_CASE_SIGNS = (b'"resource_', b'"scope_', b'"trace_id":', b'"string_value":', b'"time_unix_nano":')


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


_names = {
    *(name for names in jsontypes.NAMES.values() for name in names[:3]),
    *(
        name
        for kind in vars(jsontypes).values()
        if isinstance(kind, type) and issubclass(kind, Struct)
        for name in kind.__struct_fields__
    ),
}
CAMEL_NAMES = {name: _camel(name) for name in _names if "_" in name}


def has_snake_case(body: bytes) -> bool:
    """Tell whether field names look like protobuf's own, resource_spans in place of resourceSpans."""
    return any(sign in body for sign in _SNAKE_CASE_SIGNS)


def repaired(body: bytes) -> bytes:
    """Return JSON without byte order mark, bytes that are not UTF-8, lone surrogates, NaN literals and snake_case.

    Raises:
        ValueError: it is no JSON for any reader.
        RecursionError: it is nested too deep; `shallow` helps.
    """
    text = body.decode("utf-8-sig", "replace")
    document = json.loads(text, strict=False, parse_constant=str, object_pairs_hook=_object)
    written = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def shallow(body: bytes) -> bytes:
    """Return JSON in which members of lists that lie too deep are replaced by the text TOO_DEEP, as value or map entry.

    Brackets are counted, nothing is parsed: as deep as the sender likes.
    """
    kept: list[bytes] = []
    open_brackets = bytearray()
    copied, cut_at = 0, None
    for token in _TOKEN.finditer(body):
        bracket = body[token.start()]
        if bracket in b"{[":
            inside_list = open_brackets[-1:] == b"["
            if cut_at is None and bracket in b"{" and inside_list and len(open_brackets) >= MAX_BRACKETS:
                cut_at = len(open_brackets)
                kept += [body[copied : token.start()], _CUT]
            open_brackets.append(bracket)
        elif bracket in b"}]" and open_brackets:
            open_brackets.pop()
            if cut_at == len(open_brackets):
                copied, cut_at = token.end(), None
    return b"".join([*kept, body[copied:]]) if cut_at is None else b"".join(kept)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {CAMEL_NAMES.get(name, name): value for name, value in pairs}
