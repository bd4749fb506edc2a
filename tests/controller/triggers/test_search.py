"""Searches asked of facts at hand."""

from __future__ import annotations

from typing import Any

import pytest

from milepost_collector.errors import InvalidParameterError
from milepost_collector.triggers import search

FACTS = {
    "status": "failed", "name": "Load data", "task": "t1", "agent": "etl", "tag": ["nightly", "big"], "user": None,
    "error": ["OSError", "connection refused"], "cost": 2.5, "tokens": 0, "dur": 1_500, "started": 10**18,
    "text": ["Load data", "connection refused"],
}  # fmt: skip
NOW_NS = 10**18 + 3_600 * 10**9


def holds(text: str, **changes: Any) -> bool:
    return search.holds(search.read("task", text), {**FACTS, **changes}, NOW_NS)


@pytest.mark.parametrize(
    "text",
    [
        "", "status:failed", "status:failed,lost", 'name:"Load data"', "name:Load*",
        "tag:big", "-tag:small", "error:*refused", "error:OSError", "cost>2", "cost<=2.5", "cost_usd:2.5", "dur>1s",
        "tokens:0", "started>now-2h", "started<now", "refused", '"connection refused" agent:etl',
        "agent:x OR agent:etl",
        "has:agent", "-has:user", "has:error", "is:ended", "-is:live",
    ],
)  # fmt: skip
def test_search_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    ["status:completed", "name:Load", "tag:small", "error:refused", "cost>2.5", "dur<1s", "started>now-30m", "timeout",
     "has:user", "user:ann", "-agent:etl", "is:live", "(agent:etl cost<1)"],
)  # fmt: skip
def test_search_does_not_hold(text: str) -> None:
    assert not holds(text)


def test_what_is_not_known_fulfils_nothing() -> None:
    assert not holds("cost<1", cost=None)
    assert not holds("cost>=0", cost=None)
    assert holds("-cost>0", cost=None)
    assert not holds("started>now-2h", started=None)


@pytest.mark.parametrize("source", ["task", "ask", "schedule"])
@pytest.mark.parametrize("text", ["kind:llm", "model:gpt*", "span(name:x)", "-(name:a OR spans>2)"])
def test_what_is_not_known_of_an_event_is_refused(source: str, text: str) -> None:
    with pytest.raises(InvalidParameterError, match=rf"is not known of a {source} event; ask for one of status, name"):
        search.read(source, text)


@pytest.mark.parametrize(
    ("text", "asks"), [("cost>1", True), ("has:tokens", True), ("-(name:a OR tokens>2)", True), ("name:cost", False)]
)
def test_usage_is_looked_up_only_when_it_is_asked_for(text: str, asks: bool) -> None:
    assert search.asks_for(search.read("task", text), search.USAGE) is asks
