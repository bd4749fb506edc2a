"""Who takes a task over, as options say it and as people read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from milepost.wire.tasks import Fallback
from milepost_collector.cli.render import duration

_FALLBACK = ("agent", "team", "person")


def fallback_of(options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the fallback that options describe; None: they name none.

    Raises:
        click.UsageError: they name several, or say when and not who.
    """
    who = {kind: options[f"fallback_{kind}"] for kind in _FALLBACK if options.get(f"fallback_{kind}")}
    when = {name: options[name] for name in ("after_failures", "after_ms") if options.get(name) is not None}
    if len(who) > 1:
        raise click.UsageError("give one of --fallback-agent, --fallback-team and --fallback-person")
    if when and not who:
        raise click.UsageError("who takes over? give --fallback-agent, --fallback-team or --fallback-person")
    return {**who, **when} if who else None


def fallback_text(fallback: Fallback | None) -> str:
    """Write a fallback: person ann after 2 failures or 10 min without a worker."""
    if fallback is None:
        return ""
    who = next(f"{kind} {getattr(fallback, kind)}" for kind in _FALLBACK if getattr(fallback, kind) is not None)
    tries = "all retries" if fallback.after_failures is None else f"{fallback.after_failures} failures"
    alone = "" if fallback.after_ms is None else f" or {duration(fallback.after_ms)} without a worker"
    return f"{who} after {tries}{alone}"
