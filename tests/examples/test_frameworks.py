"""Every agent of examples/frameworks: what Milepost shows of it is what the models answered, each call once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from milepost.testing import Failure, ModelRequest, ModelServer, Reply, ToolCall

if TYPE_CHECKING:
    from conftest import CollectorProcess

QUESTION = "What is the weather in Oslo?"
CACHED, REASONING = 7, 5  # of every call
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@dataclass(frozen=True, kw_only=True)
class Example:
    """What is true of a file besides what is true of all.

    model: as the API names it in its answer, or the alias where the framework records only what it asked for.
    tools: calls of tools. cached, reasoning: whether the framework passes these counts on.
    """

    model: str = "gpt-4o-mini-2024-07-18"
    tools: tuple[str, ...] = ("get_weather",)
    cached: bool = True
    reasoning: bool = True
    session: str | None = None


EXAMPLES = {
    "anthropic_openinference": Example(model="claude-sonnet-5"),
    "langfuse_sdk": Example(session="conversation-1"),
    "langgraph_agent": Example(session="conversation-1"),
    "litellm_callback": Example(),
    "openai_agents_sdk": Example(model="gpt-5-mini-2025-08-07"),
    "openai_official": Example(cached=False, reasoning=False),
    "openai_openinference": Example(model="gpt-5-mini-2025-08-07", session="conversation-1"),
    "openllmetry": Example(),
    "pydantic_ai_agent": Example(),
    "smolagents_agent": Example(
        model="gpt-4o-mini", tools=("final_answer", "get_weather"), cached=False, reasoning=False
    ),
    "strands_agent": Example(model="gpt-4o-mini", reasoning=False),
}
# What some frameworks call a request that is refused; Langfuse sends no type.
REFUSED = {
    "anthropic_openinference": "anthropic.BadRequestError",
    "langfuse_sdk": None,
    "langgraph_agent": "langchain_openai.chat_models.base.OpenAIInvalidRequestError",
    "openai_official": "BadRequestError",
    "pydantic_ai_agent": "pydantic_ai.exceptions.ModelRequestRejectedError",
}
every_example = pytest.mark.parametrize("name", EXAMPLES)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A script that ran: its process, its models, and what the collector has of its one run."""

    done: subprocess.CompletedProcess[str]
    models: ModelServer
    collector: CollectorProcess
    run: dict[str, Any]

    def select(self, what: str, table: str, where: str = "true") -> list[list[Any]]:
        run_id = self.run["run_id"]
        return self.collector.sql(f"SELECT {what} FROM {table} WHERE run_id = '{run_id}' AND {where} ORDER BY 1")


def answering(text: str) -> Callable[[ModelRequest], Reply | None]:
    """Return what answers with a text once the tool was called; smolagents answers by calling a tool, too."""

    def respond(request: ModelRequest) -> Reply | None:
        if not request.called("get_weather"):
            return None
        if any(tool.name == "final_answer" for tool in request.tools):
            return Reply(tool_calls=(ToolCall("final_answer", {"answer": text}),))
        return Reply(text)

    return respond


def run_script(root: Path, name: str, models: ModelServer, collector: CollectorProcess) -> Any:
    python = root / ".venv" / "frameworks" / "bin" / "python"
    assert python.exists(), "the frameworks are not installed; run: .ci/venv frameworks"
    environment = {
        **os.environ,
        **models.environment(),
        "LANGFUSE_BASE_URL": collector.url,
        "NO_PROXY": "127.0.0.1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "TRACELOOP_BASE_URL": collector.url,
    }
    command = [str(python), str(root / "examples" / "frameworks" / f"{name}.py")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)


def find_run(collector: CollectorProcess, text: str) -> dict[str, Any]:
    """Return the only run that a search for a text finds."""
    answer = httpx.get(f"{collector.url}/api/runs", params={"text": text}, timeout=30)
    [run] = answer.json()["runs"]
    found: dict[str, Any] = run
    return found


Record = Callable[[str], Recorded]


