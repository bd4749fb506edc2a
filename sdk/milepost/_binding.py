"""The arguments of a call by the names of the parameters, at the cost of a zip."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["ArgumentNames"]


class ArgumentNames:
    """The names of a function's parameters, looked up once when it is decorated."""

    def __init__(self, positional: tuple[str, ...], rest: str, skip: int) -> None:
        self._positional = positional
        self._rest = rest
        self._skip = skip

    @classmethod
    def of(cls, function: Callable[..., Any]) -> ArgumentNames:
        """Read the names of a function; `self` and `cls` are left out of what `bind` returns."""
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):  # some builtins have no signature
            return cls((), "args", 0)
        by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        positional = tuple(item.name for item in parameters if item.kind in by_position)
        rest = next((item.name for item in parameters if item.kind is inspect.Parameter.VAR_POSITIONAL), "args")
        skip = 1 if positional[:1] in (("self",), ("cls",)) else 0
        return cls(positional[skip:], rest, skip)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
        """Return the arguments that were passed, by name; None: there are none. Defaults are not filled in."""
        if self._skip:
            args = args[1:]
        bound = dict(zip(self._positional, args, strict=False))
        if len(args) > len(self._positional):
            bound[self._rest] = args[len(self._positional) :]
        if kwargs:
            bound.update(kwargs)
        return bound or None
