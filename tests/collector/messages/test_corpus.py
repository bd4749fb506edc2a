"""What the recorded programs said and what the models answered them is found, whichever way it was sent."""

from __future__ import annotations

import pytest

from milepost_collector.protocol.messages import Message, encode_message
from tests.collector.messages import recorded

ANSWER = "It is 14 °C and cloudy in Zürich today, so take a light jacket."
ASKED = "What is the weather in Zürich?"
SYSTEM = "You are a weather assistant."
CALLED = 'get_weather {"city":"Zürich"}'

# By scenario: texts of the input, texts of the output, as the program and the mock model said them.
TEXTS: dict[str, tuple[set[str], set[str]]] = {
    "anthropic_oi": (
        {SYSTEM, ASKED, "get_weather 14 °C"},
        {f"I will look that up.\n{CALLED}", ANSWER, f"The user wants the weather.\n{ANSWER}"},
    ),
    "langfuse_sdk": (
        {SYSTEM, ASKED, "Zürich weather", 'get_weather {"city":"Zürich","temp_c":14}'},
        {CALLED, ANSWER, "14 °C"},
    ),
    "litellm_otel": ({SYSTEM, ASKED}, {CALLED, ANSWER}),
    "mlflow_otlp": ({ASKED}, {ANSWER}),
    "oi_langgraph": (
        {SYSTEM, "Weather in Zürich in °F?", "get_weather 14 °C in Zürich", "calculator 57.2", f"Review: {ANSWER}"},
        {f'{CALLED}\ncalculator {{"expression":"14*9/5+32"}}', "It is 14 °C (57.2 °F) in Zürich.", ANSWER},
    ),
    "oi_openai": ({SYSTEM, ASKED, "Be brief.", "city 0", "get_weather 14 °C"}, {CALLED, ANSWER}),
    "openai_agents_oi": (
        {"Hand off.", "Answer weather questions.", ASKED, "get_weather 14 °C in Zürich", "Hi, weather in Zürich?"},
        {
            "transfer_to_weather_agent {}",
            f'{CALLED}\nget_air {{"city":"Zürich"}}',
            "14 °C in Zürich.",
            "Hello from chat completions",
            ANSWER,
        },
    ),
    "openai_v2_content": ({SYSTEM, f"{ASKED} ☔", '{"city":"Zürich","temp_c":14}'}, {CALLED, ANSWER}),
    "openai_v2_latest": (
        {SYSTEM, f"{ASKED} ☔", 'get_weather {"city":"Zürich","temp_c":14}'},
        {CALLED, ANSWER},
    ),
    "otel_manual_edges": ({ASKED}, set()),
    "pydantic_ai_logfire": (
        {SYSTEM, ASKED, "Report on Zürich", "lookup please give the city in English", "Stream the weather in Zürich"},
        {CALLED, 'lookup {"city":"Zürich"}', ANSWER},
    ),
    "pydantic_ai_otel": (
        {"Delegate to the researcher.", "Find facts.", "Write about the weather in Zürich", "search Zürich: 14 °C"},
        {
            'delegate {"question":"weather in Zürich"}',
            'I will look that up.\nsearch {"query":"weather in Zürich"}',
            ANSWER,
        },
    ),
    "smolagents_oi": (
        {"New task:\nWhat is the weather in Zürich?", "Observation:\n14 °C in Zürich"},
        {CALLED, 'final_answer {"answer":"14 °C in Zürich"}', "Thought: a mistake\n<code>\nprint(1/0)\n</code>"},
    ),
    "strands_latest": (
        {SYSTEM, ASKED, "get_weather 14 °C in Zürich", "broken Error: RuntimeError - sensor offline"},
        {CALLED, 'broken {"city":"Zürich"}', ANSWER},
    ),
    "traceloop_openai": ({SYSTEM, ASKED, "Weather in Zürich?", "Be brief."}, {CALLED, ANSWER}),
    "vercel_ai_json": (
        {
            SYSTEM, ASKED, "Stream the weather in Zürich", 'getWeather {"city":"Zürich","tempC":14}',
            "boom tool exploded: Ōsaka",
        },
        {'getWeather {"city":"Zürich"}', '{"city": "Zürich", "tempC": 3.5}', ANSWER},
    ),
}  # fmt: skip
# Answers that the payloads do not hold: recording was switched off, the Responses API or a stream is not traced.
NOT_SENT = {"vercel_ai_json": 1, "openai_v2_content": 1, "openai_v2_latest": 1}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_a_program_are_found(name: str) -> None:
    sent, answered = TEXTS[name]
    conversations = recorded.conversations(name)
    assert texts([message for found in conversations for message in found.input]) >= sent
    assert texts([message for found in conversations for message in found.output]) >= answered


@pytest.mark.parametrize("name", sorted(TEXTS.keys() - {"otel_manual_edges"}))
def test_every_answer_of_the_model_is_found(name: str) -> None:
    calls = recorded.facts(name)["mock_llm_calls"]
    answered = [call for call in calls if call["status"] == 200 and not call["api"].endswith("embeddings")]
    found = [one for one in recorded.conversations(name) if one.output]
    assert len(found) >= len(answered) - NOT_SENT.get(name, 0)


@pytest.mark.parametrize("name", ["errors_openai_v2", "fastapi_two_process", "node_otlp_json_gzip"])
def test_spans_without_content_have_no_messages(name: str) -> None:
    assert recorded.conversations(name) == []


def test_calls_without_content_keep_their_names() -> None:
    conversations = recorded.conversations("openai_v2_default")
    assert texts([message for found in conversations for message in found.output]) == {"get_weather {}"}


def test_same_answer_is_one_message_in_every_framework() -> None:
    ids = {
        encode_message(message).message_id
        for name in TEXTS
        for found in recorded.conversations(name)
        for message in found.output
        if encode_message(message).text == ANSWER
    }
    assert len(ids) == 1


def test_image_data_is_in_no_message() -> None:
    found = recorded.conversations("oi_openai")
    assert "iVBORw0KGgo" not in repr(found)
    assert "image/png" in repr(found)


def texts(messages: list[Message]) -> set[str]:
    """Return what is searched of messages, of those with an image the part before it."""
    return {encode_message(message).text for message in messages}
