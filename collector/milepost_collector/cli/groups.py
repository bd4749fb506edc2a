"""Commands that say what a collector refused in one line."""

from __future__ import annotations

from typing import Any

import click

from milepost.errors import ApiError, InvalidRequestError

_SAME = {"show": "get", "get": "show"}


class ControlGroup(click.Group):
    """Commands that ask the controller: what it refuses is one line and exit code 1, wrong arguments are 2."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; `show` and `get` mean the same where there is one of them."""
        found = super().get_command(ctx, cmd_name)
        return found or super().get_command(ctx, _SAME.get(cmd_name, cmd_name))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ApiError as error:
            raise as_click_error(error) from error


class ControlCommand(click.Command):
    """A command like those of a `ControlGroup`."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ApiError as error:
            raise as_click_error(error) from error


def as_click_error(error: ApiError) -> click.ClickException:
    """Return what to tell a person at the terminal."""
    if isinstance(error, InvalidRequestError) and error.status is None:
        return click.UsageError(str(error))
    return click.ClickException(str(error))
