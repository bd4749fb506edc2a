"""Images, audio and files in messages: references in place of their data.

Data is never kept inside a message. What stands for it is the SHA-256 of its bytes and their number.
"""

from __future__ import annotations

from binascii import Error, a2b_base64
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

Part = dict[str, Any]

_NO_SIGNS = str.maketrans("", "", "+/-_=")

SHORTEST_DATA = 64  # characters; shorter values beside a media type are names, not data
MIME_KEYS = ("mime_type", "media_type", "mimeType", "mediaType", "content_type", "format")
DATA_KEYS = ("data", "base64", "bytes", "b64_json", "content", "binary_content", "blob")
URI_KEYS = ("url", "uri", "file_uri", "fileUri", "file_id", "fileId", "image_url", "s3Location")
NAME_KEYS = ("filename", "file_name", "name", "title", "display_name")
# Where vendors put what describes the data: {"type": "image", "source": {"type": "base64", "data": …}}.
WRAPPERS = (
    "source", "image_url", "image", "input_audio", "audio", "file", "inline_data", "inlineData", "file_data",
    "fileData", "video", "document", "video_url", "url",
)  # fmt: skip


def media_part(block: Mapping[str, Any], kind: str) -> Part:
    """Return the part of an image, audio or file in any vendor's form. kind: image, audio, file or what was sent."""
    facts: dict[str, Any] = {}
    _collect(block, facts, depth=4)
    mime = facts.get("mime_type")
    part: Part = {"type": _kind(str(block.get("modality") or kind), mime)}
    if mime:
        part["mime_type"] = mime if "/" in mime else f"{part['type']}/{mime}"
    return part | {key: facts[key] for key in ("uri", "name", "sha256", "bytes") if key in facts}


def reference(data: str) -> dict[str, Any]:
    """Return {"sha256", "bytes"} of base64 data, of the text itself if it is not base64."""
    text = data.replace("-", "+").replace("_", "/")
    try:
        raw = a2b_base64(text + "=" * (-len(text) % 4))
    except (Error, ValueError):
        raw = data.encode(errors="replace")
    return {"sha256": sha256(raw).hexdigest(), "bytes": len(raw)}


def is_data_uri(text: str) -> bool:
    """Tell whether a text is a `data:` URI."""
    return text.startswith("data:") and "," in text[:256]


def uri_reference(uri: str) -> dict[str, Any]:
    """Return {"mime_type", "sha256", "bytes"} of a `data:` URI."""
    head, _, data = uri[5:].partition(",")
    mime, *options = head.split(";")
    found = reference(data) if "base64" in options else _text_reference(data)
    return ({"mime_type": mime} if mime else {}) | found


def without_data(value: dict[Any, Any]) -> dict[Any, Any]:
    """Return an object with base64 data beside a media type, and OTLP bytes, as references."""
    if len(value) == 1 and type(data := value.get("base64")) is str:
        return reference(data)
    key = next((key for key in DATA_KEYS if _is_data(value.get(key))), None)
    if key is None or not any(mime in value for mime in MIME_KEYS):
        return value
    return {**value, key: reference(value[key])}


def _collect(block: Mapping[str, Any], facts: dict[str, Any], depth: int) -> None:
    """Add what a block and the objects in it say to facts; what was found first stays."""
    _put(facts, "mime_type", _first_text(block, MIME_KEYS))
    _put(facts, "name", _first_text(block, NAME_KEYS))
    for key in (*DATA_KEYS, *URI_KEYS, *WRAPPERS):
        value = block.get(key)
        if type(value) is str and value:
            _place(facts, value, is_uri=key not in DATA_KEYS)
        elif isinstance(value, dict) and depth > 0:
            _collect({"base64": value["base64"]} if set(value) == {"base64"} else value, facts, depth - 1)


def _place(facts: dict[str, Any], value: str, *, is_uri: bool) -> None:
    if is_data_uri(value):
        facts.update({key: found for key, found in uri_reference(value).items() if key not in facts})
    elif is_uri and not _is_data(value):
        _put(facts, "uri", value)
    elif "bytes" not in facts:
        facts.update(reference(value))


def _put(facts: dict[str, Any], key: str, value: Any) -> None:
    if value and key not in facts:
        facts[key] = value


def _first_text(block: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((value for key in keys if type(value := block.get(key)) is str and value), None)


def _is_data(value: Any) -> bool:
    """Tell whether a value can be base64: long, and its beginning of no other characters."""
    return type(value) is str and len(value) >= SHORTEST_DATA and value[:SHORTEST_DATA].translate(_NO_SIGNS).isalnum()


def _kind(kind: str, mime: Any) -> str:
    family = str(mime).partition("/")[0] if mime else ""
    if family in ("image", "audio"):
        return family
    return kind if kind in ("image", "audio") else "file"


def _text_reference(data: str) -> dict[str, Any]:
    raw = data.encode(errors="replace")
    return {"sha256": sha256(raw).hexdigest(), "bytes": len(raw)}
