"""The names, options and help of `milepost approvals …`; the bodies are in `approvals`."""

from __future__ import annotations

from typing import Any

import click

from milepost.wire.asks import ASK_KINDS, ASK_STATUSES
from milepost_collector.cli.groups import ControlGroup
from milepost_collector.cli.options import Duration, Json, endpoint_option, json_option, reason_option, several

ask_argument = click.argument("ask_id", metavar="ASK")
deciding_options = several(
    reason_option,
    click.option("--by", help="Who decides.  [default: you]"),
    click.option("--team", help="Which of the approvers' teams is decided for."),
)
digest_option = click.option("--digest", metavar="SHA256", help="Only if the action still is the one with this digest.")
filter_options = several(
    click.option("--kind", multiple=True, type=click.Choice(ASK_KINDS), help="Only this kind; may be repeated."),
    click.option("--agent", multiple=True, help="Only what this agent asks; may be repeated."),
    click.option("--approver", multiple=True, help="Only for this person, or team:NAME; may be repeated."),
    click.option("--task", "task_id", metavar="TASK", help="Only what this task asks: its whole id."),
    click.option("--run", "run_id", metavar="RUN", help="Only what this run asks."),
    click.option("--text", help="Part of a title, details, action, key or id."),
)


@click.group(cls=ControlGroup)
def approvals() -> None:
    """See what agents ask people, and answer.

    ASK is an ask's id or any part of one that no other ask has, such as the end that lists show.

    \b
    Examples:
      milepost approvals list
      milepost approvals approve 3f9a2c1b --reason "within budget"
      milepost approvals answer 77d01e5a --value '{"quarter": "2026-Q3"}'
    """


@approvals.command(name="list")
@endpoint_option
@click.option("--status", multiple=True, type=click.Choice(ASK_STATUSES), help="May be repeated.  [default: open]")
@filter_options
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="Asks to list.")
@json_option
def list_(endpoint: str, limit: int, as_json: bool, **filters: Any) -> None:
    """List what waits for somebody, the soonest to expire first.

    \b
    Examples:
      milepost approvals list --approver ann --approver team:finance
      milepost approvals list --status approved --status rejected --agent treasurer
    """
    from milepost_collector.cli.approvals import list_asks

    list_asks(endpoint, filters, limit=limit, as_json=as_json)


@approvals.command()
@ask_argument
@endpoint_option
@json_option
def show(endpoint: str, ask_id: str, as_json: bool) -> None:
    """Show what is asked, whole, and what was said to it. Marks it as received.

    \b
    Examples:
      milepost approvals show 3f9a2c1b
    """
    from milepost_collector.cli.approvals import show_ask

    show_ask(endpoint, ask_id, as_json=as_json)


@approvals.command()
@ask_argument
@endpoint_option
@click.option("--option", help="Which of its options, where several approve.")
@digest_option
@deciding_options
@json_option
def approve(endpoint: str, ask_id: str, as_json: bool, **said: Any) -> None:
    """Approve an action.

    \b
    Examples:
      milepost approvals approve 3f9a2c1b --reason "within budget"
      milepost approvals approve 3f9a2c1b --option tonight --team finance
    """
    from milepost_collector.cli.approvals import decide

    decide(endpoint, ask_id, "approve", said, as_json=as_json)


@approvals.command()
@ask_argument
@endpoint_option
@click.option("--option", help="Which of the options that do not approve.")
@digest_option
@deciding_options
@json_option
def reject(endpoint: str, ask_id: str, as_json: bool, **said: Any) -> None:
    """Reject an action, or a question.

    \b
    Examples:
      milepost approvals reject 3f9a2c1b --reason "ask ACME for a credit note first"
    """
    from milepost_collector.cli.approvals import decide

    decide(endpoint, ask_id, "reject", said, as_json=as_json)


@approvals.command()
@ask_argument
@endpoint_option
@click.option("--action", type=Json(), required=True, help="What is approved instead: JSON, @file or -.")
@click.option("--option", help="Which of its options, where several approve.")
@digest_option
@deciding_options
@json_option
def edit(endpoint: str, ask_id: str, as_json: bool, **said: Any) -> None:
    """Approve another action than the one asked for.

    \b
    Examples:
      milepost approvals edit 3f9a2c1b --action '{"usd": 900, "to": "ACME"}' --reason "as on the order"
      milepost approvals show 3f9a2c1b --json | jq .action > action.json    # then change it, and
      milepost approvals edit 3f9a2c1b --action @action.json
    """
    from milepost_collector.cli.approvals import decide

    decide(endpoint, ask_id, "edit", said, as_json=as_json)


@approvals.command()
@ask_argument
@endpoint_option
@click.option("--value", type=Json(), help="The answer: JSON, @file or -.")
@click.option("--text", help="The answer as plain text.")
@click.option("--option", help="One of its options.")
@deciding_options
@json_option
def answer(endpoint: str, ask_id: str, as_json: bool, **said: Any) -> None:
    """Answer a question.

    \b
    Examples:
      milepost approvals answer 77d01e5a --text "the third quarter"
      milepost approvals answer 77d01e5a --value '{"quarter": "2026-Q3", "pages": 12}'
      milepost approvals answer 77d01e5a --option friendly
    """
    from milepost_collector.cli.approvals import answer_question

    answer_question(endpoint, ask_id, said, as_json=as_json)


@approvals.command()
@ask_argument
@endpoint_option
@click.option("--to", multiple=True, required=True, metavar="NAME", help="A person, or team:NAME; may be repeated.")
@deciding_options
@json_option
def delegate(endpoint: str, ask_id: str, as_json: bool, **said: Any) -> None:
    """Let others decide instead.

    \b
    Examples:
      milepost approvals delegate 3f9a2c1b --to bo --to team:finance --reason "on leave"
    """
    from milepost_collector.cli.approvals import delegate_ask

    delegate_ask(endpoint, ask_id, said, as_json=as_json)


@approvals.command()
@endpoint_option
@filter_options
@click.option("--once", is_flag=True, help="End with the first ask that is open: for a script that tells somebody.")
@json_option
def watch(endpoint: str, once: bool, as_json: bool, **filters: Any) -> None:
    """Tell of asks as they are made and as they end, until Ctrl-C.

    \b
    Examples:
      milepost approvals watch --approver ann
      milepost approvals watch --once --json | jq -r .title | xargs notify-send
    """
    from milepost_collector.cli.approvals import watch_asks

    watch_asks(endpoint, filters, once=once, as_json=as_json)


@approvals.command()
@ask_argument
@endpoint_option
@click.option("--to", required=True, metavar="NAME", help="Whose link it is: an approver, or team:NAME.")
@click.option("--expires-in", "expires_in_ms", type=Duration(), help="When it is void.  [default: 24h]")
@click.option("--base-url", metavar="URL", help="Where that person reaches the collector, if not at --endpoint.")
@json_option
def link(endpoint: str, ask_id: str, to: str, expires_in_ms: int | None, base_url: str | None, as_json: bool) -> None:
    """Make a link by which one person can decide once, without anything installed.

    Whoever has the link decides in that person's name: send it to nobody else. It is shown once.

    \b
    Examples:
      milepost approvals link 3f9a2c1b --to ann --expires-in 2h
    """
    from milepost_collector.cli.approvals import make_link

    given = {"to": to, "expires_in_ms": expires_in_ms, "base_url": base_url}
    make_link(endpoint, ask_id, given, as_json=as_json)
