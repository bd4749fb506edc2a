"""Forwarding by a whole collector: what is accepted goes on, what is refused does not, and circles end."""

from __future__ import annotations

import gzip
import json
import random
import socket
import subprocess
import sys
import time as wall
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from milepost.errors import ConfigurationError
from milepost_collector import CollectorConfig, create_app
from milepost_collector.errors import StorageError
from milepost_collector.storage import Database
from tests.collector.forwarding.backend import DEADLINE_S, Backend
from tests.collector.server import Server, StartServer

CORPUS = Path(__file__).parents[2] / "corpus"
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}


def wait_for(condition: Callable[[], bool]) -> None:
    """Return once a condition holds."""
    deadline = wall.monotonic() + DEADLINE_S
    while not condition():
        assert wall.monotonic() < deadline, "the condition never held"
        wall.sleep(0.005)


def free_port() -> int:
    """Return a port that nobody listens on, and that no outgoing connection takes."""
    while True:
        port = random.randrange(10_000, 32_000)  # below the ephemeral ports of Linux
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def json_of(run_id: str) -> bytes:
    span = {"traceId": run_id, "spanId": "1" * 16, "name": "n", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


@pytest.mark.parametrize(
    ("path", "file"), [("/v1/traces", "oi_openai.01.binpb"), ("/v1/logs", "openai_v2_content.logs.01.binpb")]
)
def test_accepted_body_reaches_the_destination_byte_for_byte(
    start_server: StartServer, backend: Backend, path: str, file: str
):
    server = start_server(forward_to=(backend.url,), forward_headers=("x-key=k",))
    body = (CORPUS / file).read_bytes()
    compressed = gzip.compress(body)
    answer = server.client.post(path, content=compressed, headers={**PROTOBUF, "content-encoding": "gzip"})
    assert answer.status_code == 200
    wait_for(lambda: len(backend.taken) == 1)
    [received] = backend.received
    assert (received.path, received.content, received.headers["x-key"]) == (path, body, "k")


def test_refused_body_is_not_forwarded(start_server: StartServer, backend: Backend):
    server = start_server(forward_to=(backend.url,))
    assert server.client.post("/v1/traces", content=b"{", headers=JSON).status_code == 400
    assert server.client.post("/v1/traces", content=json_of("2" * 32), headers=JSON).status_code == 200
    wait_for(lambda: backend.taken == [json_of("2" * 32)])


def test_destination_that_is_down_changes_nothing_for_senders(start_server: StartServer, backend: Backend):
    backend.stop()
    server = start_server(forward_to=(backend.url,))
    assert server.client.post("/v1/traces", content=json_of("3" * 32), headers=JSON).status_code == 200
    assert server.rows("SELECT count(*) FROM spans") == [[1]]
    server.stop()
    backend.start()
    start_server(forward_to=(backend.url,))
    wait_for(lambda: backend.taken == [json_of("3" * 32)])


def test_collectors_that_forward_to_each_other_come_to_rest(
    start_server: StartServer, tmp_path: Path, backend: Backend
):
    first_port = free_port()
    second = start_server(data_dir=tmp_path / "two", forward_to=(f"http://127.0.0.1:{first_port}", backend.url))
    first = start_server(data_dir=tmp_path / "one", port=first_port, forward_to=(second.url,))
    assert first.client.post("/v1/traces", content=json_of("4" * 32), headers=JSON).status_code == 200
    for server in (first, second):
        wait_for(lambda server=server: server.rows("SELECT count(*) FROM spans") == [[1]])
    wait_for(lambda: all(not one.queued_bodies for one in stats_of(first) + stats_of(second)))
    assert sum(one.sent for one in stats_of(first)) == 1
    assert len(backend.taken) == 1


def stats_of(server: Server) -> list:
    return server.app.state.services.forwarding.stats()


def test_metrics_tell_what_a_destination_got(start_server: StartServer, backend: Backend):
    server = start_server(forward_to=(backend.url,))
    backend.answers.append((400, {}))
    for digit in "56":
        assert server.client.post("/v1/traces", content=json_of(digit * 32), headers=JSON).status_code == 200
    wait_for(lambda: not stats_of(server)[0].queued_bodies)
    text = server.client.get("/metrics").text
    assert f'milepost_forwarding_sent_total{{destination="{backend.url}"}} 1.0' in text
    assert f'milepost_forwarding_queued_bodies{{destination="{backend.url}"}} 0.0' in text
    assert f'milepost_forwarding_dropped_total{{destination="{backend.url}",reason="refused"}} 1.0' in text


async def test_start_that_fails_leaves_the_database_closed(tmp_path: Path):
    (tmp_path / "forwarding").write_text("in the way")
    config = CollectorConfig(data_dir=tmp_path, forward_to=("http://127.0.0.1:1",))
    app = create_app(config)
    with pytest.raises(StorageError, match="cannot be used"):
        async with app.router.lifespan_context(app):
            pass
    Database(config.database_path, memory_limit_bytes=config.memory_limit_bytes).close()


def test_own_address_is_refused_by_the_command(tmp_path: Path):
    port = free_port()
    command = [sys.executable, "-m", "milepost_collector.cli", "serve", "--data", str(tmp_path), "--port", str(port)]
    command += ["--forward", f"http://localhost:{port}", "--forward-header", "x-key=secret"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "is this collector itself" in done.stderr
    assert "secret" not in done.stderr


def test_settings_come_from_variables_with_commas_between():
    environ = {
        "MILEPOST_FORWARD_TO": "http://one.example.com, http://two.example.com/",
        "MILEPOST_FORWARD_HEADERS": "http://one.example.com a=1%2C2,http://two.example.com b=2",
        "MILEPOST_FORWARD_MAX_BYTES": "1048576",
    }
    config = CollectorConfig.from_env(environ)
    assert config.forward_to == ("http://one.example.com", "http://two.example.com/")
    assert config.forward_headers == ("http://one.example.com a=1%2C2", "http://two.example.com b=2")
    assert "1%2C2" not in repr(config)
    with pytest.raises(ConfigurationError, match="forward_max_bytes: must be at least"):
        CollectorConfig(forward_max_bytes=5)
