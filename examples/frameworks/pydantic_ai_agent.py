"""Pydantic AI with its own instrumentation.

With Logfire, `logfire.configure(send_to_logfire=False)` and `logfire.instrument_pydantic_ai()` take the place of the
provider and `instrument_all`; the variable stays the same.

Install and run:

    pip install 'pydantic-ai-slim[openai]' opentelemetry-exporter-otlp-proto-http
    python examples/frameworks/pydantic_ai_agent.py
"""

from __future__ import annotations

import os

os.environ.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4600")
os.environ.setdefault("OTEL_SERVICE_NAME", "weather-service")

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic_ai import Agent

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
Agent.instrument_all()

agent = Agent("openai-chat:gpt-4o-mini", name="weather-agent")


@agent.tool_plain
def get_weather(city: str) -> str:
    """The current weather of a city."""
    return f"14 °C in {city}"


if __name__ == "__main__":
    print(agent.run_sync("What is the weather in Oslo?").output)
