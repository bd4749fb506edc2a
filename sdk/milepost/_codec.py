"""Events become bytes: wire structs to msgpack, packed into numbered batches. Pure but for the scrub hook it calls."""

from __future__ import annotations

import gzip
import logging
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from milepost import wire
from milepost._capture import Snapshot, clean_text, cut_text, plain, snapshot_json, text_of
from milepost._scrub import SCRUBBED, Scrubber, is_secret_key

__all__ = ["MAX_BATCH_BYTES", "Codec", "compress", "pack_batch"]

logger = logging.getLogger("milepost.codec")

MAX_BATCH_BYTES = 1_000_000
_COMPRESS_ABOVE = 1_024
_MAX_NAME = 1_000
_MAX_MESSAGE = 16_000
_INT64 = 2**63


class Codec:
    """Turns what the application's threads handed over into wire structs and bytes, within limits and scrubbed."""

    def __init__(self, scrubber: Scrubber, max_value_bytes: int) -> None:
        self._scrubber = scrubber
        self._max_value_bytes = max_value_bytes
        self._encode = msgspec.msgpack.Encoder().encode

    def json(self, kept: Snapshot | None, name: str) -> str | None:
        """Return a snapshot as scrubbed JSON text; name: `input`, `output` or `body`."""
        return None if kept is None else self._scrubber.text(snapshot_json(kept), name).decode()

    def attributes(self, attributes: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Return attributes as JSON values, those under secret keys scrubbed."""
        if not attributes:
            return None
        return {self.name(key): self._attribute(key, value) for key, value in list(attributes.items())}

    def link(self, link: wire.Link) -> wire.Link:
        """Return a link with its attributes as JSON values, those under secret keys scrubbed."""
        return wire.Link(run_id=link.run_id, span_id=link.span_id, attributes=self.attributes(link.attributes))

    def name(self, value: object) -> str:
        """Return a name as clean text of bounded length, whatever the caller gave."""
        return cut_text(value, _MAX_NAME) if type(value) is str else self._text(value, _MAX_NAME)

    def optional_name(self, value: object) -> str | None:
        return None if value is None else self.name(value)

    def message(self, value: object) -> str | None:
        """Return a message, or None for None."""
        return None if value is None else self._text(value, _MAX_MESSAGE)

    def encode(self, event: wire.WireEvent) -> bytes:
        """Return an event's msgpack.

        Raises:
            Exception: it cannot be encoded, whatever is done to it.
        """
        try:
            return self._encode(event)
        except UnicodeEncodeError:  # a lone surrogate in some text that no limit applies to
            return self._encode(_clean(msgspec.to_builtins(event)))

    def _attribute(self, key: str, value: Any) -> Any:
        if is_secret_key(str(key)):
            return SCRUBBED
        kind = type(value)
        if (
            (kind is str and len(value) <= self._max_value_bytes)
            or kind is bool
            or (kind is int and -_INT64 <= value < _INT64)
            or (kind is float and math.isfinite(value))
        ):
            built = value
        else:
            built = plain(value, self._max_value_bytes)
        return self._scrubber.value(built, ("attributes", key))

    def _text(self, value: object, limit: int) -> str:
        return clean_text(text_of(value, limit))


def pack_batch(producer_id: str, sequence: int, dropped: int, resource: wire.Resource, events: list[bytes]) -> bytes:
    """Return one batch of events that are encoded already."""
    raw: list[Any] = [msgspec.Raw(event) for event in events]
    batch = wire.Batch(producer_id=producer_id, sequence=sequence, events=raw, dropped=dropped, resource=resource)
    return msgspec.msgpack.encode(batch)


def compress(body: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the body to send and the headers that describe it."""
    headers = {"content-type": "application/msgpack"}
    if len(body) <= _COMPRESS_ABOVE:
        return body, headers
    return gzip.compress(body, compresslevel=1, mtime=0), headers | {"content-encoding": "gzip"}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
