"""A third-party library instrumented with OpenTelemetry, its spans nesting under our tasks.

Shows: `milepost.otel.SpanProcessor` with the OpenTelemetry SDK; the spans of every httpx request, from the official
instrumentation, appear inside the task that made it.

    pip install 'milepost[demo]'
    python examples/otel_library.py
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider

import milepost
from milepost.otel import SpanProcessor

DATA = Path(__file__).parent / "data"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keep the request log off the terminal."""


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine, as the web site that the agent reads."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@milepost.task
def fetch(web: httpx.Client, name: str) -> int:
    """Return the number of words of a page. The request is recorded by httpx's instrumentation."""
    page = web.get(f"/{name}")
    page.raise_for_status()
    return len(page.text.split())


@milepost.run(name="otel-library")
def count_words(names: list[str]) -> dict[str, int]:
    if run := milepost.current_run():
        print(f"run {run.run_id} otel-library", flush=True)
    with file_server(DATA) as address, httpx.Client(base_url=address, trust_env=False) as web:
        counts = {name: fetch(web, name) for name in names}
        try:
            fetch(web, "no-such-page.txt")
        except httpx.HTTPStatusError as error:
            counts["no-such-page.txt"] = -error.response.status_code
    return counts


def instrument() -> None:
    """Set OpenTelemetry up as for any other receiver, with Milepost's processor in the exporter's place."""
    provider = TracerProvider()
    provider.add_span_processor(SpanProcessor())
    trace.set_tracer_provider(provider)
    HTTPXClientInstrumentor().instrument()


def main() -> None:
    milepost.init(agent="reader-agent")
    instrument()
    print(count_words(["harbour-log.txt", "tide-survey.txt"]))


if __name__ == "__main__":
    main()
