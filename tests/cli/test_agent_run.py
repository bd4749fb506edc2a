"""`milepost agent run`: serves an agent, says what it does, drains, and starts anew when its files change."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

import milepost
from milepost.wire.worker import AttemptFailed
from milepost_collector.cli.agent_reload import changes, stamp, watched_folder
from milepost_collector.cli.agent_run import attempt_line, find_agent

DEADLINE_S = 20.0
MODULE = """
import milepost

agent = milepost.Agent("{agent}")

@agent.task("greet")
def greet(name: str) -> str:
    if not name:
        raise ValueError("nobody is\\x1b[31m there")
    return "{greeting} " + name
"""


class Program:
    """`milepost agent run` in a process, and the lines that it prints."""

    def __init__(self, folder: Path, endpoint: str, *arguments: str) -> None:
        command = [sys.executable, "-W", "error", "-m", "milepost_collector.cli", "agent", "run", "greeter:agent"]
        self.process = subprocess.Popen(
            [*command, "--endpoint", endpoint, *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()

    def await_line(self, text: str, times: int = 1) -> str:
        """Return the line with a text once it was printed so many times."""
        deadline = time.monotonic() + DEADLINE_S
        with self._news:
            while len(found := [line for line in self.lines if text in line]) < times:
                assert self._news.wait(deadline - time.monotonic()), f"{text!r} was not printed: {self.lines}"
        return found[-1]

    def stop(self) -> int:
        """Stop it as Ctrl-C does; return its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def start(tmp_path, collector, request) -> Iterator[Callable[..., Program]]:
    """Return a function that runs the agent of greeter.py, start(*arguments)."""
    write_module(tmp_path, request.node.name)
    started: list[Program] = []

    def run(*arguments: str) -> Program:
        started.append(Program(tmp_path, collector.url, *arguments))
        return started[-1]

    yield run
    for program in started:
        if program.process.poll() is None:
            program.stop()
        assert program.process.stdout is not None
        program.process.stdout.close()


def write_module(folder: Path, agent: str, greeting: str = "hello") -> None:
    (folder / "greeter.py").write_text(MODULE.format(agent=agent, greeting=greeting))


@pytest.fixture
def client(collector) -> Iterator[milepost.Client]:
    with milepost.Client(endpoint=collector.url) as made:
        yield made


def result_of(client: milepost.Client, task_id: str) -> object:
    return client.tasks.wait(task_id, timeout_s=DEADLINE_S).agents[0].result


def test_attempts_are_shown_a_line_each(start, client, request):
    program = start()
    assert "greet" in program.await_line("takes tasks from")
    good = client.tasks.create(name="greet", agent=request.node.name, input={"name": "Ada"})
    assert result_of(client, good.id) == "hello Ada"
    assert "▶ greet" in program.await_line(f"{good.id} attempt 1 started")
    assert "✓ greet" in program.await_line(f"{good.id} attempt 1 completed in")
    bad = client.tasks.create(name="greet", agent=request.node.name, input={"name": ""}, settings={"max_retries": 0})
    line = program.await_line(f"{bad.id} attempt 1 failed in")
    assert "ValueError: nobody is�[31m there" in line
    assert program.stop() == 0
    assert client.agents.get(request.node.name).workers == []


@pytest.mark.slow
def test_changed_file_starts_the_agent_anew(start, client, request, tmp_path):
    program = start("--reload", "--concurrency", "2")
    program.await_line("takes tasks from")
    write_module(tmp_path, request.node.name, "good morning")
    program.await_line("greeter.py changed")
    program.await_line("takes tasks from", times=2)
    task = client.tasks.create(name="greet", agent=request.node.name, input={"name": "Ada"})
    assert result_of(client, task.id) == "good morning Ada"
    assert program.stop() == 0


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("nowhere:agent", "there is no module 'nowhere'"),
        ("greeter:other", "does not have 'other'; its agents are: greeter:agent"),
    ],
)
def test_agent_that_is_not_there_is_named(command, tmp_path, target, problem):
    write_module(tmp_path, "a")
    done = command("agent", "run", target, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert problem in done.stderr


def test_collector_that_takes_no_workers_is_a_failure(command, tmp_path, collector):
    write_module(tmp_path, "a")
    endpoint = f"{collector.url}/elsewhere"
    done = command("agent", "run", "greeter:agent", "--endpoint", endpoint, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "takes no workers" in done.stderr


@pytest.fixture
def importable(tmp_path, monkeypatch) -> Iterator[Path]:
    """Return a folder whose modules can be imported during the test."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_only_agent_of_a_module_needs_no_name(importable):
    (importable / "single.py").write_text("import milepost\nwriter = milepost.Agent('writer')\n")
    assert find_agent("single").name == "writer"


def test_error_inside_of_the_module_is_not_taken_for_its_absence(importable):
    (importable / "broken.py").write_text("import something_else_that_is_missing\n")
    with pytest.raises(ModuleNotFoundError, match="something_else"):
        find_agent("broken:agent")


def test_package_is_watched_with_its_subfolders(importable):
    nested = importable / "pack" / "inner"
    nested.mkdir(parents=True)
    for folder in (nested.parent, nested):
        (folder / "__init__.py").touch()
    assert watched_folder("pack.inner.agents") == (importable / "pack", True)
    assert set(stamp(importable / "pack", recursive=True)) == {nested.parent / "__init__.py", nested / "__init__.py"}


def test_module_is_watched_with_its_neighbours(importable):
    (importable / "single.py").touch()
    assert watched_folder("single") == (importable, False)


def test_module_that_is_not_there_cannot_be_watched():
    with pytest.raises(click.ClickException, match="no module 'nowhere'"):
        watched_folder("nowhere.at_all")


def test_changes_are_new_other_and_removed_files():
    a, b, c, d = (Path(name) for name in "abcd")
    assert changes({a: (1, 1), b: (1, 1), c: (1, 1)}, {a: (1, 1), b: (1, 2), d: (1, 1)}) == [b, c, d]


def test_line_about_a_failure_is_one_line():
    report = AttemptFailed(task_id="t", attempt=2, error_type="ValueError", error_message="a\nb")
    facts = {"milepost_event": "failed", "task_id": "t", "task_name": "n", "attempt": 2, "duration_ms": 1500.0}
    record = logging.makeLogRecord({"msg": "", "report": report} | facts)
    assert attempt_line(record).plain.endswith("✗ n  t attempt 2 failed in 1.5 s  ValueError: a b")


def test_other_lines_of_the_sdk_are_shown_as_they_are():
    record = logging.makeLogRecord({"msg": "the collector is %s", "args": ("away",), "levelno": logging.WARNING})
    assert attempt_line(record).plain.endswith("the collector is away")
