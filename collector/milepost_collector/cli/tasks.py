"""`milepost task …`: hand over, look at, change and steer tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import click
import msgspec
from rich.console import RenderableType

from milepost.errors import ApiError, NotFoundError
from milepost.wire.tasks import Dependency, Need, Task
from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.fallback import fallback_of
from milepost_collector.cli.groups import as_click_error
from milepost_collector.cli.render import clean, stdout_console, utc_now
from milepost_collector.cli.task_tables import (
    attempt_view,
    attempts_table,
    checkpoints_table,
    counts_table,
    requested,
    task_view,
    tasks_table,
    transitions_table,
)

SHORTEST_PART = 4  # characters of an id by which a task may be named
MOST_CANDIDATES = 5
PAGE = 200
_FALLBACK_OPTIONS = ("fallback_agent", "fallback_team", "fallback_person", "after_failures", "after_ms")
_BY = ("cancel", "pause", "resume", "retry", "redirect", "complete")


def create_task(endpoint: str, name: str, options: dict[str, Any], *, as_json: bool, watch: bool) -> None:
    """Hand over a task and print its id; with `watch` follow it and exit with its outcome."""
    client = CollectorClient(endpoint)
    path, fallback, needs = options.pop("data"), fallback_of(options), _needs(options)
    for option in _FALLBACK_OPTIONS:
        options.pop(option)
    fields = task_fields(options) | {"needs": needs, "fallback": fallback}
    if path is not None:
        from milepost_collector.cli.datafiles import with_file

        fields["input"] = with_file(fields.get("input"), path)
    fields["dependencies"] = [_dependency(client, given) for given in fields.pop("dependencies", ())]
    if "deliverables" in fields:
        fields["deliverables"] = [kind.strip() for given in fields["deliverables"] for kind in given.split(",")]
    limits = {name: fields.pop(f"budget_{name}", None) for name in ("usd", "tokens")}
    budget = {name: limit for name, limit in limits.items() if limit is not None} or None
    task = client.tasks.create(name, created_by=person(), budget=budget, **fields)
    if watch:
        from milepost_collector.cli.watch import follow

        follow(client, [task], as_json=as_json)
    elif as_json:
        print_json(task)
    else:
        why = f": {task.why_not_running.text}" if task.why_not_running is not None else ""
        click.echo(task.id)
        click.echo(clean(f"{task.name} is {task.status}{why}"), err=True)


def show_task(endpoint: str, given: str, *, as_json: bool) -> None:
    """Print everything about a task."""
    client = CollectorClient(endpoint)
    task = client.tasks.get(resolve(client, given))
    if as_json:
        print_json(task)
    else:
        stdout_console().print(task_view(task, utc_now()))


def list_tasks(endpoint: str, filters: dict[str, Any], *, sort: str, limit: int, as_json: bool) -> None:
    """Print the tasks that match, at most `limit`."""
    listing = CollectorClient(endpoint).tasks.list(sort=sort, page_size=min(limit + 1, PAGE), **given_only(filters))
    found = list(islice(listing, limit + 1))
    tasks, more = found[:limit], len(found) > limit
    if as_json:
        print_json(tasks)
    elif tasks:
        print_table(lambda width: tasks_table(tasks, utc_now(), width))
    else:
        click.echo(
            "no task matches" if given_only(filters) else "there are no tasks; see `milepost task create --help`"
        )
    if more:
        click.echo(f"there are more; --limit shows up to 10000, now {limit}", err=True)


def count_tasks(endpoint: str, filters: dict[str, Any], group_by: Any, *, as_json: bool) -> None:
    """Print how many of the tasks that match share a value."""
    counts = CollectorClient(endpoint).tasks.count(group_by, **given_only(filters))
    if as_json:
        print_json(counts)
    else:
        stdout_console().print(counts_table(counts))


def update_task(endpoint: str, given: str, options: dict[str, Any], *, as_json: bool) -> None:
    """Change what is given of a task."""
    client = CollectorClient(endpoint)
    how = {name: options.pop(name) for name in ("interrupt", "reason")}
    changes: dict[str, Any] = {name: None if value == "none" else value for name, value in task_fields(options).items()}
    if not changes:
        raise click.UsageError("nothing is to be changed; name an option, see --help")
    task = client.tasks.update(resolve(client, given), **changes, **how, by=person())
    if as_json:
        print_json(task)
    else:
        stdout_console().print(task_view(task, utc_now()))


def command_tasks(
    endpoint: str, command: str, given: Sequence[str], arguments: Mapping[str, Any], *, as_json: bool
) -> None:
    """Give each task a command; print how it stands then. One that refuses does not keep the others from it."""
    client = CollectorClient(endpoint)
    act: Callable[..., Task] = getattr(client.tasks, command)
    by = {"by": person()} if command in _BY else {}
    changed = _each(given, lambda one: act(resolve(client, one), **arguments, **by), as_json=as_json)
    if as_json:
        print_json(changed)


def retry_tasks(endpoint: str, given: Sequence[str], options: dict[str, Any], *, as_json: bool) -> None:
    """Try tasks again."""
    if options["reassign"] and options["to_agent"]:
        raise click.UsageError("--reassign lets any other agent do it, --to names one: give one of them")
    fields = {
        "reassign": options["to_agent"] or options["reassign"],
        "checkpoint": options["checkpoint"],
        **task_fields(options, ("input", "context")),
    }
    command_tasks(endpoint, "retry", given, fields, as_json=as_json)


def redirect_tasks(endpoint: str, given: Sequence[str], options: dict[str, Any], *, as_json: bool) -> None:
    """Give unfinished tasks to another agent or team."""
    if options["agent"] and options["team"]:
        raise click.UsageError("--to names an agent, --team any of a team: give one of them")
    command_tasks(endpoint, "redirect", given, options, as_json=as_json)


def delete_tasks(endpoint: str, given: Sequence[str], *, yes: bool) -> None:
    """Delete tasks, once a person has agreed."""
    client = CollectorClient(endpoint)
    tasks = [client.tasks.get(resolve(client, one)) for one in given]
    if not yes:
        names = ", ".join(clean(f"{task.name} {task.id}") for task in tasks)
        click.confirm(f"delete {names}?", abort=True, err=True)
    _each([task.id for task in tasks], client.tasks.delete, as_json=False)


def list_attempts(endpoint: str, given: str, *, as_json: bool) -> None:
    """Print a task's attempts."""
    client = CollectorClient(endpoint)
    attempts = client.tasks.list_runs(resolve(client, given)).attempts
    if as_json:
        print_json(attempts)
    elif attempts:
        print_table(lambda width: attempts_table(attempts, utc_now(), width))
    else:
        click.echo("no attempt has begun yet")


