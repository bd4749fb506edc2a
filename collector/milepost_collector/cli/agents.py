"""`milepost agent list|get|pause|resume`: who does the work, and what waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from rich.console import Group
from rich.table import Table
from rich.text import Text

from milepost.wire.agents import Agent, Worker
from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.layout import facts, fitted
from milepost_collector.cli.render import one_line, utc_now
from milepost_collector.cli.task_tables import SHORT, relative
from milepost_collector.cli.tasks import print_json, print_table


def print_agents(endpoint: str, *, as_json: bool) -> None:
    """Print every agent."""
    agents = CollectorClient(endpoint).agents.list().agents
    if as_json:
        print_json(agents)
    elif agents:
        print_table(lambda width: agents_table(agents, utc_now(), width))
    else:
        click.echo("no agent has registered and no task names one; see `milepost agent --help`")


def print_agent(endpoint: str, name: str, *, as_json: bool) -> None:
    """Print an agent with its workers and their leases."""
    _print(CollectorClient(endpoint).agents.get(name), as_json=as_json)


def change_agent(
    endpoint: str,
    name: str,
    capabilities: Sequence[str],
    labels: Sequence[str],
    *,
    as_declared: bool,
    as_json: bool,
) -> None:
    """Say what an agent is able to."""
    if as_declared and (capabilities or labels):
        raise click.UsageError("--as-declared takes back what is given here; leave the others out")
    if not (as_declared or capabilities or labels):
        raise click.UsageError("nothing is to be changed; name an option, see --help")
    if wrong := [one for one in labels if not all(one.partition("="))]:
        raise click.UsageError(f"{wrong[0]!r} is not NAME=VALUE, for example region=eu")
    agents = CollectorClient(endpoint).agents
    if as_declared:
        changed = agents.update(name, capabilities=None, labels=None)
    else:
        given: dict[str, Any] = {"capabilities": list(capabilities)} if capabilities else {}
        if labels:
            given["labels"] = dict(one.split("=", 1) for one in labels)
        changed = agents.update(name, **given)
    _print(changed, as_json=as_json)


def hold_agent(endpoint: str, command: str, name: str, reason: str, *, as_json: bool) -> None:
    """Give an agent no more work, or give it work again."""
    agents = CollectorClient(endpoint).agents
    act = agents.pause if command == "pause" else agents.resume
    _print(act(name, reason=reason, by=person()), as_json=as_json)


def agents_table(agents: Sequence[Agent], now: datetime, width: int) -> Table:
    """Return agents as a table. width: of the terminal, characters."""
    headings = ("agent", "state", "workers", "busy", "ready", "delayed", "last poll", "tasks")
    return fitted(headings, [_agent_cells(one, now) for one in agents], width)


def _agent_cells(one: Agent, now: datetime) -> list[Text]:
    alive = sum(worker.alive for worker in one.workers)
    return [
        Text(one_line(one.name, 40), style="bold"),
        _state(one),
        Text(str(alive)),
        Text(f"{one.busy}/{one.slots}"),
        Text(str(one.ready), style="yellow" if one.ready and not alive else ""),
        Text(str(one.delayed)),
        Text(relative(one.last_poll_at, now)),
        Text(one_line(", ".join(one.tasks), 200), style="dim"),
    ]


def agent_view(one: Agent, now: datetime, width: int) -> Group:
    """Return an agent, its workers and what they are doing. width: of the terminal, characters."""
    heading = Text(one_line(one.name), style="bold").append("  ").append_text(_state(one))
    pairs = [
        ("paused by", one.paused_by or ""),
        ("tasks", ", ".join(one.tasks)),
        ("teams", ", ".join(one.teams)),
        ("capabilities", ", ".join(one.capabilities) + _by_hand("capabilities", one)),
        ("labels", ", ".join(f"{label}={value}" for label, value in one.labels.items()) + _by_hand("labels", one)),
        ("load", f"{one.busy} of {one.slots} slots busy, {one.ready} ready, {one.delayed} delayed"),
    ]
    workers = [workers_table(one.workers, now, width)] if one.workers else []
    return Group(heading, facts(pairs), *workers)


def _by_hand(field: str, one: Agent) -> str:
    return " (set here)" if field in one.set_by_hand else ""


def workers_table(workers: Sequence[Worker], now: datetime, width: int) -> Table:
    """Return workers as a table, each with its leases. width: of the terminal, characters."""
    headings = ("worker", "state", "host", "pid", "slots", "last poll", "doing")
    return fitted(headings, [_worker_cells(one, now) for one in workers], width)


def _worker_cells(one: Worker, now: datetime) -> list[Text]:
    state = "draining" if one.draining and one.alive else "alive" if one.alive else "gone"
    leases = [f"{lease.task_name} {lease.task_id[-SHORT:]} #{lease.attempt}" for lease in one.leases]
    return [
        Text(one.id[-SHORT:], style="bold"),
        Text(state, style="green" if one.alive else "red"),
        Text(one_line(one.host_name or "", 30)),
        Text(str(one.process_id or "")),
        Text(f"{len(one.leases)}/{one.concurrency}"),
        Text(relative(one.last_poll_at, now)),
        Text(one_line(", ".join(leases), 200), style="dim"),
    ]


def _state(one: Agent) -> Text:
    if one.paused:
        return Text("‖ paused", style="yellow")
    alive = any(worker.alive for worker in one.workers)
    return Text("● serving", style="green") if alive else Text("○ nobody", style="red" if one.ready else "dim")


def _print(one: Agent, *, as_json: bool) -> None:
    if as_json:
        print_json(one)
    else:
        print_table(lambda width: agent_view(one, utc_now(), width))
