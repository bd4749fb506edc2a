"""Runs the command line as a user does: a process, its output, its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

import milepost
from milepost_collector.cli.commands import milepost as command_line

if TYPE_CHECKING:
    from conftest import CollectorProcess

Milepost = Callable[..., "subprocess.CompletedProcess[str]"]
Invoke = Callable[..., Result]


@pytest.fixture(scope="session")
def command() -> Milepost:
    """Return a function that runs `milepost …` and returns what it said."""

    def run(*arguments: str, input: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "milepost_collector.cli", *arguments],
            env={**os.environ, **environment},
            input=input,
            capture_output=True,
            text=True,
            timeout=50,
        )

    return run


@pytest.fixture(scope="module")
def recorded(collector: CollectorProcess) -> dict[str, str]:
    """Record a few runs of every outcome and return their ids by name."""
    ids = {}
    with milepost.Client(endpoint=collector.url, agent="tester") as client:
        run = client.start_run("good", input={"file": "a.txt"}, session_id="s-1", user_id="u-1", tags=["nightly"])
        task = run.start_task("ask", kind="llm")
        task.record_usage(model="gpt-4o-mini", input_tokens=12_000, output_tokens=300)
        task.checkpoint({"page": 3}, name="pages")
        task.log("half way", severity="warn", page=3)
        task.complete(output="fine")
        run.start_task("cached").skip(reason="seen before")
        run.complete()
        ids["good"] = run.run_id

        run = client.start_run("bad\x1b[31m", agent="other")
        run.start_task("load").fail(error_message="disk is \x1b]0;owned\x07 full", error_type="OSError")
        run.fail(error_message="could not load")
        ids["bad"] = run.run_id

        ids["running"] = client.start_run("open").run_id
        assert client.flush(10)
    return ids


@pytest.fixture
def invoke(collector: CollectorProcess) -> Invoke:
    """Return a function that runs `milepost …` in this process against the module's collector; it must end with `code`.

    For commands of which there are many: a process of its own costs each of them half a second.
    """

    def run(*arguments: str, code: int = 0, stdin: str | None = None) -> Result:
        environment = {"MILEPOST_ENDPOINT": collector.url}
        done = CliRunner().invoke(command_line, arguments, input=stdin, env=environment, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done

    return run
