"""The names, options and help of `milepost definitions …`; the bodies are in `definitions`."""

from __future__ import annotations

from pathlib import Path

import click

from milepost_collector.cli.groups import ControlGroup
from milepost_collector.cli.options import endpoint_option, json_option


@click.group(cls=ControlGroup)
def definitions() -> None:
    """Take what people have set up from one collector to another: schedules, triggers, webhooks, budgets, limits, teams
    and what agents can do.

    Lines of JSON, each with its kind. Secrets are never among them, and no addresses that are secret themselves.

    \b
    Examples:
      milepost definitions export -o setup.jsonl
      milepost definitions import setup.jsonl --dry-run --endpoint http://127.0.0.1:4700
    """


@definitions.command(name="export")
@endpoint_option
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File to write to.")
def export_(endpoint: str, output: Path | None) -> None:
    """Write every definition as a line of JSON.

    \b
    Examples:
      milepost definitions export > setup.jsonl
    """
    from milepost_collector.cli.definitions import export_definitions

    export_definitions(endpoint, output)


@definitions.command(name="import")
@click.argument("file")
@endpoint_option
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
def import_(endpoint: str, file: str, dry_run: bool, as_json: bool) -> None:
    """Make or change what a FILE, or standard input as -, defines; what is there already as it says stays.

    Nothing is done unless every line can be read. The same file again changes nothing. Triggers and webhooks that are
    made get secrets of their own, which are shown this once, and triggers addresses of their own. A webhook whose
    address is secret, as Slack's are, is left out where there is none, unless its url is completed in the file.

    \b
    Examples:
      milepost definitions import setup.jsonl --dry-run
      milepost definitions import - < setup.jsonl
    """
    from milepost_collector.cli.definitions import import_definitions

    import_definitions(endpoint, file, dry_run=dry_run, as_json=as_json)
