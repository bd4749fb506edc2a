"""Kinds of spans: who says them, and who is believed."""

from __future__ import annotations

import pytest

from tests.collector.conventions.builders import said

# Names are spelt out here once more, so that a slip in the table is not repeated by its test.
KINDS = {
    "langfuse.observation.type": "generation=llm agent=agent tool=tool chain=chain retriever=retrieval "
    "embedding=embedding evaluator=evaluator guardrail=guardrail event=other span=other",
    "mlflow.spanType": '"LLM"=llm "CHAT_MODEL"=llm "AGENT"=agent "CHAIN"=chain "TOOL"=tool "RETRIEVER"=retrieval '
    '"EMBEDDING"=embedding "RERANKER"=reranker "PARSER"=chain "UNKNOWN"=other LLM=llm',
    "lmnr.span.type": "LLM=llm TOOL=tool EVALUATOR=evaluator DEFAULT=other",
    "langsmith.span.kind": "llm=llm LLM=llm chain=chain tool=tool retriever=retrieval prompt=prompt parser=chain",
    "agentops.span.kind": "session=agent agent=agent workflow=agent task=task operation=task tool=tool llm=llm",
    "ag2.span.type": "conversation=agent agent=agent llm=llm tool=tool code_execution=tool speaker_selection=chain",
    "traceloop.span.kind": "workflow=agent agent=agent task=task tool=tool",
    "openinference.span.kind": "LLM=llm TOOL=tool AGENT=agent CHAIN=chain RETRIEVER=retrieval RERANKER=reranker "
    "EMBEDDING=embedding GUARDRAIL=guardrail EVALUATOR=evaluator PROMPT=prompt UNKNOWN=other llm=llm",
    "gen_ai.operation.name": "chat=llm generate_content=llm text_completion=llm embeddings=embedding "
    "retrieval=retrieval execute_tool=tool create_agent=agent invoke_agent=agent invoke_workflow=agent plan=chain "
    "fetch_response=other create_memory_store=memory delete_memory_store=memory create_memory=memory "
    "update_memory=memory upsert_memory=memory delete_memory=memory search_memory=memory "
    "execute_event_loop_cycle=chain unknown=other something_new=other",
    "ai.operationId": "ai.generateText=agent ai.streamText=agent ai.generateText.doGenerate=llm "
    "ai.streamText.doStream=llm ai.generateObject=chain ai.generateObject.doGenerate=llm ai.embed=chain "
    "ai.embed.doEmbed=embedding ai.embedMany.doEmbed=embedding ai.toolCall=tool ai.rerank.doRerank=reranker",
    "gen_ai.span.kind": "LLM=llm TOOL=tool AGENT=agent",
    "llm.request.type": "chat=llm completion=llm embedding=embedding rerank=reranker",
    "haystack.component.type": "OpenAIChatGenerator=llm OpenAITextEmbedder=embedding InMemoryBM25Retriever=retrieval "
    "TransformersSimilarityRanker=reranker Agent=agent ToolInvoker=tool ChatPromptBuilder=prompt DocumentJoiner=chain",
    "mcp.method.name": "tools/call=tool prompts/get=prompt resources/read=retrieval initialize=rpc tools/list=rpc",
    "http.request.method": "GET=http",
    "http.method": "POST=http",
    "db.system.name": "postgresql=db",
    "db.system": "redis=db",
    "rpc.system": "grpc=rpc",
    "messaging.system": "kafka=messaging",
    "faas.trigger": "http=rpc",
}
CASES = [(name, *case.split("=")) for name, cases in KINDS.items() for case in cases.split()]


@pytest.mark.parametrize(("name", "value", "kind"), CASES)
def test_value_tells_the_kind(name: str, value: str, kind: str) -> None:
    assert said({name: value}).kind == kind


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"langfuse.observation.type": "tool", "openinference.span.kind": "LLM"}, "tool"),
        ({"langfuse.observation.type": "span", "gen_ai.operation.name": "chat"}, "llm"),
        ({"openinference.span.kind": "CHAIN", "gen_ai.operation.name": "chat"}, "chain"),
        ({"openinference.span.kind": "UNKNOWN", "gen_ai.operation.name": "chat"}, "llm"),
        ({"gen_ai.operation.name": "chat", "ai.operationId": "ai.generateText"}, "llm"),
        ({"gen_ai.operation.name": "unknown", "gen_ai.tool.name": "search"}, "tool"),
        ({"gen_ai.operation.name": "chat", "http.request.method": "POST"}, "llm"),
        ({"gen_ai.request.model": "gpt-4o", "http.request.method": "POST"}, "llm"),
        ({"gen_ai.request.model": "text-embedding-3-small"}, "embedding"),
        ({"gen_ai.usage.input_tokens": 3}, "llm"),
        ({"gen_ai.aggregated_usage.input_tokens": 3}, "other"),
        ({"tool.name": "search", "llm.model_name": "gpt-4o"}, "tool"),
    ],
)
def test_vendors_are_believed_in_their_order(attributes: dict[str, str], kind: str) -> None:
    assert said(attributes).kind == kind


@pytest.mark.parametrize(
    ("name", "scope", "kind"),
    [
        ("agent run", "pydantic-ai", "agent"),
        ("running 2 tools", "pydantic-ai", "chain"),
        ("running tool: search", "pydantic-ai", "tool"),
        ("agent run", "my-app", "other"),
        ("invocation", "gcp.vertex.agent", "agent"),
        ("agent_run [weather]", "gcp.vertex.agent", "agent"),
        ("call_llm", "gcp.vertex.agent", "llm"),
        ("workflow.run", "agent_framework", "agent"),
        ("haystack.agent.step.llm", "haystack", "llm"),
        ("execute_tool search", "my-app", "tool"),
        ("chat with a friend", "my-app", "other"),
    ],
)
def test_name_tells_the_kind_where_nothing_else_does(name: str, scope: str, kind: str) -> None:
    assert said(name=name, scope=scope).kind == kind


def test_request_made_ready_is_no_call_whatever_its_attributes_say() -> None:
    attributes = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o-mini"}
    scope = "openinference.instrumentation.llama_index"
    assert said(attributes, name="OpenAI._prepare_chat_with_tools", scope=scope).kind == "chain"
    assert said(attributes, name="OpenAI.achat", scope=scope).kind == "llm"
    assert said(attributes, name="Mine._prepare_chat_with_tools", scope="mine").kind == "llm"


def test_raw_request_of_litellm_is_no_second_call() -> None:
    found = said(
        {"llm.openai.model": "gpt-4o", "llm.openai.usage": "{'prompt_tokens': 3}"},
        name="raw_gen_ai_request",
        scope="litellm",
    )
    assert (found.kind, found.usage) == ("other", None)


@pytest.mark.parametrize("kind", range(6))
def test_span_kind_of_opentelemetry_decides_nothing(kind: int) -> None:
    assert said({"gen_ai.operation.name": "chat"}, kind=kind).kind == "llm"
    assert said(kind=kind).kind == "other"
