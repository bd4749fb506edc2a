"""Strands Agents with its own telemetry.

Install and run:

    pip install 'strands-agents[otel]' openai
    python examples/frameworks/strands_agent.py
"""

from __future__ import annotations

import os

os.environ.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4600")
os.environ.setdefault("OTEL_SERVICE_NAME", "weather-service")
os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")

from strands import Agent, tool
from strands.models.openai import OpenAIModel
from strands.telemetry import StrandsTelemetry

StrandsTelemetry().setup_otlp_exporter()


@tool
def get_weather(city: str) -> str:
    """The current weather of a city."""
    return f"14 °C in {city}"


model = OpenAIModel(model_id="gpt-4o-mini")
agent = Agent(name="weather-agent", model=model, tools=[get_weather], callback_handler=None)

if __name__ == "__main__":
    print(agent("What is the weather in Oslo?"))
