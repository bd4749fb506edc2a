"""Options that several commands share, and how their texts are read. Nothing here is heavier than click."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

DEFAULT_ENDPOINT = "http://127.0.0.1:4600"

endpoint_option = click.option(
    "--endpoint",
    envvar="MILEPOST_ENDPOINT",
    default=DEFAULT_ENDPOINT,
    show_default=True,
    metavar="URL",
    help="Address of the collector; also MILEPOST_ENDPOINT.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
reason_option = click.option("--reason", default="", metavar="TEXT", help="Why; shown with it.")

Command = TypeVar("Command", bound=Callable[..., Any])

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|[smhdw])")
_RELATIVE = re.compile(r"(?:now)?([+-])(.+)")


class Json(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """A JSON value: written out, read from a file as `@path`, or from standard input as `-`."""

    name = "JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value that the text stands for."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(_json_text(value))
        except OSError as error:
            self.fail(f"{value[1:]} cannot be read: {error.strerror}", param, ctx)
        except ValueError as error:
            self.fail(f"{value[:80]!r} is not JSON ({error}); a text needs quotes: '\"text\"'", param, ctx)


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """A length of time such as 500ms, 10s, 5m, 2h, 1d; in milliseconds."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return milliseconds."""
        if isinstance(value, int):
            return value
        length = duration_of(value)
        if length is None:
            self.fail(f"{value!r} is not a length of time; write 500ms, 10s, 5m, 2h or 1d", param, ctx)
        return round(length / timedelta(milliseconds=1))


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """A time: ISO 8601, in UTC unless it names a zone, or relative to now as +30m, now-24h."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | None:
        """Return the time; None for `none`."""
        if value is None or isinstance(value, datetime):
            return value
        try:
            return moment_of(value, datetime.now(UTC))
        except ValueError:
            self.fail(f"{value!r} is not a time; write 2026-12-31T23:59:59Z, +30m or now-24h", param, ctx)


class Assignment(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """A setting as KEY=VALUE; the value is JSON, or else the text itself."""

    name = "KEY=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """Return name and value."""
        if isinstance(value, tuple):
            return value
        name, sign, text = value.partition("=")
        if not sign or not name:
            self.fail(f"{value!r} is not KEY=VALUE, for example max_retries=5", param, ctx)
        try:
            return name, json.loads(text)
        except ValueError:
            return name, text


class OrNone(click.ParamType):  # type: ignore[type-arg]  # generic in newer click only
    """Another type's values, or `none`, which stands for taking away what is there."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self.name = kind.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value; the text `none` as it is."""
        return value if value == "none" else self._kind.convert(value, param, ctx)


def duration_of(text: str) -> timedelta | None:
    """Return a length of time as 500ms, 10s, 5m, 2h, 1d or 1w; None if it is something else."""
    match = _DURATION.fullmatch(text.strip())
    return None if match is None else float(match[1]) * _UNITS[match[2]]


def moment_of(text: str, now: datetime) -> datetime:
    """Return a time: ISO 8601, in UTC unless it names a zone, `now`, or relative as +30m, now-24h.

    Raises:
        ValueError: the text is neither.
    """
    if text == "now":
        return now
    if match := _RELATIVE.fullmatch(text.strip()):
        length = duration_of(match[2])
        if length is None:
            raise ValueError(text)
        return now + length if match[1] == "+" else now - length
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def several(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return one decorator for several options, listed in their order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _json_text(value: str) -> str:
    if value == "-":
        return sys.stdin.read()
    return Path(value[1:]).read_text("utf-8") if value.startswith("@") else value


feedback_options = several(
    click.option("--rating", type=click.IntRange(1, 5), help="From 1 to 5, which is best."),
    click.option("--text", default="", metavar="TEXT", help="In your words."),
    click.option("--issue", "issues", multiple=True, metavar="NAME", help="What was wrong; may be repeated."),
    click.option("--by", help="Who says so.  [default: you]"),
)
