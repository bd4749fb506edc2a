"""Only this machine asks, and no foreign page in its browsers."""

from __future__ import annotations

import httpx
import pytest

from tests.collector.server import Server, StartServer


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:4600", "127.0.0.1", "127.8.9.1:1", "[::1]:4600"])
def test_loopback_hosts_are_served(server: Server, host: str) -> None:
    assert server.client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "192.168.1.5:4600", "", "[::1", "a@127.0.0.1.nip.io"]
)
@pytest.mark.parametrize("path", ["/", "/healthz", "/api/runs", "/assets/x.js", "/nope"])
def test_other_hosts_are_refused_everywhere(server: Server, host: str, path: str) -> None:
    answer = server.client.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert answer.json()["field"] == "Host"


def test_own_origin_is_served(server: Server) -> None:
    assert server.client.get("/api/runs", headers={"Origin": server.url}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:3000", "file://", "", "http://[::1"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/runs"), ("POST", "/v1/events"), ("POST", "/api/sql"), ("GET", "/")]
)
def test_foreign_origins_are_refused_everywhere(server: Server, origin: str, method: str, path: str) -> None:
    answer = server.client.request(method, path, headers={"Origin": origin}, json={"sql": "SELECT 1"})
    assert (answer.status_code, answer.json()["field"]) == (403, "Origin")


def test_foreign_page_may_link_but_not_fetch(server: Server) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert server.client.get("/api/runs", headers={**foreign, "Sec-Fetch-Mode": "no-cors"}).status_code == 403
    assert server.client.get("/healthz", headers={**foreign, "Sec-Fetch-Mode": "navigate"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/runs", "/api/nope", "/metrics", "/api/runs?limit=x"])
def test_every_answer_has_the_security_headers(server: Server, path: str) -> None:
    headers = server.client.get(path).headers
    assert "default-src 'self';" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert not [name for name in headers if name.startswith("access-control-")]


def test_preflight_is_not_granted(server: Server) -> None:
    asks = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = server.client.options("/api/sql", headers=asks)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_unexpected_error_is_logged_under_an_id_and_tells_nothing(
    start_server: StartServer, caplog: pytest.LogCaptureFixture
) -> None:
    broken = start_server()
    services = broken.app.state.services
    services.queries = None  # whatever could be wrong with our own code
    answer = broken.client.get("/api/runs")
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    error_id = problem["detail"].rsplit(" ", 1)[1]
    assert f"unexpected error {error_id}" in caplog.text
    assert "NoneType" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("strips", [True, False])
def test_root_path_is_honoured_whether_the_proxy_strips_it(start_server: StartServer, strips: bool) -> None:
    behind = start_server(root_path="/milepost")
    with httpx.Client(base_url=behind.url if strips else f"{behind.url}/milepost") as client:
        assert client.get("/api/runs").json()["runs"] == []
        assert '<base href="/milepost/">' in client.get("/runs/abc").text
        assert client.get("/api/nope").status_code == 404
