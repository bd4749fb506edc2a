"""What a search may ask about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from milepost.wire import SPAN_STATUSES

Place = Literal["both", "run", "span"]


class Kind(Enum):
    """What a field holds, and so which values and comparisons it takes."""

    TEXT = "text"
    CHOICE = "choice"
    COUNT = "count"
    USD = "usd"
    DURATION = "duration"
    TIME = "time"


COMPARISONS = (":", ">", ">=", "<", "<=")
OPERATORS: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: (":",),
    Kind.CHOICE: (":",),
    Kind.COUNT: COMPARISONS,
    Kind.USD: COMPARISONS,
    Kind.DURATION: COMPARISONS,
    Kind.TIME: COMPARISONS[1:],  # nothing starts at a given nanosecond
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A field.

    place: "both": a run has a value of its own, and so has a span. "run": only runs have one. "span": only spans do;
    of a run the term holds when it holds for any of its spans. choices: all values of a CHOICE.
    """

    name: str
    kind: Kind
    place: Place
    description: str
    choices: tuple[str, ...] = ()

    @property
    def operators(self) -> tuple[str, ...]:
        """What may stand between the field and its value."""
        return OPERATORS[self.kind]


_ALL = (
    Field(name="status", kind=Kind.CHOICE, place="both", description="how it ended", choices=SPAN_STATUSES),
    Field(name="name", kind=Kind.TEXT, place="both", description="its name"),
    Field(name="agent", kind=Kind.TEXT, place="both", description="the agent's name"),
    Field(name="session", kind=Kind.TEXT, place="both", description="the session's id"),
    Field(name="user", kind=Kind.TEXT, place="both", description="the user's id"),
    Field(name="tag", kind=Kind.TEXT, place="both", description="one of its tags"),
    Field(name="service", kind=Kind.TEXT, place="both", description="the service that recorded it"),
    Field(name="run", kind=Kind.TEXT, place="both", description="the run's id"),
    Field(name="task", kind=Kind.TEXT, place="both", description="the id of the managed task it is an attempt of"),
    Field(name="model", kind=Kind.TEXT, place="both", description="the model that was called"),
    Field(name="kind", kind=Kind.TEXT, place="span", description="the span's kind: agent, llm, tool, task, …"),
    Field(name="tool", kind=Kind.TEXT, place="span", description="the tool that was called"),
    Field(name="provider", kind=Kind.TEXT, place="span", description="who serves the model"),
    Field(name="error", kind=Kind.TEXT, place="span", description="the type or the message of an error"),
    Field(name="text", kind=Kind.TEXT, place="span", description="part of any text, letter for letter"),
    Field(name="cost", kind=Kind.USD, place="both", description="US dollars: 0.05, $2"),
    Field(name="dur", kind=Kind.DURATION, place="both", description="from start to end: 300ms, 2s, 5m, 1h, 1d"),
    Field(name="tokens", kind=Kind.COUNT, place="both", description="input and output tokens: 900, 12k, 1.5M"),
    Field(name="input_tokens", kind=Kind.COUNT, place="both", description="input tokens: 900, 12k, 1.5M"),
    Field(name="output_tokens", kind=Kind.COUNT, place="both", description="output tokens: 900, 12k, 1.5M"),
    Field(name="spans", kind=Kind.COUNT, place="run", description="how many spans the run has"),
    Field(name="errors", kind=Kind.COUNT, place="run", description="how many spans of the run failed"),
    Field(name="started", kind=Kind.TIME, place="both", description="now-2h, 2026-11-21, 2026-11-21T07:30:00Z"),
    Field(name="is", kind=Kind.CHOICE, place="both", description="live or ended", choices=("live", "ended")),
    Field(
        name="has",
        kind=Kind.CHOICE,
        place="both",
        description="whether it has one at all",
        choices=("error", "cost", "tokens", "agent", "session", "user", "tag", "model", "task"),
    ),
)

FIELDS: dict[str, Field] = {field.name: field for field in _ALL}
ALIASES = {"duration": "dur", "session_id": "session", "user_id": "user", "run_id": "run", "tags": "tag",
           "cost_usd": "cost", "start": "started", "error_type": "error", "task_id": "task"}  # fmt: skip
