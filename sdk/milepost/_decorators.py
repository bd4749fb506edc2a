"""`@run` and `@task`: every kind of function becomes a span per call, with its arguments by name and its result.

A generator's span begins with its first item and ends when it is exhausted. It is the current span only while the
generator's own code runs, never in the code that consumes the items. A consumer that stops early ends it as cancelled.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any, ParamSpec, TypeVar, overload

import msgspec

from milepost._binding import ArgumentNames
from milepost._capture import Snapshot, weight_of
from milepost._client import current_span, producer_here, start_task_here
from milepost._context import OWN_KEY, SPAN_KEY, Context, attach, get_current
from milepost._span import BaseSpan, begin_run

__all__ = ["run", "task"]

P = ParamSpec("P")
R = TypeVar("R")
Start = Callable[[Any], BaseSpan]
"""Starts a span, given its input."""

_MAX_ITEMS = 1_000  # yielded items kept for the output; the size limit cuts them further


@overload
def task(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def task(
    *,
    name: str | None = None,
    kind: str = "task",
    attributes: Mapping[str, Any] | None = None,
    capture_input: bool = True,
    capture_output: bool = True,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    kind: str = "task",
    attributes: Mapping[str, Any] | None = None,
    capture_input: bool = True,
    capture_output: bool = True,
) -> Any:
    """Record every call of the function as a task, bare (`@task`) or with arguments (`@task(name=…)`).

    Works on functions, coroutine functions, generators and asynchronous generators, and on methods (`self` is not
    recorded). An exception ends the task as failed and goes on; `Skip` ends it as skipped and the call returns None.
    name: None: the function's. capture_input, capture_output: False leaves arguments or result out.
    """

    def decorate(decorated: Any) -> Any:
        span_name = name or _name_of(decorated)

        def start(input: Any) -> BaseSpan:
            return start_task_here(span_name, input, kind, attributes)

        return _wrap(decorated, start, capture_input, capture_output)

    return decorate if function is None else decorate(function)


@overload
def run(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def run(
    *,
    name: str | None = None,
    agent: str | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    tags: tuple[str, ...] | list[str] = (),
    attributes: Mapping[str, Any] | None = None,
    capture_input: bool = True,
    capture_output: bool = True,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def run(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    agent: str | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    tags: tuple[str, ...] | list[str] = (),
    attributes: Mapping[str, Any] | None = None,
    capture_input: bool = True,
    capture_output: bool = True,
) -> Any:
    """Record every call of the function as a run, bare (`@run`) or with arguments; see `task`.

    Called inside another run it nests there, as an agent at work for another.
    """
    labels: dict[str, Any] = {
        "agent": agent, "session_id": session_id, "user_id": user_id, "tags": tags, "attributes": attributes,
    }  # fmt: skip

    def decorate(decorated: Any) -> Any:
        span_name = name or _name_of(decorated)

        def start(input: Any) -> BaseSpan:
            return begin_run(producer_here(), span_name, current_span(), input, **labels)

        return _wrap(decorated, start, capture_input, capture_output)

    return decorate if function is None else decorate(function)


def _name_of(function: Any) -> str:
    target = getattr(function, "__func__", function)
    return str(getattr(target, "__name__", None) or type(target).__name__)


def _wrap(function: Any, start: Start, capture_input: bool, capture_output: bool) -> Any:
    """Return the function wrapped in the way its kind needs.

    Raises:
        TypeError: it is not a function.
    """
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_wrap(function.__func__, start, capture_input, capture_output))
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"a function can be decorated, got {function!r}; give settings by name: @task(name=…)")
    names = ArgumentNames.of(function) if capture_input else None
    if inspect.isasyncgenfunction(function):
        return _wrap_async_generator(function, start, names, capture_output)
    if inspect.isgeneratorfunction(function):
        return _wrap_generator(function, start, names, capture_output)
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004
        return _wrap_coroutine(function, start, names, capture_output)
    return _wrap_function(function, start, names, capture_output)


def _wrap_function(function: Any, start: Start, names: ArgumentNames | None, capture_output: bool) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with start(names and names.bind(args, kwargs)) as span:
            result = function(*args, **kwargs)
            if not span._end_time:
                span._finish_by_itself(result if capture_output else None)
            return result

    return call


def _wrap_coroutine(function: Any, start: Start, names: ArgumentNames | None, capture_output: bool) -> Any:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        with start(names and names.bind(args, kwargs)) as span:
            result = await function(*args, **kwargs)
            if not span._end_time:
                span._finish_by_itself(result if capture_output else None)
            return result

    return call


class _Body:
    """A generator's own context: entered while its code runs, left while its consumer has the item."""

    def __init__(self, span: BaseSpan, capture_output: bool) -> None:
        self._span = span
        self._context = get_current()
        if span._producer.recording:
            self._context = Context({**self._context, SPAN_KEY: span, OWN_KEY: span})
        self._outer = self._context
        # Snapshots, not the items themselves: those may change after their yield, and may be large.
        self._items: list[Snapshot | None] | None = [] if capture_output and span._producer.captures else None
        self._room = span._producer.max_value_bytes
        self._count = 0

    def __enter__(self) -> None:
        self._outer = get_current()
        attach(self._context)

    def __exit__(self, *_: object) -> None:
        self._context = get_current()  # a with block of the body may stay open over a yield
        attach(self._outer)

    def yielded(self, item: Any) -> None:
        self._count += 1
        if self._items is not None and len(self._items) < _MAX_ITEMS and self._room > 0:
            kept = None if item is None else self._span._producer.capture(item)
            self._items.append(kept)
            self._room -= 8 + weight_of(kept)

    def exhausted(self) -> None:
        if not self._span._end_time:
            self._span._finish_by_itself(self._output())

    def raised(self, error: BaseException) -> bool:
        """End the span by what left the body; tell whether it goes no further."""
        if not self._span._end_time:
            self._span.set_attribute("milepost.items", self._count)
        return self._span._end_by(error)

    def _output(self) -> Any:
        if self._items is None:
            return None
        first = [msgspec.json.decode(item) if type(item) is bytes else item for item in self._items]
        return first if self._count == len(first) else {"items": self._count, "first": first}


