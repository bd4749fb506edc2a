"""Names, agents, tools, models, providers, sessions, users and tags."""

from __future__ import annotations

from typing import Any

import pytest

from tests.collector.conventions.builders import said

ALIASES = {
    "agent": "gen_ai.agent.name agent.name agent_name ai.telemetry.functionId crewai.agent.role",
    "tool": "gen_ai.tool.name tool.name ai.toolCall.name haystack.tool.name",
    "model": "gen_ai.request.model gen_ai.response.model llm.model_name llm.request.model_name "
    "llm.response.model_name embedding.model_name reranker.model_name ai.model.id ai.response.model "
    "llm.response.model langfuse.observation.model.name mlflow.llm.model",
    "provider": "gen_ai.provider.name gen_ai.system llm.provider llm.system ai.model.provider aisdk.model.provider",
    "session_id": "session.id gen_ai.conversation.id langfuse.session.id lmnr.association.properties.session_id "
    "langsmith.trace.session_id sessionId ai.telemetry.metadata.sessionId gcp.vertex.agent.session_id "
    "mlflow.trace.session traceloop.association.properties.session_id traceloop.association.properties.chat_id",
    "user_id": "user.id enduser.id langfuse.user.id gen_ai.user ai.telemetry.metadata.userId mlflow.trace.user "
    "traceloop.association.properties.user_id lmnr.association.properties.user_id",
    "response_id": "gen_ai.response.id ai.response.id",
}


@pytest.mark.parametrize(
    ("column", "name"), [(column, name) for column, names in ALIASES.items() for name in names.split()]
)
def test_alias_means_its_column(column: str, name: str) -> None:
    assert getattr(said({name: "value-1"}), column) == "value-1"
    assert getattr(said({name: '"value-1"'}), column) == "value-1"
    assert getattr(said({name: "unknown"}), column) is None
    assert getattr(said({name: ""}), column) is None


def test_answering_model_comes_before_the_one_that_was_asked() -> None:
    found = said({"gen_ai.request.model": "gpt-4o-mini", "gen_ai.response.model": "gpt-4o-mini-2024-07-18"})
    assert (found.model, found.request_model) == ("gpt-4o-mini-2024-07-18", "gpt-4o-mini")


@pytest.mark.parametrize(
    ("value", "provider"),
    [
        ("openai", "openai"), ("OpenAI", "openai"), ("openai.chat", "openai"), ("openai.responses", "openai"),
        ("openai.embedding", "openai"), ("anthropic.messages", "anthropic"), ("Anthropic", "anthropic"),
        ("bedrock", "aws.bedrock"), ("aws", "aws.bedrock"), ("amazon-bedrock", "aws.bedrock"),
        ("az.ai.openai", "azure.ai.openai"), ("azure-openai.chat", "azure.ai.openai"), ("azure", "azure.ai.openai"),
        ("az.ai.inference", "azure.ai.inference"), ("azure.ai.inference", "azure.ai.inference"),
        ("gemini", "gcp.gemini"), ("gcp.gemini", "gcp.gemini"), ("google", "gcp.gen_ai"),
        ("google.generative-ai", "gcp.gen_ai"), ("google.vertex.chat", "gcp.vertex_ai"), ("vertexai", "gcp.vertex_ai"),
        ("vertex_ai", "gcp.vertex_ai"), ("mistralai", "mistral_ai"), ("mistral.chat", "mistral_ai"), ("xai", "x_ai"),
        ("xai.chat", "x_ai"), ("moonshot", "moonshot_ai"), ("cohere.embedding", "cohere"),
        ("watsonx", "ibm.watsonx.ai"), ("Ollama", "ollama"), ("my-own.chat", "my-own"),
        ("strands-agents", None), ("gcp.vertex.agent", None), ("microsoft.agent_framework", None), ("unknown", None),
    ],
)  # fmt: skip
def test_provider_is_the_conventions_value(value: str, provider: str | None) -> None:
    assert said({"gen_ai.system": value}).provider == provider


