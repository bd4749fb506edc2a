"""Where requests may go."""

from __future__ import annotations

import pytest

from milepost.errors import ConfigurationError
from milepost_collector.outbound.policy import DestinationRefusedError, OutboundPolicy, Target

PUBLIC, PRIVATE, LOOPBACK = "93.184.216.34", "10.0.0.5", "127.0.0.1"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", ("https", "example.com", 443, "/")),
        ("https://EXAMPLE.com:8443/a/b?c=d#e", ("https", "example.com", 8443, "/a/b?c=d")),
        ("https://[2606:4700::1]:9/x", ("https", "2606:4700::1", 9, "/x")),
        ("https://bücher.example/ä", ("https", "xn--bcher-kva.example", 443, "/%C3%A4")),
    ],
)
def test_url_leads_to_its_target(url: str, target: Target) -> None:
    assert OutboundPolicy().target(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "example.com/hook", "https://", "https:///path", "https://a:0/",
        "https://a:99999/", "https://user@example.com/", "https://user:pass@example.com/", "https://ex ample.com/",
        "https://example.com/\r\nX: y", "https://example.com\\@evil.example/", "https://[::1/", "https://a..b/",
        "https://example.com/" + "x" * 2_000, "gopher://example.com/", "http://example.com/", "//example.com",
    ],
)  # fmt: skip
def test_what_is_no_https_address_is_refused(url: str) -> None:
    with pytest.raises(DestinationRefusedError) as refused:
        OutboundPolicy().target(url)
    assert refused.value.remedy


def test_refusal_does_not_repeat_a_password() -> None:
    with pytest.raises(DestinationRefusedError) as refused:
        OutboundPolicy().target("https://user:hunter2@example.com/")
    assert "hunter2" not in str(refused.value)


def test_plain_http_is_for_hosts_that_are_listed_and_private_networks() -> None:
    assert OutboundPolicy(allow_hosts=["sink.example:80"]).target("http://sink.example/").port == 80
    assert OutboundPolicy(allow_private=True).target("http://10.0.0.5:8080/").host == "10.0.0.5"


@pytest.mark.parametrize(
    ("policy", "host", "addresses", "allowed"),
    [
        (OutboundPolicy(), "a.example", [PUBLIC], True),
        (OutboundPolicy(), "a.example", [PUBLIC, PRIVATE], False),
        (OutboundPolicy(), "a.example", [PUBLIC, LOOPBACK], False),
        (OutboundPolicy(allow_private=True), "a.example", [PUBLIC, PRIVATE], True),
        (OutboundPolicy(allow_private=True), "a.example", [PRIVATE, LOOPBACK], False),
        (OutboundPolicy(allow_private=True), "a.example", ["169.254.169.254"], False),
        (OutboundPolicy(allow_hosts=["a.example"]), "a.example", [LOOPBACK], True),
        (OutboundPolicy(allow_hosts=["A.example:8080"]), "a.example", [LOOPBACK], True),
        (OutboundPolicy(allow_hosts=["a.example:8081"]), "a.example", [LOOPBACK], False),
        (OutboundPolicy(allow_hosts=["a.example"]), "b.a.example", [LOOPBACK], False),
        (OutboundPolicy(allow_hosts=["127.0.0.1"]), "a.example", [LOOPBACK], False),
        (OutboundPolicy(allow_hosts=["[::1]:8080"]), "::1", ["::1"], True),
        (OutboundPolicy(allow_hosts=["a.example"]), "a.example.", [LOOPBACK], True),
    ],
)
def test_every_address_of_a_host_must_be_allowed(
    policy: OutboundPolicy, host: str, addresses: list[str], allowed: bool
) -> None:
    if allowed:
        policy.check(host, 8080, addresses)
    else:
        with pytest.raises(DestinationRefusedError, match="webhook_allow_hosts"):
            policy.check(host, 8080, addresses)


@pytest.mark.parametrize("entry", ["", "http://a.example", "a.example:port", "*", "*.example", "a:1:2", "a b", "a/b"])
def test_entry_that_is_no_host_is_refused(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="webhook_allow_hosts"):
        OutboundPolicy(allow_hosts=[entry])
