"""One request to an address that a user named, and what came of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress

import httpcore

from milepost_collector.outbound.guard import GuardedBackend, Resolve, resolve
from milepost_collector.outbound.outcome import Outcome
from milepost_collector.outbound.policy import DestinationRefusedError, OutboundPolicy, Target

MAX_CONNECTIONS = 64
KEEP_ALIVE_S = 30.0
MAX_DRAINED_BYTES = 64 * 1024  # of an answer's body, thrown away so that the connection can be used again
CONNECT_TIMEOUT_S = 10.0
DRAIN_S = 1.0


class OutboundClient:
    """Sends requests where a policy allows. Belongs to one event loop.

    It follows no redirect, uses no proxy, keeps no cookie and hands out nothing of an answer but its status. resolve:
    finds a host's addresses. tls: None: the certificate authorities of the system and of certifi.
    """

    def __init__(
        self, policy: OutboundPolicy, *, resolve: Resolve = resolve, tls: ssl.SSLContext | None = None
    ) -> None:
        self._policy = policy
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpcore.default_ssl_context(),
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=GuardedBackend(policy, resolve),
        )

    async def post(self, url: str, headers: Mapping[str, str], content: bytes, *, timeout_s: float) -> Outcome:
        """Send a body and return what came of it. timeout_s: for all of it, names and TLS included. Never raises for
        what the other side does."""
        try:
            target = self._policy.target(url)
            async with asyncio.timeout(timeout_s):
                return await self._post(target, headers, content)
        except DestinationRefusedError as error:
            return Outcome(error=str(error), is_refused=True)
        except TimeoutError:
            return Outcome(error=f"no answer within {timeout_s:g} s")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            return Outcome(error=_told(error))

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def _post(self, target: Target, headers: Mapping[str, str], content: bytes) -> Outcome:
        url = httpcore.URL(
            scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
        )
        sent: list[tuple[bytes | str, bytes | str]] = [("Host", target.authority), *headers.items()]
        sent.append(("Content-Length", str(len(content))))
        timeouts = {"connect": CONNECT_TIMEOUT_S}
        async with self._pool.stream(
            "POST", url, headers=sent, content=content, extensions={"timeout": timeouts}
        ) as answer:
            retry_after = next((value for name, value in answer.headers if name.lower() == b"retry-after"), None)
            await _drain(answer)
        return Outcome(status=answer.status, retry_after=retry_after.decode("latin-1") if retry_after else None)


async def _drain(answer: httpcore.Response) -> None:
    """Read a short body to its end; of a longer one the connection is closed. That it breaks off matters to nobody."""
    size = 0
    with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
        async with asyncio.timeout(DRAIN_S):
            async for part in answer.aiter_stream():
                size += len(part)
                if size > MAX_DRAINED_BYTES:
                    return


def _told(error: Exception) -> str:
    """Return why no answer came."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not valid ({cause.verify_message})"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore.TimeoutException):
        return f"no connection within {CONNECT_TIMEOUT_S:g} s"
    if isinstance(error, httpcore.RemoteProtocolError):
        return f"the answer is not HTTP or breaks off ({error})"
    return str(error) or type(error).__name__
