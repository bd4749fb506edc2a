"""An operation: what is asked of the collector, as a value; who sends it, and when, is not its business."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType

from milepost.errors import InvalidRequestError

if TYPE_CHECKING:
    from milepost.resources._content import Content

__all__ = ["JSON", "Operation", "encode_body", "path_of", "query_of", "rfc3339"]

T = TypeVar("T")
JSON = "application/json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation(Generic[T]):
    """One request and the type of its answer.

    path: percent-encoded. answer: what the JSON answer is decoded to; bytes: the body as it came; NoneType: nothing is
    expected. body: encoded as JSON; UNSET: none. content: sent as it is, in blocks, instead of a body. headers: further
    ones. repeatable: doing it twice is as good as once, so it is sent again
    when no answer tells whether it was done. key: sent as `Idempotency-Key`.
    """

    method: str
    path: str
    answer: type[T]
    query: tuple[tuple[str, str], ...] = ()
    body: Any | UnsetType = UNSET
    repeatable: bool = False
    key: str | None = None
    accept: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    content: Content | None = None


def path_of(*parts: str) -> str:
    """Return the address below `/api` of parts that are names or ids, each percent-encoded.

    Raises:
        InvalidRequestError: a part is empty, or a dot or two, which no address holds.
    """
    for part in parts:
        if part in ("", ".", ".."):
            raise InvalidRequestError(f"{part!r} is not a name or an id of {parts[0]}", problem={"value": part})
    return "/api/" + "/".join(quote(part, safe="") for part in parts)


def query_of(given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return query parameters: lists are repeated, times are RFC 3339; what is None or empty is left out."""
    pairs = []
    for name, value in given.items():
        several = value if isinstance(value, (list, tuple)) else (value,)
        pairs += [(name, _query_text(one)) for one in several if one not in (None, "")]
    return tuple(pairs)


def _query_text(value: Any) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def rfc3339(moment: datetime) -> str:
    """Write a time with a zone in UTC, as "2026-11-21T07:30:00.123456Z"."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def encode_body(body: Any) -> bytes:
    """Write a value as JSON; pydantic models and other objects with `model_dump` are written as these are.

    Raises:
        InvalidRequestError: a value has no JSON form.
    """
    try:
        return msgspec.json.encode(body, enc_hook=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequestError(
            f"what is sent has no JSON form: {error}",
            problem={"remedy": "use text, numbers, lists, mappings, dataclasses, msgspec structs or pydantic models"},
        ) from error


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__qualname__} is not supported")
