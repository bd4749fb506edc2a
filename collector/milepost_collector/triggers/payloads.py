"""Bodies of deliveries as values: JSON, and forms as browsers and Slack send them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from milepost_collector.errors import MalformedBodyError, UnsupportedEncodingError

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MEDIA_TYPES = (JSON, FORM)
MAX_FORM_FIELDS = 1_000


def media_type(header: str | None) -> str:
    """Return how a body is written. header: `Content-Type`; JSON without one.

    Raises:
        UnsupportedEncodingError: it is neither JSON nor a form.
    """
    name = (header or JSON).partition(";")[0].strip().lower()
    if name == FORM:
        return FORM
    if name == JSON or name.endswith("+json"):
        return JSON
    raise UnsupportedEncodingError("Content-Type", name, MEDIA_TYPES)


def parse(body: bytes, kind: str) -> Any:
    """Return what a body holds. kind: of `media_type`.

    A form becomes an object of texts, of lists of texts where a field is repeated; a form whose field `payload` is JSON
    stands for that JSON, as GitHub and Slack send it.

    Raises:
        MalformedBodyError: it is not what its type says.
    """
    return _json(body) if kind == JSON else _form(body)


def _json(body: bytes | str) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBodyError(f"the body is not valid JSON: {str(error)[:200]}") from error


def _form(body: bytes) -> Any:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except ValueError as error:  # UnicodeDecodeError too
        raise MalformedBodyError(f"the body is not a form of at most {MAX_FORM_FIELDS} fields: {error}") from error
    fields: dict[str, Any] = {}
    for name, value in pairs:
        before = fields.get(name)
        fields[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    inner = fields.get("payload")
    return _json(inner) if isinstance(inner, str) and inner[:1] in "{[" and inner else fields
