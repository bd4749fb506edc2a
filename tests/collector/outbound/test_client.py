"""Requests over real sockets: where they go, and what they do not do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
import trustme

from milepost_collector.outbound.client import OutboundClient
from milepost_collector.outbound.guard import Resolve
from milepost_collector.outbound.policy import OutboundPolicy
from tests.collector.webhooks.sink import Reply, Sink, running_sink

NAME = "hooks.example"


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Return a receiver."""
    with running_sink() as running:
        yield running


class Names:
    """A resolver that answers as the test says, and counts how often it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        """Return the next answer; the last one again and again."""
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


class Clients:
    """Makes clients, and closes them."""

    def __init__(self) -> None:
        self.opened: list[OutboundClient] = []

    def __call__(self, *hosts: str, resolve: Resolve, tls: ssl.SSLContext | None = None) -> OutboundClient:
        self.opened.append(OutboundClient(OutboundPolicy(allow_hosts=hosts), resolve=resolve, tls=tls))
        return self.opened[-1]


@pytest_asyncio.fixture
async def clients() -> AsyncIterator[Clients]:
    """Return a maker of clients, all of which are closed in the end."""
    made = Clients()
    yield made
    for client in made.opened:
        await client.close()


async def test_name_that_leads_home_is_refused_before_anything_is_sent(clients: Clients, sink: Sink) -> None:
    port = sink.server.server_port
    client = clients(resolve=Names(["127.0.0.1"]))
    outcome = await client.post(f"https://{NAME}:{port}/", {}, b"{}", timeout_s=5)
    assert outcome.is_refused
    assert "127.0.0.1, which is not a public address" in outcome.error
    assert sink.connections == 0


async def test_one_forbidden_address_among_public_ones_is_enough(clients: Clients, sink: Sink) -> None:
    client = clients(resolve=Names(["93.184.216.34", "127.0.0.1"]))
    assert (await client.post(f"https://{NAME}:{sink.server.server_port}/", {}, b"{}", timeout_s=5)).is_refused
    assert sink.connections == 0


async def test_name_that_means_something_else_the_second_time_is_checked_again(clients: Clients, sink: Sink) -> None:
    """The first answer may be reached, the second would be this machine: a check that is not the connection's own
    would let it through."""
    names = Names(["192.0.2.1"], ["127.0.0.1"])
    client = clients(resolve=names)
    for _ in range(2):
        outcome = await client.post(f"https://{NAME}:{sink.server.server_port}/", {}, b"{}", timeout_s=5)
        assert outcome.is_refused
    assert names.asked == 2  # once for each request, and what was checked is what would have been connected to
    assert sink.connections == 0


async def test_connection_goes_to_the_address_that_was_checked_with_the_name_in_host(
    clients: Clients, sink: Sink
) -> None:
    port = sink.server.server_port
    names = Names(["127.0.0.1"], ["192.0.2.1"])
    client = clients(f"{NAME}:{port}", resolve=names)
    outcome = await client.post(f"http://{NAME}:{port}/hook?a=b", {"X-Of": "test"}, b"{}", timeout_s=5)
    assert outcome.status == 204
    (request,) = sink.received
    assert (request.path, request.headers["host"], request.headers["x-of"]) == ("/hook?a=b", f"{NAME}:{port}", "test")
    assert names.asked == 1


async def test_address_that_nobody_answers_at_is_followed_by_the_next(clients: Clients, sink: Sink) -> None:
    port = sink.server.server_port
    client = clients(f"{NAME}:{port}", resolve=Names(["127.0.0.9", "127.0.0.1"]))
    assert (await client.post(f"http://{NAME}:{port}/", {}, b"{}", timeout_s=5)).status == 204


async def test_redirect_is_not_followed(clients: Clients, sink: Sink) -> None:
    sink.reply = lambda request: Reply(302, {"location": "http://127.0.0.1:1/"})
    client = clients(f"{NAME}:{sink.server.server_port}", resolve=Names(["127.0.0.1"]))
    outcome = await client.post(f"http://{NAME}:{sink.server.server_port}/", {}, b"{}", timeout_s=5)
    assert outcome.status == 302
    assert len(sink.received) == 1


async def test_proxies_of_the_environment_are_not_used(
    clients: Clients, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    client = clients(f"{NAME}:{sink.server.server_port}", resolve=Names(["127.0.0.1"]))
    assert (await client.post(f"http://{NAME}:{sink.server.server_port}/", {}, b"{}", timeout_s=5)).status == 204


async def test_answer_s_body_is_not_waited_for_without_end(clients: Clients, sink: Sink) -> None:
    sink.reply = lambda _: Reply(200, body=b"x" * 10_000_000)
    client = clients(f"{NAME}:{sink.server.server_port}", resolve=Names(["127.0.0.1"]))
    assert (await client.post(f"http://{NAME}:{sink.server.server_port}/", {}, b"{}", timeout_s=5)).status == 200


async def test_name_that_does_not_resolve_is_no_answer(clients: Clients) -> None:
    async def nowhere(host: str, port: int) -> list[str]:
        raise OSError("unknown")

    outcome = await clients(resolve=nowhere).post(f"https://{NAME}/", {}, b"{}", timeout_s=5)
    assert (outcome.status, outcome.error) == (None, f"{NAME} cannot be resolved")


@pytest.fixture
def authority() -> trustme.CA:
    """Return a certificate authority."""
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """Return what trusts it."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def serve_tls(authority: trustme.CA, name: str) -> tuple[asyncio.Server, int, list[str]]:
    """Return a TLS server with a certificate for a name, its port, and the names that were asked for (SNI)."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    asked: list[str] = []
    context.sni_callback = lambda _, given, __: asked.append(given)  # type: ignore[assignment]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    return server, server.sockets[0].getsockname()[1], asked


async def test_tls_sees_the_name_although_the_address_is_pinned(
    clients: Clients, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    server, port, asked = await serve_tls(authority, NAME)
    async with server:
        client = clients(f"{NAME}:{port}", resolve=Names(["127.0.0.1"]), tls=trusting)
        assert (await client.post(f"https://{NAME}:{port}/", {}, b"{}", timeout_s=5)).status == 204
    assert asked == [NAME]


async def test_certificate_of_another_name_is_refused(
    clients: Clients, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    server, port, _ = await serve_tls(authority, "other.example")
    async with server:
        client = clients(f"{NAME}:{port}", resolve=Names(["127.0.0.1"]), tls=trusting)
        outcome = await client.post(f"https://{NAME}:{port}/", {}, b"{}", timeout_s=5)
    assert outcome.status is None
    assert "certificate is not valid" in outcome.error
