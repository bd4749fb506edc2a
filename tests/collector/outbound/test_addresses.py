"""Which addresses are public, in every form that they can be written and hidden in."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.outbound.addresses import reach_of
from milepost_collector.outbound.guard import resolve

ANY_V4 = st.ip_addresses(v=4)
# Where no request of ours has any business, whatever is allowed: this machine, its link, and what is not unicast.
FORBIDDEN_V4 = st.sampled_from(
    ["127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "192.0.2.0/24", "198.18.0.0/15"]
).flatmap(lambda network: st.ip_addresses(network=network))
PRIVATE_V4 = st.sampled_from(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]).flatmap(
    lambda network: st.ip_addresses(network=network)
)
RANK = ("public", "private", "forbidden")


def hidden_in(address: IPv4Address) -> list[str]:
    """Return the IPv6 addresses whose packets may end up at an IPv4 address."""
    low = int(address)
    numbers = [
        0xFFFF << 32 | low,  # mapped
        low,  # compatible
        0x64_FF9B << 96 | low,  # NAT64
        0x2002 << 112 | low << 80 | 1,  # 6to4
        0x2001_0000 << 96 | 0x0102_0304 << 64 | low ^ 0xFFFF_FFFF,  # Teredo: the client's, inverted
        0x2001_0000 << 96 | low << 64 | 0x0102_0304,  # Teredo: the server's
        0x2A00_1450 << 96 | 0x5EFE << 32 | low,  # ISATAP
    ]
    return [str(IPv6Address(number)) for number in numbers]


def spellings(address: IPv4Address) -> list[str]:
    """Return forms that the system's resolver takes for an IPv4 address."""
    number, (a, b, c, d) = int(address), address.packed
    return [
        str(number), hex(number), oct(number).replace("0o", "0"), f"{a}.{number & 0xFFFFFF}", f"{a}.{b}.{c << 8 | d}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"0x{a:x}.{b}.0{c:o}.{d}",
    ]  # fmt: skip


@given(FORBIDDEN_V4)
def test_no_form_of_a_forbidden_address_is_anything_else(address: IPv4Address) -> None:
    assert {reach_of(text) for text in [str(address), *hidden_in(address)]} == {"forbidden"}


@given(PRIVATE_V4)
def test_no_form_of_a_private_address_is_public(address: IPv4Address) -> None:
    assert "public" not in {reach_of(text) for text in [str(address), *hidden_in(address)]}


@given(ANY_V4)
def test_what_hides_an_address_reaches_no_further_than_it(address: IPv4Address) -> None:
    own = RANK.index(reach_of(str(address)))
    assert all(RANK.index(reach_of(text)) >= own for text in hidden_in(address))


@given(ANY_V4)
def test_public_address_is_global_and_unicast(address: IPv4Address) -> None:
    if reach_of(str(address)) == "public":
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=6))
def test_public_address_of_version_6_is_given_out_by_iana(address: IPv6Address) -> None:
    if reach_of(str(address)) == "public" and address.ipv4_mapped is None:
        assert any(address in ip_network(known) for known in ("2000::/3", "64:ff9b::/96"))


@given(st.one_of(FORBIDDEN_V4, PRIVATE_V4))
def test_every_spelling_is_judged_as_the_address_it_resolves_to(address: IPv4Address) -> None:
    async def resolved() -> set[str]:
        return {found for text in spellings(address) for found in await resolve(text, 443)}

    assert {reach_of(found) for found in asyncio.run(resolved())} == {reach_of(str(address))}


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("8.8.8.8", "public"),
        ("2606:4700:4700::1111", "public"),
        ("64:ff9b::808:808", "public"),
        ("::ffff:8.8.8.8", "public"),
        ("10.1.2.3", "private"),
        ("fd12::1", "private"),
        ("64:ff9b::a01:203", "private"),
        ("::1", "forbidden"),
        ("::", "forbidden"),
        ("fe80::1%eth0", "forbidden"),
        ("fec0::1", "forbidden"),
        ("ff0e::1", "forbidden"),
        ("2001:db8::1", "forbidden"),
        ("64:ff9b:1::808:808", "forbidden"),
        ("169.254.169.254", "forbidden"),
        ("::ffff:169.254.169.254", "forbidden"),
        ("fd00:ec2::254", "forbidden"),
        ("100.100.100.200", "forbidden"),
        ("168.63.129.16", "forbidden"),
    ],
)
def test_reach_of_known_addresses(address: str, reach: str) -> None:
    assert reach_of(address) == reach


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        reach_of("localhost")
