"""For tests of agents: what they record is kept in memory, and the models they ask run on this machine.

    def test_report_skips_cached_pages():
        with milepost.testing.capture() as captured:
            report("report.pdf")
        assert captured.span("parse").status == "skipped"

    def test_agent_answers_from_its_tool():
        with milepost.testing.ModelServer() as models:
            models.reply(tool_calls=[ToolCall("get_weather", {"city": "Oslo"})])
            models.reply("It is 14 °C in Oslo.")
            answer = ask(openai.OpenAI(base_url=models.openai_url, api_key="any"), "How warm is it in Oslo?")
        assert answer == "It is 14 °C in Oslo."
        assert [call.model for call in models.calls] == ["gpt-4o-mini"] * 2

    def test_agent_pays_what_was_approved():
        with milepost.testing.answer_asks(approved(action={"amount_usd": 50})) as asked:
            assert pay(120) == 50
        assert asked[0].action == {"amount_usd": 120}

With pytest the fixtures `milepost_capture` and `model_server` do the same for a whole test. By hand,
`python -m milepost.testing.models COMMAND` runs any command against such models.

Reading order: `_recording` (capture) and `_asks` (people's answers); then the models: `_requests` and `_replies` (what
is asked and answered, in one shape), `_calls` with the APIs `_chat`, `_responses` and `_anthropic`, `_server` (the
script and what was called) and `_http` (the socket).
"""

from __future__ import annotations

from milepost.testing._asks import ScriptedAnswer, answer_asks, answered, approved, expired, rejected
from milepost.testing._calls import ModelCall
from milepost.testing._recording import (
    Captured,
    CapturedEvent,
    CapturedSpan,
    FixedClock,
    SequentialIds,
    SteppingClock,
    capture,
)
from milepost.testing._replies import Failure, Reply, Usage, default_reply
from milepost.testing._requests import Message, ModelRequest, Tool, ToolCall
from milepost.testing._server import ModelServer

__all__ = [
    "Captured",
    "CapturedEvent",
    "CapturedSpan",
    "Failure",
    "FixedClock",
    "Message",
    "ModelCall",
    "ModelRequest",
    "ModelServer",
    "Reply",
    "ScriptedAnswer",
    "SequentialIds",
    "SteppingClock",
    "Tool",
    "ToolCall",
    "Usage",
    "answer_asks",
    "answered",
    "approved",
    "capture",
    "default_reply",
    "expired",
    "rejected",
]

for _public in list(globals().values()):  # tracebacks and documentation name the public place
    if getattr(_public, "__module__", "").startswith("milepost.testing._"):
        _public.__module__ = __name__
del _public
