"""What happened to managed tasks and to asks to messages for live viewers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from milepost.wire.asks import AskEvent, AskEventList
from milepost.wire.attempts import Transition, TransitionList
from milepost_collector.protocol.managed import AskFact, TransitionFact

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tasks_message(transitions: Sequence[TransitionFact]) -> bytes:
    """Return the data of a `tasks` message: a `TransitionList` as JSON."""
    return msgspec.json.encode(TransitionList(transitions=[_transition(fact) for fact in transitions]))


def asks_message(events: Sequence[AskFact]) -> bytes:
    """Return the data of an `asks` message: an `AskEventList` as JSON."""
    return msgspec.json.encode(AskEventList(events=[_ask_event(fact) for fact in events]))


def _ask_event(fact: AskFact) -> AskEvent:
    return AskEvent(**{**fact._asdict(), "time": _EPOCH + timedelta(milliseconds=fact.time)})


def _transition(fact: TransitionFact) -> Transition:
    fields = fact._asdict()
    return Transition(**{**fields, "time": _EPOCH + timedelta(milliseconds=fact.time)})
