"""What recording costs the application: microseconds per task, against OpenTelemetry's SDK in the same run.

    python tests/benchmarks/bench_sdk.py [--quick] [--json FILE]

Per case it prints the application thread's own CPU time and the wall time per task (start, a small input, end). Wall
time holds the exporter's thread as well, because both share Python's lock. Each round runs in a fresh process, sends to
a collector stand-in in another process ("up") or to a port nobody listens on ("down"), and the best round counts: the
others met other work on the machine.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

SDK_CASES = ("context manager", "decorator", "nested", "plain object", "no input")
CASES = [("milepost", case) for case in SDK_CASES] + [
    ("opentelemetry", "context manager"),
    ("opentelemetry", "nested"),
]
BURST = 500  # tasks between two pauses: an agent records in bursts, and nothing is dropped meanwhile


class Sink(http.server.BaseHTTPRequestHandler):
    """Takes everything without looking at it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def serve() -> None:
    """Run the collector stand-in; the first line of output is its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def milepost_case(case: str, endpoint: str) -> Callable[[int], None]:
    """Return a function that records n tasks with Milepost inside of one run."""
    import milepost

    milepost.init(endpoint=endpoint, agent="bench", max_queue_events=2_000_000, max_queue_bytes=2**33)
    milepost.start_run("bench").__enter__()

    @milepost.task
    def step(pages: int) -> None:
        return None

    def context_manager(n: int) -> None:
        for _ in range(n):
            with milepost.start_task("step", input={"pages": 3}):
                pass

    def decorator(n: int) -> None:
        for _ in range(n):
            step(3)

    def nested(n: int) -> None:
        for _ in range(n // 2):
            with milepost.start_task("outer", input={"pages": 3}), milepost.start_task("inner", input={"pages": 3}):
                pass

    def plain_object(n: int) -> None:
        for _ in range(n):
            milepost.start_task("step", input={"pages": 3}).complete()

    def no_input(n: int) -> None:
        for _ in range(n):
            with milepost.start_task("step"):
                pass

    return dict(zip(SDK_CASES, (context_manager, decorator, nested, plain_object, no_input), strict=True))[case]


def opentelemetry_case(case: str, endpoint: str) -> Callable[[int], None]:
    """Return a function that records n spans with OpenTelemetry's SDK and its BatchSpanProcessor inside of one span."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(JsonExporter(endpoint), max_queue_size=65_536))
    tracer = provider.get_tracer("bench")
    tracer.start_as_current_span("bench").__enter__()

    def context_manager(n: int) -> None:
        for _ in range(n):
            with tracer.start_as_current_span("step", attributes={"pages": 3}):
                pass

    def nested(n: int) -> None:
        for _ in range(n // 2):
            with (
                tracer.start_as_current_span("outer", attributes={"pages": 3}),
                tracer.start_as_current_span("inner", attributes={"pages": 3}),
            ):
                pass

    return {"context manager": context_manager, "nested": nested}[case]


class JsonExporter:
    """The cheapest honest exporter: as OTLP's protobuf one is not a dependency here, spans go out as their own JSON."""

    def __init__(self, endpoint: str) -> None:
        import httpx

        self._client = httpx.Client(base_url=endpoint, trust_env=False)

    def export(self, spans: Any) -> Any:
        from opentelemetry.sdk.trace.export import SpanExportResult

        body = "\n".join(
            f"{span.context.trace_id:x} {span.context.span_id:x} {span.name} {span.end_time}" for span in spans
        )
        try:
            self._client.post("/v1/events", content=body)
        except OSError:
            return SpanExportResult.FAILURE
        except Exception as error:
            if type(error).__module__.split(".")[0] not in ("httpx", "httpcore"):
                raise
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._client.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def measure(library: str, case: str, endpoint: str, tasks: int) -> tuple[float, float]:
    """Return application-thread and wall microseconds per task."""
    record = (milepost_case if library == "milepost" else opentelemetry_case)(case, endpoint)
    record(BURST)
    thread_ns = wall_ns = 0
    for _ in range(max(tasks // BURST, 1)):
        wall, thread = time.perf_counter_ns(), time.thread_time_ns()
        record(BURST)
        thread_ns += time.thread_time_ns() - thread
        wall_ns += time.perf_counter_ns() - wall
        time.sleep(0.02)  # the exporter empties the queue in the agent's own waiting time
    recorded = max(tasks // BURST, 1) * BURST
    return thread_ns / recorded / 1_000, wall_ns / recorded / 1_000


def measure_in_process(library: str, case: str, endpoint: str, tasks: int) -> tuple[float, float]:
    command = [sys.executable, __file__, "--measure", library, case, endpoint, str(tasks)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONHASHSEED": "0"})
    thread_us, wall_us = done.stdout.split()[-2:]
    return float(thread_us), float(wall_us)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round per case")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to a file")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
    elif options.measure:
        library, case, endpoint, tasks = options.measure
        print(*measure(library, case, endpoint, int(tasks)))
    else:
        report(*((1, 5_000) if options.quick else (5, 20_000)), options.json)


def report(rounds: int, tasks: int, json_file: str | None) -> None:
    """Run every case and print the table and the JSON."""
    sink = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    assert sink.stdout is not None
    endpoints = {"up": f"http://127.0.0.1:{int(sink.stdout.readline())}", "down": f"http://127.0.0.1:{unused_port()}"}
    figures: list[dict[str, Any]] = []
    print(f"{'library':15}{'case':18}{'collector':11}{'thread µs/task':>15}{'wall µs/task':>14}")
    try:
        for library, case in CASES:
            for collector, endpoint in endpoints.items():
                results = [measure_in_process(library, case, endpoint, tasks) for _ in range(rounds)]
                thread_us, wall_us = min(item[0] for item in results), min(item[1] for item in results)
                print(f"{library:15}{case:18}{collector:11}{thread_us:15.2f}{wall_us:14.2f}", flush=True)
                figures.append({
                    "library": library, "case": case, "collector": collector,
                    "thread_us_per_task": round(thread_us, 3), "wall_us_per_task": round(wall_us, 3),
                })  # fmt: skip
    finally:
        sink.terminate()
        sink.communicate()
    text = json.dumps({"benchmark": "sdk", "rounds": rounds, "tasks": tasks, "figures": figures})
    print(text)
    if json_file:
        with open(json_file, "w") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()
