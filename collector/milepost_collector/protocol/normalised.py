"""What the conventions say about a span: the columns that its attributes, events and status fill."""

from __future__ import annotations

from typing import NamedTuple

from milepost.wire import Usage


class Normalised(NamedTuple):
    """A span by the convention table. None: nothing is said.

    name: readable. status: completed, failed, cancelled or skipped. model: what answered; request_model: what was asked
    for. usage: inclusive counts as in the GenAI conventions, with the cost the producer reported.
    input, output: JSON text. input_attribute, output_attribute: the one attribute whose text they are, if they are the
    text of one. problems: contradictions in what was sent and how they were taken.
    """

    name: str
    kind: str
    status: str = "completed"
    agent: str | None = None
    tool: str | None = None
    model: str | None = None
    request_model: str | None = None
    provider: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    tags: list[str] | None = None
    usage: Usage | None = None
    response_id: str | None = None
    time_to_first_token_ms: float | None = None
    error_type: str | None = None
    error_message: str | None = None
    error_stack: str | None = None
    reason: str | None = None
    input: str | None = None
    output: str | None = None
    input_attribute: str | None = None
    output_attribute: str | None = None
    problems: tuple[str, ...] = ()