def show_attempt(endpoint: str, given: str, attempt: int, *, as_json: bool) -> None:
    """Print one attempt with its error."""
    client = CollectorClient(endpoint)
    found = client.tasks.get_run(resolve(client, given), attempt)
    if as_json:
        print_json(found)
    else:
        stdout_console().print(attempt_view(found, utc_now()))


def list_transitions(endpoint: str, given: str, *, as_json: bool) -> None:
    """Print what happened to a task."""
    client = CollectorClient(endpoint)
    found = client.tasks.transitions(resolve(client, given))
    if as_json:
        print_json(found.transitions)
    else:
        print_table(lambda width: transitions_table(found, width))


def list_checkpoints(endpoint: str, given: str, *, as_json: bool) -> None:
    """Print what a task's attempts saved."""
    client = CollectorClient(endpoint)
    found = client.tasks.checkpoints(resolve(client, given))
    if as_json:
        print_json(found)
    elif found.checkpoints or found.steps:
        print_table(lambda width: checkpoints_table(found, width))
    else:
        click.echo("nothing is saved")


def resolve(client: CollectorClient, given: str) -> str:
    """Return the id of the task that a person names by it or by a part of it."""
    try:
        return client.tasks.get(given).id
    except NotFoundError:
        if len(given) < SHORTEST_PART:
            raise
    found = [task.id for task in client.tasks.list(text=given, page_size=PAGE).page().tasks if given in task.id]
    if not found:
        raise click.ClickException(f"no task has {given!r} in its id; `milepost task list` lists what there is")
    if len(found) > 1:
        some = "".join(f"\n  {task_id}" for task_id in found[:MOST_CANDIDATES])
        raise click.ClickException(f"{given!r} is a part of several ids, give more of it:{some}")
    return found[0]


def task_fields(options: Mapping[str, Any], only: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of a task that options give; settings are gathered from theirs."""
    fields = {name.rstrip("_"): value for name, value in options.items() if value not in (None, ())}
    settings = dict(fields.pop("assignments", ()))
    settings |= {name: fields.pop(name) for name in ("max_retries", "timeout_ms", "retry_delay_ms") if name in fields}
    if settings:
        fields["settings"] = settings
    if len(agents := fields.get("agents", ())) == 1:  # one agent is the usual case, and has a field of its own
        fields["agent"] = fields.pop("agents")[0]
    elif agents:
        fields["agents"] = list(agents)
    return {name: value for name, value in fields.items() if name in only} if only else fields


def given_only(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters that narrow."""
    return {name: value for name, value in filters.items() if value not in (None, (), "")}


def print_table(make: Callable[[int], RenderableType]) -> None:
    """Print what is made for the width of the terminal."""
    console = stdout_console()
    console.print(make(console.width))


def print_json(value: Any) -> None:
    """Print a value as JSON for other programs."""
    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def _needs(options: dict[str, Any]) -> list[Need]:
    """Return what a task's agent must have and should have, as options name it."""
    needs = [Need(what=what) for what in options.pop("required")]
    for given in options.pop("preferred"):
        what, _, weight = given.partition(":")
        try:
            needs.append(Need(what=what, weight=float(weight or 1)))
        except ValueError as error:
            raise click.UsageError(f"{given!r} is not WHAT:WEIGHT, for example region=eu:2") from error
    return needs


def _dependency(client: CollectorClient, given: str) -> Dependency:
    part, sign, field = given.partition("=")
    if sign and not field:
        raise click.UsageError(f"{given!r} names no field for the result; write TASK or TASK=FIELD")
    return Dependency(task_id=resolve(client, part), output_as=field or None)


def _each(given: Sequence[str], act: Callable[[str], Any], *, as_json: bool) -> list[Any]:
    """Do something with every task and say what came of it; exit with 1 if any refused."""
    done, refused = [], False
    for one in given:
        try:
            done.append(act(one))
        except (ApiError, click.ClickException) as error:
            refused = True
            said = as_click_error(error) if isinstance(error, ApiError) else error
            click.echo(f"Error: {one}: {said.message}", err=True)
            continue
        if not as_json:
            task = done[-1]
            click.echo(clean(f"{task.id} {task.name} is {_stands(task)}") if task is not None else f"{one} is deleted")
    if refused:
        if as_json:
            print_json(done)
        raise click.exceptions.Exit(1)
    return done


def _stands(task: Task) -> str:
    return f"{task.status}, asked to {asked}" if (asked := requested(task)) else task.status
