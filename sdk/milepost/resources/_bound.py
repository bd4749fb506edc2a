"""From functions that say what is asked to methods that ask it, in both worlds, with the same arguments and text."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from milepost.resources._exchange import Flow
from milepost.resources._operation import Operation
from milepost.resources._pages import AsyncPager, AsyncSend, Listing, Page, Pager, Send

__all__ = ["AsyncResource", "AsyncSender", "Resource", "Sender", "awaited", "awaited_pages", "blocking", "pages"]

P = ParamSpec("P")
T = TypeVar("T")
PageT = TypeVar("PageT", bound=Page)

_OPERATION = re.compile(r"Operation\[(.*)\]")


class Sender(Send, Protocol):
    """A connection that is waited for. timeout_s: how long a request may take. ask: how an operation is sent, as a
    flow. run: carry a flow out."""

    timeout_s: float

    def ask(self, operation: Operation[T]) -> Flow[T]:
        """Return the flow that sends an operation."""

    def run(self, flow: Flow[T]) -> T:
        """Do what a flow asks for and return its result."""


class AsyncSender(AsyncSend, Protocol):
    """A connection that is awaited. timeout_s: how long a request may take. ask: how an operation is sent, as a flow.
    run: carry a flow out."""

    timeout_s: float

    def ask(self, operation: Operation[T]) -> Flow[T]:
        """Return the flow that sends an operation."""

    async def run(self, flow: Flow[T]) -> T:
        """Do what a flow asks for and return its result."""


class Resource:
    """What a client can ask about one kind of thing. May be used from any thread."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender


class AsyncResource:
    """What a client can ask about one kind of thing. For one event loop, and any of its tasks."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender


def blocking(make: Callable[P, Operation[T]]) -> Callable[Concatenate[Resource, P], T]:
    """Return a method that sends the operation and returns its answer."""

    @functools.wraps(make)
    def call(self: Resource, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._sender.send(make(*args, **kwargs))

    return _as_method(call, _OPERATION.sub(r"\1", make.__annotations__["return"]))


def awaited(make: Callable[P, Operation[T]]) -> Callable[Concatenate[AsyncResource, P], Coroutine[Any, Any, T]]:
    """Return a method that sends the operation and returns its answer, once awaited."""

    @functools.wraps(make)
    async def call(self: AsyncResource, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._sender.send(make(*args, **kwargs))

    return _as_method(call, _OPERATION.sub(r"\1", make.__annotations__["return"]))


def pages(make: Callable[P, Listing[PageT, T]]) -> Callable[Concatenate[Resource, P], Pager[PageT, T]]:
    """Return a method that returns an iterator over a list."""

    @functools.wraps(make)
    def call(self: Resource, /, *args: P.args, **kwargs: P.kwargs) -> Pager[PageT, T]:
        return Pager(self._sender, make(*args, **kwargs))

    return _as_method(call, make.__annotations__["return"].replace("Listing", "Pager"))


def awaited_pages(
    make: Callable[P, Listing[PageT, T]],
) -> Callable[Concatenate[AsyncResource, P], AsyncPager[PageT, T]]:
    """Return a method that returns an asynchronous iterator over a list."""

    @functools.wraps(make)
    def call(self: AsyncResource, /, *args: P.args, **kwargs: P.kwargs) -> AsyncPager[PageT, T]:
        return AsyncPager(self._sender, make(*args, **kwargs))

    return _as_method(call, make.__annotations__["return"].replace("Listing", "AsyncPager"))


def _as_method(call: T, returns: str) -> T:
    """Let `help` and editors show a method's own signature: with self, and what it really returns."""
    signature = inspect.signature(call)  # type: ignore[arg-type]
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    call.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[me, *signature.parameters.values()], return_annotation=returns
    )
    return call
