"""The model server against the providers' own clients: each asks everything in one process of .venv/frameworks."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from milepost.testing import Failure, ModelCall, ModelRequest, ModelServer, Reply

CLIENTS = Path(__file__).parent / "clients"
QUESTION = "What is the weather in Zürich?"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


class Asked:
    """What a client got, by the name of the function that asked, and the server that answered."""

    def __init__(self, models: ModelServer, got: dict[str, Any]) -> None:
        self.models = models
        self.got = got

    def call(self, name: str) -> ModelCall:
        """Return the server's record of the answer that a function got."""
        return next(call for call in self.models.calls if call.id == self.got[name]["id"])


def by_model(request: ModelRequest) -> Reply | Failure | None:
    """Fail as the model's name says, think when that is asked for."""
    if request.model == "drop":
        return Failure(kind="drop", after_events=2 if request.stream else 0)
    if request.model.isdigit():
        return Failure(status=int(request.model), retry_after_s=2)
    if "thinking" in request.body or request.body.get("previous_response_id"):
        return Reply("Sunny", reasoning="Let me think")
    return None


@pytest.fixture(scope="module")
def ask(root: Path) -> Iterator[Callable[[str], Asked]]:
    models = ModelServer(cached_tokens=4, reasoning_tokens=3)
    models.respond(by_model)

    def run(client: str) -> Asked:
        python = root / ".venv" / "frameworks" / "bin" / "python"
        assert python.exists(), "the frameworks are not installed; run: .ci/venv frameworks"
        command = [str(python), str(CLIENTS / f"{client}_client.py")]
        environment = {**os.environ, **models.environment(), "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=170)
        assert done.returncode == 0, done.stderr
        return Asked(models, json.loads(done.stdout))

    with models:
        yield run


@pytest.fixture(scope="module")
def openai(ask: Callable[[str], Asked]) -> Asked:
    return ask("openai")


@pytest.fixture(scope="module")
def anthropic(ask: Callable[[str], Asked]) -> Asked:
    return ask("anthropic")


def test_openai_reads_completions(openai: Asked):
    got, usage = openai.got["chat"], openai.call("chat").usage
    assert (got["text"], got["model"]) == (f"You said: {QUESTION}", "gpt-4o-mini-2024-07-18")
    assert (got["usage"]["prompt_tokens"], got["usage"]["completion_tokens"]) == (
        usage.input_tokens,
        usage.output_tokens,
    )
    assert got["usage"]["prompt_tokens_details"]["cached_tokens"] == 4
    assert got["usage"]["completion_tokens_details"]["reasoning_tokens"] == 3


def test_openai_reads_completions_in_chunks(openai: Asked):
    got = openai.got["chat_stream"]
    assert (got["text"], got["finish"]) == (f"You said: {QUESTION}", "stop")
    assert got["chunks"] > 5
    assert got["usage"]["completion_tokens"] == openai.call("chat_stream").usage.output_tokens


def test_openai_calls_tools_in_completions(openai: Asked):
    got = openai.got["chat_tools"]
    assert (got["arguments"], got["text"]) == ('{"city":"Zürich"}', "The tools say: 14 °C")
    called = [tool.id for call in openai.models.calls if call.reply for tool in call.reply.tool_calls]
    assert got["call"] in called


@pytest.mark.parametrize("name", ["chat_schema", "responses_schema"])
def test_openai_parses_answers_by_schema(openai: Asked, name: str):
    assert openai.got[name] == {"city": "Zürich", "degrees": 1}


def test_openai_reads_responses(openai: Asked):
    got, usage = openai.got["responses"], openai.call("responses").usage
    assert (got["text"], got["status"]) == ("You said: Hello there", "completed")
    assert got["usage"]["total_tokens"] == usage.input_tokens + usage.output_tokens


def test_openai_reads_response_events_and_continues_a_stored_response(openai: Asked):
    got = openai.got["responses_stream"]
    assert (got["arguments"], got["text"]) == ('{"city":"Zürich"}', "Sunny")
    assert {"response.reasoning_summary_text.delta", "response.output_text.delta"} <= set(got["types"])
    assert openai.call("responses_stream").request.prompt == QUESTION


def test_openai_reads_embeddings_and_models(openai: Asked):
    assert openai.got["embeddings"] == {"vectors": 2, "same": True, "tokens": 10}
    assert ("gpt-4o-mini" in openai.got["models"]["all"], openai.got["models"]["one"]) == (True, "gpt-4o")


def test_openai_raises_failures_as_it_names_them(openai: Asked):
    got = openai.got["failures"]
    assert got["429"] == ["RateLimitError", "2"]
    assert got["500"] == ["InternalServerError", "2"]
    assert got["drop"] == ["APIConnectionError", None]
    assert got["broken"][0] is not None


def test_anthropic_reads_messages(anthropic: Asked):
    got, usage = anthropic.got["messages"], anthropic.call("messages").usage
    assert got["text"] == f"You said: {QUESTION}"
    assert got["usage"]["input_tokens"] + got["usage"]["cache_read_input_tokens"] == usage.input_tokens


def test_anthropic_calls_tools(anthropic: Asked):
    expected = {"input": {"city": "Zürich"}, "stop": "tool_use", "text": "The tools say: 14 °C"}
    assert anthropic.got["tools"] == expected


def test_anthropic_reads_thinking_in_events(anthropic: Asked):
    got = anthropic.got["thinking"]
    assert got["blocks"] == [["thinking", "Let me think"], ["text", "Sunny"]]
    assert got["usage"]["output_tokens"] == anthropic.call("thinking").usage.output_tokens
    assert {"thinking", "signature", "text"} <= set(got["types"])


def test_anthropic_counts_tokens_and_lists_models(anthropic: Asked):
    assert anthropic.got["count"] == {"tokens": 11}
    assert "claude-haiku-4-5" in anthropic.got["models"]["all"]


def test_anthropic_raises_failures_as_it_names_them(anthropic: Asked):
    got = anthropic.got["failures"]
    assert got["429"] == ["RateLimitError", "2"]
    assert got["500"] == ["InternalServerError", "2"]
    assert got["drop"] == ["APIConnectionError", None]


def test_readme_s_test_without_a_network_passes(root: Path):
    blocks = re.findall(r"^```py\n(.*?)^```", (root / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    [code] = [block for block in blocks if "ModelServer" in block]
    python = root / ".venv" / "frameworks" / "bin" / "python"
    environment = {**os.environ, "PYTHONPATH": str(root / "sdk"), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run([str(python), "-c", code], env=environment, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
