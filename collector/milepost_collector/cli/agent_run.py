"""`milepost agent run module:agent`: serves an agent, with a line per attempt; with --reload anew after each change."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.text import Text

from milepost.errors import ConfigurationError
from milepost_collector.cli.agent_reload import is_reloaded, run_with_reload
from milepost_collector.cli.render import clean, duration, one_line, stdout_console

if TYPE_CHECKING:
    from milepost import Agent

MARKS = {
    "started": ("▶", "cyan"),
    "completed": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("■", "yellow"),
    "paused": ("⏸", "yellow"),
    "asked": ("?", "yellow"),
    "lost": ("✗", "magenta"),
}


def run_agent(target: str, *, endpoint: str, concurrency: int, drain_timeout_s: float, reload: bool) -> None:
    """Serve the agent that the target names until SIGINT or SIGTERM.

    target: `module:attribute`, imported as from the working folder.

    Raises:
        click.ClickException: the agent cannot be found or served; the message says what to do.
    """
    os.environ["MILEPOST_ENDPOINT"] = endpoint  # what the module sets up while it is imported goes there too
    sys.path.insert(0, str(Path.cwd()))
    if reload and not is_reloaded():
        run_with_reload(target.partition(":")[0])
        return
    _show_attempts(stdout_console())
    try:
        agent = find_agent(target)
        click.echo(_greeting(agent, endpoint, concurrency))
        agent.serve(concurrency=concurrency, endpoint=endpoint, drain_timeout_s=drain_timeout_s)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error


def find_agent(target: str) -> Agent:
    """Import and return an agent.

    Raises:
        click.ClickException: there is none under that name.
    """
    from milepost import Agent

    module_name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise
        raise click.ClickException(
            f"there is no module {error.name!r} in {Path.cwd()}; name it as package.module:agent"
        ) from error
    agents = {name: value for name, value in vars(module).items() if isinstance(value, Agent)}
    if not attribute and len(agents) == 1:
        return next(iter(agents.values()))
    if attribute in agents:
        return agents[attribute]
    known = ", ".join(f"{module_name}:{name}" for name in agents) or "none"
    asked = repr(attribute) if attribute else "one agent"
    raise click.ClickException(f"module {module_name!r} does not have {asked}; its agents are: {known}")


def _greeting(agent: Agent, endpoint: str, concurrency: int) -> str:
    names = ", ".join(agent.tasks) or "any task"
    return f"{agent.name} takes tasks from {endpoint}: {names}  ({concurrency} at once, Ctrl-C stops)"


# --- one line per attempt ---------------------------------------------------------------------------------------------


def _show_attempts(console: Console) -> None:
    logger = logging.getLogger("milepost")
    logger.addHandler(AttemptLines(console))
    logger.propagate = False
    logging.getLogger("milepost.agents").setLevel(logging.INFO)


class AttemptLines(logging.Handler):
    """Prints what the SDK logs: attempts in a line each, anything else as it is."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        try:
            self._console.print(attempt_line(record), soft_wrap=True)
        except Exception:
            self.handleError(record)


def attempt_line(record: logging.LogRecord) -> Text:
    """Return a log record as a line for people."""
    line = Text(time.strftime("%H:%M:%S ", time.localtime(record.created)), style="dim")
    facts: dict[str, Any] = vars(record)
    event = facts.get("milepost_event")
    if event is None:
        style = "" if record.levelno < logging.WARNING else "yellow" if record.levelno < logging.ERROR else "red"
        return line.append(clean(record.getMessage()), style=style)
    mark, colour = MARKS.get(event, ("•", ""))
    line.append(f"{mark} ", style=colour).append(one_line(facts["task_name"]), style="bold")
    line.append(f"  {facts['task_id']}", style="dim").append(f" attempt {facts['attempt']} {event}")
    if event != "started":
        line.append(f" in {duration(facts['duration_ms'])}", style="dim")
    return line.append(_why(facts["report"]), style=colour)


def _why(report: Any) -> str:
    """Return what there is to say about an end."""
    if (error_type := getattr(report, "error_type", None)) is not None:
        return f"  {error_type}: {one_line(report.error_message)}"
    ask = getattr(report, "ask", None)
    reason = getattr(report, "reason", "") if ask is None else ask.title
    return f"  {one_line(reason)}" if reason else ""
