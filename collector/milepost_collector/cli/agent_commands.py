"""The names, options and help of `milepost agent …`."""

from __future__ import annotations

import click


@click.group()
def agent() -> None:
    """See which agents and workers there are, hold agents, and run them.

    \b
    Examples:
      milepost agent list
      milepost agent pause etl-agent --reason "the database moves"
    """
