"""The names, options and help of `milepost budget …`; the bodies are in `budgets`."""

from __future__ import annotations

from typing import Any

import click

from milepost.wire.budgets import BUDGET_PERIODS, BUDGET_SCOPES
from milepost_collector.cli.groups import ControlGroup
from milepost_collector.cli.options import Duration, endpoint_option, json_option, reason_option, several

amount_options = several(
    click.option("--usd", type=click.FloatRange(0, 1e9), metavar="USD", help="Money."),
    click.option("--tokens", type=click.IntRange(0, 10**12), help="Tokens, input and output."),
    click.option("--time", "wall_ms", type=Duration(), help="Running time of attempts: 90s, 2h."),
    click.option("--tool-calls", type=click.IntRange(0, 10**9), help="Calls of tools."),
)

budget_argument = click.argument("named", metavar="BUDGET", nargs=-1, required=True)


@click.group(cls=ControlGroup)
def budget() -> None:
    """Limit what tasks may use in money, tokens, running time and calls of tools.

    SCOPE is task, name (of tasks), agent, team or project; VALUE is which one. BUDGET is a budget's id, or its SCOPE
    and VALUE, if it is the only one of these.

    \b
    Examples:
      milepost budget set project --usd 50 --per day --zone Europe/Berlin
      milepost budget set agent amy --usd 5 --tokens 2000000 --per day
      milepost budget list
    """


@budget.command(name="set")
@click.argument("scope", type=click.Choice(BUDGET_SCOPES))
@click.argument("value", default="*")
@endpoint_option
@amount_options
@click.option(
    "--per", type=click.Choice(BUDGET_PERIODS), default="total", show_default=True, help="Used anew each day."
)
@click.option("--zone", default="UTC", show_default=True, help="Whose days: an IANA name.")
@click.option("--soft", type=click.FloatRange(0, 1), help="Warn from this part of the limits on.  [default: 0.8]")
@click.option("--grace", "grace_ms", type=Duration(), help="For attempts to stop in.  [default: 10s]")
@click.option("--finish", type=click.FloatRange(0, 1), help="For one last turn, of the limits.  [default: 0.05]")
@json_option
def set_budget(endpoint: str, scope: Any, value: str, as_json: bool, **fields: Any) -> None:
    """Set a budget; it replaces the one of the same scope, value and period. What was used stays used.

    \b
    Examples:
      milepost budget set project --usd 50 --per day
      milepost budget set name "Write report" --usd 2 --tool-calls 200
      milepost budget set task 3f9a2c1b --time 30m --grace 1m
    """
    from milepost_collector.cli.budgets import put_budget

    put_budget(endpoint, scope, value, fields, as_json=as_json)


@budget.command(name="list")
@endpoint_option
@click.option("--scope", "scopes", type=click.Choice(BUDGET_SCOPES), multiple=True, help="Only these; may be repeated.")
@json_option
def list_budgets(endpoint: str, scopes: tuple[Any, ...], as_json: bool) -> None:
    """List budgets with what is used of them; those of single tasks with --scope task.

    \b
    Examples:
      milepost budget list
      milepost budget list --scope agent --json
    """
    from milepost_collector.cli.budgets import print_budgets

    print_budgets(endpoint, scopes, as_json=as_json)


@budget.command()
@budget_argument
@endpoint_option
@json_option
def show(endpoint: str, named: tuple[str, ...], as_json: bool) -> None:
    """Show a budget: what is used and reserved, by which attempts, and what happened to it.
    \b
    Examples:
      milepost budget show 01kdvdna00v3rs3dtr9bbc7fpp
    """
    from milepost_collector.cli.budgets import print_budget

    print_budget(endpoint, named, as_json=as_json)


@budget.command(name="raise")
@budget_argument
@endpoint_option
@amount_options
@reason_option
@json_option
def raise_budget(endpoint: str, named: tuple[str, ...], reason: str, as_json: bool, **amounts: Any) -> None:
    """Allow so much more until the present period ends (of a budget in total: for good); what waits for it goes on.

    \b
    Examples:
      milepost budget raise agent amy --usd 5 --reason "month end"
      milepost budget raise 01kdvdna00v3rs3dtr9bbc7fpp --tokens 100000
    """
    from milepost_collector.cli.budgets import raise_by

    raise_by(endpoint, named, amounts, reason, as_json=as_json)


@budget.command()
@budget_argument
@endpoint_option
def delete(endpoint: str, named: tuple[str, ...]) -> None:
    """Remove a budget; what it held back goes on.

    \b
    Examples:
      milepost budget delete project
      milepost budget delete 01kdvdna00v3rs3dtr9bbc7fpp
    """
    from milepost_collector.cli.budgets import remove_budget

    remove_budget(endpoint, named)
