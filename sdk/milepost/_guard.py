"""The promise that recording never raises into the code that is recorded, in one decorator."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from milepost._log import Throttle

__all__ = ["never_raise"]

logger = logging.getLogger("milepost")

P = ParamSpec("P")
R = TypeVar("R")
_throttle = Throttle()


def never_raise(function: Callable[P, R]) -> Callable[P, R | None]:
    """Return the function made to log what it raises, once a minute, and return None instead.

    A wrong signature is still a TypeError: it is a mistake in the program that the first call shows.
    """

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if _is_misuse(error):
                raise
            if _throttle.is_open():
                logger.warning("%s ignored: %s: %s", function.__name__, type(error).__name__, error)
            return None

    return guarded


def _is_misuse(error: Any) -> bool:
    """Tell whether the call itself failed: then no frame lies below this module's."""
    return isinstance(error, TypeError) and error.__traceback__ is not None and error.__traceback__.tb_next is None
