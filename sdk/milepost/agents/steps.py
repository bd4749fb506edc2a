"""Steps that earlier attempts completed, found by name and input."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from milepost.agents.inputs import converted
from milepost.agents.values import digest_of
from milepost.errors import InvalidInputError
from milepost.wire.worker import StepMemory

__all__ = ["StepLedger", "remembered_result"]


class StepLedger:
    """The steps of one attempt. May be used from several threads.

    A step is known by its name and its arguments. When the same name comes with the same arguments again within an
    attempt, each occurrence is a step of its own, told apart by its place among them: the third polling of the same
    address in this attempt is matched with the third of the attempt before.
    """

    def __init__(self, remembered: list[StepMemory]) -> None:
        self._remembered = {(step.name, step.input_digest): step for step in remembered}
        self._occurrences: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def next(self, name: str, arguments: Any) -> tuple[str, StepMemory | None]:
        """Return the digest of a step that begins now, and what is remembered of it.

        Raises:
            TypeError: the arguments cannot be written as JSON.
        """
        digest = digest_of(arguments, 0)
        with self._lock:
            ordinal = self._occurrences.get((name, digest), 0)
            self._occurrences[name, digest] = ordinal + 1
        if ordinal:
            digest = digest_of(arguments, ordinal)
        return digest, self._remembered.get((name, digest))


def remembered_result(function: Callable[..., Any], result: Any) -> tuple[bool, Any]:
    """Return whether a remembered result still is one of the function's, and as what its annotation says it is.

    Without an annotation that can be read, results are what JSON makes of them. A result that no longer fits, because
    the code has changed since, is not used: the step is done again.
    """
    kind = getattr(function, "__annotations__", {}).get("return", Any)
    if isinstance(kind, str):
        kind = _read_annotation(function)
    try:
        return True, converted(result, kind)
    except InvalidInputError:
        return False, None
    except (TypeError, NotImplementedError):  # an annotation that msgspec cannot make a value of
        return True, result


def _read_annotation(function: Callable[..., Any]) -> Any:
    import typing

    try:
        return typing.get_type_hints(function).get("return", Any)
    except (NameError, TypeError):  # it names what only type checkers see
        return Any
