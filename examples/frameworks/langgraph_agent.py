"""A LangGraph agent, through LangChain, with OpenInference's instrumentation.

Install and run:

    pip install langchain langchain-openai
    pip install openinference-instrumentation-langchain opentelemetry-exporter-otlp-proto-http
    python examples/frameworks/langgraph_agent.py
"""

from __future__ import annotations

import os

os.environ.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4600")
os.environ.setdefault("OTEL_SERVICE_NAME", "weather-service")

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
LangChainInstrumentor().instrument(tracer_provider=provider)


@tool
def get_weather(city: str) -> str:
    """The current weather of a city."""
    return f"14 °C in {city}"


agent = create_agent(ChatOpenAI(model="gpt-4o-mini"), tools=[get_weather], name="weather-agent")

if __name__ == "__main__":
    question = {"role": "user", "content": "What is the weather in Oslo?"}
    state = agent.invoke({"messages": [question]}, {"metadata": {"session_id": "conversation-1"}})
    print(state["messages"][-1].content)
