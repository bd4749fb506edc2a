"""Real payloads: what is counted is what the model is known to have answered, call by call."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from milepost.wire import Resource
from milepost_collector.protocol.conventions import normalise
from milepost_collector.protocol.foreign import ForeignSpan
from milepost_collector.protocol.usage import UsageSpan, count_once
from milepost_collector.protocol.usage.models import may_be_same_model
from tests.collector.usage.truth import Call, runs, scenarios, told

Reader = Callable[[ForeignSpan], UsageSpan | None]

INPUT = [
    "gen_ai.usage.input_tokens", "llm.token_count.prompt", "ai.usage.inputTokens", "ai.usage.promptTokens",
    "ai.usage.tokens", "gen_ai.aggregated_usage.input_tokens",
]  # fmt: skip
OUTPUT = [
    "gen_ai.usage.output_tokens", "llm.token_count.completion", "ai.usage.outputTokens", "ai.usage.completionTokens",
    "gen_ai.aggregated_usage.output_tokens",
]  # fmt: skip
MODEL = ["gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "ai.model.id"]
KINDS = {"LLM": "llm", "EMBEDDING": "embedding", "chat": "llm", "embeddings": "embedding"}


def read_by_hand(span: ForeignSpan) -> UsageSpan | None:
    """Read usage with no table but the few names that the corpus has, so that counting is tested by itself."""
    attributes = span.attributes
    given, output = _first(attributes, INPUT), _first(attributes, OUTPUT)
    for name in ("mlflow.chat.tokenUsage", "langfuse.observation.usage_details"):
        usage = json.loads(attributes.get(name, "{}"))
        given = given or _first(usage, ["prompt_tokens", "input_tokens", "input"])
        output = output or _first(usage, ["completion_tokens", "output_tokens", "output"])
        given = given + usage.get("cache_read_input_tokens", 0) if "input" in usage else given
    if given is None and output is None:
        return None
    return _usage_span(
        span,
        kind=_kind(span),
        model=_first(attributes, MODEL),
        response_id=_first(attributes, ["gen_ai.response.id", "ai.response.id"]),
        input_tokens=given,
        output_tokens=output,
    )


def read_by_convention(span: ForeignSpan) -> UsageSpan | None:
    """Read usage as the collector does."""
    said = normalise(span, Resource())
    usage = said.usage
    if usage is None or (usage.input_tokens is None and usage.output_tokens is None and usage.cost_usd is None):
        return None
    return _usage_span(
        span,
        name=said.name,
        kind=said.kind,
        model=said.model,
        response_id=said.response_id,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )


@pytest.mark.parametrize("read", [read_by_hand, read_by_convention])
@pytest.mark.parametrize("scenario", scenarios())
def test_scenario_counts_what_the_model_answered(scenario: str, read: Reader) -> None:
    counted = [call for run in runs(scenario) for call in _counted(run, read)]
    assert _unmatched(counted, told(scenario)) == ([], [])


@pytest.mark.parametrize("scenario", scenarios())
def test_scenario_adds_up_by_model(scenario: str) -> None:
    counted = [call for run in runs(scenario) for call in _counted(run, read_by_convention)]
    for model in {call.model for call in told(scenario)}:
        of_model = [call for call in counted if may_be_same_model(call.model or None, model)]
        expected = [call for call in told(scenario) if call.model == model]
        assert [sum(column) for column in list(zip(*of_model, strict=True))[1:]] == [
            sum(column) for column in list(zip(*expected, strict=True))[1:]
        ]


def _counted(run: Sequence[ForeignSpan], read: Reader) -> list[Call]:
    spans = [found for span in run if (found := read(span)) is not None]
    out = {one.span_id for one in count_once(spans, {span.span_id: span.parent_span_id for span in run})}
    return [
        Call(one.model or "", one.input_tokens or 0, one.output_tokens or 0)
        for one in spans
        if one.span_id not in out and (one.input_tokens or one.output_tokens)
    ]


def _unmatched(counted: Sequence[Call], expected: Sequence[Call]) -> tuple[list[Call], list[Call]]:
    """Return the calls on either side that have no partner of equal counts and compatible model."""
    left = list(expected)
    alone = []
    for call in counted:
        partner = next(
            (one for one in left if one[1:] == call[1:] and may_be_same_model(one[0], call[0] or None)), None
        )
        if partner is None:
            alone.append(call)
        else:
            left.remove(partner)
    return alone, left


def _first(values: dict[str, Any], names: Sequence[str]) -> Any:
    return next((values[name] for name in names if name in values), None)


def _kind(span: ForeignSpan) -> str:
    attributes = span.attributes
    word = attributes.get("openinference.span.kind") or attributes.get("gen_ai.operation.name")
    if word is not None:
        return KINDS.get(word, "agent")
    operation = str(attributes.get("ai.operationId", ""))
    if operation:
        return "embedding" if "doEmbed" in operation else "llm" if ".do" in operation else "chain"
    return "llm"


def _usage_span(span: ForeignSpan, **values: Any) -> UsageSpan:
    blank = dict.fromkeys(UsageSpan._fields)
    times = {"start_time": span.start_time, "end_time": span.end_time or span.start_time}
    ids = {"span_id": span.span_id, "parent_span_id": span.parent_span_id, "name": span.name, "scope": span.scope}
    return UsageSpan(**{**blank, **ids, **times, **values})
