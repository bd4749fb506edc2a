"""Trace and span ids: 16 and 8 bytes, in the spellings that exporters get them wrong in."""

from __future__ import annotations

import base64
import binascii

from milepost_collector.protocol.otlp.export import RefusedError

RUN_ID_BYTES = 16
SPAN_ID_BYTES = 8
ZERO_RUN_ID = "0" * 32
ZERO_SPAN_ID = "0" * 16
_ZEROS = (ZERO_SPAN_ID, ZERO_RUN_ID)
_HEX = frozenset("0123456789abcdef")


def id_of_bytes(raw: bytes, size: int, problems: list[str]) -> str:
    """Return an id as lower-case hexadecimal, undoing the ways in which hexadecimal text gets into a bytes field.

    size: bytes it should have. problems: told what was undone.

    Raises:
        RefusedError: it is no id of that size, or zero.
    """
    digits = raw.hex()
    if len(raw) == size and digits not in _ZEROS:
        return digits
    if len(raw) != size:
        digits = _from_text_bytes(raw, size) or _from_base64_of_hex(raw, size)
        if not digits:
            raise _wrong_size(raw.hex(), size)
        problems.append(f"the {_name(size)} id was sent as {raw.hex()} and taken as {digits}")
    return _not_zero(digits, size)


def id_of_text(text: str, size: int, problems: list[str]) -> str:
    """Return an id of OTLP/JSON as lower-case hexadecimal; base64 and dashes are undone.

    Raises:
        RefusedError: it is no id of that size, or zero.
    """
    digits = text.lower()
    if len(digits) != size * 2 or not _HEX.issuperset(digits):
        digits = _from_base64(text, size) or _from_uuid(text, size)
        if not digits:
            raise _wrong_size(text, size)
        problems.append(f"the {_name(size)} id was sent as {text} and taken as {digits}")
    return _not_zero(digits, size)


def _name(size: int) -> str:
    return "trace" if size == RUN_ID_BYTES else "span"


def _wrong_size(text: str, size: int) -> RefusedError:
    return RefusedError(f"the {_name(size)} id {text[:80]!r} is not {size * 2} hexadecimal digits")


def _not_zero(digits: str, size: int) -> str:
    if digits in _ZEROS:
        raise RefusedError(f"the {_name(size)} id is all zeros")
    return digits


def _from_text_bytes(raw: bytes, size: int) -> str:
    """Undo hexadecimal text stored as it is: 32 bytes in place of 16."""
    text = raw.decode("latin-1").lower()
    return text if len(raw) == size * 2 and _HEX.issuperset(text) else ""


def _from_base64_of_hex(raw: bytes, size: int) -> str:
    """Undo hexadecimal text read as if it were base64, as protobuf's own JSON parsers do: 24 bytes in place of 16."""
    text = base64.b64encode(raw).decode().lower() if len(raw) * 4 == size * 6 else ""
    return text if _HEX.issuperset(text) else ""


def _from_base64(text: str, size: int) -> str:
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return raw.hex() if len(raw) == size else ""


def _from_uuid(text: str, size: int) -> str:
    digits = text.replace("-", "").lower()
    return digits if len(digits) == size * 2 and _HEX.issuperset(digits) else ""
