"""How a span ended: its status and, unless it completed, the error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from milepost_collector.protocol.foreign import Attributes, ForeignSpan

ERROR = 2  # a place in STATUS_CODES
_ENDINGS = ("Error", "Exception", "Exit", "Interrupt", "Warning", "Timeout", "Failure")  # of names of errors


class Outcome(NamedTuple):
    """A status and the error's fields, as in `Normalised`."""

    status: str = "completed"
    error_type: str | None = None
    error_message: str | None = None
    error_stack: str | None = None
    reason: str | None = None


COMPLETED = Outcome()


def outcome_of(span: ForeignSpan, found: Mapping[str, Any], is_failing: bool, cancellations: frozenset[str]) -> Outcome:
    """Return how a span ended. is_failing: an attribute is there that only failures have.

    found: fields by name. cancellations: types of errors that mean cancelled, without their modules.
    """
    exceptions = [event.attributes for event in span.events if event.name == "exception"]
    escaped = [one for one in exceptions if str(one.get("exception.escaped")).lower() == "true"]
    stated = found.get("status")
    if not (span.status_code == ERROR or stated or is_failing or escaped):
        return COMPLETED
    last = (escaped or exceptions or [{}])[-1]
    error_type = _text(last, "exception.type") or found.get("error_type") or _type_in(span.status_message) or None
    message = _text(last, "exception.message") or span.status_message or found.get("error_message")
    stack = _text(last, "exception.stacktrace") or found.get("error_stack")
    if _short(error_type) in cancellations or stated == "cancelled":
        return Outcome("cancelled", error_type, message, stack, message or error_type)
    return Outcome(stated or "failed", error_type, message, stack, message if stated == "skipped" else None)


def _text(attributes: Attributes, name: str) -> str | None:
    value = attributes.get(name)
    return None if value is None or value == "" else str(value)


def _short(error_type: str | None) -> str | None:
    """Return an error's type without its module: concurrent.futures.CancelledError, TaskGroup::CancelledError."""
    return error_type.rpartition(".")[2].rpartition(":")[2] if error_type else None


def _type_in(message: str) -> str | None:
    """Return the type that a status such as "ValueError: no such city" begins with, as Python's SDK writes it."""
    head, colon, _ = message[:200].partition(":")
    if colon and head.endswith(_ENDINGS) and head.replace(".", "").isidentifier():
        return head
    return None