@pytest.fixture(scope="module")
def scripts(root: Path, collector: CollectorProcess) -> Record:
    """Run all scripts, two at a time; returns a function that gives what was recorded of one."""

    def run(name: str) -> Recorded:
        with ModelServer(cached_tokens=CACHED, reasoning_tokens=REASONING) as models:
            models.respond(answering(f"14 degrees, says {name}"))
            done = run_script(root, name, models, collector)
        assert done.returncode == 0, done.stderr
        run = find_run(collector, f"14 degrees, says {name}")
        return Recorded(done=done, models=models, collector=collector, run=run)

    with ThreadPoolExecutor(2) as pool:
        running = {name: pool.submit(run, name) for name in EXAMPLES}
    return lambda name: running[name].result()


@pytest.fixture(scope="module")
def failed_scripts(root: Path, collector: CollectorProcess) -> Record:
    """Run some scripts against models that refuse every request; returns as `scripts` does."""

    def run(name: str) -> Recorded:
        with ModelServer() as models:
            models.respond(lambda request: Failure(status=400, message=f"no answer for {name}"))
            done = run_script(root, name, models, collector)
        run = find_run(collector, f"no answer for {name}")
        return Recorded(done=done, models=models, collector=collector, run=run)

    with ThreadPoolExecutor(2) as pool:
        running = {name: pool.submit(run, name) for name in REFUSED}
    return lambda name: running[name].result()


@every_example
def test_answer_is_printed_and_the_run_completes(scripts: Record, name: str):
    recorded = scripts(name)
    assert f"14 degrees, says {name}" in recorded.done.stdout
    assert (recorded.run["status"], recorded.run["error_count"]) == ("completed", 0)


@every_example
def test_tokens_are_what_the_models_answered_each_call_once(scripts: Record, name: str):
    recorded, used = scripts(name), scripts(name).models.usage
    assert len(recorded.models.calls) == 2
    [[calls, *tokens]] = recorded.select(
        "llm_call_count, input_tokens, output_tokens, cache_read_tokens, reasoning_tokens", "runs"
    )
    assert calls == 2
    cached = used.cache_read_tokens if EXAMPLES[name].cached else None
    reasoning = used.reasoning_tokens if EXAMPLES[name].reasoning else None
    assert tokens == [used.input_tokens, used.output_tokens, cached, reasoning]


@every_example
def test_model_is_named_and_priced(scripts: Record, name: str):
    models = scripts(name).select("DISTINCT model", "llm_calls")
    assert models == [[EXAMPLES[name].model]]
    assert scripts(name).select("cost_usd > 0, unpriced_count", "runs") == [[True, 0]]


@every_example
def test_tool_calls_are_named(scripts: Record, name: str):
    assert scripts(name).select("tool, status", "tool_calls") == [[tool, "completed"] for tool in EXAMPLES[name].tools]


@every_example
def test_what_was_said_is_in_the_conversation(scripts: Record, name: str):
    said = scripts(name).select("DISTINCT role, text", "llm_messages", "text != ''")
    assert ["user", QUESTION] in [[role, text.removeprefix("New task:\n")] for role, text in said]
    spoken = "".join(text for [text] in scripts(name).select("coalesce(text, '') || parts", "llm_messages"))
    assert f"14 degrees, says {name}" in spoken
    assert "14 °C in Oslo" in spoken


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if example.session])
def test_session_is_recorded(scripts: Record, name: str):
    assert scripts(name).run["session_id"] == EXAMPLES[name].session


@pytest.mark.parametrize("name", REFUSED)
def test_refused_request_fails_the_run_and_says_why(failed_scripts: Record, name: str):
    recorded = failed_scripts(name)
    assert recorded.done.returncode == 1
    assert recorded.run["status"] == "failed"
    errors = recorded.select("error_type, error_message", "errors", "kind = 'llm'")
    assert [kind for kind, message in errors if f"no answer for {name}" in (message or "")] == [REFUSED[name]]


def test_every_example_is_tested_and_described(root: Path):
    folder = root / "examples" / "frameworks"
    assert {path.stem for path in folder.glob("*.py")} == set(EXAMPLES)
    described = (folder / "README.md").read_text("utf-8")
    assert [name for name in EXAMPLES if f"`{name}.py`" not in described] == []
