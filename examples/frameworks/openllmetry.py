"""OpenAI's client with OpenLLMetry, Traceloop's SDK.

Install and run:

    pip install traceloop-sdk openai
    python examples/frameworks/openllmetry.py
"""

from __future__ import annotations

import json
import os

os.environ.setdefault("TRACELOOP_BASE_URL", "http://127.0.0.1:4600")
os.environ.setdefault("TRACELOOP_TELEMETRY", "false")

from openai import OpenAI
from traceloop.sdk import Instruments, Traceloop
from traceloop.sdk.decorators import agent, tool

Traceloop.init(app_name="weather-service", instruments={Instruments.OPENAI})

client = OpenAI()
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]


@tool(name="get_weather")
def get_weather(city: str) -> str:
    return f"14 °C in {city}"


@agent(name="weather-agent")
def ask(question: str) -> str | None:
    messages = [{"role": "user", "content": question}]
    while True:
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=TOOLS)
        message = answer.choices[0].message
        if not message.tool_calls:
            return message.content
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            result = get_weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


if __name__ == "__main__":
    print(ask("What is the weather in Oslo?"))
