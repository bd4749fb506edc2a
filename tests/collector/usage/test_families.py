"""Runs as frameworks record them: whatever is repeated, every call counts once.

The structures are those the corpus' README tells of; each is what one person would call two or three calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from milepost_collector.protocol.usage import UsageSpan
from tests.collector.usage.builders import span, sums, total

SDK = "com.anthropic.sdk.python"


@dataclass(frozen=True)
class Family:
    """A run, what its calls add up to, and the parents of spans without usage."""

    name: str
    spans: list[UsageSpan]
    truth: tuple[int, int]
    bare: dict[str, str | None] = field(default_factory=dict)


def call(span_id: str, parent: str | None, counts: tuple[int | None, ...], start: float, **values: object) -> UsageSpan:
    """Return a call of 50 ms."""
    return span(span_id, parent, counts, at=(start, start + 50), **{"model": "gpt-4o-mini", **values})


FAMILIES = [
    Family(
        "library and SDK as siblings, the library's streams one token too long",
        [
            call("t1", "task", (130, 15, 40, 20), 0, scope="traceloop", name="anthropic.chat", response_id="msg_1"),
            span("s1", "task", (130, 15, 40, 20), at=(1, 49), scope=SDK, model="gpt-4o-mini", response_id="msg_1"),
            call("t2", "task", (105, 24, 40, 20), 60, scope="traceloop", name="anthropic.chat", response_id="msg_2"),
            span("s2", "task", (105, 23, 40, 20), at=(61, 109), scope=SDK, model="gpt-4o-mini", response_id="msg_2"),
            call("t3", "task", (105, 24, 40, 20), 120, scope="traceloop", name="anthropic.chat"),
            span("s3", "task", (105, 23, 40, 20), at=(121, 169), scope=SDK, response_id="msg_3"),
        ],
        (340, 61),
        {"task": "flow", "flow": None},
    ),
    Family(
        "usage recorded on a span of its own beside the call",
        [
            call("c1", "a", (131, 43), 0, name="chat gpt-4o-mini", scope="ag2"),
            span("u1", "a", (131, 43), at=(50, 50.2), name="record_usage", scope="ag2", kind="span"),
            call("c2", "a", (199, 27), 60, name="chat gpt-4o-mini", scope="ag2"),
            span("u2", "a", (199, 27), at=(110, 110.2), name="record_usage", scope="ag2", kind="llm"),
        ],
        (330, 70),
        {"a": None},
    ),
    Family(
        "raw request with the times of the request above or beside it",
        [
            call("r1", None, (131, 43), 0, name="litellm_request", scope="litellm", response_id="c1"),
            call("w1", "r1", (131, 43), 0, name="raw_gen_ai_request", scope="litellm", model=None),
            call("r2", "p", (131, 43), 60, name="litellm_request", scope="litellm", response_id="c2"),
            call("w2", "p", (131, 43), 60, name="raw_gen_ai_request", scope="litellm", model=None),
        ],
        (262, 86),
    ),
    Family(
        "usage of a stream on a second span when it is over",
        [
            call("first", "a", (None, None), 0, scope="logfire", name="Chat Completion"),
            span("second", "a", (131, 27), at=(80, 80), scope="logfire", name="streaming response"),
        ],
        (131, 27),
        {"a": None},
    ),
    Family(
        "the framework's call above the SDK's, reasoning added to output twice",
        [
            total("agent", None, (330, 82)),
            call("call_llm 1", "agent", (131, 55), 0, scope="adk", name="call_llm"),
            call("generate 1", "call_llm 1", (131, 43), 1, scope="genai", name="generate_content"),
            call("call_llm 2", "agent", (199, 39), 60, scope="adk", name="call_llm"),
            call("generate 2", "call_llm 2", (199, 27), 61, scope="genai", name="generate_content"),
        ],
        (330, 70),
    ),
    Family(
        "outer span with the counts of the last step",
        [
            span("outer", None, (199, 27), at=(0, 120), kind="chain", scope="ai"),
            call("step 1", "outer", (131, 43), 1, scope="ai", response_id="c1"),
            call("step 2", "outer", (199, 27), 60, scope="ai", response_id="c2"),
        ],
        (330, 70),
    ),
    Family(
        "outer call with the sum of its steps",
        [
            span("outer", None, (330, 70, 128, None, 24), at=(0, 120), kind="llm", scope="ai", model="gpt-4o-mini"),
            call("step 1", "outer", (131, 43, 64, None, 12), 1, scope="ai", response_id="c1"),
            call("step 2", "outer", (199, 27, 64, None, 12), 60, scope="ai", response_id="c2"),
        ],
        (330, 70),
    ),
    Family(
        "agent with totals above cycles without",
        [
            total("agent", None, (330, 70, 128, 0), model="gpt-4o-mini"),
            call("c1", "cycle 1", (131, 43, 64), 0),
            call("c2", "cycle 2", (199, 27, 64), 60),
        ],
        (330, 70),
        {"cycle 1": "agent", "cycle 2": "agent"},
    ),
    Family(
        "totals that grow from one invocation of an agent to the next",
        [
            total("first", "root", (131, 43), at=(0, 60)),
            call("c1", "first", (131, 43), 0),
            total("second", "root", (330, 70), at=(70, 130)),
            call("c2", "second", (199, 27), 70),
        ],
        (330, 70),
        {"root": None},
    ),
    Family(
        "agents' responses under turns, tasks and agents without usage",
        [call("r1", "turn 1", (118, 20), 0), call("r2", "turn 2", (189, 32), 60)],
        (307, 52),
        {"turn 1": "agent", "turn 2": "agent", "agent": "flow", "flow": None},
    ),
    Family(
        "a sequence and its chain repeat the model's usage",
        [
            total("graph", None, (126, 27), kind="chain"),
            total("sequence", "graph", (126, 27), kind="chain"),
            call("model", "sequence", (126, 27), 5, kind="llm"),
        ],
        (126, 27),
    ),
    Family(
        "agents within tools of agents, each with a total",
        [
            total("writer", None, (319, 55)),
            call("c1", "writer", (123, 25), 0),
            total("researcher", "tool", (328, 40)),
            call("c2", "researcher", (119, 17), 60),
            call("s2", "c2", (119, 17), 61, scope=SDK),
            call("c3", "researcher", (209, 23), 120),
            call("s3", "c3", (209, 23), 121, scope=SDK),
            call("c4", "writer", (196, 30), 180),
        ],
        (647, 95),
        {"tool": "writer"},
    ),
    Family(
        "a run of which only one trace's part is here",
        [total("agent", "gone", (200, 30)), call("other", "gone too", (70, 15), 200)],
        (270, 45),
    ),
    Family(
        "parallel calls with equal counts, each watched by library and SDK, without response ids",
        [
            call(f"{scope}{n}", f"branch {n}", (131, 27), n + (scope == SDK), scope=scope)
            for n in range(6)
            for scope in ("lib", SDK)
        ],
        (6 * 131, 6 * 27),
        {f"branch {n}": "root" for n in range(6)},
    ),
    Family(
        "retries that were answered twice",
        [call("a", "x", (131, 27), 0, response_id="1"), call("b", "x", (131, 27), 60, response_id="2")],
        (262, 54),
    ),
    Family(
        "embedding, its batch and a generation below one retrieval",
        [
            total("engine", None, (136, 27), kind="chain"),
            span("batch", "engine", (6,), kind="embedding", at=(0, 20), name="embed"),
            span("embedding", "batch", (6,), kind="embedding", at=(1, 19), name="do embed"),
            call("answer", "engine", (130, 27), 30),
        ],
        (136, 27),
    ),
]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_family_counts_every_call_once(family: Family) -> None:
    assert sums(family.spans, **family.bare) == family.truth
