"""OpenAI's Agents SDK with OpenInference's instrumentation.

Install and run:

    pip install openai-agents openinference-instrumentation-openai-agents opentelemetry-exporter-otlp-proto-http
    python examples/frameworks/openai_agents_sdk.py
"""

from __future__ import annotations

import os

os.environ.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4600")
os.environ.setdefault("OTEL_SERVICE_NAME", "weather-service")

from agents import Agent, Runner, function_tool
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)  # in place of the upload to OpenAI


@function_tool
def get_weather(city: str) -> str:
    """The current weather of a city."""
    return f"14 °C in {city}"


agent = Agent(name="weather-agent", model="gpt-5-mini", tools=[get_weather])

if __name__ == "__main__":
    print(Runner.run_sync(agent, "What is the weather in Oslo?").final_output)
