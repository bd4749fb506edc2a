"""Names, options and help of `milepost score` and `milepost feedback`; the bodies are imported when run."""

from __future__ import annotations

from typing import Any

import click

from milepost_collector.cli.groups import ControlCommand
from milepost_collector.cli.options import endpoint_option, feedback_options, json_option


@click.command(cls=ControlCommand)
@click.argument("run")
@click.argument("name")
@click.argument("value", type=float, required=False)
@endpoint_option
@click.option("--label", help="The verdict in a word, as relevant.")
@click.option("--explanation", default="", metavar="TEXT", help="Why.")
@click.option(
    "--source", type=click.Choice(["human", "llm", "code"]), default="human", show_default=True, help="Who judged."
)
@click.option("--by", help="The name of who or what judged.  [default: you]")
@click.option("--span", "span_id", help="A span of the run, by its id.")
@json_option
def score(endpoint: str, run: str, as_json: bool, **given: Any) -> None:
    """Judge a run, or one of its spans, by a measure.

    RUN is a run id, the first digits of one, or `latest`.

    \b
    Examples:
      milepost score latest relevance 0.9
      milepost score 4bf92f tone --label friendly --explanation "says please"
      milepost sql "SELECT name, avg(value) FROM scores GROUP BY name"
    """
    from milepost_collector.cli.scores import score_run

    score_run(endpoint, run, given, as_json=as_json)


@click.command(cls=ControlCommand)
@click.argument("run")
@endpoint_option
@feedback_options
@click.option("--span", "span_id", help="A span of the run, by its id.")
@json_option
def feedback(endpoint: str, run: str, as_json: bool, **said: Any) -> None:
    """Say what you think of a run. Of a task: `milepost task feedback`.

    RUN is a run id, the first digits of one, or `latest`.

    \b
    Examples:
      milepost feedback latest --rating 4 --text "right, but slow"
      milepost feedback 4bf92f --rating 1 --issue "made up a source"
    """
    from milepost_collector.cli.scores import feedback_on_run

    feedback_on_run(endpoint, run, said, as_json=as_json)
