"""What a program declares of an agent."""

from __future__ import annotations

import subprocess
import sys

import pytest

import milepost
from milepost.errors import ConfigurationError


@pytest.fixture
def agent():
    return milepost.Agent("etl-agent", teams=["data"])


def test_handlers_are_found_by_name(agent):
    @agent.task("Extract Data")
    def extract(): ...

    @agent.task
    async def transform(): ...

    assert agent.tasks == ["Extract Data", "transform"]
    assert agent._handlers.find("Extract Data").function is extract
    assert agent._handlers.find("transform").is_async
    assert agent._handlers.find("other") is None


def test_catch_all_does_the_other_names(agent):
    @agent.task("named")
    def named(): ...

    @agent.task(any=True)
    def rest(): ...

    assert agent._handlers.find("named").function is named
    assert agent._handlers.find("whatever").function is rest


def test_declared_function_stays_as_it_is(agent):
    @agent.task("Double")
    def double(number: int) -> int:
        return number * 2

    assert double(4) == 8


def test_name_can_be_taken_once(agent):
    agent.task("twice")(lambda: None)
    with pytest.raises(ConfigurationError, match="'twice' already"):
        agent.task("twice")(lambda: None)


def test_catch_all_has_no_name(agent):
    with pytest.raises(ConfigurationError, match="not for both"):
        agent.task("named", any=True)


def test_second_catch_all_is_refused(agent):
    agent.task(any=True)(lambda: None)
    with pytest.raises(ConfigurationError, match="any name already"):
        agent.task(any=True)(lambda: None)


@pytest.mark.parametrize("name", ["", "x" * 201, None, 3])
def test_agent_needs_a_name_of_bounded_length(name):
    with pytest.raises(ConfigurationError, match="1 to 200"):
        milepost.Agent(name)


def test_one_team_may_be_given_as_text():
    assert milepost.Agent("a", teams="data").teams == ["data"]


def test_agent_without_tasks_cannot_be_served(agent):
    with pytest.raises(ConfigurationError, match="has no tasks"):
        agent.serve()


@pytest.mark.parametrize("concurrency", [0, 10_001, True, 1.5])
def test_concurrency_out_of_range_is_refused(agent, concurrency):
    agent.task("any")(lambda: None)
    with pytest.raises(ConfigurationError, match="whole number from 1 to 10000"):
        agent.serve(concurrency=concurrency)


def test_agents_are_imported_when_they_are_used():
    code = (
        "import sys, milepost; before = 'asyncio' in sys.modules; milepost.Agent; print(before, 'httpx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
