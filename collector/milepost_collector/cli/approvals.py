"""`milepost approvals …`: what agents ask people, on the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import click
import msgspec
from msgspec import UNSET

from milepost.errors import NotFoundError
from milepost.resources._operation import path_of
from milepost.wire.asks import Ask, AskList, DecideRequest, DelegateRequest, ReceivedRequest
from milepost.wire.links import Link, LinkRequest
from milepost_collector.cli.approval_tables import ask_line, ask_view, asks_table
from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.render import clean, stdout_console, utc_now
from milepost_collector.cli.tasks import MOST_CANDIDATES, SHORTEST_PART, given_only, print_json, print_table

PAGE = 200
LOOK_EVERY_S = 1.0


def list_asks(endpoint: str, filters: Mapping[str, Any], *, limit: int, as_json: bool) -> None:
    """Print the asks that match."""
    client, wanted = CollectorClient(endpoint), given_only(filters)
    page = client.get("/api/asks", AskList, **{"status": ("open",), **wanted}, limit=limit)
    if as_json:
        print_json(page.asks)
    elif page.asks:
        print_table(lambda width: asks_table(page.asks, utc_now(), width))
    else:
        click.echo("nothing matches" if wanted else "nobody is asked anything")
    if page.next_cursor is not None:
        click.echo(f"there are more; --limit shows up to 500, now {limit}", err=True)


def show_ask(endpoint: str, given: str, *, as_json: bool) -> None:
    """Print everything about an ask, which somebody has received by that."""
    client = CollectorClient(endpoint)
    ask = find_ask(client, given)
    if ask.status == "open" and ask.received_at is None:
        ask = client.post(path_of("asks", ask.id, "received"), ReceivedRequest(by=person()), Ask)
    if as_json:
        print_json(ask)
    else:
        stdout_console().print(ask_view(ask, utc_now()))


def decide(endpoint: str, given: str, decision: Any, said: Mapping[str, Any], *, as_json: bool) -> None:
    """Decide an ask."""
    client = CollectorClient(endpoint)
    request = DecideRequest(
        decision=decision,
        option=said["option"],
        action=said.get("action", UNSET),
        action_digest=said["digest"],
        **_who(said),
    )
    _told(client.post(path_of("asks", find_ask(client, given).id, "decide"), request, Ask), as_json=as_json)


def answer_question(endpoint: str, given: str, said: Mapping[str, Any], *, as_json: bool) -> None:
    """Answer a question."""
    ways = [name for name in ("value", "text", "option") if said[name] is not None]
    if len(ways) != 1:
        raise click.UsageError("give the answer by one of --value, --text and --option")
    value = said["value"] if said["value"] is not None else said["text"]
    client = CollectorClient(endpoint)
    request = DecideRequest(
        decision="answer", value=UNSET if value is None else value, option=said["option"], **_who(said)
    )
    _told(client.post(path_of("asks", find_ask(client, given).id, "decide"), request, Ask), as_json=as_json)


def delegate_ask(endpoint: str, given: str, said: Mapping[str, Any], *, as_json: bool) -> None:
    """Let others decide."""
    client = CollectorClient(endpoint)
    request = DelegateRequest(to=list(said["to"]), **_who(said))
    _told(client.post(path_of("asks", find_ask(client, given).id, "delegate"), request, Ask), as_json=as_json)


def make_link(endpoint: str, given: str, options: Mapping[str, Any], *, as_json: bool) -> None:
    """Print an address by which somebody can decide once."""
    client = CollectorClient(endpoint)
    wanted = {name: value for name, value in options.items() if value is not None}
    wanted.setdefault("base_url", client.endpoint)
    ask = find_ask(client, given)
    made = client.post(path_of("asks", ask.id, "links"), LinkRequest(by=person(), **wanted), Link)
    if as_json:
        print_json(made)
        return
    click.echo(made.url)
    click.echo(f"for {made.to} alone, once, until {made.expires_at:%Y-%m-%d %H:%M:%S} UTC", err=True)


def watch_asks(endpoint: str, filters: Mapping[str, Any], *, once: bool, as_json: bool) -> None:
    """Print a line for each ask that opens or ends, until interrupted."""
    client = CollectorClient(endpoint)
    try:
        for ask in _changes(client, given_only(filters)):
            click.echo(msgspec.json.encode(ask).decode() if as_json else ask_line(ask, utc_now()))
            if once:
                return
    except KeyboardInterrupt:
        click.echo("no longer watched; what is open stays so", err=True)


def find_ask(client: CollectorClient, given: str) -> Ask:
    """Return the ask that a person names by its id or by a part of it."""
    try:
        return client.get(path_of("asks", given), Ask)
    except click.ClickException as error:
        if not isinstance(error.__cause__, NotFoundError) or len(given) < SHORTEST_PART:
            raise
    page = client.get("/api/asks", AskList, text=given, limit=PAGE)
    found = [ask for ask in page.asks if given in ask.id]
    if not found:
        raise click.ClickException(f"no ask has {given!r} in its id; `milepost approvals list` lists what there is")
    if len(found) > 1:
        some = "".join(f"\n  {ask.id}  {clean(ask.title)}" for ask in found[:MOST_CANDIDATES])
        raise click.ClickException(f"{given!r} is a part of several ids, give more of it:{some}")
    return found[0]


def _changes(client: CollectorClient, wanted: Mapping[str, Any]) -> Iterator[Ask]:
    """Yield asks that are open, and each of them again when it is not any more."""
    known: dict[str, Ask] = {}
    while True:
        now_open = {ask.id: ask for ask in client.get("/api/asks", AskList, status="open", limit=500, **wanted).asks}
        for ask_id in known.keys() - now_open.keys():
            del known[ask_id]
            yield client.get(path_of("asks", ask_id), Ask)
        for ask in now_open.values():
            if ask.id not in known:
                yield ask
        known = now_open
        time.sleep(LOOK_EVERY_S)


def _who(said: Mapping[str, Any]) -> dict[str, Any]:
    return {"by": said["by"] or person(), "team": said["team"], "reason": said["reason"], "via": "cli"}


def _told(ask: Ask, *, as_json: bool) -> None:
    if as_json:
        print_json(ask)
        return
    click.echo(ask_line(ask, utc_now()))