def _wrap_generator(function: Any, start: Start, names: ArgumentNames | None, capture_output: bool) -> Any:
    @functools.wraps(function)
    def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **kwargs)
        body = _Body(start(names and names.bind(args, kwargs)), capture_output)
        step, value = generator.send, None
        while True:
            try:
                with body:
                    item = step(value)
            except StopIteration as stop:
                body.exhausted()
                return stop.value
            except BaseException as error:
                if body.raised(error):
                    return None
                raise
            body.yielded(item)
            try:
                step, value = generator.send, (yield item)
            except GeneratorExit as closing:
                _close(generator, body, closing)
                raise
            except BaseException as thrown:
                step, value = generator.throw, thrown

    return generate


def _close(generator: Generator[Any, Any, Any], body: _Body, closing: GeneratorExit) -> None:
    """Close the body of a generator that its consumer closed; what its cleanup raises ends the span and goes on."""
    try:
        with body:
            generator.close()
    except BaseException as error:
        if not body.raised(error):
            raise
    else:
        body.raised(closing)


def _wrap_async_generator(function: Any, start: Start, names: ArgumentNames | None, capture_output: bool) -> Any:
    @functools.wraps(function)
    async def generate(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        generator = function(*args, **kwargs)
        body = _Body(start(names and names.bind(args, kwargs)), capture_output)
        step, value = generator.asend, None
        while True:
            try:
                with body:
                    item = await step(value)
            except StopAsyncIteration:
                body.exhausted()
                return
            except BaseException as error:
                if body.raised(error):
                    return
                raise
            body.yielded(item)
            try:
                step, value = generator.asend, (yield item)
            except GeneratorExit as closing:
                await _aclose(generator, body, closing)
                raise
            except BaseException as thrown:
                step, value = generator.athrow, thrown

    return generate


async def _aclose(generator: AsyncGenerator[Any, Any], body: _Body, closing: GeneratorExit) -> None:
    try:
        with body:
            await generator.aclose()
    except BaseException as error:
        if not body.raised(error):
            raise
    else:
        body.raised(closing)
