"""What models really answered in each scenario of the corpus, and where its payloads say otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from milepost_collector.protocol.foreign import ForeignSpan
from milepost_collector.protocol.otlp import decode_export

CORPUS = Path(__file__).parents[2] / "corpus"


class Call(NamedTuple):
    """An answer of the mock model; counts are inclusive as in the GenAI conventions."""

    model: str
    input_tokens: int
    output_tokens: int


class Odd(NamedTuple):
    """A call on which a payload and the truth differ, and why."""

    call: Call
    why: str


_NOT_TOLD = [
    Odd(Call("gpt-4o-mini", 132, 27), "a stream without include_usage: nobody is told its counts"),
    Odd(Call("gpt-5-mini", 118, 30), "the Responses API is not traced"),
]

# Answers whose counts the payload does not have.
LOST: dict[str, list[Odd]] = {
    "openai_v2_default": _NOT_TOLD,
    "openai_v2_content": _NOT_TOLD,
    "openai_v2_latest": _NOT_TOLD,
    "errors_openai_v2": [
        Odd(Call("gpt-4o-mini", 115, 27), "the stream was abandoned before its usage came"),
        Odd(Call("gpt-4o-mini", 115, 27), "the task was cancelled during the stream"),
    ],
    "mlflow_otlp": [Odd(Call("text-embedding-3-small", 3, 0), "embeddings are traced without usage")],
}

# Usage in the payload that no model answered.
EXTRA: dict[str, list[Odd]] = {
    "langfuse_sdk": [Odd(Call("claude-sonnet-4-5", 13, 5), "a generation recorded by hand with made-up usage")],
}


def scenarios() -> list[str]:
    """Return the scenarios in which models answered."""
    return [path.stem for path in sorted(CORPUS.glob("*.json")) if _facts(path.stem).get("mock_llm_calls")]


def answers(scenario: str) -> list[Call]:
    """Return what the model answered, failures left out."""
    return [_call(call) for call in _facts(scenario)["mock_llm_calls"] if call["status"] == 200 and call["usage"]]


def told(scenario: str) -> list[Call]:
    """Return the calls whose counts the payload has."""
    calls = answers(scenario) + [odd.call for odd in EXTRA.get(scenario, [])]
    for odd in LOST.get(scenario, []):
        calls.remove(odd.call)
    return calls


def runs(scenario: str) -> list[list[ForeignSpan]]:
    """Return the spans of each run, every span once."""
    spans = {(span.run_id, span.span_id): span for span in _spans(scenario)}
    by_run: dict[str, list[ForeignSpan]] = {}
    for span in spans.values():
        by_run.setdefault(span.run_id, []).append(span)
    return list(by_run.values())


def _spans(scenario: str) -> Iterator[ForeignSpan]:
    for path in sorted(CORPUS.glob(f"{scenario}.[0-9][0-9].*")):
        content_type = "application/json" if path.suffix == ".json" else "application/x-protobuf"
        for origin in decode_export("traces", path.read_bytes(), content_type, 0).origins:
            yield from origin.spans


def _facts(scenario: str) -> dict[str, Any]:
    facts = json.loads((CORPUS / f"{scenario}.json").read_text())
    return facts if isinstance(facts, dict) else {}


def _call(call: dict[str, Any]) -> Call:
    usage = call["usage"]
    if "prompt_tokens" in usage:
        return Call(call["model"], usage["prompt_tokens"], usage.get("completion_tokens", 0))
    # Anthropic counts cached tokens apart from input, OpenAI's responses within it.
    cached = usage.get("cache_creation_input_tokens", 0) + usage.get("cache_read_input_tokens", 0)
    return Call(call["model"], usage["input_tokens"] + cached, usage["output_tokens"])
