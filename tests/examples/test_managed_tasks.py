"""The examples of managed tasks run alone against a real collector; what became of their tasks is read back."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import milepost
from milepost.wire.tasks import Task

if TYPE_CHECKING:
    from conftest import CollectorProcess


class Done(NamedTuple):
    """What an example printed, and the tasks that it named, as they stand."""

    printed: str
    tasks: list[Task]


RunExample = Callable[[str], Done]


@pytest.fixture(scope="module")
def client(collector: CollectorProcess) -> Iterator[milepost.Client]:
    with milepost.Client(endpoint=collector.url) as client:
        yield client


@pytest.fixture
def run_example(root: Path, collector: CollectorProcess, client: milepost.Client) -> RunExample:
    def run(file: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-W", "error", str(root / "examples" / file)],
            env={**os.environ, "MILEPOST_ENDPOINT": collector.url},
            capture_output=True,
            text=True,
            timeout=50,
        )
        assert (done.returncode, done.stderr) == (0, "")
        ids = re.findall(r"^task (\S+)", done.stdout, re.MULTILINE)
        return Done(done.stdout, [client.tasks.get(task_id) for task_id in ids])

    return run


def test_etl_chain_does_its_tasks_in_their_order(run_example: RunExample):
    printed, tasks = run_example("etl_chain.py")
    assert [(task.name, task.status) for task in tasks] == [
        ("Extract Data", "completed"),
        ("Transform Data", "completed"),
        ("Load Data", "completed"),
    ]
    extracted, transformed, loaded = tasks
    assert extracted.finished_at <= transformed.started_at
    assert transformed.finished_at <= loaded.started_at
    assert "5 rows loaded: 5 documents of 971 words" in printed


def test_etl_chain_hands_results_on_and_is_linked_to_the_run_that_ordered_it(
    run_example: RunExample, client: milepost.Client
):
    _, tasks = run_example("etl_chain.py")
    extracted, transformed, loaded = tasks
    assert transformed.input == {"documents": extracted.result}
    assert loaded.input["rows"] == transformed.result
    assert {client.runs.get(task.origin_run_id).run.name for task in tasks} == {"order-etl"}


def test_etl_chain_s_source_fails_once_and_is_tried_again(run_example: RunExample, client: milepost.Client):
    _, [extracted, *_] = run_example("etl_chain.py")
    second, first = client.tasks.list_runs(extracted).attempts
    assert (first.status, first.error_type, second.status) == ("failed", "ConnectionError", "completed")
    assert first.retry_at is not None
    assert second.leased_at >= first.retry_at


def test_nightly_schedule_makes_each_night_s_report_once(run_example: RunExample, client: milepost.Client):
    run_example("nightly_schedule.py")
    schedule = client.schedules.get("nightly-report")
    tasks = [task for task in client.tasks.list(schedule_id=schedule.id) if task.scheduled_for is not None]
    nights = [instant.nominal for instant in client.schedules.instants(schedule, status="backfilled")]
    assert len(nights) >= 2  # three, but for the days after a change of the clock
    assert sorted((task.scheduled_for, task.status) for task in tasks) == [(at, "completed") for at in sorted(nights)]


def test_nightly_schedule_run_again_makes_no_night_s_report_anew(run_example: RunExample, client: milepost.Client):
    run_example("nightly_schedule.py")
    _, [asked] = run_example("nightly_schedule.py")  # the schedule is there, and its nights are made up for
    assert (asked.status, asked.scheduled_for) == ("completed", None)
    schedule = client.schedules.get("nightly-report")
    assert (schedule.paused, schedule.paused_by) == (True, "the example")


def test_nightly_schedule_tells_what_clock_changes_do(run_example: RunExample):
    printed, _ = run_example("nightly_schedule.py")
    assert re.search(r"2027-03-28T03:00:00\+02:00  .*does not exist.*03:00", printed)
    assert re.search(r"2027-10-31T02:30:00\+02:00  .*twice.*first", printed)
    assert "2027-11-01T02:30:00+01:00\n" in printed


def test_resumed_task_goes_on_where_the_killed_worker_was(run_example: RunExample, client: milepost.Client):
    printed, [task] = run_example("resumed_task.py")
    second, first = client.tasks.list_runs(task).attempts
    assert (first.status, second.status, second.steps_reused) == ("lost", "completed", 1)
    assert (task.failures, task.losses) == (0, 1)
    pages = [checkpoint.state["page"] for checkpoint in client.tasks.checkpoints(task).checkpoints]
    assert pages == list(range(1, 20))  # by both attempts together, none twice
    assert "19 pages, 971 words, each counted once" in printed


def test_agent_asks_before_it_spends_and_does_what_was_approved(run_example: RunExample, client: milepost.Client):
    printed, [bought] = run_example("asks_first.py")
    assert bought.result == {"bought": 2, "usd": 78.0, "floor": 2, "approved by": "ann"}
    assert "asked: Buy 10 × lamp for 390.00 USD? (review)" in printed
    assert [attempt.status for attempt in client.tasks.list_runs(bought).attempts] == ["completed", "paused", "paused"]
    approval, question = sorted(client.asks.list(task_id=bought.id), key=lambda ask: ask.created_at)
    assert (approval.status, approval.edited_action["number"], approval.consumed_by) == ("approved", 2, 2)
    assert (question.status, question.answer.value["floor"], question.consumed_by) == ("answered", 2, 3)


def test_nightly_deliverables_hands_over_what_it_owes(run_example: RunExample, client: milepost.Client):
    printed, [task] = run_example("nightly_deliverables.py")
    assert "attempt 1 failed: MissingDeliverables: words.json: not attached" in printed
    assert (task.status, task.attempt) == ("completed", 2)
    assert [(one.name, one.type, one.version, one.attempt) for one in task.deliverables] == [
        ("report.md", "report", 1, 1),  # attached again by the second attempt, it was the same
        ("words.json", "data", 1, 2),
    ]
    assert [one.met for one in task.expected_deliverables] == [True, True]
    assert task.result["summary"] == "5 documents have 971 words."
    assert client.tasks.read(task, "report.md").startswith(b"# Words by document")
    (said,) = client.feedback.list(task=task)
    assert (said.rating, said.by) == (5, "a reader")


def test_github_s_webhook_makes_a_task_and_its_failure_another(run_example: RunExample, client: milepost.Client):
    printed, [triaged, looked] = run_example("github_triage.py")
    assert triaged.result == {"number": 7, "labels": ["bug"]}
    assert (triaged.type, triaged.created_by, triaged.description) == (
        "triggered", "trigger github-issues", "The report fails at night"
    )  # fmt: skip
    untitled = client.tasks.get(looked.input["task_id"])
    assert (untitled.status, untitled.error_message) == ("failed", "issue 9 has no title")
    assert looked.result == f"task {untitled.id} failed: issue 9 has no title"
    assert "delivered twice: accepted duplicate True" in printed
    assert "closed: filtered\nforged: 401\n" in printed
    counts = client.triggers.get("github-issues").counts
    assert (counts["accepted"], counts["duplicate"], counts["filtered"], counts["refused"]) == (2, 1, 1, 1)
