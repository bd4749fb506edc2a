"""Handlers: the functions that an agent declares, and how each is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from milepost.agents.context import TaskContext
from milepost.agents.inputs import InputBinding, read_parameters
from milepost.errors import ConfigurationError

__all__ = ["Handler", "HandlerTable"]


class Handler:
    """A function that does the tasks of one name, or of any.

    function: takes the task's input, and its context as the parameter `ctx` or of type `TaskContext`. local_names: the
    names where it is declared, by which annotations written as text are understood.

    Raises:
        ConfigurationError: it is a generator, or its parameters cannot be filled from JSON.
    """

    def __init__(self, function: Callable[..., Any], local_names: Mapping[str, Any]) -> None:
        self.function = function
        self.is_async = inspect.iscoroutinefunction(function)
        name = getattr(function, "__qualname__", repr(function))
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise ConfigurationError(f"handler {name}", "is a generator; return the result instead of yielding it")
        parameters, annotations = read_parameters(function, local_names)
        self._context_name = next((item for item in parameters if _is_context(item, annotations.get(item))), None)
        if self._context_name is not None:
            del parameters[self._context_name]
        self._binding = InputBinding(getattr(function, "__name__", "handler"), parameters, annotations)

    def arguments(self, ctx: TaskContext, value: Any) -> dict[str, Any]:
        """Return what to call the function with.

        Raises:
            InvalidInputError: the input does not fit.
        """
        arguments = self._binding.arguments(value)
        if self._context_name is not None:
            arguments[self._context_name] = ctx
        return arguments


class HandlerTable:
    """Which handler does the tasks of which name. Filled while the agent is declared, only read from then on."""

    def __init__(self) -> None:
        self._by_name: dict[str, Handler] = {}
        self._any: Handler | None = None

    @property
    def names(self) -> list[str]:
        """The names with a handler of their own, sorted."""
        return sorted(self._by_name)

    @property
    def has_any(self) -> bool:
        """Tell whether there is a handler for all other names."""
        return self._any is not None

    def __len__(self) -> int:
        return len(self._by_name) + (self._any is not None)

    def add(self, name: str | None, handler: Handler) -> None:
        """Add a handler; name: None: for every name without one of its own.

        Raises:
            ConfigurationError: there is one already.
        """
        if name is None:
            if self._any is not None:
                raise ConfigurationError("task", "there is a handler for any name already; an agent has one at most")
            self._any = handler
        elif name in self._by_name:
            raise ConfigurationError("task", f"there is a handler for {name!r} already; give this one another name")
        else:
            self._by_name[name] = handler

    def find(self, name: str) -> Handler | None:
        """Return the handler for a task's name; None: there is none."""
        return self._by_name.get(name, self._any)


def _is_context(name: str, annotation: Any) -> bool:
    if annotation is None:
        return name == "ctx"
    return isinstance(annotation, type) and issubclass(annotation, TaskContext)
