"""Spans of frameworks that the corpus has no recording of, as their instrumentations write them."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.collector.conventions.builders import counts, said


class Case(NamedTuple):
    """A span and what it should come out as; `usage` of `expected` is input, output, cached, written, reasoning."""

    name: str
    scope: str
    attributes: dict[str, Any]
    expected: dict[str, Any]


ADK = {"gen_ai.system": "gcp.vertex.agent", "gcp.vertex.agent.session_id": "s-1"}
MESSAGES = '[{"role":"user","content":"hi"}]'

CASES = {
    "adk_old_call": Case(
        "call_llm",
        "gcp.vertex.agent",
        {**ADK, "gen_ai.request.model": "gemini-2.0-flash", "gcp.vertex.agent.llm_request": '{"contents": []}',
         "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20,
         "gen_ai.usage.experimental.reasoning_tokens": 5},
        {"kind": "llm", "name": "call_llm gemini-2.0-flash", "provider": None, "session_id": "s-1",
         "model": "gemini-2.0-flash", "usage": (100, 20, None, None, 5), "input": '{"contents": []}'},
    ),
    "adk_old_agent": Case("agent_run [weather]", "gcp.vertex.agent", {}, {"kind": "agent", "agent": "weather"}),
    "adk_old_run": Case("invocation", "gcp.vertex.agent", {}, {"kind": "agent", "agent": None}),
    "adk_tool": Case(
        "execute_tool get_weather",
        "gcp.vertex.agent",
        {**ADK, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather",
         "gcp.vertex.agent.tool_call_args": '{"city": "Zürich"}', "gcp.vertex.agent.tool_response": '{"t": 14}'},
        {"kind": "tool", "tool": "get_weather", "input": '{"city": "Zürich"}', "output": '{"t": 14}'},
    ),
    "adk_new_agent": Case(
        "invoke_agent weather",
        "gcp.vertex.agent",
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "weather", "gen_ai.conversation.id": "s-1"},
        {"kind": "agent", "agent": "weather", "session_id": "s-1", "name": "invoke_agent weather"},
    ),
    "semantic_kernel": Case(
        "chat.completions gpt-4o-mini",
        "semantic_kernel.utils.telemetry.model_diagnostics.decorators",
        {"gen_ai.operation.name": "chat.completions", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o-mini",
         "gen_ai.response.prompt_tokens": 131, "gen_ai.response.completion_tokens": 43},
        {"kind": "llm", "provider": "openai", "usage": (131, 43, None, None, None)},
    ),
    "agent_framework": Case(
        "invoke_agent Weather",
        "agent_framework",
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "microsoft.agent_framework",
         "gen_ai.agent.name": "Weather", "gen_ai.usage.input_tokens": 331, "gen_ai.usage.output_tokens": 70},
        {"kind": "agent", "agent": "Weather", "provider": None, "usage": (331, 70, None, None, None)},
    ),
    "autogen_message": Case(
        "autogen process weather_1", "autogen SingleThreadedAgentRuntime", {"messaging.operation": "process"},
        {"kind": "messaging", "name": "autogen process weather_1"},
    ),
    "ag2_call": Case(
        "chat gpt-4o-mini",
        "opentelemetry.instrumentation.ag2",
        {"ag2.span.type": "llm", "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
         "gen_ai.agent.name": "assistant", "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 131,
         "gen_ai.usage.output_tokens": 43, "gen_ai.usage.cache_read_input_tokens": 64,
         "gen_ai.usage.thinking_tokens": 12},
        {"kind": "llm", "agent": "assistant", "usage": (131, 43, 64, None, 12)},
    ),
    "langsmith": Case(
        "ChatOpenAI",
        "langsmith",
        {"langsmith.span.kind": "llm", "gen_ai.operation.name": "chat", "gen_ai.system": "openai",
         "gen_ai.request.model": "gpt-4o-mini", "gen_ai.prompt": MESSAGES, "langsmith.span.tags": "a, b",
         "langsmith.metadata.thread_id": "t-1", "gen_ai.usage.input_tokens": 131, "gen_ai.usage.output_tokens": 43,
         "gen_ai.usage.total_tokens": 174, "gen_ai.usage.input_token_details": '{"cache_read": 64}',
         "gen_ai.usage.output_token_details": '{"reasoning": 12}'},
        {"kind": "llm", "session_id": "t-1", "tags": ["a", "b"], "usage": (131, 43, 64, None, 12), "input": MESSAGES},
    ),
    "langsmith_retriever": Case(
        "retriever", "langsmith", {"langsmith.span.kind": "retriever", "gen_ai.operation.name": "embeddings"},
        {"kind": "retrieval"},
    ),
    "openllmetry_old": Case(
        "openai.chat",
        "opentelemetry.instrumentation.openai.v1",
        {"llm.request.type": "chat", "gen_ai.system": "OpenAI", "gen_ai.request.model": "gpt-4o-mini",
         "gen_ai.prompt.0.content": "hi", "gen_ai.usage.prompt_tokens": 131, "gen_ai.usage.completion_tokens": 43,
         "llm.usage.total_tokens": 174, "gen_ai.usage.cache_read_input_tokens": 64},
        {"kind": "llm", "provider": "openai", "usage": (131, 43, 64, None, None)},
    ),
    "openllmetry_langgraph": Case(
        "agent.task",
        "opentelemetry.instrumentation.langchain",
        {"traceloop.span.kind": "task", "traceloop.entity.name": "agent", "traceloop.entity.input": '{"q": 1}'},
        {"kind": "task", "agent": None, "input": '{"q": 1}'},
    ),
    "pydantic_ai_1_agent": Case(
        "agent run",
        "pydantic-ai",
        {"model_name": "gpt-4o-mini", "agent_name": "weather", "logfire.msg": "weather run",
         "gen_ai.usage.input_tokens": 331, "gen_ai.usage.output_tokens": 70, "all_messages_events": "[]",
         "final_result": "done"},
        {"kind": "agent", "name": "weather run", "agent": "weather", "model": "gpt-4o-mini", "output": '"done"',
         "usage": (331, 70, None, None, None)},
    ),
    "pydantic_ai_1_tool": Case(
        "running tool",
        "pydantic-ai",
        {"gen_ai.tool.name": "search", "tool_arguments": '{"q":1}', "tool_response": "x",
         "logfire.msg": "running tool: search"},
        {"kind": "tool", "name": "running tool: search", "tool": "search", "input": '{"q":1}', "output": '"x"'},
    ),
    "logfire_openai": Case(
        "Chat Completion with {request_data[model]!r}",
        "logfire.openai",
        {"logfire.msg_template": "Chat Completion with {request_data[model]!r}", "logfire.tags": ["LLM"],
         "logfire.msg": "Chat Completion with 'gpt-4o-mini'", "gen_ai.request.model": "gpt-4o-mini",
         "request_data": '{"model": "gpt-4o-mini"}'},
        {"kind": "llm", "name": "Chat Completion with 'gpt-4o-mini'", "input": '{"model": "gpt-4o-mini"}'},
    ),
    "logfire_agents_tool": Case(
        "Function: {name}",
        "logfire.openai_agents",
        {"logfire.msg_template": "Function: {name}", "logfire.msg": "Function: search", "name": "search",
         "gen_ai.system": "openai", "input": '{"q": 1}', "output": "x"},
        {"kind": "tool", "name": "Function: search", "tool": "search", "input": '{"q": 1}', "output": '"x"'},
    ),
    "langfuse_js": Case(
        "openai-chat",
        "langfuse-sdk",
        {"langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4o-mini",
         "langfuse.observation.usage_details": '{"input":67,"output":31,"total":174,"input_cached_tokens":64,'
         '"output_reasoning_tokens":12}', "langfuse.observation.level": "ERROR",
         "langfuse.observation.status_message": "aborted", "session.id": "s-1", "user.id": "u-7"},
        {"kind": "llm", "usage": (131, 43, 64, None, 12), "status": "failed", "error_message": "aborted"},
    ),
    "vercel_4_call": Case(
        "ai.streamText.doStream",
        "ai",
        {"ai.operationId": "ai.streamText.doStream", "ai.model.id": "gpt-4o-mini", "ai.model.provider": "openai.chat",
         "ai.usage.promptTokens": 131, "ai.usage.completionTokens": 43, "ai.response.msToFirstChunk": 31.5,
         "ai.response.text": "hello"},
        {"kind": "llm", "model": "gpt-4o-mini", "usage": (131, 43, None, None, None), "time_to_first_token_ms": 31.5},
    ),
    "haystack_agent_tool": Case(
        "haystack.agent.step.tool",
        "haystack",
        {"haystack.tool.name": "search", "haystack.agent.step.tool.input": '{"q": 1}'},
        {"kind": "tool", "tool": "search", "input": '{"q": 1}'},
    ),
    "haystack_generator": Case(
        "haystack.component.run",
        "haystack",
        {"haystack.component.name": "llm", "haystack.component.type": "OpenAIChatGenerator"},
        {"kind": "llm"},
    ),
    "mcp_server": Case(
        "tools/call get_weather",
        "mcp",
        {"mcp.method.name": "tools/call", "gen_ai.tool.name": "get_weather", "gen_ai.operation.name": "execute_tool",
         "jsonrpc.protocol.version": "2.0", "mcp.session.id": "m-1", "error.type": "tool_error"},
        {"kind": "tool", "tool": "get_weather", "status": "failed", "error_type": "tool_error", "session_id": None},
    ),
    "mcp_list": Case("tools/list", "mcp", {"mcp.method.name": "tools/list"}, {"kind": "rpc", "name": "tools/list"}),
    "grpc": Case("/weather.Weather/Get", "grpc", {"rpc.system": "grpc", "rpc.method": "Get"}, {"kind": "rpc"}),
    "crewai": Case(
        "Researcher.agent",
        "opentelemetry.instrumentation.crewai",
        {"traceloop.span.kind": "agent", "traceloop.entity.name": "Researcher", "crewai.agent.role": "Researcher"},
        {"kind": "agent", "agent": "Researcher"},
    ),
    "agentops": Case(
        "search.tool",
        "agentops",
        {"agentops.span.kind": "tool", "agentops.entity.name": "search", "agentops.entity.input": '{"q": 1}'},
        {"kind": "tool", "tool": "search", "input": '{"q": 1}'},
    ),
    "laminar": Case(
        "openai.chat",
        "lmnr",
        {"lmnr.span.type": "LLM", "gen_ai.request.model": "gpt-4o", "lmnr.association.properties.session_id": "s-1",
         "lmnr.span.input": MESSAGES, "gen_ai.usage.input_cost": 0.25, "gen_ai.usage.output_cost": 0.5},
        {"kind": "llm", "session_id": "s-1", "input": MESSAGES},
    ),
    "livekit": Case(
        "function_tool", "livekit-agents", {"lk.function_tool.name": "search", "lk.function_tool.arguments": "{}"},
        {"kind": "tool", "tool": "search", "input": "{}"},
    ),
    "openai_agents_v2": Case(
        "unknown",
        "opentelemetry.instrumentation.openai_agents",
        {"gen_ai.operation.name": "unknown", "gen_ai.provider.name": "openai"},
        {"kind": "other", "name": "unnamed span", "provider": "openai"},
    ),
    "strands_old": Case(
        "chat",
        "strands.telemetry.tracer",
        {"gen_ai.system": "strands-agents", "gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-4",
         "gen_ai.usage.prompt_tokens": 70, "gen_ai.usage.completion_tokens": 15, "gen_ai.usage.total_tokens": 145,
         "gen_ai.usage.cache_read_input_tokens": 40, "gen_ai.usage.cache_write_input_tokens": 20},
        {"kind": "llm", "name": "chat claude-4", "provider": None, "usage": (130, 15, 40, 20, None)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_span_of_a_framework_is_read_as_what_it_is(case: Case) -> None:
    found = said(case.attributes, name=case.name, scope=case.scope)
    for column, value in case.expected.items():
        assert (counts(found) if column == "usage" else getattr(found, column)) == value, column
