"""What the table makes of recorded programs, against what is known of them."""

from __future__ import annotations

from typing import Any

import pytest

from milepost_collector.protocol.conventions import normalise
from milepost_collector.protocol.foreign import ForeignSpan
from milepost_collector.protocol.normalised import Normalised
from milepost_collector.protocol.otlp import decode_export
from tests.collector.corpus.scenarios import SCENARIOS, Scenario

Read = dict[str, tuple[ForeignSpan, Normalised]]


@pytest.fixture(scope="module", params=SCENARIOS, ids=lambda scenario: scenario.name)
def scenario(request: pytest.FixtureRequest) -> Scenario:
    """Return each recorded program."""
    found: Scenario = request.param
    return found


@pytest.fixture(scope="module")
def read(scenario: Scenario) -> Read:
    """Return a program's spans by id, with what the table says of them."""
    found = {}
    for sent in scenario.requests:
        if sent.signal == "traces":
            for origin in decode_export("traces", sent.body, sent.content_type, 0).origins:
                found.update({span.span_id: (span, normalise(span, origin.resource)) for span in origin.spans})
    return found


def test_calls_of_models_are_known_as_such(scenario: Scenario, read: Read) -> None:
    for known in scenario.facts["llm_spans"]:
        said = read[known["span"]][1]
        if known["input_tokens"] is not None and not known["name"].startswith("ai.embed"):
            assert said.kind in ("llm", "embedding"), known["name"]
        assert said.model == unquoted(known["model"])
        assert known["request_model"] in (None, said.request_model)


def test_tokens_are_those_that_were_sent(scenario: Scenario, read: Read) -> None:
    for known in scenario.facts["llm_spans"]:
        usage = read[known["span"]][1].usage
        # Langfuse's own "input" is what is left without the cached tokens.
        cached = sum(known["cached"].values()) if str(known["input_key"]).endswith("(JSON) .input") else 0
        counted = known["input_tokens"] + cached if known["input_tokens"] is not None else None
        assert (usage.input_tokens if usage else None) == counted
        assert (usage.output_tokens if usage else None) == known["output_tokens"]


def test_details_of_tokens_are_those_that_were_sent(scenario: Scenario, read: Read) -> None:
    for known in scenario.facts["llm_spans"]:
        usage = read[known["span"]][1].usage
        for column, details in (("cache_read_tokens", "cached"), ("reasoning_tokens", "reasoning")):
            counts = {count for key, count in known[details].items() if isinstance(count, int)}
            if counts:
                assert getattr(usage, column) in counts, (known["name"], column)


def test_providers_are_the_conventions_values(read: Read) -> None:
    assert {said.provider for _, said in read.values()} <= {"openai", "anthropic", None}


def test_errors_are_failures_with_their_type_and_text(scenario: Scenario, read: Read) -> None:
    for error in scenario.facts["errors"]:
        said = read[error["span"]][1]
        if error["status"] != "ERROR":
            assert (said.status, said.error_type) == ("completed", None)
            continue
        assert said.status == "failed"
        texts = [error["message"], *(exception["message"] for exception in error["exceptions"])]
        assert not any(texts) or said.error_message in texts
        types = [error["error.type"], *(exception["type"] for exception in error["exceptions"])]
        assert not any(types) or said.error_type in types


def test_whatever_is_no_error_has_completed(scenario: Scenario, read: Read) -> None:
    failed = {error["span"] for error in scenario.facts["errors"]}
    for span_id, (_, said) in read.items():
        assert said.status == "completed" or span_id in failed


def test_names_are_kept_unless_they_say_nothing(read: Read) -> None:
    for span, said in read.values():
        if said.name != span.name:
            assert span.name in ("", "chat", "ai.toolCall") or "{" in span.name
        assert said.name not in ("", "chat", "ai.toolCall", "agent done {n}")


def test_nothing_contradicts_itself(read: Read) -> None:
    assert [said.problems for _, said in read.values() if said.problems] == []


def unquoted(model: Any) -> Any:
    """Return a model without the quotes of MLflow's JSON."""
    return model.strip('"') if isinstance(model, str) else model
