"""Each example runs alone against a real collector; what it recorded is read back with SQL."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import CollectorProcess

RunExample = Any


class Recorded:
    """What the collector holds of one run."""

    def __init__(self, collector: CollectorProcess, run_id: str) -> None:
        self.collector = collector
        self.run_id = run_id

    def select(self, what: str, table: str, where: str = "true", order: str = "1") -> list[list[Any]]:
        return self.collector.sql(
            f"SELECT {what} FROM {table} WHERE run_id = '{self.run_id}' AND {where} ORDER BY {order}"
        )

    def count(self, table: str, where: str = "true") -> int:
        count: int = self.collector.sql(f"SELECT count(*) FROM {table} WHERE run_id = '{self.run_id}' AND {where}")[0][
            0
        ]
        return count


@pytest.fixture
def run_example(root: Path, collector: CollectorProcess) -> RunExample:
    def run(file: str, *arguments: str) -> Recorded:
        done = subprocess.run(
            [sys.executable, "-W", "error", str(root / "examples" / file), *arguments],
            env={**os.environ, "MILEPOST_ENDPOINT": collector.url},
            capture_output=True,
            text=True,
            timeout=50,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        found = re.search(r"^run ([0-9a-f]{32})", done.stdout, re.MULTILINE)
        assert found, done.stdout
        return Recorded(collector, found[1])

    return run


def test_document_report_records_parallel_tasks_of_every_document(run_example: RunExample):
    run = run_example("document_report.py")
    assert run.select("name, status, agent, tags", "runs") == [
        ["document-report", "completed", "report-agent", ["example"]]
    ]
    names = Counter(name for (name,) in run.select("name", "tasks"))
    assert names == {"parse": 5, "read": 6, "summarise": 5}


def test_document_report_records_a_failure_and_its_retry(run_example: RunExample):
    run = run_example("document_report.py")
    assert run.select("error_type, name", "errors") == [["UnicodeDecodeError", "read"]]
    of_the_memo = run.select("status", "tasks", "name = 'read' AND input::VARCHAR LIKE '%ferry-memo%'", "start_time")
    assert of_the_memo == [["failed"], ["completed"]]


def test_document_report_skips_the_copy(run_example: RunExample):
    run = run_example("document_report.py")
    [[name, reason]] = run.select("name, reason", "tasks", "status = 'skipped'")
    assert name == "summarise"
    assert re.fullmatch(r"cache hit: same text as (old-)?harbour-log.txt", reason)


def test_document_report_records_usage_cost_checkpoints_and_progress(run_example: RunExample):
    run = run_example("document_report.py")
    assert run.count("llm_calls", "model = 'gpt-4o-mini' AND cost_usd > 0 AND cost_source = 'computed'") == 4
    assert run.count("runs", "input_tokens > 500 AND output_tokens > 50 AND cost_usd > 0 AND unpriced_count = 0") == 1
    assert Counter(name for (name,) in run.select("name", "checkpoints")) == {"parsed": 1, "summarised": 5}
    assert run.select("max(fraction)", "events", "kind = 'progress'") == [[1.0]]
    assert run.select("message", "events", "kind = 'log'") == [["all documents are parsed"]]


def test_document_report_takes_another_folder(run_example: RunExample, tmp_path: Path):
    run = run_example("document_report.py", str(tmp_path))
    assert run.select("status, task_count", "runs") == [["completed", 0]]


def test_async_agent_records_fan_out_stream_and_cancellation(run_example: RunExample):
    run = run_example("async_agent.py")
    assert run.select("name, status", "runs") == [["async-agent", "completed"]]
    statuses = run.select("name, status, count(*)", "spans", "kind != 'agent' GROUP BY ALL")
    assert statuses == [
        ["answer", "completed", 1],
        ["exact_search", "completed", 1],
        ["fuzzy_search", "cancelled", 1],
        ["load", "completed", 5],
    ]


def test_async_agent_loads_documents_at_the_same_time(run_example: RunExample):
    run = run_example("async_agent.py")
    [[overlap]] = run.select("epoch_ns(min(end_time)) - epoch_ns(max(start_time))", "tasks", "name = 'load'")
    assert overlap > 0


def test_otel_library_nests_requests_under_the_task_that_made_them(run_example: RunExample):
    run = run_example("otel_library.py")
    spans = "spans AS request JOIN spans AS task ON task.span_id = request.parent_span_id"
    nested = run.collector.sql(
        f"SELECT task.name, request.name, count(*) FROM {spans} WHERE request.run_id = '{run.run_id}' "
        "AND request.scope LIKE 'opentelemetry.instrumentation.httpx%' GROUP BY ALL"
    )
    assert nested == [["fetch", "GET", 3]]


def test_otel_library_does_not_record_milepost_s_own_requests(run_example: RunExample):
    run = run_example("otel_library.py")
    assert run.collector.sql("SELECT count(*) FROM spans WHERE attributes::VARCHAR LIKE '%/v1/events%'") == [[0]]
    assert run.select("name, error_type", "errors", "kind = 'task'") == [["fetch", "httpx.HTTPStatusError"]]


def test_two_processes_share_one_run(run_example: RunExample):
    run = run_example("two_processes.py")
    assert run.select("count(DISTINCT producer_id), count(DISTINCT agent)", "spans") == [[3, 2]]
    joined = run.collector.sql(
        "SELECT parent.name, child.name, child.agent FROM spans AS child JOIN spans AS parent "
        "ON parent.span_id = child.parent_span_id AND parent.run_id = child.run_id "
        f"WHERE child.run_id = '{run.run_id}' AND child.name = 'measure'"
    )
    assert joined == [["delegate", "measure", "measuring-agent"]] * 2


def test_every_example_is_described_and_part_of_the_demo(root: Path):
    from milepost_collector.cli.demo import EXAMPLES

    files = {path.name for path in (root / "examples").glob("*.py")}
    assert {example.file for example in EXAMPLES} == files
    described = (root / "examples" / "README.md").read_text("utf-8")
    assert [file for file in files if f"`{file}`" not in described] == []
