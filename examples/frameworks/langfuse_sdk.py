"""OpenAI's client through Langfuse's SDK; Milepost takes the place of the Langfuse server.

Install and run:

    pip install langfuse openai
    python examples/frameworks/langfuse_sdk.py
"""

from __future__ import annotations

import json
import os

os.environ.setdefault("LANGFUSE_BASE_URL", "http://127.0.0.1:4600")  # LANGFUSE_HOST in older versions
os.environ.setdefault("LANGFUSE_PUBLIC_KEY", "pk-lf-any")
os.environ.setdefault("LANGFUSE_SECRET_KEY", "sk-lf-any")

from langfuse import observe, propagate_attributes
from langfuse.openai import OpenAI

client = OpenAI()
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]


@observe(as_type="tool")
def get_weather(city: str) -> str:
    return f"14 °C in {city}"


@observe(name="weather-agent", as_type="agent")
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
    with propagate_attributes(session_id="conversation-1", user_id="ada", tags=["example"]):
        print(ask("What is the weather in Oslo?"))
