"""The corpus: what was sent, and what is true of it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parents[2] / "corpus"
_BODY = re.compile(r"(?P<name>\w+?)(?P<logs>\.logs)?\.(?P<number>\d\d)\.(?P<ext>binpb|json)")

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was sent. signal: traces or logs."""

    signal: str
    body: bytes
    content_type: str


@dataclass(frozen=True)
class Scenario:
    """A recorded program. facts: what its facts file says."""

    name: str

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Return the facts."""
        found: dict[str, Any] = msgspec.json.decode((FOLDER / f"{self.name}.json").read_bytes())
        return found

    @cached_property
    def requests(self) -> list[Request]:
        """Return the requests, in the order they came."""
        found = []
        for path in sorted(FOLDER.iterdir()):
            match = _BODY.fullmatch(path.name)
            if match and match["name"] == self.name:
                content_type = JSON if match["ext"] == "json" else PROTOBUF
                found.append(Request("logs" if match["logs"] else "traces", path.read_bytes(), content_type))
        return found

    @property
    def calls(self) -> Counter[str]:
        """Return what the models that answered counted: tokens sent and received, by model."""
        total: Counter[str] = Counter()
        for call in self.facts["mock_llm_calls"]:
            sent, received = tokens(call["usage"]) if call["usage"] and call["status"] == 200 else (0, 0)
            total[f"{call['model']} input"] += sent
            total[f"{call['model']} output"] += received
        return total


def tokens(usage: dict[str, Any]) -> tuple[int, int]:
    """Return all tokens sent and received, by a provider's own report."""
    if "cache_read_input_tokens" in usage:  # Anthropic counts cached tokens apart
        cached = usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
        return usage["input_tokens"] + cached, usage["output_tokens"]
    sent = usage.get("prompt_tokens", usage.get("input_tokens", 0))
    return sent, usage.get("completion_tokens", usage.get("output_tokens", 0)) or 0


SCENARIOS = [Scenario(path.stem) for path in sorted(FOLDER.glob("*.json")) if not re.search(r"\.\d\d$", path.stem)]
