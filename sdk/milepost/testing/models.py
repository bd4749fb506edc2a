"""Models on this machine for anything that is run by hand.

    python -m milepost.testing.models python my_agent.py    # run a command against them, then say what it used
    python -m milepost.testing.models --port 4610           # serve until Ctrl-C

The command finds the models by OPENAI_BASE_URL, ANTHROPIC_BASE_URL and their keys, which are set for it.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

from milepost.testing._calls import ModelCall
from milepost.testing._server import ModelServer

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or serve; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        server = ModelServer(
            host=options.host,
            port=options.port,
            cached_tokens=options.cached_tokens,
            reasoning_tokens=options.reasoning_tokens,
            token_delay_s=options.token_delay_ms / 1000,
        )
    except (OSError, OverflowError, ValueError) as error:
        print(f"error: models cannot be served at {options.host}:{options.port}: {error}", file=sys.stderr)
        return 2
    with server:
        return _run(server, options.command) if options.command else _serve(server)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m milepost.testing.models",
        description="Serve models that answer as OpenAI's and Anthropic's do, without a network or a key.",
        epilog="Example: python -m milepost.testing.models python my_agent.py",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--cached-tokens", type=int, default=0, help="input tokens that the cache had (default: 0)")
    parser.add_argument("--reasoning-tokens", type=int, default=0, help="thoughts in every output (default: 0)")
    parser.add_argument("--token-delay-ms", type=float, default=0.0, help="wait before each token (default: 0)")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run against them; none: serve until Ctrl-C")
    return parser


def _run(server: ModelServer, command: Sequence[str]) -> int:
    try:
        code = subprocess.run(command, env={**os.environ, **server.environment()}, check=False).returncode
    except OSError as error:
        print(f"error: {command[0]} cannot be run: {error.strerror}", file=sys.stderr)
        return 127
    print(_summary(server.calls), file=sys.stderr)
    return code


def _summary(calls: Sequence[ModelCall]) -> str:
    used = [call.usage for call in calls]
    failed = sum(call.failure is not None for call in calls)
    counts = (
        f"{sum(usage.input_tokens for usage in used)} input and {sum(usage.output_tokens for usage in used)} output"
    )
    return f"models: {len(calls)} {'call' if len(calls) == 1 else 'calls'}, {failed} failed, {counts} tokens"


def _serve(server: ModelServer) -> int:
    for name, value in server.environment().items():
        print(f"export {name}={value}", flush=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
    print(_summary(server.calls), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
