"""Creates tasks over plain connections, one by one or in batches: an HTTP client library would cost as much again."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

CLIENTS = 8


class Creator:
    """Creates tasks of one agent. agent: one without workers only queues them."""

    def __init__(self, url: str, agent: str) -> None:
        self._at = urlsplit(url)
        self._agent = agent

    def singly(self, tasks: int, *, per_s: float | None = None) -> dict[str, int]:
        """Create tasks one by one over several connections; return when each was asked for, by its id.

        per_s: as many a second, however long answers take; None: as fast as answers come.
        """
        asked: dict[str, int] = {}
        begin = time.perf_counter()

        def create(numbers: Sequence[int]) -> None:
            with closing(self._connect()) as connection:
                for number in numbers:
                    if per_s is not None:
                        _wait_until(begin + number / per_s)
                    at_ns = time.time_ns()
                    asked[self._post(connection, "/api/tasks", self._task(number))["id"]] = at_ns

        _in_parallel(create, [range(client, tasks, CLIENTS) for client in range(CLIENTS)])
        return asked

    def batches(self, tasks: int, size: int) -> None:
        """Create tasks in batches over one connection."""
        with closing(self._connect()) as connection:
            for first in range(0, tasks, size):
                numbers = range(first, min(first + size, tasks))
                self._post(connection, "/api/tasks/batch", {"tasks": [self._task(number) for number in numbers]})

    def count(self, status: str) -> int:
        """Return how many tasks of the agent have a status."""
        with closing(self._connect()) as connection:
            found = _ask(connection, "GET", f"/api/tasks/counts?group_by=status&agent={self._agent}")
        return sum(group["count"] for group in found["groups"] if group["value"] == status)

    def sql(self, query: str) -> list[list[Any]]:
        """Return the rows of a SELECT in DuckDB."""
        with closing(self._connect()) as connection:
            rows: list[list[Any]] = self._post(connection, "/api/sql", {"sql": query})["rows"]
        return rows

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._at.hostname or "", self._at.port, timeout=120)

    def _task(self, number: int) -> dict[str, Any]:
        return {"name": "work", "agent": self._agent, "input": {"number": number}}

    def _post(self, connection: http.client.HTTPConnection, path: str, body: Any) -> dict[str, Any]:
        return _ask(connection, "POST", path, json.dumps(body).encode())


def _ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
    connection.request(method, path, body, {"content-type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path} was answered {answer.status}: {content[:200]!r}")
    found: dict[str, Any] = json.loads(content)
    return found


def _in_parallel(work: Callable[[Sequence[int]], None], shares: Sequence[Sequence[int]]) -> None:
    with ThreadPoolExecutor(len(shares)) as pool:
        for done in [pool.submit(work, share) for share in shares]:
            done.result()


def _wait_until(moment: float) -> None:
    left_s = moment - time.perf_counter()
    if left_s > 0:
        threading.Event().wait(left_s)
