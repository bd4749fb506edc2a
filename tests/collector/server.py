"""The collector's application under uvicorn in a thread of this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvicorn
from starlette.applications import Starlette

from milepost.wire import Batch, BatchAnswer, WireEvent
from milepost_collector.app import create_app
from milepost_collector.config import CollectorConfig

START_TIMEOUT_S = 15
STOP_TIMEOUT_S = 15


class _Uvicorn(uvicorn.Server):
    """uvicorn, saying when it listens or has failed to start."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.decided = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self.decided.set()


@dataclass(slots=True)
class Server:
    """A running server. client: speaks to it; sequence: of the next batch."""

    app: Starlette
    url: str
    client: httpx.Client
    uvicorn: _Uvicorn
    thread: threading.Thread
    sequence: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def start(cls, data_dir: Path, **settings: Any) -> Server:
        """Start on a free port, or the one that is given, and return once it listens."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", settings.pop("port", 0)))
        port = listener.getsockname()[1]
        config = CollectorConfig(data_dir=data_dir, port=port, **{"memory_limit_bytes": 512 * 1024 * 1024, **settings})
        app = create_app(config)
        runner = _Uvicorn(uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=5))
        thread = threading.Thread(target=runner.run, kwargs={"sockets": [listener]}, name="server")
        thread.start()
        assert runner.decided.wait(START_TIMEOUT_S)
        assert runner.started
        url = f"http://127.0.0.1:{port}"
        client = httpx.Client(base_url=f"{url}{config.root_path}", timeout=30)
        return cls(app, url, client, runner, thread, settings=settings)

    def stop(self) -> None:
        """Stop as after a signal. Safe to call twice."""
        self.client.close()
        if self.app.state.services is not None:
            # What web.shutdown does on a signal, which a thread does not get.
            self.app.state.services.loop.call_soon_threadsafe(self.app.state.services.stopping.set)
        self.uvicorn.should_exit = True
        self.thread.join(STOP_TIMEOUT_S)
        assert not self.thread.is_alive()

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON answer of a GET that must succeed."""
        answer = self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, events: Iterable[WireEvent], *, producer_id: str = "producer") -> BatchAnswer:
        """Send a batch that must be taken."""
        batch = Batch(producer_id=producer_id, sequence=self.sequence, events=list(events))
        self.sequence += 1
        body = msgspec.msgpack.encode(batch)
        answer = self.client.post("/v1/events", content=body, headers={"Content-Type": "application/msgpack"})
        assert answer.status_code == 200, answer.text
        return msgspec.msgpack.decode(answer.content, type=BatchAnswer)

    def sql(self, sql: str, **more: Any) -> httpx.Response:
        """Return the answer to a query."""
        return self.client.post("/api/sql", json={"sql": sql, **more})

    def rows(self, sql: str) -> list[list[Any]]:
        """Return the rows of a query that must succeed."""
        answer = self.sql(sql)
        assert answer.status_code == 200, answer.text
        rows: list[list[Any]] = answer.json()["rows"]
        return rows


StartServer = Callable[..., Server]
