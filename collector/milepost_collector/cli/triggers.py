"""`milepost trigger …`: make triggers, rotate their secrets, see what came and do it again."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import click
import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text

from milepost.wire.triggers import InputField, Trigger, TriggerEvent, TriggerSecret, TryAnswer
from milepost_collector.cli.client import CollectorClient, person
from milepost_collector.cli.layout import facts, fitted
from milepost_collector.cli.render import clean, one_line, stdout_console, utc_now
from milepost_collector.cli.task_tables import SHORT, relative, value_text
from milepost_collector.cli.tasks import print_json, print_table, task_fields

_TASK_OPTIONS = (
    "agents", "team", "input_", "context", "priority", "tags", "app", "key",
    "max_retries", "timeout_ms", "retry_delay_ms", "assignments",
)  # fmt: skip
_SIGNATURE_OPTIONS = {
    "scheme": "scheme", "signature_header": "header", "algorithm": "algorithm", "encoding": "encoding",
    "prefix": "prefix", "user": "user", "delivery_header": "delivery_header",
}  # fmt: skip
_STYLES = {"accepted": "green", "duplicate": "dim", "filtered": "dim", "limited": "yellow"}
_TRIED_OPTIONS = ("event", "where", "key_from", "description_from")
PAGE = 200


def create_trigger(endpoint: str, name: str, options: dict[str, Any], *, as_json: bool) -> None:
    """Make a trigger and print it with its secret."""
    fields = _whole_definition(options)
    fields |= {"secret": _secret(options.pop("secret")), "enabled": not options.pop("disabled")}
    made = CollectorClient(endpoint).triggers.create(name, **_given(options), **_given(fields))
    _print_secret(endpoint, made, as_json=as_json)


def dry_run_trigger(
    endpoint: str, name: str, options: dict[str, Any], payload: Any, headers: Sequence[str], *, as_json: bool
) -> None:
    """Print what a trigger that is not made would make of a payload."""
    fields = {**_whole_definition(options), **{option: options[option] for option in _TRIED_OPTIONS}, "name": name}
    found = CollectorClient(endpoint).triggers.dry_run(payload, headers=_headers(headers), **_given(fields))
    _print_tried(found, as_json=as_json)


def list_triggers(endpoint: str, text: str | None, kind: Any, *, as_json: bool) -> None:
    """Print every trigger that matches."""
    found = list(CollectorClient(endpoint).triggers.list(text=text, kind=kind))
    if as_json:
        print_json(found)
    elif found:
        print_table(lambda width: triggers_table(found, utc_now(), width))
    else:
        click.echo(
            "no trigger matches" if text or kind else "there are no triggers; see `milepost trigger create --help`"
        )


def show_trigger(endpoint: str, given: str, *, as_json: bool) -> None:
    """Print everything about a trigger."""
    _print(endpoint, CollectorClient(endpoint).triggers.get(given), as_json=as_json)


def update_trigger(endpoint: str, given: str, options: dict[str, Any], *, as_json: bool) -> None:
    """Change a trigger and print it."""
    triggers = CollectorClient(endpoint).triggers
    task, task_name = _task(options), options.pop("task_name")
    fields: dict[str, Any] = _definition(options)
    if task or task_name:
        before = msgspec.to_builtins(triggers.get(given).task)
        fields["task"] = {**before, **task, **_given({"name": task_name})}
    if options.pop("whole_payload"):
        fields["mapping"] = None
    if options.pop("always"):
        fields["conditions"] = []
    changed = triggers.update(given, **_given(options), **fields)
    _print(endpoint, changed, as_json=as_json)


def switch_trigger(endpoint: str, command: str, given: str, *, as_json: bool) -> None:
    """Enable a trigger or disable it."""
    triggers = CollectorClient(endpoint).triggers
    _print(endpoint, (triggers.enable if command == "enable" else triggers.disable)(given), as_json=as_json)


def rotate_trigger(endpoint: str, given: str, options: dict[str, Any], *, as_json: bool) -> None:
    """Give a webhook a new secret or address and print it."""
    keep_secret = options.pop("keep_secret")
    if keep_secret and not options["renew_address"]:
        raise click.UsageError("--keep-secret goes with --address: else nothing would change")
    secret = _secret(options.pop("secret"))
    made = CollectorClient(endpoint).triggers.rotate(given, secret=secret, renew_secret=not keep_secret, **options)
    _print_secret(endpoint, made, as_json=as_json)


def list_events(endpoint: str, given: str, outcome: Any, *, limit: int, as_json: bool) -> None:
    """Print a trigger's log."""
    listing = CollectorClient(endpoint).triggers.events(given, outcome=outcome or (), page_size=min(limit + 1, PAGE))
    found = list(islice(listing, limit + 1))
    if as_json:
        print_json(found[:limit])
    elif found:
        print_table(lambda width: events_table(found[:limit], width))
    else:
        click.echo("nothing has come" if outcome is None else f"nothing was {outcome}")
    if len(found) > limit:
        click.echo(f"there are more; --limit shows up to 10000, now {limit}", err=True)


