"""Answers to what runs ask people, from a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from milepost._run_asks import set_answerer
from milepost.wire.asks import Answer, AskDefinition, digest_of_action

__all__ = ["ScriptedAnswer", "answer_asks", "answered", "approved", "expired", "rejected"]


@dataclass(frozen=True, kw_only=True)
class ScriptedAnswer:
    """What a person of the script says. action: what he made of it; None: nothing."""

    status: str
    option: str | None = None
    action: Any = None
    value: Any = None
    reason: str = ""
    by: str | None = None


def approved(
    *, action: Any = None, option: str | None = None, reason: str = "", by: str | None = "tester"
) -> ScriptedAnswer:
    """Approve; action: approve this instead."""
    return ScriptedAnswer(status="approved", action=action, option=option, reason=reason, by=by)


def rejected(reason: str = "", *, option: str | None = None, by: str | None = "tester") -> ScriptedAnswer:
    """Reject, or decline to answer."""
    return ScriptedAnswer(status="rejected", reason=reason, option=option, by=by)


def answered(value: Any, *, by: str | None = "tester") -> ScriptedAnswer:
    """Answer a question."""
    return ScriptedAnswer(status="answered", value=value, by=by)


def expired() -> ScriptedAnswer:
    """Let the time pass without an answer."""
    return ScriptedAnswer(status="expired")


@contextmanager
def answer_asks(
    *script: ScriptedAnswer, by: Callable[[AskDefinition], ScriptedAnswer] | None = None
) -> Iterator[list[AskDefinition]]:
    """Answer what runs ask in the block without a collector: by the script, in its order, or by a function.

    Yields what was asked so far.

    Raises:
        AssertionError: in the asking code, when more is asked than the script has answers.
    """
    asked: list[AskDefinition] = []

    def answer(ask: AskDefinition) -> Answer:
        asked.append(ask)
        if by is None and len(asked) > len(script):
            raise AssertionError(f"the script has {len(script)} answers, and {ask.title!r} is ask {len(asked)}")
        return _answer(ask, by(ask) if by is not None else script[len(asked) - 1], len(asked))

    before = set_answerer(answer)
    try:
        yield asked
    finally:
        set_answerer(before)


def _answer(ask: AskDefinition, said: ScriptedAnswer, number: int) -> Answer:
    edited = said.action is not None and said.status == "approved"
    return Answer(
        key=ask.key,
        ask_id=f"ask-{number}",
        action_digest=digest_of_action(ask.action),
        status=said.status,  # type: ignore[arg-type]
        decided_at=datetime.now(UTC),
        option=said.option,
        edited=edited,
        action=said.action if edited else ask.action,
        value=said.value,
        reason=said.reason,
        by=said.by,
    )
