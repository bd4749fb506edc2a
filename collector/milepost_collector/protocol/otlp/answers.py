"""What OTLP's senders are answered, in the encoding they sent.

Source: the OTLP specification, "OTLP/HTTP Response". Both messages are small and fixed, so their few bytes of protobuf
are written by hand.
"""

from __future__ import annotations

import msgspec

from milepost_collector.protocol.otlp.export import Signal
from milepost_collector.protocol.otlp.framing import to_varint

INVALID_ARGUMENT, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE = 3, 8, 13, 14  # of google.rpc.Code

_REJECTED_NAMES: dict[Signal, str] = {
    "traces": "rejectedSpans",
    "logs": "rejectedLogRecords",
    "metrics": "rejectedDataPoints",
}


def encode_answer(signal: Signal, content_type: str, rejected: int, message: str) -> bytes:
    """Return an Export…ServiceResponse. rejected: how many were; 0 is full success, which has no partial_success."""
    if _is_json(content_type):
        partial = {_REJECTED_NAMES[signal]: str(rejected), "errorMessage": message}
        return msgspec.json.encode({"partialSuccess": partial} if rejected else {})
    return _message(1, _number(1, rejected) + _text(2, message)) if rejected else b""


def encode_status(content_type: str, code: int, message: str, retry_after_s: int | None = None) -> bytes:
    """Return a google.rpc.Status, with a RetryInfo if there is a time after which to try again."""
    if _is_json(content_type):
        return msgspec.json.encode({"code": code, "message": message})
    return encode_rpc_status(code, message, retry_after_s)


def encode_rpc_status(code: int, message: str, retry_after_s: int | None = None) -> bytes:
    """Return a google.rpc.Status in protobuf."""
    status = _number(1, code) + _text(2, message)
    if retry_after_s is None:
        return status
    retry_info = _message(1, _number(1, retry_after_s))  # retry_delay, a Duration
    detail = _text(1, "type.googleapis.com/google.rpc.RetryInfo") + _message(2, retry_info)
    return status + _message(3, detail)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _message(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + to_varint(len(content)) + content


def _text(number: int, text: str) -> bytes:
    return _message(number, text.encode("utf-8", "replace")) if text else b""


def _number(number: int, value: int) -> bytes:
    return bytes((number << 3,)) + to_varint(value) if value else b""
