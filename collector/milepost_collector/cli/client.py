"""The collector's HTTP API as the commands use it; every failure becomes one clear line and exit code 1."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
import httpx
import msgspec

from milepost_collector.config import is_loopback
from milepost_collector.protocol.api import Problem

T = TypeVar("T")
ARROW_STREAM = "application/vnd.apache.arrow.stream"


class CollectorClient:
    """A connection to one collector, used from one thread.

    Every method raises click.ClickException with a remedy when the collector is away, refuses, or is something else.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint.rstrip("/")
        host = _host_of(self.endpoint)
        # A proxy configured for the internet cannot reach this machine's loopback.
        self._http = httpx.Client(timeout=httpx.Timeout(60, connect=5), trust_env=not is_loopback(host))

    def get(self, path: str, answer: type[T], **params: Any) -> T:
        """GET a JSON answer; parameters that are None or empty are left out."""
        given = {name: value for name, value in params.items() if value not in (None, (), "")}
        return self._decode(self._send("GET", path, params=given), answer)

    def post(self, path: str, body: Any, answer: type[T]) -> T:
        """POST a value as JSON and return the JSON answer."""
        return self._decode(self._send("POST", path, **_json(body)), answer)

    def post_for_arrow(self, path: str, body: Any) -> bytes:
        """POST a value as JSON and return the answer as an Arrow IPC stream."""
        return self._send("POST", path, **_json(body, accept=ARROW_STREAM)).content

    def is_ready(self) -> bool:
        """Tell whether a collector answers and is ready; never raises for one that is away."""
        try:
            return self._http.get(f"{self.endpoint}/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(method, self.endpoint + path, **request)
        except httpx.ConnectError as error:
            raise click.ClickException(
                f"no collector answers at {self.endpoint}; start one with `milepost serve`, or name another with "
                "--endpoint or MILEPOST_ENDPOINT"
            ) from error
        except httpx.HTTPError as error:
            raise click.ClickException(f"the request to {self.endpoint}{path} failed: {error!r}") from error
        if response.is_error:
            raise click.ClickException(self._refusal(response))
        return response

    def _refusal(self, response: httpx.Response) -> str:
        try:
            problem = msgspec.json.decode(response.content, type=Problem)
        except msgspec.DecodeError:
            return f"{self.endpoint} answered {response.status_code}; it may not be a Milepost collector"
        return problem.detail if problem.remedy is None else f"{problem.detail}; {problem.remedy}"

    def _decode(self, response: httpx.Response, answer: type[T]) -> T:
        try:
            return msgspec.json.decode(response.content, type=answer)
        except msgspec.DecodeError as error:
            raise click.ClickException(
                f"{response.url} gave an answer that this milepost does not understand ({error}); "
                "it may be another program, or a collector of another version"
            ) from error


def _host_of(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"endpoint {endpoint!r} is not an http:// or https:// address")
    return parts.hostname


def _json(body: Any, *, accept: str = "application/json") -> dict[str, Any]:
    return {
        "content": msgspec.json.encode(body),
        "headers": {"content-type": "application/json", "accept": accept},
    }
