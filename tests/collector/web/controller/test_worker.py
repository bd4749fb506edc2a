"""`/api/worker/…`: both formats, waiting, refusals, and what becomes of polls nobody waits for."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from milepost.wire.worker import PollAnswer, PollRequest
from milepost_collector.web.problems import RETRY_AFTER_S
from tests.collector.server import Server, StartServer
from tests.collector.web.controller.api import Api

PACKED = {"Content-Type": "application/msgpack"}


def wait_until(condition: Any, timeout_s: float = 10.0) -> None:
    """Return once a condition holds."""
    until_s, pause = time.monotonic() + timeout_s, threading.Event()
    while not condition():
        assert time.monotonic() < until_s
        pause.wait(0.005)


def waiting(server: Server) -> int:
    """Return how many polls wait."""
    found: int = server.app.state.services.controller._desk.waiting
    return found


def test_msgpack_is_answered_in_msgpack(api: Api, agent: str, worker: str) -> None:
    api.create(agent=agent, input={"rows": [1, {"deep": None}]})
    body = msgspec.msgpack.encode(PollRequest(worker_id=worker))
    answer = api.client.post("/api/worker/poll", content=body, headers=PACKED)
    assert answer.headers["content-type"] == "application/msgpack"
    [lease] = msgspec.msgpack.decode(answer.content, type=PollAnswer).leases
    assert lease.input == {"rows": [1, {"deep": None}]}


def test_integer_that_msgpack_has_not_is_answered_in_json(api: Api, agent: str, worker: str) -> None:
    api.create(agent=agent, input=2**70)
    body = msgspec.msgpack.encode(PollRequest(worker_id=worker))
    answer = api.client.post("/api/worker/poll", content=body, headers=PACKED)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["leases"][0]["input"] == 2**70


def test_damaged_msgpack_is_refused(api: Api) -> None:
    answer = api.client.post("/api/worker/poll", content=b"\xc1", headers=PACKED)
    assert answer.status_code == 400
    assert "not valid msgpack" in answer.json()["detail"]


def test_unknown_worker_is_to_register_again(api: Api) -> None:
    problem = api.post("/worker/poll", {"worker_id": "nobody"}, status=404)
    assert problem["detail"] == "there is no worker 'nobody'"


def test_poll_that_waits_is_woken_by_a_task(server: Server, api: Api, agent: str, worker: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(api.poll, worker, wait_ms=20_000)
        wait_until(lambda: waiting(server) == 1)
        task_id = api.create(agent=agent)["id"]
        assert [lease["task_id"] for lease in poll.result(10)["leases"]] == [task_id]


def test_client_that_goes_away_is_not_woken(server: Server, api: Api, agent: str, worker: str) -> None:
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1]))) as leaving:
        body = msgspec.json.encode(PollRequest(worker_id=worker, wait_ms=20_000))
        head = f"POST /api/worker/poll HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        leaving.sendall(head.encode() + body)
        wait_until(lambda: waiting(server) == 1)
    wait_until(lambda: waiting(server) == 0)
    task_id = api.create(agent=agent)["id"]
    assert api.get(f"/tasks/{task_id}")["status"] == "pending"
    assert len(api.poll(worker)["leases"]) == 1


def test_lease_whose_answer_was_lost_is_given_again(api: Api, agent: str, worker: str) -> None:
    api.create(agent=agent)
    first = api.poll(worker)["leases"]
    assert api.poll(worker)["leases"] == first
    held = [[first[0]["task_id"], first[0]["attempt"], False]]
    assert "leases" not in api.poll(worker, held=held)


def test_late_report_is_stale(api: Api, agent: str, worker: str) -> None:
    task_id = api.create(agent=agent)["id"]
    api.lease(worker, task_id)
    other = {"type": "completed", "task_id": task_id, "attempt": 2}
    assert api.report(worker, other)["results"][0]["outcome"] == "stale"
    done = {"type": "completed", "task_id": task_id, "attempt": 1}
    assert [api.report(worker, done)["results"][0]["outcome"] for _ in range(2)] == ["applied", "repeated"]


def test_unregistering_hands_back_what_is_held(api: Api, agent: str) -> None:
    first = api.worker(agent)
    task_id = api.create(agent=agent)["id"]
    api.lease(first, task_id)
    api.post("/worker/unregister", {"worker_id": first}, status=204)
    again = api.lease(api.worker(agent), task_id)
    assert again["attempt"] == 2
    assert "failures" not in again


def test_polls_that_wait_do_not_hold_up_the_end(start_server: StartServer) -> None:
    server = start_server()
    api = Api.of(server)
    worker = api.worker()
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(api.poll, worker, wait_ms=20_000)
        wait_until(lambda: waiting(server) == 1)
        begin = time.monotonic()
        server.app.state.services.loop.call_soon_threadsafe(server.app.state.services.stopping.set)
        assert "leases" not in poll.result(10)
        server.stop()
    assert time.monotonic() - begin < 5


def test_full_queue_is_answered_with_when_to_try_again(start_server: StartServer) -> None:
    server = start_server()
    api = Api.of(server)
    server.app.state.services.controller._writers._max_waiting = 0
    answer = api.client.post("/api/tasks", json={"name": "Load"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, str(RETRY_AFTER_S))
    assert "requests wait for the controller" in answer.json()["detail"]
    server.app.state.services.controller._writers._max_waiting = 100


def test_metrics_and_readiness_tell_of_the_controller(start_server: StartServer) -> None:
    server = start_server()
    api = Api.of(server)
    api.worker()
    api.create()
    text = server.client.get("/metrics").text
    assert "milepost_controller_ready 1.0" in text
    assert "milepost_controller_workers 1.0" in text
    server.app.state.services.controller._writers.available = False
    assert "controller's store cannot be written" in server.client.get("/readyz").json()["detail"]
