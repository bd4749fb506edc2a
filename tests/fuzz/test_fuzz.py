"""The fuzz run in short, with a fixed seed: in process, and over real HTTP."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import httpx
import pytest

from tests.conftest import StartCollector
from tests.fuzz.__main__ import Run, told
from tests.fuzz.bodies import Body, make_body
from tests.fuzz.judge import Failure

SEED = 20_261_121
BODIES = 2_000
HTTP_BODIES = 300
DECLARED = (200, 400, 413, 415)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_mutated_bodies_raise_nothing_undeclared_and_cost_no_neighbour(caplog: pytest.LogCaptureFixture):
    run = Run(SEED)
    assert await run.over(range(BODIES)) == []
    assert run.tally.bodies == BODIES
    assert run.tally.neighbours > BODIES / 2
    assert "Traceback" not in caplog.text


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_mutated_requests_are_answered_as_declared_and_reading_goes_on(start_collector: StartCollector):
    collector = start_collector()
    dice = random.Random(SEED)
    with httpx.Client(base_url=collector.url, timeout=60) as client:
        statuses = [post(client, make_body(SEED, number), dice) for number in range(BODIES, BODIES + HTTP_BODIES)]
        assert set(statuses) <= set(DECLARED)
        assert statuses.count(200) > HTTP_BODIES / 2
        assert_everything_can_be_read(client)


def post(client: httpx.Client, body: Body, dice: random.Random) -> int:
    """Send a body, now and then to the wrong path, with the wrong type, compressed or compressed and damaged."""
    signal, headers, content = body.signal, {"content-type": body.content_type}, body.content
    chance = dice.random()
    if chance < 0.1:
        signal = dice.choice(("traces", "logs", "metrics"))
    elif chance < 0.15:
        headers["content-type"] = dice.choice(("text/plain", "application/json", "application/x-protobuf", "", "a/b;c"))
    elif chance < 0.4:
        headers["content-encoding"] = "gzip"
        content = gzip.compress(content)
        if chance < 0.2:
            content = content[: dice.randrange(len(content))]
    answer = client.post(f"/v1/{signal}", content=content, headers=headers)
    assert answer.status_code in DECLARED, f"body {body.number} ({body.mutation}): {answer.status_code} {answer.text}"
    return answer.status_code


def assert_everything_can_be_read(client: httpx.Client) -> None:
    """Open what the viewer opens, for every run there is."""
    runs = client.get("/api/runs", params={"limit": 40})
    assert runs.status_code == 200, runs.text
    for run in runs.json()["runs"]:
        for address in (f"/api/runs/{run['run_id']}", f"/api/runs/{run['run_id']}/spans"):
            answer = client.get(address)
            assert answer.status_code == 200, f"{address}: {answer.text}"
        for span in client.get(f"/api/runs/{run['run_id']}/spans").json()["spans"][:5]:
            answer = client.get(f"/api/spans/{span['span_id']}", params={"run_id": run["run_id"]})
            assert answer.status_code == 200, f"{span['span_id']}: {answer.text}"


def test_same_seed_and_number_are_the_same_body():
    for number in range(50):
        assert make_body(1, number).content == make_body(1, number).content
        assert make_body(1, number).content != make_body(2, number).content


def test_failure_is_told_with_its_body():
    body = make_body(1, 7)
    lines = told([Failure(body, "something")])
    assert lines[0].startswith("body 7 (")
    assert (Path(lines[-1].rpartition(" ")[2]) / "7.body").read_bytes() == body.content
