"""Recorded text for a model: marked as data, and cut to a budget of tokens.

Names, messages and results were written by whoever took part in a run. A text among them may try to instruct the
reader, and may try to end the quotation first; the mark around it cannot be guessed, which tells the two apart.
"""

from __future__ import annotations

import re
import secrets
from typing import Annotated

from pydantic import Field

BYTES_A_TOKEN = 3  # of UTF-8; ids and JSON take more tokens for their length than prose does
LEAST_TOKENS, MOST_TOKENS = 500, 50_000

Budget = Annotated[
    int, Field(ge=LEAST_TOKENS, le=MOST_TOKENS, description="Tokens that the answer may take at most, roughly.")
]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]")


def recorded(text: str, budget: int) -> str:
    """Return text as a marked quotation, cut to the budget; control characters that hide or reorder text are shown."""
    mark = secrets.token_hex(8)
    shown = cut(visible(text), budget)
    return f"<recorded {mark}>\n{shown}\n</recorded {mark}>"


def cut(text: str, budget: int) -> str:
    """Return as much of a text as fits, and how much that was."""
    data = text.encode()
    room = budget * BYTES_A_TOKEN
    if len(data) <= room:
        return text
    note = f"\n[cut: {room:,} of {len(data):,} bytes; ask for more with budget_tokens]"
    return data[:room].decode(errors="ignore") + note


def visible(text: str) -> str:
    r"""Return text without characters that change what a reader sees, each written as \uXXXX."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text.replace("\r\n", "\n"))
