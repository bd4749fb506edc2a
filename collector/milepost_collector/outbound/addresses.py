"""What an IP address is to whoever must not be led astray: public, private, or nobody's business. Pure.

Python's `is_global` follows IANA's special-purpose registries (RFC 6890). What it cannot know is added here: IPv4
addresses hidden in IPv6 ones, multicast, and the addresses under which clouds hand out credentials.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

Reach = Literal["public", "private", "forbidden"]

_ORDER: tuple[Reach, ...] = ("public", "private", "forbidden")
# What organisations number their own networks with: RFC 1918, RFC 6598 (carriers, and overlays such as Tailscale) and
# RFC 4193.
_PRIVATE = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("100.64.0.0/10"),
    IPv6Network("fc00::/7"),
)
# Where clouds answer their machines, credentials included, and which is not link-local: AWS and Google over IPv6,
# Alibaba, Azure (public by number), Oracle.
_METADATA = frozenset(
    ip_address(text) for text in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
_UNICAST = IPv6Network("2000::/3")  # all that IANA has given out
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, deprecated
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # RFC 5214: what stands before the IPv4 address


def reach_of(text: str) -> Reach:
    """Return what an address is: the worst of itself and of the IPv4 addresses it holds.

    text: as resolvers write it, with or without a scope (`fe80::1%eth0`).

    Raises:
        ValueError: it is not an IP address.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return _reach(address.ipv4_mapped)
    inner = embedded(address) if isinstance(address, IPv6Address) else ()
    return max((_reach(one) for one in (address, *inner)), key=_ORDER.index)


def embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses that packets to an IPv6 address may end up at."""
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    low = int(address) & 0xFFFF_FFFF
    if address in _NAT64 or address in _COMPATIBLE or (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        yield IPv4Address(low)


def _reach(address: IPv4Address | IPv6Address) -> Reach:
    if address in _METADATA:
        return "forbidden"
    if any(address in network for network in _PRIVATE if network.version == address.version):
        return "private"
    is_odd = address.is_multicast or (address.version == 6 and not (address in _UNICAST or address in _NAT64))
    return "forbidden" if is_odd or not address.is_global else "public"
