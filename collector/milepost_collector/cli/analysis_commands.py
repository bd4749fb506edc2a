"""Names, options and help of `milepost export`, `compare` and `mcp`; the bodies are imported when run."""

from __future__ import annotations

from pathlib import Path

import click

from milepost_collector.cli.options import endpoint_option


@click.command()
@click.argument("run")
@endpoint_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["otlp", "chrome", "speedscope", "markdown"]),
    default="otlp",
    show_default=True,
    help="otlp: a trace request in JSON; chrome: trace events, for ui.perfetto.dev; speedscope; markdown: a summary.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File to write to.")
@click.option(
    "--budget", type=click.IntRange(1_000, 1_000_000), metavar="BYTES", help="Bytes of a Markdown summary at most."
)
def export(run: str, endpoint: str, format_: str, output: Path | None, budget: int | None) -> None:
    """Write one run in another tool's format.

    RUN is a run id, the first digits of one, or `latest`.

    \b
    Examples:
      milepost export latest --format chrome -o run.trace.json
      milepost export 4bf92f --format markdown --budget 4000
      milepost export latest | curl -H 'Content-Type: application/json' -d @- http://127.0.0.1:4601/v1/traces
    """
    from milepost_collector.cli.export import export_run

    export_run(endpoint, run, format_=format_, output=output, budget=budget)


@click.command()
@click.argument("a")
@click.argument("b")
@endpoint_option
@click.option("--all", "every", is_flag=True, help="Show rows that are equal too.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Rows to show.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole comparison as JSON.")
def compare(a: str, b: str, endpoint: str, every: bool, limit: int, as_json: bool) -> None:
    """Compare two runs: where they first differ, and what the second took and cost more.

    A and B are run ids, the first digits of ones, or `latest`.

    \b
    Examples:
      milepost compare 4bf92f latest
      milepost compare 4bf92f 91ac03 --all --limit 500
    """
    from milepost_collector.cli.compare import compare_runs

    compare_runs(endpoint, a, b, every=every, limit=limit, as_json=as_json)


@click.command()
@endpoint_option
@click.option("--control", is_flag=True, help="Let assistants create, cancel, pause, resume and retry tasks, too.")
@click.option("--approve", is_flag=True, help="With --control: let them answer what agents ask people, too.")
@click.option("--http", is_flag=True, help="Serve over HTTP on the loopback instead of standard input and output.")
@click.option("--port", type=click.IntRange(0, 65535), default=4610, show_default=True, help="Port of --http.")
def mcp(endpoint: str, control: bool, approve: bool, http: bool, port: int) -> None:
    """Let an assistant look at runs and tasks, over the Model Context Protocol.

    It can search runs, read one within a budget of tokens, compare two, ask with read-only SQL, and look at tasks. What
    was recorded is marked as data. Needs pip install 'milepost[mcp]'.

    \b
    Examples:
      milepost mcp                       for a client that starts it, over standard input and output
      milepost mcp --control             the same, and it may steer tasks
      milepost mcp --control --approve   and answer what agents ask people, in the name of who tells it to
      milepost mcp --http --port 4610    at http://127.0.0.1:4610/mcp
    """
    from milepost_collector.cli.mcp import serve_mcp

    serve_mcp(endpoint, control=control, approve=approve, port=port if http else None)
