"""`milepost agent …` and `milepost limit …` against a real collector."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from tests.sdk.client.hand import Hand

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke

    from conftest import CollectorProcess


@pytest.fixture
def hand(collector: CollectorProcess) -> Iterator[Hand]:
    """Return a worker of `etl` that handles `work`."""
    hand = Hand(collector.url, "etl", "work")
    yield hand
    hand.close()


def test_agent_shows_its_worker_and_what_it_does(invoke: Invoke, hand: Hand):
    task_id = invoke("task", "create", "work", "--agent", "etl").stdout.strip()
    lease = hand.take()
    listed = invoke("agent", "list").stdout
    assert "● serving" in listed
    assert "1/1" in listed
    shown = invoke("agent", "get", "etl").stdout
    assert "1 of 1 slots busy" in shown
    assert f"work {task_id[-8:]} #1" in shown
    hand.complete(lease)


def test_agent_is_held_and_goes_on(invoke: Invoke, hand: Hand):
    assert "‖ paused" in invoke("agent", "pause", "etl", "--reason", "the database moves").stdout
    assert json.loads(invoke("agent", "get", "etl", "--json").stdout)["paused"]
    assert "● serving" in invoke("agent", "resume", "etl").stdout


def test_unknown_agent_is_named(invoke: Invoke):
    assert "there is no agent 'nobody'" in invoke("agent", "get", "nobody", code=1).stderr


def test_limits_are_set_listed_and_removed(invoke: Invoke):
    assert "nothing is limited" in invoke("limit", "list").stdout
    assert "4" in invoke("limit", "set", "agent", "etl", "--concurrency", "4").stdout
    invoke("limit", "set", "key", "customer/42", "--rate", "10", "--per", "1m")
    assert "10 in 1 min" in invoke("limit", "list").stdout
    assert "customer/42 is not limited any more" in invoke("limit", "delete", "key", "customer/42").stdout
    assert [limit["value"] for limit in json.loads(invoke("limit", "list", "--json").stdout)] == ["etl"]


@pytest.mark.parametrize(
    ("options", "said"), [([], "what is the limit?"), (["--rate", "5"], "--rate and --per come together")]
)
def test_half_a_limit_is_wrong_usage(invoke: Invoke, options: list[str], said: str):
    assert said in invoke("limit", "set", "agent", "etl", *options, code=2).stderr
