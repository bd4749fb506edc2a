"""Where requests may go: to public addresses, and further by what the collector's owner has allowed. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from milepost.errors import ConfigurationError, MilepostError
from milepost_collector.outbound.addresses import reach_of

MAX_URL = 2_000
_PORTS = {"http": 80, "https": 443}
_ENTRY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^\s:/@*\[\]]+)(?::(?P<port>\d{1,5}))?")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


class DestinationRefusedError(MilepostError, ValueError):
    """A request may not go there. remedy: what its owner can do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason = reason
        self.remedy = remedy


class Target(NamedTuple):
    """Where a request goes. host: in ASCII and lower case, IPv6 without brackets. path: with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the `Host` header names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboundPolicy:
    """What is allowed beyond public addresses over https.

    allow_private: networks of organisations (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7), also over http.
    allow_hosts: exactly these hosts, `host` or `host:port`, whatever their addresses are: the only way to reach this
    machine itself (loopback), link-local addresses and those where clouds hand out credentials.

    Raises:
        ConfigurationError: an entry is neither `host` nor `host:port`.
    """

    allow_private: bool = False
    allow_hosts: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Check every entry."""
        for entry in self.allow_hosts:
            if _ENTRY.fullmatch(entry.lower()) is None:
                raise ConfigurationError("webhook_allow_hosts", f"expected HOST or HOST:PORT, got {entry!r}")

    def target(self, url: str) -> Target:
        """Return where a URL leads.

        Raises:
            DestinationRefusedError: it is not one, holds a user or a password, or is not https and not allowed.
        """
        target = _parse(url)
        if target.scheme == "http" and not self.allow_private and not self.is_listed(target.host, target.port):
            raise DestinationRefusedError(
                f"http://{target.authority} is not encrypted",
                f"use https, or add {target.authority} to webhook_allow_hosts",
            )
        return target

    def is_listed(self, host: str, port: int) -> bool:
        """Tell whether the owner has allowed exactly this host."""
        wanted = _bare(host)
        for entry in self.allow_hosts:
            match = _ENTRY.fullmatch(entry.lower())
            if match is not None and _bare(match["host"]) == wanted and match["port"] in (None, str(port)):
                return True
        return False

    def check(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Check every address that a host has.

        Raises:
            DestinationRefusedError: one of them may not be reached.
        """
        if self.is_listed(host, port):
            return
        for address in addresses:
            reach = reach_of(address)
            if reach == "forbidden":
                raise DestinationRefusedError(
                    f"{_at(host, address)} is not a public address",
                    f"add {host}:{port} to webhook_allow_hosts if it is meant",
                )
            if reach == "private" and not self.allow_private:
                raise DestinationRefusedError(
                    f"{_at(host, address)} is an address of a private network",
                    f"set webhook_allow_private, or add {host}:{port} to webhook_allow_hosts",
                )


def _parse(url: str) -> Target:
    remedy = "use https://HOST/PATH"
    if len(url) > MAX_URL:
        raise DestinationRefusedError(f"the URL has {len(url)} characters, {MAX_URL} are allowed", "use a shorter one")
    if _UNPRINTABLE.search(url):
        raise DestinationRefusedError("the URL has a space, a control character or a backslash", remedy)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise DestinationRefusedError(f"the URL cannot be read ({error})", remedy) from error
    if parts.scheme not in _PORTS:
        raise DestinationRefusedError(f"{parts.scheme or 'no scheme'} is neither https nor http", remedy)
    if "@" in parts.netloc:
        raise DestinationRefusedError(
            "the URL holds a user or a password", "leave it out: deliveries are signed, receivers verify that"
        )
    if not parts.hostname or port == 0:
        raise DestinationRefusedError("the URL names no host or port 0", remedy)
    path = _ascii_path(parts.path or "/") + (f"?{_ascii_path(parts.query)}" if parts.query else "")
    return Target(parts.scheme, _ascii_host(parts.hostname), port or _PORTS[parts.scheme], path)


def _ascii_host(host: str) -> str:
    try:
        return host if ":" in host else host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise DestinationRefusedError(f"{host!r} is not a host's name", "use one that can be resolved") from error


def _ascii_path(text: str) -> str:
    return "".join(one if one.isascii() else "".join(f"%{byte:02X}" for byte in one.encode()) for one in text)


def _at(host: str, address: str) -> str:
    return address if host == address else f"{host} leads to {address}, which"


def _bare(host: str) -> str:
    return host.strip("[]").removesuffix(".")
