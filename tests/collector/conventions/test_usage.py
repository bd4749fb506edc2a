"""Tokens and costs: every name, every form, and counts that come out inclusive whoever sent them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.collector.conventions.builders import counts, said

ALIASES = {
    "input_tokens": "gen_ai.usage.input_tokens gen_ai.usage.prompt_tokens llm.token_count.prompt ai.usage.inputTokens "
    "ai.usage.promptTokens",
    "output_tokens": "gen_ai.usage.output_tokens gen_ai.usage.completion_tokens llm.token_count.completion "
    "ai.usage.outputTokens ai.usage.completionTokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens gen_ai.usage.cache_read_input_tokens "
    "gen_ai.usage.cache_read_tokens gen_ai.usage.details.cache_read_tokens gen_ai.usage.input_cached_tokens "
    "llm.token_count.prompt_details.cache_read llm.token_count.prompt_details.cache_input ai.usage.cachedInputTokens "
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens gen_ai.usage.cache_write.input_tokens "
    "gen_ai.usage.cache_creation_input_tokens gen_ai.usage.cache_write_tokens gen_ai.usage.details.cache_write_tokens "
    "llm.token_count.prompt_details.cache_write ai.usage.inputTokenDetails.cacheWriteTokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens gen_ai.usage.reasoning_tokens "
    "gen_ai.usage.thinking_tokens gen_ai.usage.details.reasoning_tokens gen_ai.usage.experimental.reasoning_tokens "
    "llm.token_count.completion_details.reasoning ai.usage.reasoningTokens ai.usage.outputTokenDetails.reasoningTokens",
}
WHOLE = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 500}
LANGFUSE = "langfuse.observation.usage_details"


@pytest.mark.parametrize(
    ("column", "name"), [(column, name) for column, names in ALIASES.items() for name in names.split()]
)
def test_alias_counts_as_its_bucket(column: str, name: str) -> None:
    usage = (
        said({**WHOLE, name: 12}).usage if column not in ("input_tokens", "output_tokens") else said({name: 12}).usage
    )
    assert usage is not None
    assert getattr(usage, column) == 12


@pytest.mark.parametrize(("value", "count"), [(12, 12), (0, 0), ("12", 12), ('"12"', 12), (12.0, 12), ("12.0", 12)])
def test_counts_are_read_in_many_forms(value: Any, count: int) -> None:
    found = said({"gen_ai.usage.input_tokens": value})
    assert counts(found)[0] == count
    assert found.problems == ()


@pytest.mark.parametrize("value", [-1, True, 1.5, 2**53, 2**64, "many", "-3", "NaN", [3], {"a": 3}, "9" * 400])
def test_what_is_no_count_is_left_out_and_told(value: Any) -> None:
    found = said({"gen_ai.usage.input_tokens": value, "gen_ai.usage.output_tokens": 5})
    assert counts(found)[:2] == (None, 5)
    assert found.problems[0].startswith("gen_ai.usage.input_tokens is ")


@pytest.mark.parametrize("value", [None, "", "None", "null"])
def test_nothing_in_place_of_a_count_is_no_problem(value: Any) -> None:
    found = said({"gen_ai.usage.input_tokens": value, "gen_ai.usage.output_tokens": 5})
    assert (counts(found)[0], found.problems) == (None, ())


def test_bad_count_gives_way_to_another_name_for_it() -> None:
    found = said({"gen_ai.usage.input_tokens": -1, "gen_ai.usage.prompt_tokens": 7})
    assert counts(found)[0] == 7


@pytest.mark.parametrize(
    ("attributes", "expected", "is_told"),
    [
        # Anthropic's 70 + 40 + 20, stated whole and in parts; the total tells the parts from the whole.
        ({"input": 130, "read": 40, "write": 20, "output": 15}, (130, 15, 40, 20, None), False),
        ({"input": 30, "read": 40, "write": 20, "output": 15}, (90, 15, 40, 20, None), True),
        ({"input": 70, "read": 40, "write": 20, "output": 15, "total": 145}, (130, 15, 40, 20, None), True),
        ({"input": 130, "read": 40, "write": 20, "output": 15, "total": 145}, (130, 15, 40, 20, None), False),
        # Gemini's candidates without thoughts.
        ({"input": 100, "output": 20, "reasoning": 30, "total": 150}, (100, 50, None, None, 30), True),
        ({"input": 100, "output": 20, "reasoning": 30}, (100, 50, None, None, 30), True),
        ({"input": 100, "output": 43, "reasoning": 12, "total": 143}, (100, 43, None, None, 12), False),
        # Both sides in parts.
        ({"input": 67, "read": 64, "output": 31, "reasoning": 12, "total": 174}, (131, 43, 64, None, 12), True),
        # A total that fits nothing decides nothing.
        ({"input": 100, "output": 43, "read": 10, "total": 7}, (100, 43, 10, None, None), False),
        ({"read": 40, "output": 5}, (40, 5, 40, None, None), False),
        ({"input": 0, "output": 0}, (0, 0, None, None, None), False),
    ],
)
def test_parts_come_out_inside_the_whole(attributes: dict[str, int], expected: tuple[Any, ...], is_told: bool) -> None:
    names = {
        "input": "gen_ai.usage.input_tokens", "output": "gen_ai.usage.output_tokens",
        "total": "gen_ai.usage.total_tokens", "read": "gen_ai.usage.cache_read.input_tokens",
        "write": "gen_ai.usage.cache_write.input_tokens", "reasoning": "gen_ai.usage.reasoning_tokens",
    }  # fmt: skip
    found = said({names[name]: count for name, count in attributes.items()})
    assert counts(found) == expected
    assert bool(found.problems) is is_told


def test_vercels_counts_without_the_cache_tell_that_input_is_in_parts() -> None:
    details = {"ai.usage.inputTokenDetails.noCacheTokens": 67, "ai.usage.inputTokenDetails.cacheReadTokens": 64}
    assert counts(said({"ai.usage.inputTokens": 131, **details}))[0] == 131
    assert counts(said({"ai.usage.inputTokens": 67, **details}))[0] == 131


@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [
        (LANGFUSE, {"prompt_tokens": 131, "completion_tokens": 43, "total_tokens": 174,
                    "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 12}}, (131, 43, 64, None, 12)),
        (LANGFUSE, {"input": 67, "output": 31, "total": 174, "input_cached_tokens": 64, "output_reasoning_tokens": 12},
         (131, 43, 64, None, 12)),
        (LANGFUSE, {"input": 131, "output": 43, "total": 174, "input_cached_tokens": 64}, (131, 43, 64, None, None)),
        (LANGFUSE, {"input": 10, "output": 5, "cache_read_input_tokens": 3}, (13, 5, 3, None, None)),
        ("mlflow.chat.tokenUsage", {"input_tokens": 115, "output_tokens": 27, "total_tokens": 142,
                                    "cache_read_input_tokens": 64}, (115, 27, 64, None, None)),
        ("metadata.usage_object", {"prompt_tokens": 131, "completion_tokens": 43, "total_tokens": 174,
                                   "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": None},
                                   "completion_tokens_details": {"reasoning_tokens": 12}}, (131, 43, 64, None, 12)),
        ("gen_ai.usage.output_token_details", {"reasoning": 12}, (None, 12, None, None, 12)),
        ("langsmith.usage_metadata", {"input_tokens": 131, "output_tokens": 43,
                                      "input_token_details": {"cache_read": 64},
                                      "output_token_details": {"reasoning": 12}}, (131, 43, 64, None, 12)),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "write", [json.dumps, repr, lambda document: document, lambda one: json.dumps(json.dumps(one))]
)
def test_counts_are_found_in_objects(
    name: str, document: dict[str, Any], expected: tuple[Any, ...], write: Any
) -> None:
    found = said({name: write(document), "openinference.span.kind": "LLM"})
    assert counts(found) == expected


@pytest.mark.parametrize("document", ["", "{", "[1]", "{'a': Wrapper(1)}", "{}", 5, [], "(" * 5000, "{" * 30_000])
def test_objects_that_cannot_be_read_say_nothing(document: Any) -> None:
    assert said({"metadata.usage_object": document}).usage is None


def test_object_only_adds_what_attributes_do_not_say() -> None:
    document = "{'prompt_tokens': 1, 'completion_tokens': 2, 'prompt_tokens_details': {'cached_tokens': 64}}"
    found = said(
        {"gen_ai.usage.input_tokens": 131, "gen_ai.usage.output_tokens": 43, "metadata.usage_object": document}
    )
    assert counts(found) == (131, 43, 64, None, None)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"ai.operationId": "ai.embed.doEmbed", "ai.usage.tokens": 6}, (6, None)),
        ({"openinference.span.kind": "EMBEDDING", "llm.token_count.total": 6}, (6, None)),
        ({"openinference.span.kind": "EMBEDDING", "llm.token_count.prompt": 6, "llm.token_count.total": 6}, (6, None)),
        ({"gen_ai.operation.name": "chat", "llm.usage.total_tokens": 174, "gen_ai.usage.input_tokens": 131}, (131, 43)),
        ({"gen_ai.operation.name": "chat", "llm.usage.total_tokens": 174, "gen_ai.usage.output_tokens": 43}, (131, 43)),
    ],
)
def test_total_fills_in_what_is_missing(attributes: dict[str, Any], expected: tuple[int | None, ...]) -> None:
    assert counts(said(attributes))[:2] == expected


def test_mere_total_of_a_call_counts_as_input_and_is_told() -> None:
    found = said({"gen_ai.operation.name": "chat", "gen_ai.usage.total_tokens": 174})
    assert counts(found)[:2] == (174, None)
    assert "only a total of 174" in found.problems[0]


def test_aggregated_usage_is_no_usage_of_a_call() -> None:
    aggregated = {"gen_ai.aggregated_usage.input_tokens": 332, "gen_ai.aggregated_usage.details.reasoning_tokens": 24}
    assert said({"gen_ai.operation.name": "invoke_agent", **aggregated}).usage is None


@pytest.mark.parametrize(
    ("attributes", "cost"),
    [
        ({"gen_ai.usage.cost": 0.5}, 0.5),
        ({"gen_ai.usage.total_cost": "0.5"}, 0.5),
        ({"operation.cost": 4.065e-05}, 4.065e-05),
        ({"llm.cost.total": 1}, 1.0),
        ({"gen_ai.cost.total_cost": 0.25, "gen_ai.cost.input_cost": 0.1}, 0.25),
        ({"gen_ai.usage.input_cost": 0.25, "gen_ai.usage.output_cost": 0.5}, 0.75),
        ({"llm.cost.prompt": 0.25, "llm.cost.completion": 0.5}, 0.75),
        ({"langfuse.observation.cost_details": '{"input": 0.25, "output": 0.5}'}, 0.75),
        ({"langfuse.observation.cost_details": '{"input": 0.25, "output": 0.5, "total": 1.5}'}, 1.5),
        ({"langfuse.observation.cost_details": '{"input": 0.25, "input_cached": 0.25, "output": 0.5}'}, 1.0),
        ({"mlflow.llm.cost": '{"input_cost": 0.25, "output_cost": 0.5, "total_cost": 0.75}'}, 0.75),
        ({"gen_ai.usage.cost": 0}, 0.0),
    ],
)
def test_reported_cost_is_kept(attributes: dict[str, Any], cost: float) -> None:
    usage = said(attributes).usage
    assert usage is not None
    assert usage.cost_usd == pytest.approx(cost)


@pytest.mark.parametrize("value", [-1, "free", float("inf"), 1e12, True, "nan"])
def test_what_is_no_cost_is_left_out_and_told(value: Any) -> None:
    found = said({"gen_ai.usage.cost": value, "gen_ai.usage.input_tokens": 1})
    assert found.usage is not None
    assert found.usage.cost_usd is None
    assert "which is no cost" in found.problems[0]


def test_usage_names_the_model_that_answered() -> None:
    attributes = {"gen_ai.request.model": "a", "gen_ai.response.model": "b", "gen_ai.system": "OpenAI", **WHOLE}
    usage = said(attributes).usage
    assert usage is not None
    assert (usage.model, usage.provider) == ("b", "openai")


def test_span_without_counts_has_no_usage() -> None:
    assert said({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}).usage is None
