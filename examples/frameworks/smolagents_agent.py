"""smolagents with OpenInference's instrumentation.

Install and run:

    pip install 'smolagents[openai]' openinference-instrumentation-smolagents opentelemetry-exporter-otlp-proto-http
    python examples/frameworks/smolagents_agent.py
"""

from __future__ import annotations

import os

os.environ.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4600")
os.environ.setdefault("OTEL_SERVICE_NAME", "weather-service")

from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from smolagents import OpenAIModel, ToolCallingAgent, tool

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
SmolagentsInstrumentor().instrument(tracer_provider=provider)


@tool
def get_weather(city: str) -> str:
    """The current weather of a city.

    Args:
        city: where
    """
    return f"14 °C in {city}"


model = OpenAIModel(model_id="gpt-4o-mini")
agent = ToolCallingAgent(tools=[get_weather], model=model, name="weather_agent", verbosity_level=0)

if __name__ == "__main__":
    print(agent.run("What is the weather in Oslo?"))
