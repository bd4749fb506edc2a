"""The least that could be called a collector: uvicorn, Starlette and an open DuckDB file, which answers /readyz.

python -m tests.benchmarks.bare_server DIR
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import duckdb
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def readyz(request: Request) -> Response:
    """Say yes."""
    return Response(b"ready")


class AnnouncingServer(uvicorn.Server):
    """uvicorn, saying in the collector's words when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the address."""
        await super().startup(sockets)
        port = (sockets or [])[0].getsockname()[1]
        print(f"the floor is ready at http://127.0.0.1:{port}", flush=True)


def serve(app: Starlette) -> None:
    """Serve on a free port until SIGINT."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", timeout_keep_alive=75)
    try:
        AnnouncingServer(config).run(sockets=[listener])
    except KeyboardInterrupt:
        sys.exit(0)


def main() -> None:
    """Open a database and serve."""
    data_dir = Path(sys.argv[1])
    data_dir.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(data_dir / "milepost.duckdb")):
        serve(Starlette(routes=[Route("/readyz", readyz)]))


if __name__ == "__main__":
    main()