def test_framework_does_not_hide_the_provider() -> None:
    assert said({"gen_ai.provider.name": "strands-agents", "llm.provider": "openai"}).provider == "openai"


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (["a", "b", "a"], ["a", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ("['a', 'b']", ["a", "b"]),
        ("a, b,,", ["a", "b"]),
        ("a", ["a"]),
        ([1, "x", None, {}], ["1", "x"]),
        ([], None),
        ("[]", None),
        ({"a": 1}, None),
    ],
)
@pytest.mark.parametrize("name", ["langfuse.trace.tags", "tag.tags", "tags", "logfire.tags", "langsmith.span.tags"])
def test_tags_are_read_from_lists_json_and_commas(name: str, value: Any, tags: list[str] | None) -> None:
    assert said({name: value}).tags == tags


@pytest.mark.parametrize(
    ("name", "attributes", "readable"),
    [
        ("chat", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"}, "chat gpt-4o-mini"),
        ("chat", {"gen_ai.operation.name": "chat"}, "chat"),
        ("", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"}, "chat gpt-4o-mini"),
        ("", {}, "unnamed span"),
        ("unknown", {}, "unnamed span"),
        ("unknown", {"gen_ai.operation.name": "unknown", "gen_ai.tool.name": "search"}, "tool search"),
        ("unknown", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "writer"}, "invoke_agent writer"),
        ("unknown", {"openinference.span.kind": "CHAIN"}, "unnamed chain"),
        ("execute_tool", {"gen_ai.tool.name": "search"}, "execute_tool search"),
        ("ai.toolCall", {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "search"}, "ai.toolCall search"),
        ("agent run", {"logfire.msg": "writer run", "agent_name": "writer"}, "writer run"),
        ("Function: {name}", {"logfire.msg": "Function: search"}, "Function: search"),
        ("GET /items/{id}", {"http.request.method": "GET"}, "GET /items/{id}"),
        ("chat gpt-4o", {"logfire.msg": "something else"}, "chat gpt-4o"),
        ("ChatCompletion", {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o"}, "ChatCompletion"),
        ("OpenAI-generation", {"langfuse.observation.type": "generation"}, "OpenAI-generation"),
        ("Completions", {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.llm.model": '"gpt-4o"'}, "Completions"),
    ],
)
def test_name_says_what_happened(name: str, attributes: dict[str, Any], readable: str) -> None:
    assert said(attributes, name=name).name == readable


@pytest.mark.parametrize(
    ("name", "attributes", "column", "value"),
    [
        ("search.tool", {"traceloop.span.kind": "tool", "traceloop.entity.name": "search"}, "tool", "search"),
        ("x.workflow", {"traceloop.span.kind": "workflow", "traceloop.entity.name": "x"}, "agent", "x"),
        ("search", {"langfuse.observation.type": "tool"}, "tool", "search"),
        ("search", {"mlflow.spanType": '"TOOL"'}, "tool", "search"),
        ("execute_tool search", {"gen_ai.operation.name": "execute_tool"}, "tool", "search"),
        ("Weather reporter._execute_core", {"openinference.span.kind": "AGENT"}, "agent", "Weather reporter"),
        ("tools/call search", {"mcp.method.name": "tools/call"}, "tool", "search"),
        ("invoke_agent writer", {"gen_ai.operation.name": "invoke_agent"}, "agent", "writer"),
        ("CodeAgent.run", {"openinference.span.kind": "AGENT"}, "agent", "CodeAgent"),
        ("ai.generateText", {"ai.operationId": "ai.generateText"}, "agent", None),
        ("agent", {"openinference.span.kind": "AGENT"}, "agent", None),
        ("work", {"openinference.span.kind": "CHAIN", "traceloop.entity.name": "x"}, "agent", None),
        ("Completions", {"mlflow.spanType": '"LLM"', "model": '"gpt-4o"'}, "request_model", "gpt-4o"),
        ("work", {"model": "T-Ford"}, "model", None),
    ],
)
def test_general_names_mean_something_on_spans_of_their_kind(
    name: str, attributes: dict[str, Any], column: str, value: str | None
) -> None:
    assert getattr(said(attributes, name=name), column) == value


def test_texts_that_are_payloads_are_cut() -> None:
    model = said({"gen_ai.request.model": "x" * 100_000}).model
    assert model is not None
    assert len(model) == 1000
