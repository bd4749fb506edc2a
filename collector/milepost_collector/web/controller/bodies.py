"""Bodies of the controller's requests and answers: msgspec structs in JSON, and in msgpack for workers."""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

import anyio.to_thread
import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from milepost_collector.errors import InvalidParameterError, MalformedBodyError, UnsupportedEncodingError
from milepost_collector.web.body import read_body
from milepost_collector.web.events import JSON, MSGPACK, MSGPACK_NAMES
from milepost_collector.web.state import services

T = TypeVar("T", bound=Struct)

DECODE_IN_THREAD_BYTES = 256 * 1024  # larger ones would hold up everyone else on the event loop
NO_STORE = {"Cache-Control": "no-store"}
MAX_SHOWN = 200  # characters of a wrong value that an answer repeats

_PLACE = " - at `$"
_encode_json = msgspec.json.Encoder().encode
_encode_msgpack = msgspec.msgpack.Encoder().encode


class Body(Generic[T]):
    """Reads bodies that hold one kind of struct."""

    def __init__(self, kind: type[T], *, formats: tuple[str, ...] = (JSON,)) -> None:
        self._kind = kind
        self._formats = formats
        self._decode_json = msgspec.json.Decoder(kind).decode
        self._decode_msgpack = msgspec.msgpack.Decoder(kind).decode

    async def read(self, request: Request) -> T:
        """Return what a request holds; an empty body is an empty object.

        Raises:
            BodyTooLargeError: it is over the limit.
            InvalidParameterError: a field is unknown, missing, of the wrong type or out of range.
            MalformedBodyError: it is not valid JSON or msgpack, or no object.
            UnsupportedEncodingError: of another type.
        """
        is_packed = media_type(request, self._formats) == MSGPACK
        body = await read_body(request, services(request).config)
        if len(body) < DECODE_IN_THREAD_BYTES:
            return self._decoded(body, is_packed)
        return await anyio.to_thread.run_sync(self._decoded, body, is_packed)

    def _decoded(self, body: bytes, is_packed: bool) -> T:
        decode = self._decode_msgpack if is_packed else self._decode_json
        try:
            return decode(body or b"{}")
        except msgspec.ValidationError as error:
            raise _refusal(body, is_packed, str(error)) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            reason = _lower(str(error))
            raise MalformedBodyError(f"the body is not valid {'msgpack' if is_packed else 'JSON'}: {reason}") from error


def media_type(request: Request, formats: tuple[str, ...]) -> str:
    """Return the media type of a request's body by its usual name; the first one when it says none.

    Raises:
        UnsupportedEncodingError: it is none of them.
    """
    header = request.headers.get("content-type")
    if header is None:
        return formats[0]
    name = header.partition(";")[0].strip().lower()
    if name in MSGPACK_NAMES:
        name = MSGPACK
    if name not in formats:
        raise UnsupportedEncodingError("Content-Type", name, formats)
    return name


def answer(body: Any, status: int = 200) -> Response:
    """Return a JSON answer that is not kept by caches."""
    return Response(_encode_json(body), status, media_type=JSON, headers=NO_STORE)


def packed(body: Any) -> Response:
    """Return an answer in msgpack."""
    return Response(_encode_msgpack(body), media_type=MSGPACK, headers=NO_STORE)


def nothing() -> Response:
    """Return the answer without a body."""
    return Response(status_code=204, headers=NO_STORE)


def _refusal(body: bytes, is_packed: bool, said: str) -> InvalidParameterError | MalformedBodyError:
    """Return the error for what msgspec said of a body: it names the place, which tells the value."""
    before, at, place = said.rpartition(_PLACE)  # the last: what is before it may repeat names that the body has
    path, reason = place.removeprefix(".").removesuffix("`"), _lower(before if at else said)
    if not (at and path):
        return MalformedBodyError(f"the body does not fit: {reason}")
    try:
        whole = msgspec.msgpack.decode(body) if is_packed else msgspec.json.decode(body or b"{}")
    except msgspec.DecodeError:  # a number that is out of any range
        whole = None
    return InvalidParameterError(path, _shown(_value_at(whole, path)), reason)


def _value_at(value: Any, path: str) -> Any:
    """Return the value at a path such as `tasks[3].settings.max_retries`; None where it cannot be followed."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]", path):
        if name and isinstance(value, dict):
            value = value.get(name)
        elif index.isdecimal() and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            return None
    return value


def _shown(value: Any) -> Any:
    """Return a value short enough to be repeated."""
    text = value if isinstance(value, str) else repr(value)
    return value if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _lower(text: str) -> str:
    """Return a sentence of msgspec's as the rest of one of ours, whose first word may be `JSON`."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
