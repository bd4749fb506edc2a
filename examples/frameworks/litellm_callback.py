"""LiteLLM with its own OpenTelemetry callback.

Install and run:

    pip install litellm opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
    python examples/frameworks/litellm_callback.py
"""

from __future__ import annotations

import json
import os

os.environ.setdefault("OTEL_EXPORTER", "otlp_http")
os.environ.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4600")
os.environ.setdefault("OTEL_SERVICE_NAME", "weather-service")
os.environ.setdefault("USE_OTEL_LITELLM_REQUEST_SPAN", "true")  # else its facts land on the span around the call
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # the prices that come with it, not the latest

import litellm
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# With a provider in place LiteLLM's spans join the spans around them, and are all sent before the process exits.
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
litellm.callbacks = ["otel"]
tracer = trace.get_tracer("weather-service")

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]


def get_weather(city: str) -> str:
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"}
    with tracer.start_as_current_span("execute_tool get_weather", attributes=attributes):
        return f"14 °C in {city}"


@tracer.start_as_current_span("weather-agent")
def ask(question: str) -> str | None:
    messages = [{"role": "user", "content": question}]
    while True:
        answer = litellm.completion(model="openai/gpt-4o-mini", messages=messages, tools=TOOLS)
        message = answer.choices[0].message
        if not message.tool_calls:
            return message.content
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            result = get_weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


if __name__ == "__main__":
    print(ask("What is the weather in Oslo?"))
