"""The `milepost` command: run it without arguments for what it can do.

Reading order: `commands` with `task_commands`, `intervention_commands`, `schedule_commands`, `agent_commands`,
`webhook_commands` and `analysis_commands` (names and help; `options` and `groups` are what these share), then one file
per command or group;
`client` (the collector over HTTP), `offline` (the data folder itself), `timeline` (spans to rows and bars, pure),
`render` and `task_tables` (figures to the terminal), `taskfiles` (tasks in files, pure).
Everything heavier than the standard library is imported when a command needs it, so that `milepost serve` starts fast
and a missing extra is named.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["main"]

NEEDED = (
    "click",
    "cronsim",
    "duckdb",
    "genai_prices",
    "httpx",
    "prometheus_client",
    "pyarrow",
    "rich",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "zstandard",
)


def main() -> None:
    """Run the command line and exit with its code: 0 done, 1 failed, 2 wrong usage or configuration."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        print(
            f"error: the milepost command needs the collector, and {', '.join(missing)} is not installed; "
            "run: pip install 'milepost[collector]'",
            file=sys.stderr,
        )
        raise SystemExit(1)
    from milepost_collector.cli.commands import milepost

    milepost(prog_name="milepost")
