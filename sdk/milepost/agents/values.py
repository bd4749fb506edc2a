"""Results, states and step inputs as JSON: exactly, or not at all, since a later attempt goes on from them."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from milepost.errors import ReportRefusedError

__all__ = ["digest_of", "kept_json"]


def _plain(value: Any) -> Any:
    """Turn what msgspec does not know into what it does: models of pydantic, and numpy's arrays and numbers.

    Raises:
        NotImplementedError: there is no one way to write it as JSON.
    """
    if callable(dump := getattr(value, "model_dump", None)):
        return dump(mode="json")
    if type(value).__module__ == "numpy" and callable(tolist := getattr(value, "tolist", None)):
        return tolist()
    raise NotImplementedError(
        f"a {type(value).__qualname__} has no JSON form; use JSON's types, dataclasses, structs or pydantic models"
    )


_encode = msgspec.json.Encoder(enc_hook=_plain).encode
_encode_sorted = msgspec.json.Encoder(enc_hook=_plain, order="deterministic").encode


def kept_json(value: Any, what: str, max_bytes: int) -> msgspec.Raw:
    """Return a value's JSON; what: `checkpoint`, `step` or `result`.

    Raises:
        ReportRefusedError: it cannot be written as JSON or takes more than max_bytes.
    """
    if value is None:
        return _NULL
    try:
        text = _encode(value)
    except Exception as error:  # methods of the value's own may raise anything
        raise ReportRefusedError(what, f"it cannot be written as JSON: {error}") from error
    if len(text) > max_bytes:
        raise ReportRefusedError(
            what,
            f"its JSON takes {len(text):,} bytes and the collector keeps {max_bytes:,}; store it elsewhere and keep a "
            "reference to it",
        )
    return msgspec.Raw(text)


def digest_of(value: Any, ordinal: int) -> str:
    """Return 32 hexadecimal digits that tell step inputs apart, and by the ordinal those that are equal.

    Raises:
        TypeError: the value cannot be written as JSON.
    """
    try:
        text = _encode_sorted(value)
    except Exception as error:
        raise TypeError(f"{error}; bind what is not part of the input, for example by functools.partial") from error
    digest = hashlib.blake2b(text, digest_size=16)
    if ordinal:
        digest.update(f"#{ordinal}".encode())
    return digest.hexdigest()


_NULL = msgspec.Raw(b"null")
