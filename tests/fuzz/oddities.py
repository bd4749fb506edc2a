"""Strange texts, numbers, names and documents, as exporters have sent them or could."""

from __future__ import annotations

import json
import random
import re
from functools import cache
from pathlib import Path
from typing import Any

from tests.fuzz import seeds

PROTOCOL = Path(__file__).parents[2] / "collector" / "milepost_collector" / "protocol"
ATTRIBUTE_NAME = re.compile(r'"([A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_{}]+)+)"')

NUMBERS = (
    0, 1, -1, 5, 15, 16, 127, 128, 255, 256, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1,
    -(2**31), -(2**63),
)  # fmt: skip
FLOATS = (0.0, -0.0, 1.5, -1e300, 1e308, 5e-324, float("nan"), float("inf"), float("-inf"), 2.0**63, 0.1)
TEXTS = (
    "", " ", "\0", "a\0b", "null", "true", "False", "None", "NaN", "-1", "1e999", "[]", "{}", '""', "[[", "{'a': 1}",
    "\ufeff", "\u202e\u2066", "e\u0301" * 40, "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\ufffe\uffff", "\x1b[31m",
    "'; DROP TABLE spans; --", "%s%n", "../../etc", "<script>", "\\u0000", "\\ud800", "0" * 32, "f" * 16, "9" * 400,
    "2026-01-01T00:00:00Z", "lost", "running", "LLM", "chat", "ERROR", "pending_span", "gpt-4o-mini", "\n\r\t",
)  # fmt: skip
# As bytes of a text field; none of the last ones is UTF-8.
BYTE_TEXTS = (
    b"\xed\xa0\x80",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe9t\xe9",
    b"\x80" * 9,
    b"ok\xed\xb0\x80ok",
)
ROLES = ("system", "user", "assistant", "tool", "developer", "", "USER", None, 7)
KEYS = (
    "role", "content", "parts", "type", "text", "tool_calls", "function", "name", "arguments", "id", "result",
    "response", "input_tokens", "prompt_tokens", "cached_tokens", "usage", "message", "choices", "image_url", "url",
    "data", "0",
)  # fmt: skip
SHAPES = ("text", "reasoning", "thinking", "tool_call", "tool_use", "tool_result", "tool_call_response", "image_url",
          "input_text", "output_text", "refusal", "file", "blob", "uri", "generic", "")  # fmt: skip


@cache
def attribute_names() -> list[str]:
    """Return the names that conventions and the corpus know, those with numbers in them filled in."""
    texts = [path.read_text("utf-8") for path in sorted(PROTOCOL.rglob("*.json"))]
    texts += [path.read_text("utf-8") for path in sorted(PROTOCOL.rglob("*.py"))]
    names = {name for text in texts for name in ATTRIBUTE_NAME.findall(text)}
    for file in sorted(seeds.CORPUS.glob("*.json")):
        facts = json.loads(file.read_text("utf-8"))
        names.update(facts.get("attribute_keys") or ())
    return sorted(names)


def attribute_name(dice: random.Random) -> str:
    """Return a name that means something to somebody, now and then with an index in it or bent."""
    name = dice.choice(attribute_names())
    name = re.sub(r"\{\w*\}|\bN\b", lambda _: str(dice.choice((0, 1, 7, 10**9))), name)
    bend = dice.random()
    if bend < 0.1:
        return f"{name}.{dice.choice((0, 1, 99999999999999999999, -1))}.{dice.choice(KEYS)}"
    return name.rpartition(".")[0] or name if bend < 0.15 else name


def text(dice: random.Random) -> str:
    """Return a text, of odd ones and random ones, without surrogates."""
    if dice.random() < 0.5:
        return dice.choice(TEXTS)
    points = chr(dice.choice((dice.randrange(128), dice.randrange(0xD800), dice.randrange(0xE000, 0x110000))))
    return points * dice.randrange(1, 6) + dice.choice(TEXTS)


def document(dice: random.Random, depth: int = 0) -> Any:
    """Return a JSON value that looks like messages, usage or tool calls, more or less."""
    choice = dice.random()
    if depth > 4 or choice < 0.3:
        return dice.choice((text(dice), dice.choice(NUMBERS), dice.choice(FLOATS), None, True, [], {}))
    if choice < 0.6:
        return [document(dice, depth + 1) for _ in range(dice.randrange(4))]
    if choice < 0.8:
        return {
            "role": dice.choice(ROLES),
            dice.choice(KEYS): document(dice, depth + 1),
            "content": _parts(dice, depth),
        }
    return {dice.choice(KEYS): document(dice, depth + 1) for _ in range(dice.randrange(5))}


def _parts(dice: random.Random, depth: int) -> Any:
    if dice.random() < 0.4:
        return dice.choice((text(dice), None, 5))
    return [
        {"type": dice.choice(SHAPES), dice.choice(KEYS): document(dice, depth + 1)} for _ in range(dice.randrange(4))
    ]


def json_text(dice: random.Random) -> str:
    """Return a document as text: as JSON, as Python's repr, cut off, or nested very deeply."""
    choice = dice.random()
    if choice < 0.05:
        depth = dice.choice((50, 500, 5000, 50_000))
        return dice.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth))
    made = document(dice)
    written = repr(made) if choice < 0.2 else json.dumps(made, ensure_ascii=dice.random() < 0.5)
    return written[: dice.randrange(len(written) + 1)] if choice > 0.85 else written
