"""`milepost runs`, `show`, `sql`, `version` and `--help` against a real collector."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pyarrow
import pytest

import milepost

if TYPE_CHECKING:
    from tests.cli.conftest import Milepost

    from conftest import CollectorProcess, StartCollector


@pytest.fixture
def ask(command: Milepost, collector: CollectorProcess, recorded: dict[str, str]) -> Milepost:
    """Run a command that must succeed, against the collector that holds the recorded runs; return its output."""

    def run(*arguments: str, **more: str) -> str:
        done = command(*arguments, "--endpoint", collector.url, **more)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    return run  # type: ignore[return-value]


def test_runs_lists_every_run_with_its_figures(ask: Milepost, recorded: dict[str, str]):
    listed = ask("runs")
    for run_id in recorded.values():
        assert run_id[:8] in listed
    [good] = [line for line in listed.splitlines() if recorded["good"][:8] in line]
    assert "✓ completed" in good
    assert "12.3k" in good
    assert "$0.00" in good
    assert "tester" in good


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--status", "failed"], {"bad"}),
        (["--status", "failed", "--status", "completed"], {"bad", "good"}),
        (["--agent", "other"], {"bad"}),
        (["--name", "good"], {"good"}),
        (["--session", "s-1", "--user", "u-1", "--tag", "nightly"], {"good"}),
        (["--min-cost", "0.0001"], {"good"}),
        (["--from", "now-1h", "--limit", "10"], {"good", "bad", "running"}),
        (["--to", "now-1h"], set()),
        (["-q", "span(kind:llm tokens>12k) status:completed"], {"good"}),
        (["--query", '"disk is" OR is:live', "--status", "failed"], {"bad"}),
    ],
)
def test_runs_filters(ask: Milepost, recorded: dict[str, str], filters: list[str], expected: set[str]):
    listed = {run["run_id"] for run in json.loads(ask("runs", "--json", *filters))}
    assert listed == {recorded[name] for name in expected}


def test_runs_prints_the_sql_that_finds_them(ask: Milepost, recorded: dict[str, str]):
    found = ask("sql", "--format", "csv", ask("runs", "-q", "has:error", "--sql"))
    assert [line.partition(",")[0] for line in found.splitlines()[1:]] == [recorded["bad"]]


def test_runs_says_where_a_search_is_wrong(command: Milepost, collector: CollectorProcess):
    done = command("runs", "-q", "staus:failed", "--endpoint", collector.url)
    assert done.returncode == 1
    assert "there is no field staus (at character 1 of the search); did you mean status?" in done.stderr


def test_runs_follows_pages_and_says_when_there_are_more(
    command: Milepost, collector: CollectorProcess, recorded: object
):
    done = command("runs", "--json", "--limit", "2", "--endpoint", collector.url)
    assert len(json.loads(done.stdout)) == 2
    assert "there are more" in done.stderr


def test_runs_says_when_nothing_matches(ask: Milepost):
    assert ask("runs", "--name", "nobody") == "no run matches\n"


def test_show_draws_the_timeline(ask: Milepost, recorded: dict[str, str]):
    shown = ask("show", recorded["good"])
    assert "good  ✓ completed" in shown
    assert "12.0k → 300" in shown
    assert "├─✓ ask  llm gpt-4o-mini" in shown
    assert "└─↷ cached  task" in shown
    assert "█" in shown
    assert 'pages {"page":3}' in shown
    assert "half way" not in shown


def test_show_lists_logs_when_asked(ask: Milepost, recorded: dict[str, str]):
    assert 'warn ask half way {"page":3}' in ask("show", recorded["good"], "--logs")


def test_show_tells_errors_and_neutralises_escape_sequences(ask: Milepost, recorded: dict[str, str]):
    shown = ask("show", recorded["bad"])
    assert "OSError: disk is �]0;owned� full" in shown
    assert "\x1b" not in shown


def test_show_accepts_the_start_of_an_id_and_latest(ask: Milepost, recorded: dict[str, str]):
    assert recorded["good"] in ask("show", recorded["good"][:12])
    assert recorded["running"] in ask("show", "latest")


def test_show_gives_json(ask: Milepost, recorded: dict[str, str]):
    shown = json.loads(ask("show", "--json", recorded["good"]))
    assert shown["run"]["run_id"] == recorded["good"]
    assert {span["name"] for span in shown["spans"]} == {"good", "ask", "cached"}


@pytest.mark.parametrize(
    ("run", "code", "said"),
    [
        ("f" * 31, 1, "no run id starts with"),
        ("0" * 32, 1, "0" * 32),
        ("nonsense", 2, "'nonsense' is not a run"),
    ],
)
def test_show_explains_what_it_cannot_find(
    command: Milepost, collector: CollectorProcess, recorded: object, run: str, code: int, said: str
):
    done = command("show", run, "--endpoint", collector.url)
    assert done.returncode == code
    assert said in done.stderr


def test_show_lists_candidates_of_an_ambiguous_start(command: Milepost, start_collector: StartCollector):
    url = start_collector().url
    with milepost.Client(endpoint=url) as client:
        first_digits = [_finished_run(client)[0] for _ in range(17)]  # of 17 ids two begin with the same digit
    [(shared, count)] = Counter(first_digits).most_common(1)
    done = command("show", shared, "--endpoint", url)
    assert done.returncode == 1
    assert "give more digits" in done.stderr
    assert done.stderr.count("  twin\n") == min(count, 5)


def _finished_run(client: milepost.Client) -> str:
    run = client.start_run("twin")
    run.complete()
    return run.run_id


def test_sql_prints_a_table(ask: Milepost):
    printed = ask("sql", "SELECT 1 AS one, 'x' AS letter, NULL AS nothing")
    assert next(line.split() for line in printed.splitlines() if line.strip()) == ["one", "letter", "nothing"]


def test_sql_prints_json(ask: Milepost, recorded: dict[str, str]):
    rows = json.loads(ask("sql", "--format", "json", "SELECT run_id FROM runs WHERE name = 'good'"))
    assert rows == [{"run_id": recorded["good"]}]


def test_sql_prints_csv_with_quoting(ask: Milepost):
    printed = ask("sql", "--format", "csv", "SELECT 'a,\"b' AS text, [1, 2] AS list")
    assert list(csv.reader(io.StringIO(printed))) == [["text", "list"], ['a,"b', "[1,2]"]]


def test_sql_writes_an_arrow_stream(collector: CollectorProcess, recorded: object):
    arguments = ["sql", "--format", "arrow", "--endpoint", collector.url, "SELECT 42 AS answer"]
    done = subprocess.run([sys.executable, "-m", "milepost_collector.cli", *arguments], capture_output=True, timeout=50)
    assert done.returncode == 0, done.stderr
    assert pyarrow.ipc.open_stream(done.stdout).read_all().to_pydict() == {"answer": [42]}


def test_sql_reads_standard_input(ask: Milepost):
    assert "42" in ask("sql", "-", input="SELECT 42 AS answer")


def test_sql_tells_that_rows_were_left_out(command: Milepost, collector: CollectorProcess):
    done = command("sql", "--limit", "3", "SELECT * FROM range(10)", "--endpoint", collector.url)
    assert done.returncode == 0
    assert "only the first 3 rows" in done.stderr


@pytest.mark.parametrize("query", ["DROP TABLE spans", "SELEC 1", "SELECT * FROM nowhere", "SELECT 1; SELECT 2"])
def test_sql_passes_the_refusal_on(command: Milepost, collector: CollectorProcess, query: str):
    done = command("sql", query, "--endpoint", collector.url)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["runs"], ["show", "latest"], ["sql", "SELECT 1"]])
def test_commands_say_how_to_start_a_collector_that_is_away(command: Milepost, arguments: list[str]):
    done = command(*arguments, "--endpoint", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "no collector answers at http://127.0.0.1:9; start one with `milepost serve`" in done.stderr


def test_commands_take_the_endpoint_from_the_environment(command: Milepost):
    assert "127.0.0.1:7" in command("runs", MILEPOST_ENDPOINT="http://127.0.0.1:7").stderr


def test_commands_refuse_an_endpoint_that_is_no_address(command: Milepost):
    done = command("runs", "--endpoint", "collector")
    assert done.returncode == 2
    assert "'collector' is not an http:// or https:// address" in done.stderr


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_commands_recognise_that_something_else_answers(command: Milepost):
    with ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as server:
        threading.Thread(target=server.serve_forever).start()
        done = command("runs", "--endpoint", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert done.returncode == 1
    assert "it may be another program" in done.stderr


def test_empty_database_is_said_to_be_empty(command: Milepost, start_collector: StartCollector):
    url = start_collector().url
    assert "nothing is recorded yet" in command("runs", "--endpoint", url).stdout
    assert "nothing is recorded yet" in command("show", "latest", "--endpoint", url).stderr


def test_version_names_milepost_python_and_duckdb(command: Milepost):
    lines = command("version").stdout.splitlines()
    assert lines[0] == f"milepost {milepost.__version__}"
    assert [line.split()[0] for line in lines] == ["milepost", "CPython", "duckdb"]


@pytest.mark.parametrize("name", ["serve", "demo", "runs", "show", "sql"])
def test_help_teaches_by_example(command: Milepost, name: str):
    done = command(name, "--help")
    assert done.returncode == 0
    assert f"milepost {name}" in done.stdout.partition("Examples:")[2]
