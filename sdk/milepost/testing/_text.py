"""Text in pieces of about a token each: what usage counts and what a stream sends one by one."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["as_json", "count_tokens", "pieces"]

# Words in parts of at most eight letters, each with the space before it, and every other sign alone. Not the tokens of
# any real model, but about as many, and the same on every machine.
_PIECE = re.compile(r"\s*\w{1,8}|\s*[^\w\s]|\s+")


def pieces(text: str) -> list[str]:
    """Return the text cut into its tokens; joined they are the text again."""
    return _PIECE.findall(text)


def count_tokens(text: str) -> int:
    """Return how many tokens a text is."""
    return len(pieces(text))


def as_json(value: Any) -> str:
    """Return a value as compact JSON, letters of all languages as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
