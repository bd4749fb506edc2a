"""One HTTP request at a time to `{endpoint}/v1/events`."""

from __future__ import annotations

import ssl
import time
from urllib.parse import urlsplit

import httpx
import msgspec

from milepost import wire
from milepost._config import Config
from milepost._retry import Answer, parse_retry_after
from milepost._version import __version__

__all__ = ["Transport"]

_HEADERS = {"accept": "application/msgpack, application/json", "user-agent": f"milepost/{__version__}"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MAX_ANSWER_BYTES = 1_000_000


class Transport:
    """Sends batches over kept-alive connections. Used by one thread.

    It goes through httpx's transport rather than its client, which would write a line to the user's log per request.
    """

    def __init__(self, config: Config) -> None:
        base = config.endpoint.rstrip("/")
        self._url = httpx.URL(f"{base}/v1/events")
        self._timeout_s = config.request_timeout_ms / 1_000
        self._http = _connection_pool(base)

    def send(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Return what became of one attempt. Does not raise."""
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s)
        request = httpx.Request(
            "POST",
            self._url,
            content=body,
            headers=headers | _HEADERS,
            extensions={"timeout": timeout},
        )
        try:
            response = self._http.handle_request(request)
            try:
                content = response.read()
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Answer(status=None, reached=False, detail=str(error) or type(error).__name__)
        except (httpx.HTTPError, ssl.SSLError, OSError) as error:
            return Answer(status=None, detail=str(error) or type(error).__name__)
        return _read(response, content)

    def close(self) -> None:
        self._http.close()


def _connection_pool(base: str) -> httpx.BaseTransport:
    """Return the connections to use: by the environment's proxy, unless the collector is on this machine."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=60)
    if urlsplit(base).hostname in _LOOPBACK:
        return httpx.HTTPTransport(limits=limits, trust_env=False)
    return httpx.HTTPTransport(limits=limits, proxy=_proxy_for(base))


def _proxy_for(base: str) -> str | None:
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(base)
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def _read(response: httpx.Response, content: bytes) -> Answer:
    status = response.status_code
    retry_after_s = parse_retry_after(response.headers.get("retry-after"), time.time())
    if not 200 <= status < 300:
        return Answer(status=status, retry_after_s=retry_after_s, detail=content[:500].decode(errors="replace"))
    rejected = _rejected(response.headers.get("content-type", ""), content)
    return Answer(status=status, rejected=len(rejected), detail=rejected[0].reason if rejected else "")


def _rejected(content_type: str, content: bytes) -> list[wire.Rejection]:
    """Return the events that the collector did not store; an answer that cannot be read names none."""
    decode = msgspec.msgpack.decode if "msgpack" in content_type else msgspec.json.decode
    try:
        answer: wire.BatchAnswer = decode(content[:_MAX_ANSWER_BYTES], type=wire.BatchAnswer)
        return answer.rejected
    except msgspec.DecodeError:
        return []
