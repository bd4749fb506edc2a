"""What happened to managed tasks to a message for live viewers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from milepost.wire.attempts import Transition, TransitionList
from milepost_collector.protocol.managed import TransitionFact

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tasks_message(transitions: Sequence[TransitionFact]) -> bytes:
    """Return the data of a `tasks` message: a `TransitionList` as JSON."""
    return msgspec.json.encode(TransitionList(transitions=[_transition(fact) for fact in transitions]))


def _transition(fact: TransitionFact) -> Transition:
    fields = fact._asdict()
    return Transition(**{**fields, "time": _EPOCH + timedelta(milliseconds=fact.time)})
