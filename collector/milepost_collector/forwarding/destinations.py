"""Where bodies are forwarded to, as the settings `forward_to` and `forward_headers` say. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import unquote, urlsplit

from milepost.errors import ConfigurationError
from milepost_collector.config import is_loopback

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
# These describe the body or the connection, so only the sender knows them.
RESERVED = frozenset(
    ("connection", "content-encoding", "content-length", "content-type", "host", "milepost-forwarded",
     "transfer-encoding")
)  # fmt: skip
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Destination:
    """An OTLP/HTTP endpoint. url: its base, to which /v1/{signal} is added. headers: sent along; they hold secrets."""

    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def folder(self) -> str:
        """The name of its queue's folder; changes with the address only."""
        host = re.sub(r"[^A-Za-z0-9.-]", "_", urlsplit(self.url).hostname or "")
        return f"{host[:60]}-{sha256(self.url.encode()).hexdigest()[:12]}"

    def address(self, signal: str) -> str:
        """Return where bodies of a signal go."""
        return f"{self.url}/v1/{signal}"


def parse_destinations(urls: Sequence[str], headers: Sequence[str], *, own_port: int = 0) -> list[Destination]:
    """Return the destinations that the settings name.

    urls: base addresses. headers: `NAME=VALUE`, or `URL NAME=VALUE` to say which of several destinations gets it;
    values may be percent-encoded, as in OTEL_EXPORTER_OTLP_HEADERS. own_port: where this collector listens, 0: unknown.

    Raises:
        ConfigurationError: an address or header is malformed, or the address is this collector's own.
    """
    found = {(url := _checked_url(text, own_port)): Destination(url) for text in urls}
    for number, text in enumerate(headers, 1):
        destination, name, value = _header(text, number, found)
        destination.headers[name] = value
    return list(found.values())


def _checked_url(text: str, own_port: int) -> str:
    hint = "for example https://api.example.com/otlp"
    try:
        parts = urlsplit(text.strip())
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise ConfigurationError("forward_to", f"is not an address ({error}), {hint}") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("forward_to", "holds a user name or password; put them into forward_headers")
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError("forward_to", f"must be http:// or https:// with a host, {hint}, got {text!r}")
    if is_loopback(parts.hostname) and port == own_port:
        raise ConfigurationError("forward_to", f"{text!r} is this collector itself; name another endpoint")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _header(text: str, number: int, destinations: dict[str, Destination]) -> tuple[Destination, str, str]:
    """Return which destination gets a header, its name and its value. Messages show nothing that may be a secret."""
    prefix, space, pair = text.strip().partition(" ")
    if not (space and prefix.startswith(("http://", "https://"))):
        prefix, pair = "", text
    name, sign, value = pair.partition("=")
    name, value = name.strip().lower(), unquote(value.strip())
    if not sign or not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
        raise ConfigurationError("forward_headers", f"must be NAME=VALUE or URL NAME=VALUE; number {number} is not")
    if name in RESERVED:
        raise ConfigurationError("forward_headers", f"{name!r} is set by Milepost itself; leave it out")
    return _meant(prefix, name, destinations), name, value


def _meant(prefix: str, name: str, destinations: dict[str, Destination]) -> Destination:
    if prefix:
        wanted = _checked_url(prefix, 0)
        if wanted not in destinations:
            raise ConfigurationError("forward_headers", f"{name!r} is for {prefix!r}, which forward_to does not name")
        return destinations[wanted]
    if len(destinations) != 1:
        raise ConfigurationError(
            "forward_headers",
            f"{name!r} does not say which of {len(destinations)} destinations gets it; write URL {name}=VALUE",
        )
    return next(iter(destinations.values()))
