"""`milepost agent list|get|pause|resume`: who does the work, and what waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from milepost.wire.agents import Agent, Worker
from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.render import clean, one_line, stdout_console, utc_now
from milepost_collector.cli.task_tables import SHORT, relative
from milepost_collector.cli.tasks import print_json


def print_agents(endpoint: str, *, as_json: bool) -> None:
    """Print every agent."""
    agents = CollectorClient(endpoint).agents.list().agents
    if as_json:
        print_json(agents)
    elif agents:
        stdout_console().print(agents_table(agents, utc_now()))
    else:
        click.echo("no agent has registered and no task names one; see `milepost agent --help`")


def print_agent(endpoint: str, name: str, *, as_json: bool) -> None:
    """Print an agent with its workers and their leases."""
    _print(CollectorClient(endpoint).agents.get(name), as_json=as_json)


def hold_agent(endpoint: str, command: str, name: str, reason: str, *, as_json: bool) -> None:
    """Give an agent no more work, or give it work again."""
    agents = CollectorClient(endpoint).agents
    act = agents.pause if command == "pause" else agents.resume
    _print(act(name, reason=reason, by=person()), as_json=as_json)


def agents_table(agents: Sequence[Agent], now: datetime) -> Table:
    """Return agents as a table."""
    table = _table("agent", "state", "workers", "busy", "ready", "delayed", "last poll", "tasks")
    for one in agents:
        alive = sum(worker.alive for worker in one.workers)
        table.add_row(
            Text(one_line(one.name, 40), style="bold"),
            _state(one),
            Text(str(alive)),
            Text(f"{one.busy}/{one.slots}"),
            Text(str(one.ready), style="yellow" if one.ready and not alive else ""),
            Text(str(one.delayed)),
            Text(relative(one.last_poll_at, now)),
            Text(one_line(", ".join(one.tasks), 60), style="dim"),
        )
    return table


def agent_view(one: Agent, now: datetime) -> Group:
    """Return an agent, its workers and what they are doing."""
    text = Text(one_line(one.name), style="bold").append("  ").append_text(_state(one))
    facts = [
        ("paused by", one.paused_by or ""),
        ("tasks", ", ".join(one.tasks)),
        ("teams", ", ".join(one.teams)),
        ("load", f"{one.busy} of {one.slots} slots busy, {one.ready} tasks ready, {one.delayed} delayed"),
    ]
    for name, value in facts:
        if value:
            text.append(f"\n{name:>10}  ", style="not bold dim").append(clean(value), style="not bold not dim")
    return Group(text, workers_table(one.workers, now)) if one.workers else Group(text)


def workers_table(workers: Sequence[Worker], now: datetime) -> Table:
    """Return workers as a table, each with its leases."""
    table = _table("worker", "state", "host", "pid", "slots", "last poll", "doing")
    for one in workers:
        state = "draining" if one.draining and one.alive else "alive" if one.alive else "gone"
        leases = [f"{lease.task_name} {lease.task_id[-SHORT:]} #{lease.attempt}" for lease in one.leases]
        table.add_row(
            Text(one.id[-SHORT:], style="bold"),
            Text(state, style="green" if one.alive else "red"),
            Text(one_line(one.host_name or "", 30)),
            Text(str(one.process_id or "")),
            Text(f"{len(one.leases)}/{one.concurrency}"),
            Text(relative(one.last_poll_at, now)),
            Text(one_line(", ".join(leases), 80), style="dim"),
        )
    return table


def _state(one: Agent) -> Text:
    if one.paused:
        return Text("‖ paused", style="yellow")
    alive = any(worker.alive for worker in one.workers)
    return Text("● serving", style="green") if alive else Text("○ nobody", style="red" if one.ready else "dim")


def _print(one: Agent, *, as_json: bool) -> None:
    if as_json:
        print_json(one)
    else:
        stdout_console().print(agent_view(one, utc_now()))


def _table(*headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table
