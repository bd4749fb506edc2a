"""`milepost serve`: start, readiness, refusals with a remedy, graceful end."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import httpx
import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Milepost

    from conftest import StartCollector


def test_serve_says_its_address_once_it_is_ready(start_collector: StartCollector):
    collector = start_collector()
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", collector.url)
    assert httpx.get(f"{collector.url}/readyz").status_code == 200


def test_serve_keeps_the_database_in_the_folder_it_is_given(start_collector: StartCollector, tmp_path: Path):
    collector = start_collector(data_dir=tmp_path / "a" / "b")
    assert collector.stop() == 0
    with duckdb.connect(str(tmp_path / "a" / "b" / "milepost.duckdb"), read_only=True) as database:
        assert database.sql("SELECT count(*) FROM runs").fetchall() == [(0,)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_with_code_0_when_asked_to_stop(start_collector: StartCollector, number: signal.Signals):
    process = start_collector().process
    process.send_signal(number)
    assert process.wait(15) == 0


def test_serve_stops_while_a_browser_follows_the_live_stream(start_collector: StartCollector):
    collector = start_collector()
    with httpx.stream("GET", f"{collector.url}/api/live?runs=1", timeout=20) as stream:
        assert "hello" in next(stream.iter_text())
        assert collector.stop() == 0


def test_serve_lists_what_is_recorded_after_a_restart(start_collector: StartCollector):
    for number in (1, 2, 3):
        collector = start_collector()
        ended = {"type": "span_ended", "run_id": f"{number:032x}", "span_id": f"{number:016x}", "name": "again"}
        send(collector.url, number, {**ended, "kind": "agent", "start_time": number, "end_time": number})
        assert collector.sql("SELECT count(*) FROM runs") == [[number]]
        send(collector.url, number + 100, {"type": "event", "run_id": ended["run_id"], "time": number})
        assert collector.stop() == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org"])
def test_serve_refuses_an_address_that_others_can_reach(command: Milepost, host: str, tmp_path: Path):
    done = command("serve", "--host", host, "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert f"{host!r} is not a loopback address" in done.stderr
    assert not (tmp_path / "data").exists()


def test_serve_names_the_port_that_is_in_use(command: Milepost, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = command("serve", "--port", port, "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert not (tmp_path / "data").exists()


def test_serve_refuses_a_database_that_another_collector_has_open(start_collector: StartCollector, command: Milepost):
    collector = start_collector()
    done = command("serve", "--port", "0", "--data", str(collector.data_dir))
    assert_clear_failure(done.returncode, done.stderr, "in use by another process")


def test_serve_refuses_a_file_that_is_no_database(command: Milepost, tmp_path: Path):
    (tmp_path / "milepost.duckdb").write_bytes(b"not a database, but long enough to have a header" * 100)
    done = command("serve", "--port", "0", "--data", str(tmp_path))
    assert_clear_failure(done.returncode, done.stderr, "cannot be read")


def test_serve_refuses_a_database_of_a_newer_milepost(start_collector: StartCollector, command: Milepost):
    collector = start_collector()
    collector.stop()
    with duckdb.connect(str(collector.data_dir / "milepost.duckdb")) as database:
        database.sql("INSERT INTO migrations VALUES (9999, 'from_the_future', now()::TIMESTAMP)")
    done = command("serve", "--port", "0", "--data", str(collector.data_dir))
    assert_clear_failure(done.returncode, done.stderr, "layout 9999")


def test_serve_refuses_a_data_folder_that_is_a_file(command: Milepost, tmp_path: Path):
    (tmp_path / "file").touch()
    done = command("serve", "--port", "0", "--data", str(tmp_path / "file"))
    assert_clear_failure(done.returncode, done.stderr, "cannot be created")


def test_serve_names_the_variable_that_does_not_parse(command: Milepost, tmp_path: Path):
    done = command("serve", "--port", "0", "--data", str(tmp_path), MILEPOST_LOST_AFTER_S="soon")
    assert done.returncode == 2
    assert "MILEPOST_LOST_AFTER_S: expected float, got 'soon'" in done.stderr


def send(url: str, sequence: int, event: dict[str, object]) -> None:
    answer = httpx.post(f"{url}/v1/events", json={"producer_id": "p", "sequence": sequence, "events": [event]})
    assert answer.json() == {"accepted": 1, "rejected": [], "duplicate": False}


def assert_clear_failure(code: int, said: str, expected: str) -> None:
    """One line with a reason: no traceback, nothing else logged."""
    assert code == 1
    assert said.startswith("Error: ")
    assert expected in said
    assert said.count("\n") == 1, said
