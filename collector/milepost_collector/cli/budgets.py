"""`milepost budget set|list|show|raise|delete`: what may be used, and what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from milepost.wire.budgets import BUDGET_SCOPES, MEASURES, Amounts, Budget, BudgetDetail, BudgetLimits
from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.layout import facts, listed
from milepost_collector.cli.render import clean, duration, one_line, stdout_console
from milepost_collector.cli.task_tables import relative
from milepost_collector.cli.tasks import print_json

STATES = {"open": ("", ""), "soft": ("! soft limit", "yellow"), "hard": ("× used up", "red")}


def put_budget(endpoint: str, scope: Any, value: str, fields: Mapping[str, Any], *, as_json: bool) -> None:
    """Set a budget and print it."""
    if all(fields[name] is None for name in MEASURES):
        raise click.UsageError("what is the limit? give --usd, --tokens, --time or --tool-calls")
    given = {name: field for name, field in fields.items() if field is not None}
    _print(CollectorClient(endpoint).budgets.set(scope, value, by=person(), **given), as_json=as_json)


def print_budgets(endpoint: str, scopes: Sequence[Any], *, as_json: bool) -> None:
    """Print budgets."""
    found = list(CollectorClient(endpoint).budgets.list(scope=scopes))
    if as_json:
        print_json(found)
    elif found:
        stdout_console().print(budgets_table(found))
    else:
        click.echo("there are no budgets; see `milepost budget set --help`")


def print_budget(endpoint: str, named: Sequence[str], *, as_json: bool) -> None:
    """Print a budget with what belongs to it."""
    client = CollectorClient(endpoint)
    found = client.budgets.get(_which(client, named))
    if as_json:
        print_json(found)
    else:
        _print_detail(found)


def raise_by(endpoint: str, named: Sequence[str], amounts: Mapping[str, Any], reason: str, *, as_json: bool) -> None:
    """Raise a budget and print it."""
    if not any(amounts.values()):
        raise click.UsageError("by how much? give --usd, --tokens, --time or --tool-calls")
    given = {name: amount for name, amount in amounts.items() if amount}
    client = CollectorClient(endpoint)
    raised = client.budgets.raise_by(_which(client, named), reason=reason, by=person(), **given)
    _print(raised, as_json=as_json)


def remove_budget(endpoint: str, named: Sequence[str]) -> None:
    """Remove a budget."""
    client = CollectorClient(endpoint)
    client.budgets.delete(_which(client, named))
    click.echo(clean(f"budget {' '.join(named)} is removed"))


def _which(client: CollectorClient, named: Sequence[str]) -> str:
    """Return the id of the budget that is named by it, or by its scope and value.

    Raises:
        ClickException: there is none, or several.
    """
    rest = named[1:]
    scope: Any = named[0]
    if scope not in BUDGET_SCOPES:
        if rest:
            raise click.UsageError(f"{scope!r} is no scope: name a budget by its id, or as `agent amy` or `project`")
        return named[0]
    found = [one for one in client.budgets.list(scope=scope) if one.value == " ".join(rest)]
    if len(found) == 1:
        return found[0].id
    if not found:
        raise click.ClickException(
            f"there is no budget of {' '.join(named)}; `milepost budget list` lists what there is"
        )
    ids = ", ".join(f"{one.id} (per {one.per})" for one in found)
    raise click.ClickException(f"{' '.join(named)} has {len(found)} budgets, name one by its id: {ids}")


def budgets_table(budgets: Sequence[Budget]) -> Table:
    """Return budgets as a table, a line for each of their limits."""
    headings = ("budget", "per", "used", "reserved", "limit", "", "runs", "waits", "id")
    return listed(headings, [cells for one in budgets for cells in _lines(one)])


def _print(one: Budget, *, as_json: bool) -> None:
    if as_json:
        print_json(one)
    else:
        stdout_console().print(budgets_table([one]))


def _lines(one: Budget) -> list[list[Text]]:
    lines: list[list[Text]] = []
    word, style = STATES[one.state]
    for name in MEASURES:
        limit = getattr(one.limits, name)
        if limit is None:
            continue
        is_first = not lines
        used = getattr(one.used, name)
        share = f"{used / limit:.0%}" if limit else ""
        reserved = getattr(one.reserved, name)
        lines.append(
            [
                Text(_named(one) if is_first else "", style="bold"),
                Text(f"{one.per} {one.period}".strip() if is_first else ""),
                Text(f"{amount(name, used)} {share}".strip()),
                Text(amount(name, reserved) if reserved else ""),
                Text(amount(name, limit)),
                Text(word if one.reached == name else "", style=style),
                Text(str(one.running or "") if is_first else ""),
                Text(str(one.waiting or "") if is_first else ""),
                Text(one.id if is_first else "", style="dim"),
            ]
        )
    return lines


def told(one: Budget) -> str:
    """Write a budget in a line: `agent amy per day: $1.20 of $5.00`."""
    limits = [
        f"{amount(name, getattr(one.used, name))} of {amount(name, limit)}"
        for name in MEASURES
        if (limit := getattr(one.limits, name)) is not None
    ]
    word = STATES[one.state][0]
    per = " per day" if one.per == "day" else ""
    return f"{_named(one)}{per}: {', '.join(limits)}" + (f" ({word})" if word else "")


def _named(one: Budget) -> str:
    return "project" if one.scope == "project" else one_line(f"{one.scope} {one.value}", 60)


def amount(measure: str, value: float) -> str:
    """Write an amount of a measure: $1.25, 8,000 tokens, 90 s, 3 calls."""
    if measure == "usd":
        return f"${value:,.2f}" if value >= 1 or not value else f"${value:.4f}"
    if measure == "wall_ms":
        return duration(value)
    return f"{value:,} {'tokens' if measure == 'tokens' else 'calls'}"


def _amounts(found: Amounts | BudgetLimits) -> str:
    return ", ".join(amount(name, value) for name in MEASURES if (value := getattr(found, name)))


def _print_detail(found: BudgetDetail) -> None:
    console, one, now = stdout_console(), found.budget, datetime.now(UTC)
    console.print(budgets_table([one]))
    console.print(
        facts(
            [
                ("begins anew", relative(one.resets_at, now)),
                ("warns from", _amounts(one.soft_limits)),
                ("raised by", _amounts(one.raised)),
                ("grace", duration(one.grace_ms)),
                ("to finish", f"{one.finish:.0%} of the limits"),
                ("set", relative(one.updated_at, now) + (f" by {one.set_by}" if one.set_by else "")),
            ]
        )
    )
    if found.runs:
        rows = [
            [Text(run.task_id or ""), Text(run.run_id), Text(_amounts(run.used)), Text(relative(run.began_at, now))]
            for run in found.runs[:20]
        ]
        console.print(listed(("task", "run", "used", "began"), rows))
    if found.events:
        lines = [
            [Text(relative(each.time, now)), Text(each.event), Text(clean(each.by or "")), Text(clean(each.reason))]
            for each in found.events[:20]
        ]
        console.print(listed(("when", "what", "by", "why"), lines))
