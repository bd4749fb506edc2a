"""Connections to PostgreSQL: a few that transactions take in turn, and one that listens."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg

from milepost_collector.errors import StorageError

Connection: TypeAlias = psycopg.Connection[Any]

logger = logging.getLogger("milepost.controller")

_LISTEN_S = 0.2  # how long the listener waits before it looks whether it is to stop
_RECONNECT_S = 1.0


class Pool:
    """Up to `limit` connections to `place`, made when they are needed. Thread-safe; who finds none waits for one."""

    def __init__(self, place: str, connect: Callable[[], Connection], limit: int) -> None:
        self._place = place
        self._connect = connect
        self._free = threading.Semaphore(limit)
        self._idle: list[Connection] = []
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection.

        Raises:
            StorageError: the pool is closed, or a new connection was needed and could not be made.
        """
        with self._free:
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)

    def close(self) -> None:
        """Close every connection, those that are lent when they come back. Idempotent."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> Connection:
        if self._closed:
            raise StorageError(self._place, f"database {self._place} has been closed; open the store again")
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _give_back(self, connection: Connection) -> None:
        if self._closed:
            connection.close()
        elif connection.closed:
            while self._idle:  # what ended this one, such as a restart of the server, has probably ended them all
                self._idle.pop().close()
        else:
            self._idle.append(connection)


class Listener:
    """A thread that calls `changed` when another collector notifies `channel`. own_name: what it sends itself."""

    def __init__(
        self, connect: Callable[[], Connection], channel: str, own_name: str, changed: Callable[[], None]
    ) -> None:
        self._connect = connect
        self._channel = channel
        self._own_name = own_name
        self._changed = changed
        self._stopping = threading.Event()
        self._first: Connection | None = None
        self._is_deaf = False
        self._thread = threading.Thread(target=self._run, name="milepost-listener", daemon=True)

    def start(self) -> None:
        """Connect and start the thread: what is notified after this returns is heard."""
        self._first = self._subscribe()
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for that."""
        self._stopping.set()
        self._thread.join()

    def _subscribe(self) -> Connection:
        connection = self._connect()
        connection.execute(f"LISTEN {self._channel}".encode())
        return connection

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._hear()
            except (psycopg.Error, StorageError) as error:
                if not self._is_deaf:
                    logger.warning("other collectors are not heard for now, their work is found by looking: %s", error)
                self._is_deaf = True
                self._stopping.wait(_RECONNECT_S)

    def _hear(self) -> None:
        connection, self._first = self._first, None
        if connection is None:
            connection = self._subscribe()
            self._is_deaf = False
            self._changed()  # something may have been missed meanwhile
        with connection:
            while not self._stopping.is_set():
                for notification in connection.notifies(timeout=_LISTEN_S):
                    if notification.payload != self._own_name:
                        self._changed()