def show_event(endpoint: str, given: str, event_id: str, *, as_json: bool) -> None:
    """Print a line of a trigger's log with what came."""
    found = CollectorClient(endpoint).triggers.event(given, event_id)
    if as_json:
        print_json(found)
        return
    pairs = [
        ("id", found.id),
        ("at", _utc(found.at)),
        ("outcome", found.outcome),
        ("reason", found.reason),
        ("task", found.task_id or ""),
        ("delivery", found.delivery_id or ""),
        ("replay of", found.replay_of or ""),
        ("headers", "\n".join(f"{name}: {value}" for name, value in found.headers.items())),
        ("body", found.payload or ("" if found.has_payload else "is not kept")),
    ]
    stdout_console().print(facts(pairs))


def replay_event(endpoint: str, given: str, event_id: str, *, as_json: bool) -> None:
    """Make the task of a delivery again and print its id."""
    done = CollectorClient(endpoint).triggers.replay(given, event_id, by=person())
    if as_json:
        print_json(done)
    elif done.task_id is None:
        raise click.ClickException(f"the replay made no task: {done.outcome}, {done.reason}")
    else:
        click.echo(done.task_id)


def try_trigger(endpoint: str, given: str, payload: Any, headers: Sequence[str], *, as_json: bool) -> None:
    """Print what a trigger would make of a payload."""
    found = CollectorClient(endpoint).triggers.try_out(given, payload, headers=_headers(headers))
    _print_tried(found, as_json=as_json)


def delete_trigger(endpoint: str, given: str, *, yes: bool) -> None:
    """Delete a trigger, once a person has agreed."""
    client = CollectorClient(endpoint)
    found = client.triggers.get(given)
    if not yes:
        click.confirm(clean(f"delete the trigger {found.name} and its log?"), abort=True, err=True)
    client.triggers.delete(found)
    click.echo(clean(f"{found.name} is deleted"))


def triggers_table(triggers: Sequence[Trigger], now: datetime, width: int) -> Table:
    """Return triggers as a table. width: of the terminal, characters."""
    headings = ("name", "task", "state", "last", "accepted", "failed", "fires on")
    return fitted(headings, [_cells(one, now) for one in triggers], width)


def _cells(one: Trigger, now: datetime) -> list[Text]:
    bad = one.counts["failed"] + one.counts["refused"] + one.counts["limited"]
    return [
        Text(one_line(one.name, 40), style="bold"),
        Text(one_line(one.task.name, 40)),
        _state(one),
        Text("" if one.last_at is None else f"{one.last_outcome} {relative(one.last_at, now)}"),
        Text(str(one.counts["accepted"])),
        Text(str(bad), style="red" if bad else ""),
        Text(one_line(_fires_on(one), 200), style="dim"),
    ]


def _state(one: Trigger) -> Text:
    return Text("● on", style="green") if one.enabled else Text("‖ off", style="yellow")


def _fires_on(one: Trigger) -> str:
    if one.signature is not None:
        return f"webhook, {one.signature.scheme}"
    return f"{one.event} where {one.where}" if one.where else one.event or ""


def trigger_view(endpoint: str, one: Trigger, now: datetime) -> Group:
    """Return everything about a trigger, a line for each fact that it has."""
    until = relative(one.previous_until, now)
    pairs = [
        ("id", one.id),
        ("description", one.description),
        ("fires on", _fires_on(one)),
        ("address", endpoint.rstrip("/") + one.path if one.path else ""),
        ("before", f"secret or address before the rotation taken, ends {until}" if until else ""),
        ("task", f"{one.task.name} {value_text(one.task.input)}"),
        ("input", "the whole payload" if one.mapping is None else "\n".join(_field_text(one))),
        ("only when", "\n".join(_condition_texts(one))),
        ("key from", one.key_from or ""),
        ("description from", one.description_from or ""),
        ("limits", _limits(one)),
        ("so far", ", ".join(f"{count} {outcome}" for outcome, count in one.counts.items() if count)),
        ("last", "" if one.last_at is None else f"{one.last_outcome} {relative(one.last_at, now)}"),
    ]
    return Group(Text(one_line(one.name), style="bold").append("  ").append_text(_state(one)), facts(pairs))


def _limits(one: Trigger) -> str:
    largest = f", {one.max_body_bytes} bytes a body" if one.max_body_bytes else ""
    deepest = f", {one.max_depth} triggers deep" if one.max_depth else ""
    return f"{one.rate_limit} tasks a minute{largest}{deepest}; payloads kept {one.keep_payload_days} days"


