"""The names, options and help of every command; each body lives in the file of its name and is imported when run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from milepost import _version
from milepost_collector.cli.agent_commands import agent, limit
from milepost_collector.cli.analysis_commands import compare, export, mcp
from milepost_collector.cli.approval_commands import approvals
from milepost_collector.cli.batch_commands import batch, match
from milepost_collector.cli.budget_commands import budget
from milepost_collector.cli.definition_commands import definitions
from milepost_collector.cli.deliverable_commands import attach, collect, deliverables
from milepost_collector.cli.intervention_commands import complete, redirect
from milepost_collector.cli.options import endpoint_option
from milepost_collector.cli.schedule_commands import schedule
from milepost_collector.cli.score_commands import feedback, score
from milepost_collector.cli.task_commands import task
from milepost_collector.cli.team_commands import team
from milepost_collector.cli.trigger_commands import trigger
from milepost_collector.cli.webhook_commands import webhook

RUN_STATUSES = ("running", "completed", "failed", "skipped", "cancelled", "lost")
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=SETTINGS)
def milepost() -> None:
    """Record what AI agents do, watch it live, and query it with SQL.

    \b
    First steps:
      milepost demo                      see it at work: collector, example agents, viewer
      milepost serve                     start the collector and the viewer
      milepost runs --status failed      list what went wrong
      milepost show latest               the newest run as a timeline
      milepost sql "SELECT * FROM runs"  ask anything
      milepost task --help               hand work to agents and follow it

    Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
    """
    # A terminal that cannot show a bar or a tick gets a question mark, not a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@milepost.command()
@click.option("--host", metavar="ADDRESS", help="Loopback address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.  [default: 4600]")
@click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the database.  [default: ~/.milepost]",
)
@click.option(
    "--grpc-port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Take OTLP over gRPC too, on this port (4317 is usual); needs pip install 'milepost[grpc]'.",
)
@click.option(
    "--forward",
    "forward_to",
    multiple=True,
    metavar="URL",
    help="Pass every OTLP body on to this OTLP/HTTP base address too; may be repeated.",
)
@click.option(
    "--forward-header",
    "forward_headers",
    multiple=True,
    metavar="NAME=VALUE",
    help="Header sent along, with several destinations as 'URL NAME=VALUE'; secrets are better put into "
    "MILEPOST_FORWARD_HEADERS.",
)
@click.option(
    "--controller-url",
    metavar="URL",
    help="Keep tasks in this PostgreSQL database, postgresql://HOST/NAME, instead of a file in --data; one with a "
    "password is better put into MILEPOST_CONTROLLER_URL.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="How much to log to standard error; debug adds a line per request.",
)
def serve(
    host: str | None,
    port: int | None,
    data_dir: Path | None,
    grpc_port: int | None,
    forward_to: tuple[str, ...],
    forward_headers: tuple[str, ...],
    controller_url: str | None,
    log_level: str,
) -> None:
    """Start the collector: it takes events, answers queries and serves the viewer.

    Runs until Ctrl-C or SIGTERM, then finishes what is in flight. It is ready when it prints its address, and
    whenever /readyz answers 200. Further settings are read from MILEPOST_* variables, see the README.

    \b
    Examples:
      milepost serve
      milepost serve --port 0 --data ./traces
      milepost serve --forward https://otel.example.com/otlp
    """
    from milepost_collector.cli.serve import run_server

    run_server(
        log_level=log_level,
        host=host,
        port=port,
        data_dir=data_dir,
        grpc_port=grpc_port,
        forward_to=forward_to or None,
        forward_headers=forward_headers or None,
        controller_url=controller_url,
    )


@milepost.command()
@endpoint_option
@click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the database when a collector is started.  [default: ~/.milepost/demo]",
)
@click.option(
    "--once", is_flag=True, help="Exit after checking that every run was recorded; non-zero when one is missing."
)
@click.pass_context
def demo(ctx: click.Context, endpoint: str, data_dir: Path | None, once: bool) -> None:
    """Run the example agents and show what was recorded of them.

    Uses the collector at --endpoint, or starts one there when none is running. Prints each run as a timeline, what
    became of the managed tasks, and the viewer's address, and serves until Ctrl-C.

    \b
    Examples:
      milepost demo
      milepost demo --once --data /tmp/demo
    """
    from milepost_collector.cli.demo import run_demo

    chosen = ctx.get_parameter_source("endpoint") is not click.core.ParameterSource.DEFAULT
    run_demo(endpoint, may_move=not chosen, data_dir=data_dir, once=once)


@milepost.command()
@endpoint_option
@click.option("-q", "--query", "q", metavar="SEARCH", help="A search, as 'status:failed cost>0.05 dur>2s \"refused\"'.")
@click.option("--status", multiple=True, type=click.Choice(RUN_STATUSES), help="Only this status; may be repeated.")
@click.option("--name", help="Only runs of this name.")
@click.option("--agent", help="Only runs of this agent.")
@click.option("--session", help="Only runs of this session.")
@click.option("--user", help="Only runs of this user.")
@click.option("--tag", help="Only runs with this tag.")
@click.option("--from", "from_", metavar="TIME", help="Started at or after: ISO 8601, or relative as now-24h.")
@click.option("--to", metavar="TIME", help="Started before.")
@click.option(
    "--min-duration",
    "min_duration_ms",
    type=click.FloatRange(min=0),
    metavar="MS",
    help="Took at least this many milliseconds.",
)
@click.option(
    "--min-cost", "min_cost_usd", type=click.FloatRange(min=0), metavar="USD", help="Cost at least this much."
)
@click.option("--text", help="Text to look for.")
@click.option(
    "--sort", default="-start_time", show_default=True, help="Column to sort by; a leading - means descending."
)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Runs to list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one array.")
@click.option("--sql", "as_sql", is_flag=True, help="Print the SQL that finds these runs, for `milepost sql`.")
def runs(endpoint: str, as_json: bool, as_sql: bool, limit: int, **filters: Any) -> None:
    """List recorded runs, newest first.

    A SEARCH is terms that must all hold: field:value with * for anything, several values as status:failed,lost, numbers
    compared as cost>0.05 dur>2s tokens>12k started>now-2h, and words or "quoted text" to look for anywhere. - or NOT
    excludes, OR and parentheses combine, span(kind:llm dur>30s) asks for one span that is all of this. Fields are
    status, name, agent, session, user, tag, service, run, task, model, kind, tool, provider, error, text, cost, dur,
    tokens, input_tokens, output_tokens, spans, errors, started, is (live, ended) and has (error, cost, tag, …).

    \b
    Examples:
      milepost runs -q 'model:gpt-4o* cost>0.05 -status:completed'
      milepost runs --status failed --from now-24h
      milepost runs --agent report-agent --min-cost 0.05
      milepost runs --json | jq '.[].run_id'
    """
    from milepost_collector.cli.runs import list_runs

    filters["from"] = filters.pop("from_")
    list_runs(endpoint, filters, limit=limit, as_json=as_json, as_sql=as_sql)


@milepost.command()
@click.argument("run")
@endpoint_option
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True, help="Spans to show.")
@click.option("--logs", is_flag=True, help="List log records, progress and other events too.")
@click.option("--json", "as_json", is_flag=True, help="Print the run and its spans as JSON.")
def show(run: str, endpoint: str, limit: int, logs: bool, as_json: bool) -> None:
    """Show one run as a timeline: bars, durations, tokens, cost, errors, checkpoints.

    RUN is a run id, the first digits of one, or `latest`.

    \b
    Examples:
      milepost show latest
      milepost show 4bf92f --logs
    """
    from milepost_collector.cli.show import show_run

    show_run(endpoint, run, limit=limit, logs=logs, as_json=as_json)


@milepost.command()
@click.argument("query")
@endpoint_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv", "arrow"]),
    default="table",
    show_default=True,
    help="How to print the rows; arrow writes an IPC stream to standard output.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Rows at most.  [default: 1000 for a table, else the collector's limit]"
)
def sql(query: str, endpoint: str, format_: str, limit: int | None) -> None:
    """Ask with SQL: one read-only SELECT in DuckDB's dialect.  `-` reads it from standard input.

    The tables are runs, tasks, llm_calls, llm_messages, messages, tool_calls, checkpoints, errors, events, metrics and
    spans, among others; the README lists their columns.

    \b
    Examples:
      milepost sql "SELECT model, sum(cost_usd) FROM llm_calls GROUP BY model"
      milepost sql --format csv "SELECT name, duration_ms FROM tasks" > tasks.csv
      milepost sql - < question.sql
    """
    from milepost_collector.cli.sql import run_sql

    text = sys.stdin.read() if query == "-" else query
    run_sql(endpoint, text, format_=format_, limit=limit)


data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the database.  [default: ~/.milepost]",
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would change.")
since_option = click.option(
    "--since", metavar="TIME", help="Only spans started at or after: ISO 8601, or relative as now-24h."
)
until_option = click.option("--until", metavar="TIME", help="Only spans started before.")


@milepost.command()
@data_option
@dry_run_option
@since_option
@until_option
@click.option("--model", "pattern", default="*", metavar="GLOB", help="Only models of this name, as 'gpt-4o*'.")
def reprice(data_dir: Path | None, dry_run: bool, since: str | None, until: str | None, pattern: str) -> None:
    """Compute the costs of recorded calls anew, with today's price table and your milepost.toml.

    For models that had no price when they were called, and after a price was corrected. Each call costs what was
    charged on its day; costs that were reported stay. Works on the data folder while no collector serves it.

    \b
    Examples:
      milepost reprice --dry-run
      milepost reprice --model 'our-llama-*' --since 2026-11-01
    """
    from milepost_collector.cli.reprice import run_reprice

    run_reprice(data_dir, dry_run=dry_run, since=since, until=until, pattern=pattern)


@milepost.command()
@data_option
@dry_run_option
@since_option
@until_option
def normalise(data_dir: Path | None, dry_run: bool, since: str | None, until: str | None) -> None:
    """Read recorded OpenTelemetry spans anew by the conventions that this version knows.

    After an upgrade that understands more instrumentations: kinds, names, models, tokens, messages and errors of spans
    that came before are as if they came now. What was sent is kept and only read again. Works on the data folder while
    no collector serves it.

    \b
    Examples:
      milepost normalise --dry-run
      milepost normalise --since now-30d
    """
    from milepost_collector.cli.normalise import run_normalise

    run_normalise(data_dir, dry_run=dry_run, since=since, until=until)


@milepost.command()
def version() -> None:
    """Print the versions of Milepost, Python and DuckDB."""
    import platform
    from importlib.metadata import version as installed

    click.echo(f"milepost {_version.__version__}")
    click.echo(f"{platform.python_implementation()} {platform.python_version()}")
    click.echo(f"duckdb {installed('duckdb')}")


for command in (redirect, complete, deliverables, attach, collect, batch, match):
    task.add_command(command)
for command in (
    compare,
    export,
    mcp,
    score,
    feedback,
    task,
    approvals,
    schedule,
    trigger,
    agent,
    team,
    limit,
    budget,
    webhook,
    definitions,
):
    milepost.add_command(command)
