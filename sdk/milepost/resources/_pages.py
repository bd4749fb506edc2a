"""Lists that come in pages: one page, or everything, asked for as it is read."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from milepost.resources._operation import Operation

__all__ = ["AsyncPager", "AsyncSend", "Listing", "Page", "Pager", "Send"]

T = TypeVar("T")
AnyT = TypeVar("AnyT")


class Page(Protocol):
    """A page of a list. next_cursor: of the next page; None at the end."""

    next_cursor: str | None


PageT = TypeVar("PageT", bound=Page)


class Send(Protocol):
    """Sends an operation and returns its answer."""

    def send(self, operation: Operation[AnyT]) -> AnyT:
        """Return the answer; raises ApiError."""


class AsyncSend(Protocol):
    """Sends an operation and returns its answer."""

    async def send(self, operation: Operation[AnyT]) -> AnyT:
        """Return the answer; raises ApiError."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[PageT, T]):
    """A list: how its first page is asked for, and what a page holds."""

    operation: Operation[PageT]
    items: Callable[[PageT], list[T]]

    def at(self, cursor: str) -> Operation[PageT]:
        """Return how the page of a cursor is asked for."""
        others = tuple(pair for pair in self.operation.query if pair[0] != "cursor")
        return dataclasses.replace(self.operation, query=(*others, ("cursor", cursor)))


class Pager(Generic[PageT, T]):
    """A list that is asked for page by page while it is iterated over; each iteration begins anew."""

    def __init__(self, sender: Send, listing: Listing[PageT, T]) -> None:
        self._sender = sender
        self._listing = listing

    def page(self) -> PageT:
        """Return the first page alone, or the one of the `cursor` that was given; it names the next one's cursor."""
        return self._sender.send(self._listing.operation)

    def pages(self) -> Iterator[PageT]:
        """Return one page after the other."""
        page = self.page()
        yield page
        while page.next_cursor is not None:
            page = self._sender.send(self._listing.at(page.next_cursor))
            yield page

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from self._listing.items(page)


class AsyncPager(Generic[PageT, T]):
    """A list that is asked for page by page while it is iterated over; each iteration begins anew."""

    def __init__(self, sender: AsyncSend, listing: Listing[PageT, T]) -> None:
        self._sender = sender
        self._listing = listing

    async def page(self) -> PageT:
        """Return the first page alone, or the one of the `cursor` that was given; it names the next one's cursor."""
        return await self._sender.send(self._listing.operation)

    async def pages(self) -> AsyncIterator[PageT]:
        """Return one page after the other."""
        page = await self.page()
        yield page
        while page.next_cursor is not None:
            page = await self._sender.send(self._listing.at(page.next_cursor))
            yield page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in self._listing.items(page):
                yield item
