"""`milepost demo`: a collector, the example agents run against it, and what was recorded of them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

import milepost_collector
from milepost.wire.attempts import Attempt, AttemptList
from milepost.wire.tasks import Task
from milepost_collector.cli.client import CollectorClient
from milepost_collector.cli.layout import counted, fitted
from milepost_collector.cli.render import duration, one_line, stdout_console
from milepost_collector.cli.show import run_view
from milepost_collector.cli.task_tables import SHORT, status_text
from milepost_collector.config import default_data_dir
from milepost_collector.protocol.api import RunDetail

READY_TIMEOUT_S = 30
EXAMPLE_TIMEOUT_S = 120
RECORDED_TIMEOUT_S = 10
RUN_LINE = re.compile(r"^run ([0-9a-f]{32})\b", re.MULTILINE)  # what each example prints, or
TASK_LINE = re.compile(r"^task ([0-9a-z]{26})\b", re.MULTILINE)  # of managed tasks


@dataclass(frozen=True, slots=True)
class Example:
    """An example agent. needs: modules beyond the collector's own."""

    file: str
    title: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The runs and managed tasks that an example said it made, and the example's title."""

    title: str
    run_ids: Sequence[str]
    task_ids: Sequence[str]


EXAMPLES = (
    Example("document_report.py", "a report over text files, parts in parallel"),
    Example("async_agent.py", "an asyncio agent: fan-out, streaming, cancellation"),
    Example(
        "otel_library.py",
        "an OpenTelemetry-instrumented library under our tasks",
        ("opentelemetry.sdk", "opentelemetry.instrumentation.httpx"),
    ),
    Example("two_processes.py", "one run over two processes"),
    Example("etl_chain.py", "managed tasks that depend on each other, one of them retried"),
    Example("nightly_schedule.py", "a schedule by cron and zone, nights made up for"),
    Example("nightly_deliverables.py", "a report that is owed: deliverables, insights, feedback"),
    Example("asks_first.py", "an agent that asks people before it spends"),
    Example("github_triage.py", "a webhook of GitHub's that makes tasks, and an event that makes another"),
    Example("resumed_task.py", "a task whose worker is killed, resumed from its checkpoint"),
)


def run_demo(endpoint: str, *, may_move: bool, data_dir: Path | None, once: bool) -> None:
    """Run every example and show its run; then serve until Ctrl-C, or end when `once`.

    may_move: the endpoint is only the default, so another port may be taken when a stranger sits there.

    Raises:
        click.ClickException: no collector could be started, an example failed, or a run is not recorded.
    """
    # Either ends the demo and, with it, the collector that it started; what shells start in the background ignores the
    # first unless told otherwise.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    console = stdout_console()
    with _collector(endpoint, may_move=may_move, data_dir=data_dir or default_data_dir() / "demo") as (
        address,
        process,
    ):
        client = CollectorClient(address)
        outcomes = _run_examples(address, console)
        count = sum(_show(client, outcome, console) for outcome in outcomes)
        console.print(f"\n[green]✓[/] {count} runs are recorded.  Watch them at [bold]{address}[/]")
        if not once and process is not None:
            console.print("Serving until Ctrl-C.")
            _wait(process)


def _show(client: CollectorClient, outcome: Outcome, console: Console) -> int:
    """Show what an example made, once it is recorded; return the number of its runs, each attempt being one."""
    for run_id in outcome.run_ids:
        _await_recorded(client, run_id)
        console.print("\n", run_view(client, run_id, console), sep="")
    tasks = [_completed(client, task_id) for task_id in outcome.task_ids]
    attempts = [(task, attempt) for task in tasks for attempt in _recorded_attempts(client, task.id)]
    if attempts:
        console.print(f"\n[bold]{outcome.title}[/]")
        cells = [_attempt_cells(task, attempt) for task, attempt in attempts]
        console.print(fitted(("task", "attempt", "status", "run", "took", "what about it"), cells, console.width))
    return len(outcome.run_ids) + len(attempts)


def _completed(client: CollectorClient, task_id: str) -> Task:
    task = client.get(f"/api/tasks/{task_id}", Task)
    if task.status != "completed":
        raise click.ClickException(f"task {task.id} ({task.name}) is {task.status}, not completed")
    return task


def _recorded_attempts(client: CollectorClient, task_id: str) -> list[Attempt]:
    """Return a task's attempts, oldest first, once their runs are recorded."""
    attempts = client.get(f"/api/tasks/{task_id}/runs", AttemptList).attempts[::-1]
    for attempt in attempts:
        # The run of a worker that was killed ends later, when nothing was heard of its process for long enough.
        _await_recorded(client, attempt.run_id, may_run=attempt.status == "lost")
    return attempts


