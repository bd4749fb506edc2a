"""Anthropic's client with OpenInference's instrumentation: messages, tools and the prompt cache.

Install and run:

    pip install anthropic openinference-instrumentation-anthropic opentelemetry-exporter-otlp-proto-http
    python examples/frameworks/anthropic_openinference.py
"""

from __future__ import annotations

import os

os.environ.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4600")
os.environ.setdefault("OTEL_SERVICE_NAME", "weather-service")

from anthropic import Anthropic
from openinference.instrumentation import TracerProvider
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
AnthropicInstrumentor().instrument(tracer_provider=provider)

client = Anthropic()
tracer = provider.get_tracer("weather-service")

SYSTEM = [{"type": "text", "text": "You know the weather.", "cache_control": {"type": "ephemeral"}}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"name": "get_weather", "description": "The current weather of a city.", "input_schema": SCHEMA}]


@tracer.tool
def get_weather(city: str) -> str:
    return f"14 °C in {city}"


@tracer.agent(name="weather-agent")
def ask(question: str) -> str:
    messages = [{"role": "user", "content": question}]
    while True:
        answer = client.messages.create(
            model="claude-sonnet-5", max_tokens=500, system=SYSTEM, messages=messages, tools=TOOLS
        )
        calls = [block for block in answer.content if block.type == "tool_use"]
        if not calls:
            return "".join(block.text for block in answer.content if block.type == "text")
        messages.append({"role": "assistant", "content": [block.model_dump() for block in answer.content]})
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": get_weather(**call.input)} for call in calls
        ]
        messages.append({"role": "user", "content": results})


if __name__ == "__main__":
    print(ask("What is the weather in Oslo?"))
