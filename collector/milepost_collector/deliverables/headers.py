"""What the headers of uploads and downloads say. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote, unquote

from milepost.wire.deliverables import name_problem
from milepost_collector.errors import InvalidParameterError

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = rf'\s*;\s*{_TOKEN}=(?:{_TOKEN}|"[\t !#-\[\]-~]*")'
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}(?:{_PARAMETER})*\s*")
_ETAG = re.compile(r'(?:W/)?("[^"]*")')
MAX_CONTENT_TYPE = 255

# What browsers only show: no script runs in it and no address is asked. Everything else is saved, never opened: HTML,
# SVG, XML, PDF and whatever a browser may learn to run.
INERT = frozenset(
    {
        "application/json",
        "application/x-ndjson",
        "image/avif",
        "image/bmp",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/csv",
        "text/markdown",
        "text/plain",
    }
)


def checked_name(name: str) -> str:
    """Return a deliverable's name.

    Raises:
        InvalidParameterError: it cannot be the name of a file.
    """
    if (problem := name_problem(name)) is not None:
        raise InvalidParameterError("name", name[:300], problem)
    return name


def checked_content_type(text: str) -> str:
    """Return a media type (RFC 9110, section 8.3.1).

    Raises:
        InvalidParameterError: it is not one.
    """
    if len(text) > MAX_CONTENT_TYPE or _MEDIA_TYPE.fullmatch(text) is None:
        raise InvalidParameterError("Content-Type", text[:300], "give a media type such as application/pdf")
    return text.strip()


def read_text(header: str, value: str, max_length: int = 200) -> str:
    """Return a header's percent-encoded text.

    Raises:
        InvalidParameterError: it is empty, too long or not UTF-8.
    """
    try:
        text = unquote(value, errors="strict").strip()
    except UnicodeDecodeError as error:
        raise InvalidParameterError(header, value[:300], "percent-encode it as UTF-8") from error
    if not 1 <= len(text) <= max_length or not text.isprintable():
        raise InvalidParameterError(header, text[:300], f"use 1 to {max_length} printable characters")
    return text


def read_digest(value: str | None) -> str | None:
    """Return the SHA-256 that a `Content-Digest` header gives (RFC 9530), in hexadecimal; None without one.

    Raises:
        InvalidParameterError: it cannot be read.
    """
    for part in (value or "").split(","):
        algorithm, _, digest = part.strip().partition("=")
        if algorithm.lower() != "sha-256":
            continue
        try:
            found = base64.b64decode(digest.strip(":"), validate=True)
        except binascii.Error:
            found = b""
        if len(found) != 32 or not (digest.startswith(":") and digest.endswith(":")):
            raise InvalidParameterError("Content-Digest", value, "write it as sha-256=:BASE64 OF THE DIGEST:")
        return found.hex()
    return None


def digest_field(sha256: str) -> str:
    """Return a digest in hexadecimal as `Content-Digest` and `Repr-Digest` have it."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


def disposition(name: str, content_type: str, *, save: bool) -> str:
    """Return the `Content-Disposition` of a download (RFC 6266): what is not inert is saved, never opened."""
    kind = content_type.partition(";")[0].strip().lower()
    way = "inline" if kind in INERT and not save else "attachment"
    plain = "".join(letter if letter.isascii() and letter not in '"\\%' else "_" for letter in name)
    return f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def matches(header: str | None, etag: str) -> bool:
    """Tell whether an `If-None-Match` header names an entity tag, by weak comparison (RFC 9110, section 13.1.2)."""
    return header is not None and (header.strip() == "*" or etag in _ETAG.findall(header))
