"""The ways to a collector that is not on this machine: TLS and proxies, over real sockets."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading

import pytest
import trustme

from milepost._config import Config
from milepost._transport import Transport
from sdk.sink import Sink


@pytest.fixture(scope="module")
def authority():
    """A certificate authority of the tests' own."""
    return trustme.CA()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def tls_sink(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("collector.test", "localhost").configure_cert(context)
    server = Sink(tls=context)
    yield server
    server.close()


@pytest.fixture
def trusted(monkeypatch, authority, tmp_path):
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


class Tunnel:
    """A proxy that answers one CONNECT and then passes bytes to one address, whatever name was asked for."""

    def __init__(self, port):
        self.asked = b""
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        client, _ = self._listener.accept()
        while b"\r\n\r\n" not in self.asked:
            self.asked += client.recv(4_096)
        upstream = socket.create_connection(("127.0.0.1", self._target))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
        back.start()
        _pump(client, upstream)
        back.join()
        client.close()
        upstream.close()

    def close(self):
        self._listener.close()
        self._thread.join(10)


def _pump(source, target):
    with contextlib.suppress(OSError):  # either side may hang up first
        while piece := source.recv(4_096):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def send(endpoint):
    """Return the answer to one request that no collector would take for a batch."""
    transport = Transport(Config(endpoint=endpoint, request_timeout_ms=5_000))
    try:
        return transport.send(b"{}", {})
    finally:
        transport.close()


@pytest.mark.usefixtures("trusted")
def test_https_collector_is_reached(tls_sink):
    tls_sink.script = [204]
    answer = send(f"https://localhost:{tls_sink.port}/base/")
    assert (answer.status, tls_sink.targets) == (204, ["/base/v1/events"])


def test_https_collector_without_a_trusted_certificate_is_not_told_anything(tls_sink):
    answer = send(f"https://localhost:{tls_sink.port}")
    assert not answer.reached
    assert "certificate verify failed" in answer.detail
    assert tls_sink.requests == []


def test_http_goes_by_the_environments_proxy_with_its_credentials(sink, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://me:p%40ss@127.0.0.1:{sink.port}")
    sink.script = [204]
    assert send("http://collector.test:4600").status == 204
    assert sink.targets == ["http://collector.test:4600/v1/events"]
    assert sink.requests[0][0]["proxy-authorization"] == "Basic bWU6cEBzcw=="
    assert sink.requests[0][0]["host"] == "collector.test:4600"


@pytest.mark.usefixtures("trusted")
def test_https_goes_through_the_proxys_tunnel_and_keeps_credentials_from_the_collector(tls_sink, monkeypatch):
    tunnel = Tunnel(tls_sink.port)
    monkeypatch.setenv("https_proxy", f"me:secret@127.0.0.1:{tunnel.port}")
    tls_sink.script = [204]
    assert send("https://collector.test").status == 204
    tunnel.close()
    assert tunnel.asked.startswith(b"CONNECT collector.test:443 HTTP/1.")
    assert b"basic bwu6c2vjcmv0" in tunnel.asked.lower()
    assert tls_sink.targets == ["/v1/events"]
    assert "proxy-authorization" not in tls_sink.requests[0][0]


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY"])
def test_this_machines_collector_is_reached_past_any_proxy(sink, monkeypatch, variable):
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    sink.script = [204]
    assert send(sink.endpoint).status == 204


def test_host_in_no_proxy_is_asked_directly(sink, monkeypatch):
    monkeypatch.setenv("http_proxy", sink.endpoint)
    monkeypatch.setenv("no_proxy", "collector.invalid")
    assert not send("http://collector.invalid:4600").reached
    assert sink.requests == []


def test_malformed_proxy_is_logged_and_ignored(monkeypatch, caplog):
    monkeypatch.setenv("http_proxy", "http://proxy:port")
    with caplog.at_level(logging.WARNING):
        assert not send("http://collector.invalid:4600").reached
    assert "the proxy in HTTP_PROXY is ignored: it is not an address" in caplog.text


def test_host_name_that_cannot_exist_is_an_answer_and_no_exception():
    answer = send(f"http://{'x' * 70}.invalid:4600")
    assert not answer.reached
    assert answer.detail
