"""One HTTP request at a time, over a connection that is kept: batches to `{endpoint}/v1/events`, and what workers send.

It is the standard library's client, because a process that is about to exit has two seconds: it is imported in 20 ms
where httpx takes 200, and needs a third of the processor's time per request.
"""

from __future__ import annotations

import base64
import contextlib
import encodings.idna  # noqa: F401  # imported by the first connection otherwise, at a moment when a fork must not happen
import http.client
import logging
import socket
import time
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from milepost import wire
from milepost._config import Config
from milepost._retry import Answer, parse_retry_after
from milepost._version import __version__

__all__ = ["Connection", "Transport", "refusal"]

logger = logging.getLogger("milepost.exporter")

_HEADERS = {"accept": "application/msgpack, application/json", "user-agent": f"milepost/{__version__}"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MAX_ANSWER_BYTES = 1_000_000


class Connection:
    """One kept connection to the collector, made at the first request. Used by one thread.

    timeout_s: of one request, unless `post` is given another.
    """

    def __init__(self, endpoint: str, timeout_s: float) -> None:
        self._base = urlsplit(endpoint.rstrip("/"))
        self._root = self._base.path
        self._headers = dict(_HEADERS)
        self._timeout_s = timeout_s
        self._connection = self._connect_by(_proxy_for(self._base), timeout_s)

    def post(
        self, path: str, body: bytes, headers: dict[str, str], *, max_bytes: int, timeout_s: float | None = None
    ) -> tuple[http.client.HTTPResponse, bytes] | Answer:
        """Return the answer to one request with at most so many bytes of its content, or what went wrong. Does not
        raise."""
        connection = self._connection
        try:
            connection.timeout = timeout_s or self._timeout_s
            if connection.sock is None:
                connection.connect()
            else:
                connection.sock.settimeout(connection.timeout)
        except (OSError, ValueError) as error:  # a host name that cannot exist is a ValueError
            connection.close()
            return Answer(status=None, reached=False, detail=str(error) or type(error).__name__)
        try:
            connection.request("POST", self._root + path, body, self._headers | headers)
            response = connection.getresponse()
            content = response.read(max_bytes)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return Answer(status=None, detail=str(error) or type(error).__name__)
        if not response.isclosed():  # more than the limit: the rest would be taken for the next answer
            connection.close()
        return response, content

    def interrupt(self) -> None:
        """Break off the request that waits for its answer, if one does. May be called from any thread."""
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):  # it is closed already
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._connection.close()

    def _connect_by(self, via: SplitResult | None, timeout_s: float) -> http.client.HTTPConnection:
        """Return the connection, not yet made; a proxy tunnels https, and is asked for http by the whole address."""
        base = self._base
        kind = http.client.HTTPSConnection if base.scheme == "https" else http.client.HTTPConnection
        if via is None:
            return kind(base.hostname or "", base.port, timeout=timeout_s)
        connection = kind(via.hostname or "", via.port or 80, timeout=timeout_s)
        credentials = _proxy_credentials(via)
        if base.scheme == "https":
            connection.set_tunnel(base.hostname or "", base.port or 443, credentials)
        else:
            self._root = f"{base.scheme}://{base.netloc}{self._root}"
            self._headers |= credentials
        return connection


class Transport:
    """Sends batches. Used by one thread."""

    def __init__(self, config: Config) -> None:
        self._connection = Connection(config.endpoint, config.request_timeout_ms / 1_000)

    def send(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Return what became of one attempt. Does not raise."""
        reply = self._connection.post("/v1/events", body, headers, max_bytes=_MAX_ANSWER_BYTES)
        return reply if isinstance(reply, Answer) else _read(*reply)

    def close(self) -> None:
        self._connection.close()


def _proxy_for(base: SplitResult) -> SplitResult | None:
    """Return the environment's proxy for an address; none for this machine's own."""
    host = base.hostname or ""
    if host in _LOOPBACK or proxy_bypass(host):
        return None
    proxy = getproxies().get(base.scheme)
    if not proxy:
        return None
    via = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        usable = bool(via.hostname) and via.port != 0
    except ValueError:
        usable = False
    if not usable:
        logger.warning("the proxy in %s_PROXY is ignored: it is not an address", base.scheme.upper())
    return via if usable else None


def _proxy_credentials(via: SplitResult) -> dict[str, str]:
    if via.username is None:
        return {}
    pair = f"{unquote(via.username)}:{unquote(via.password or '')}"
    return {"proxy-authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _read(response: http.client.HTTPResponse, content: bytes) -> Answer:
    if not 200 <= response.status < 300:
        return refusal(response, content)
    rejected = _rejected(response.getheader("content-type", ""), content)
    return Answer(status=response.status, rejected=len(rejected), detail=rejected[0].reason if rejected else "")


def refusal(response: http.client.HTTPResponse, content: bytes) -> Answer:
    """Return what an answer other than a success says."""
    retry_after_s = parse_retry_after(response.getheader("retry-after"), time.time())
    return Answer(status=response.status, retry_after_s=retry_after_s, detail=content[:500].decode(errors="replace"))


def _rejected(content_type: str, content: bytes) -> list[wire.Rejection]:
    """Return the events that the collector did not store; an answer that cannot be read names none."""
    decode = msgspec.msgpack.decode if "msgpack" in content_type else msgspec.json.decode
    try:
        answer: wire.BatchAnswer = decode(content, type=wire.BatchAnswer)
        return answer.rejected
    except msgspec.DecodeError:
        return []
