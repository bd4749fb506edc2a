"""Requests as OTLP/JSON, in the two styles that exporters write.

Python's leaves default values out and writes 64-bit integers and NaN as texts. JavaScript's writes numbers as numbers,
which costs integers beyond 2^53 their last digits, NaN as null and default values in full.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

Writer = Callable[[Any], bytes]

_IDS = ("trace_id", "span_id", "parent_span_id")
_LARGE = (
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT64,
)


def python_json(message: Any) -> bytes:
    """Return a request as Python's exporter writes it."""
    return json.dumps(_message(message, _python_scalar)).encode()


def javascript_json(message: Any) -> bytes:
    """Return a request as JavaScript's exporter writes it."""
    return json.dumps(_message(message, _javascript_scalar, defaults=True), ensure_ascii=False).encode()


def snake_case_json(message: Any) -> bytes:
    """Return a request with protobuf's own field names."""
    return json.dumps(_message(message, _python_scalar, camel=False)).encode()


def _message(
    message: Any, scalar: Callable[[FieldDescriptor, Any], Any], *, defaults: bool = False, camel: bool = True
) -> dict[str, Any]:
    written = {}
    for field in message.DESCRIPTOR.fields:
        name = field.json_name if camel else field.name
        sent = getattr(message, field.name)
        if field.message_type:
            convert = lambda item: _message(item, scalar, defaults=defaults, camel=camel)  # noqa: E731
        else:
            convert = lambda item, field=field: scalar(field, item)  # noqa: E731
        if field.is_repeated:
            if sent or defaults:
                written[name] = [convert(item) for item in sent]
        elif message.HasField(field.name) if field.has_presence else (sent or defaults):
            written[name] = convert(sent)
    return written


def _python_scalar(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex() if field.name in _IDS else base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return str(value) if field.cpp_type in _LARGE else value


def _javascript_scalar(field: FieldDescriptor, value: Any) -> Any:
    if field.cpp_type in _LARGE and not field.name.endswith("_unix_nano"):
        return value if abs(value) <= 2**53 else int(float(value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return _python_scalar(field, value)