def _attempt_cells(task: Task, attempt: Attempt) -> list[Text]:
    said = (
        counted(attempt.checkpoint_count, "checkpoint") if attempt.checkpoint_count else "",
        f"{counted(attempt.steps_reused, 'step')} reused" if attempt.steps_reused else "",
        attempt.error_message or attempt.reason,
    )
    return [
        Text(one_line(task.name, 40)),
        Text(str(attempt.attempt)),
        status_text(attempt.status),
        Text(attempt.run_id[:SHORT]),
        Text(duration(attempt.duration_ms)),
        Text(one_line(", ".join(filter(None, said)))),
    ]


@contextmanager
def _collector(
    endpoint: str, *, may_move: bool, data_dir: Path
) -> Iterator[tuple[str, subprocess.Popen[bytes] | None]]:
    """Give the address of a running collector, and its process when it had to be started."""
    if CollectorClient(endpoint).is_ready():
        click.echo(f"using the collector at {endpoint}")
        yield endpoint, None
        return
    host, port = _free_place(endpoint, may_move=may_move)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    click.echo(f"starting a collector at {address} (data in {data_dir})")
    command = [sys.executable, "-m", "milepost_collector.cli", "serve", "--log-level", "warning"]
    process = subprocess.Popen(
        [*command, "--host", host, "--port", str(port), "--data", str(data_dir)],
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the demo, which then stops the collector
    )
    try:
        _await_ready(CollectorClient(address), process)
        yield address, process
    finally:
        process.terminate()
        process.wait()


def _free_place(endpoint: str, *, may_move: bool) -> tuple[str, int]:
    parts = urlsplit(endpoint)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if not may_move:
                raise click.ClickException(
                    f"{endpoint} cannot be served ({error.strerror}), and no collector answers there; "
                    "name another address of this machine with --endpoint"
                ) from error
            probe.bind((host, 0))
        return host, probe.getsockname()[1]


def _await_ready(client: CollectorClient, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not client.is_ready():
        if process.poll() is not None:
            raise click.ClickException(f"the collector stopped with code {process.returncode}, see above")
        if time.monotonic() > deadline:
            raise click.ClickException(f"the collector was not ready within {READY_TIMEOUT_S} s")
        time.sleep(0.05)


def _run_examples(endpoint: str, console: Console) -> list[Outcome]:
    outcomes: list[Outcome] = []
    columns = (SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        for example in EXAMPLES:
            missing = [name for name in example.needs if not _installed(name)]
            if missing:
                progress.console.print(f"- {example.title}: left out, run: pip install 'milepost\\[demo]'")
                continue
            line = progress.add_task(f"{example.file:<20} {example.title}", total=1)
            outcomes.append(_run_example(example, endpoint))
            progress.update(line, completed=1)
    return outcomes


def examples_dir() -> Path:
    """Return the examples: inside the installed package, or in the checkout beside it."""
    package = Path(milepost_collector.__file__).parent
    packed = package / "examples"
    return packed if packed.is_dir() else package.parent.parent / "examples"


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is absent
        return False


def _run_example(example: Example, endpoint: str) -> Outcome:
    path = examples_dir() / example.file
    environment = {**os.environ, "MILEPOST_ENDPOINT": endpoint}
    try:
        done = subprocess.run(
            [sys.executable, str(path)], env=environment, capture_output=True, text=True, timeout=EXAMPLE_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise click.ClickException(f"{path.name} did not end within {EXAMPLE_TIMEOUT_S} s") from error
    outcome = Outcome(example.title, RUN_LINE.findall(done.stdout), TASK_LINE.findall(done.stdout))
    if done.returncode or not (outcome.run_ids or outcome.task_ids):
        _fail(path, done)
    return outcome


def _fail(path: Path, done: subprocess.CompletedProcess[str]) -> NoReturn:
    said = (done.stderr.strip() or done.stdout.strip() or "it printed nothing")[-2000:]
    raise click.ClickException(f"{path.name} ended with code {done.returncode}:\n{said}")


def _await_recorded(client: CollectorClient, run_id: str, *, may_run: bool = False) -> None:
    """Wait for the run's end, which a producer may still be delivering as the process exits; may_run: for its start."""
    deadline = time.monotonic() + RECORDED_TIMEOUT_S
    while True:
        problem = _missing(client, run_id, may_run=may_run)
        if problem is None:
            return
        if time.monotonic() > deadline:
            raise click.ClickException(problem)
        time.sleep(0.1)


def _missing(client: CollectorClient, run_id: str, *, may_run: bool) -> str | None:
    try:
        run = client.get(f"/api/runs/{run_id}", RunDetail).run
    except click.ClickException as error:
        return f"run {run_id} is not recorded: {error.message}"
    return f"run {run_id} ({run.name}) has not ended" if run.status == "running" and not may_run else None


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        code = process.wait()
    except KeyboardInterrupt:
        return
    raise click.ClickException(f"the collector stopped with code {code}")
