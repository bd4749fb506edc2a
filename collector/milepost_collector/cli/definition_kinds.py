"""What `milepost definitions` takes along: of each kind what a line holds, what there is, and how one is put there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct

from milepost.wire.agents import Agent, AgentUpdate, Limit
from milepost.wire.budgets import Budget, TaskBudget
from milepost.wire.parts import Name, Text
from milepost.wire.schedules import Schedule, ScheduleCreate
from milepost.wire.teams import Team, TeamCreate
from milepost.wire.triggers import Trigger, TriggerDefinition
from milepost.wire.webhooks import Names, Patterns, Url, Webhook, WebhookFormat
from milepost_collector.cli.client import CollectorClient, person

CONCEALED = "…"  # at the end of an address whose rest is a secret

Plain = dict[str, Any]


class AgentDefinition(AgentUpdate, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """What people say that an agent is able to."""

    name: str


class BudgetDefinition(TaskBudget, omit_defaults=True, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A budget as it was set; those of single tasks belong to their tasks."""

    scope: Literal["name", "agent", "team", "project"]
    value: Name = "*"
    per: Literal["total", "day"] = "total"
    zone: Annotated[str, Meta(min_length=1, max_length=64)] = "UTC"


class TriggerSetup(TriggerDefinition, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """A trigger without its secret and its address: of a webhook with a signature, or of an event."""

    name: Name
    enabled: bool = True

    def __post_init__(self) -> None:
        """Refuse what is neither or both."""
        if (self.signature is None) == (self.event is None):
            raise ValueError("a trigger has either signature or event")


class WebhookDefinition(Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook without its secret. url: ends with "…" where the rest of it is one."""

    name: Name
    url: Url
    events: Patterns
    format: WebhookFormat = "standard"
    description: Text = ""
    agents: Names = []
    names: Names = []
    tags: Names = []
    paused: bool = False


class Verdict(NamedTuple):
    """What is to become of a definition: `made`, `changed`, `same`, or `left out`, and why."""

    outcome: str
    reason: str = ""


def compared(before: Struct | None, after: Struct) -> Verdict:
    """Return what is to become of a definition. before: the one that there is."""
    if before is None:
        return Verdict("made")
    return Verdict("same" if before == after else "changed")


class Kind(NamedTuple):
    """A kind of definition. struct: what a line holds. current: those that there are. put: make one, or change the one
    that there is, which is given then; returns what is told this once. judge: as `compared`."""

    struct: type[Struct]
    current: Callable[[CollectorClient], Iterable[Struct]]
    put: Callable[[CollectorClient, Any, Plain | None], Plain | None]
    judge: Callable[[Any, Any], Verdict] = compared


def plain(definition: Struct) -> Plain:
    """Return a definition as JSON has it."""
    return msgspec.to_builtins(definition)  # type: ignore[no-any-return]


def name_of(definition: Mapping[str, Any]) -> str:
    """Return which one of its kind a definition is."""
    if "scope" not in definition:
        return str(definition["name"])
    place = f"{definition['scope']} {definition.get('value', '*')}"
    return f"{place} per day" if definition.get("per") == "day" else place


def _fields(definition: Struct, *without: str) -> Plain:
    return {name: getattr(definition, name) for name in definition.__struct_fields__ if name not in without}


def _schedule(one: Schedule) -> ScheduleCreate:
    return ScheduleCreate(**{name: getattr(one, name) for name in ScheduleCreate.__struct_fields__})


def _put_schedule(client: CollectorClient, wanted: ScheduleCreate, before: Plain | None) -> None:
    fields = _fields(wanted, "name", "paused", "cadence")
    cadence = plain(wanted.cadence)
    if before is None:
        client.schedules.create(wanted.name, paused=wanted.paused, **fields, **cadence)
        return
    client.schedules.update(wanted.name, **fields, **cadence)
    if wanted.paused != before.get("paused", False):
        (client.schedules.pause if wanted.paused else client.schedules.resume)(wanted.name)


def _team(one: Team) -> TeamCreate:
    members = [name for name in one.members if name not in one.declared]
    return TeamCreate(name=one.name, description=one.description, members=members, fallback=one.fallback)


def _put_team(client: CollectorClient, wanted: TeamCreate, before: Plain | None) -> None:
    if before is None:
        client.teams.create(
            wanted.name, description=wanted.description, members=wanted.members, fallback=wanted.fallback
        )
        return
    client.teams.update(wanted.name, description=wanted.description, fallback=wanted.fallback)
    had = set(before.get("members", ()))
    if joining := [name for name in wanted.members if name not in had]:
        client.teams.add(wanted.name, joining)
    if leaving := sorted(had - set(wanted.members)):
        client.teams.remove(wanted.name, leaving)


def _agent(one: Agent) -> AgentDefinition:
    given: Plain = {name: getattr(one, name) for name in ("capabilities", "labels") if name in one.set_by_hand}
    return AgentDefinition(name=one.name, **given)


def _put_agent(client: CollectorClient, wanted: AgentDefinition, before: Plain | None) -> None:
    client.agents.update(wanted.name, capabilities=wanted.capabilities, labels=wanted.labels)


def _put_limit(client: CollectorClient, wanted: Limit, before: Plain | None) -> None:
    client.limits.set(
        wanted.scope, wanted.value, concurrency=wanted.concurrency, rate=wanted.rate, per_ms=wanted.per_ms
    )


def _budget(one: Budget) -> BudgetDefinition:
    place = {"scope": one.scope, "value": one.value, "per": one.per, "zone": one.zone}
    return msgspec.convert({**msgspec.structs.asdict(one.definition), **place}, BudgetDefinition)


def _put_budget(client: CollectorClient, wanted: BudgetDefinition, before: Plain | None) -> None:
    client.budgets.set(wanted.scope, wanted.value, **_fields(wanted, "scope", "value"), by=person())


def _trigger(one: Trigger) -> TriggerSetup:
    found = {name: getattr(one, name) for name in TriggerSetup.__struct_fields__}
    return TriggerSetup(**{name: value for name, value in found.items() if value is not None})


def _judge_trigger(before: TriggerSetup | None, after: TriggerSetup) -> Verdict:
    if before is not None and (before.event is None) != (after.event is None):
        there = "a webhook" if before.event is None else "an event"
        return Verdict("left out", f"the one of this name is of {there}; delete it, or choose another name")
    return compared(before, after)


def _put_trigger(client: CollectorClient, wanted: TriggerSetup, before: Plain | None) -> Plain | None:
    other = ("event", "where", "max_depth") if wanted.event is None else ("signature", "max_body_bytes")
    fields = _fields(wanted, "name", "enabled", *other)
    if before is None:
        made = client.triggers.create(wanted.name, enabled=wanted.enabled, **fields)
        address = made.trigger.path and f"{client.endpoint}{made.trigger.path}"
        return {"secret": made.secret, "address": address} if made.secret else None
    client.triggers.update(wanted.name, **fields)
    if wanted.enabled != before.get("enabled", True):
        (client.triggers.enable if wanted.enabled else client.triggers.disable)(wanted.name)
    return None


def _webhook(one: Webhook) -> WebhookDefinition:
    found = {name: getattr(one, name) for name in WebhookDefinition.__struct_fields__ if name != "paused"}
    return WebhookDefinition(**found, paused=one.status == "paused")


def _judge_webhook(before: WebhookDefinition | None, after: WebhookDefinition) -> Verdict:
    if before is not None and _same_address(before.url, after.url):
        return compared(before, msgspec.structs.replace(after, url=before.url))
    if after.url.endswith(CONCEALED):
        return Verdict("left out", "its address is a secret that is not in the file; complete its url there")
    return compared(before, after)


def _same_address(one: str, other: str) -> bool:
    """Tell whether two addresses are the same as far as they are known."""
    if one.endswith(CONCEALED) and not other.endswith(CONCEALED):
        return other.startswith(one.removesuffix(CONCEALED))
    if other.endswith(CONCEALED) and not one.endswith(CONCEALED):
        return one.startswith(other.removesuffix(CONCEALED))
    return one == other


def _put_webhook(client: CollectorClient, wanted: WebhookDefinition, before: Plain | None) -> Plain | None:
    fields = _fields(wanted, "name", "paused", "url")
    if before is None:
        made = client.webhooks.create(wanted.name, url=wanted.url, **fields, paused=wanted.paused, by=person())
        return {"secret": made.secret}
    address = UNSET if wanted.url.endswith(CONCEALED) else wanted.url
    client.webhooks.update(wanted.name, url=address, **fields)
    if wanted.paused != before.get("paused", False):
        (client.webhooks.pause if wanted.paused else client.webhooks.resume)(wanted.name, by=person())
    return None


KINDS: dict[str, Kind] = {
    "agent": Kind(
        AgentDefinition,
        lambda client: [_agent(one) for one in client.agents.list().agents if one.set_by_hand],
        _put_agent,
    ),
    "team": Kind(
        TeamCreate,
        lambda client: [_team(one) for one in client.teams.list().teams if one.created_at is not None],
        _put_team,
    ),
    "limit": Kind(Limit, lambda client: client.limits.list().limits, _put_limit),
    "budget": Kind(BudgetDefinition, lambda client: map(_budget, client.budgets.list()), _put_budget),
    "schedule": Kind(ScheduleCreate, lambda client: map(_schedule, client.schedules.list()), _put_schedule),
    "trigger": Kind(TriggerSetup, lambda client: map(_trigger, client.triggers.list()), _put_trigger, _judge_trigger),
    "webhook": Kind(
        WebhookDefinition, lambda client: map(_webhook, client.webhooks.list().webhooks), _put_webhook, _judge_webhook
    ),
}