def _field_text(one: Trigger) -> list[str]:
    shown = [f"{field.name} ← {_origin(field)}{' (required)' if field.required else ''}" for field in one.mapping or ()]
    return shown or ["only the task's own"]


def _origin(field: InputField) -> str:
    if field.header is not None:
        return f"header {field.header}"
    return value_text(field.value) if field.pointer is None else field.pointer or "the payload"


def _condition_texts(one: Trigger) -> list[str]:
    return [msgspec.json.encode(condition).decode() for condition in one.conditions]


def events_table(events: Sequence[TriggerEvent], width: int) -> Table:
    """Return what came as a table. width: of the terminal, characters."""
    rows = [
        [
            Text(_utc(one.at)),
            Text(one.outcome, style=_STYLES.get(one.outcome, "red")),
            Text(one.id),
            Text((one.task_id or "")[-SHORT:]),
            Text("↻" if one.replay_of else ""),
            Text(one_line(one.reason or one.delivery_id or "", 200), style="dim"),
        ]
        for one in events
    ]
    return fitted(("at (UTC)", "outcome", "event", "task", "", "reason or delivery"), rows, width)


def _print(endpoint: str, one: Trigger, *, as_json: bool) -> None:
    if as_json:
        print_json(one)
    else:
        stdout_console().print(trigger_view(endpoint, one, utc_now()))


def _print_secret(endpoint: str, made: TriggerSecret, *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    stdout_console().print(trigger_view(endpoint, made.trigger, utc_now()))
    if made.secret is not None:
        click.echo(f"\nsecret, shown this once: {made.secret}")
    elif made.trigger.signature is not None and made.trigger.signature.scheme in ("stripe", "slack"):
        click.echo("\nthe sender makes the secret; unless you have given it: milepost trigger rotate NAME --secret -")


def _print_tried(found: TryAnswer, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    click.echo(clean(f"{found.outcome}{f': {found.reason}' if found.reason else ''}"))
    if found.task is not None:
        shown = msgspec.json.format(msgspec.json.encode(found.task), indent=2).decode()
        click.echo(clean(shown))


def _headers(texts: Sequence[str]) -> dict[str, str]:
    return dict(_pair(text, "--header", "NAME=VALUE") for text in texts)


def _secret(given: str | None) -> str | None:
    if given != "-":
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    return str(click.prompt("secret", hide_input=True, err=True))


def _signature(options: dict[str, Any]) -> dict[str, Any] | None:
    fields = _given({field: options.pop(option) for option, field in _SIGNATURE_OPTIONS.items()})
    if (tolerance_ms := options.pop("tolerance_ms")) is not None:
        fields["tolerance_s"] = max(tolerance_ms // 1000, 1)
    if fields and "scheme" not in fields:
        raise click.UsageError(f"{', '.join(fields)} goes with --scheme")
    return fields or None


def _task(options: dict[str, Any]) -> dict[str, Any]:
    return _given(task_fields({option: options.pop(option) for option in _TASK_OPTIONS}))


def _whole_definition(options: dict[str, Any]) -> dict[str, Any]:
    """Return what a new trigger is, but for its limits, which stay among the options."""
    signature = _signature(options)
    if (signature is None) == (options["event"] is None):
        raise click.UsageError("give either --scheme, for a webhook, or --on, for an event")
    task = {**_task(options), "name": options.pop("task_name")}
    return {**_definition(options), "task": task, "signature": signature}


def _definition(options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that options about the mapping stand for; those not given are left out."""
    required = set(options.pop("required"))
    fields: list[dict[str, Any]] = []
    for option, origin in (("maps", "pointer"), ("header_maps", "header")):
        for text in options.pop(option):
            name, place = _pair(text, "--map", "FIELD=PLACE")
            fields.append({"name": name, origin: place, **({"required": True} if name in required else {})})
    fields += [{"name": name, "value": value} for name, value in options.pop("constants")]
    if unknown := required - {field["name"] for field in fields}:
        raise click.UsageError(f"--require {', '.join(sorted(unknown))}: there is no --map of it")
    conditions = [_condition(text) for text in options.pop("whens")]
    return {**({"mapping": fields} if fields else {}), **({"conditions": conditions} if conditions else {})}


def _condition(text: str) -> dict[str, Any]:
    place, sign, values = text.partition("=")
    where = {"pointer": place} if place.startswith("/") or not place else {"header": place}
    if not sign:
        return {**where, "exists": True}
    wanted = [_plain(value) if "pointer" in where else value for value in values.split(",")]
    return {**where, **({"equals": wanted[0]} if len(wanted) == 1 else {"one_of": wanted})}


def _plain(text: str) -> Any:
    """Return a number, true, false or null as such, anything else as a text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, (dict, list)) else value


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise click.UsageError(f"{option} {text!r} is not {form}")
    return name, value


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value not in (None, (), "", [])}


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
