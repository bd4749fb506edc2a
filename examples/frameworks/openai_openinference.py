"""OpenAI's client with OpenInference's instrumentation: the Responses API, streamed, with a session and a user.

Install and run:

    pip install openai openinference-instrumentation-openai opentelemetry-exporter-otlp-proto-http
    python examples/frameworks/openai_openinference.py
"""

from __future__ import annotations

import json
import os

os.environ.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4600")
os.environ.setdefault("OTEL_SERVICE_NAME", "weather-service")

from openai import OpenAI
from openinference.instrumentation import TracerProvider, using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)

client = OpenAI()
tracer = provider.get_tracer("weather-service")

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "name": "get_weather", "parameters": PARAMETERS}]


@tracer.tool
def get_weather(city: str) -> str:
    return f"14 °C in {city}"


@tracer.agent(name="weather-agent")
def ask(question: str) -> str:
    messages = [{"role": "user", "content": question}]
    while True:
        with client.responses.stream(model="gpt-5-mini", input=messages, tools=TOOLS) as stream:
            for _ in stream:
                pass
            answer = stream.get_final_response()
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            return answer.output_text
        for call in calls:
            result = get_weather(**json.loads(call.arguments))
            messages.append({k: getattr(call, k) for k in ("type", "call_id", "name", "arguments")})
            messages.append({"type": "function_call_output", "call_id": call.call_id, "output": result})


if __name__ == "__main__":
    with using_attributes(session_id="conversation-1", user_id="ada", tags=["example"]):
        print(ask("What is the weather in Oslo?"))
