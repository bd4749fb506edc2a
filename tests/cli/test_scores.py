"""`milepost score` and `milepost feedback`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import milepost

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke

    from conftest import CollectorProcess


def test_score_is_kept(invoke: Invoke, recorded: dict[str, str], collector: CollectorProcess):
    done = invoke("score", recorded["good"][:12], "relevance", "0.9", "--explanation", "to the point", "--by", "ann")
    rows = collector.sql('SELECT score_id, run_id, value, source, explanation, "by" FROM scores')
    assert rows == [[done.stdout.strip(), recorded["good"], 0.9, "human", "to the point", "ann"]]


def test_feedback_is_kept(invoke: Invoke, recorded: dict[str, str]):
    said = ("--rating", "2", "--issue", "slow", "--issue", "no sources", "--by", "ann", "--json")
    kept = json.loads(invoke("feedback", recorded["bad"], *said).stdout)
    assert (kept["run_id"], kept["rating"], kept["issues"]) == (recorded["bad"], 2, ["slow", "no sources"])


def test_feedback_on_a_task_is_kept(invoke: Invoke, collector: CollectorProcess):
    with milepost.Client(endpoint=collector.url) as client:
        task = client.tasks.create("judge me")
        kept = json.loads(invoke("task", "feedback", task.id, "--rating", "5", "--text", "fine", "--json").stdout)
        assert kept["task_id"] == task.id
        assert [one.text for one in client.feedback.list(task=task)] == ["fine"]


def test_nothing_said_is_told(invoke: Invoke, recorded: dict[str, str]):
    assert "give --rating, --text or --issue" in invoke("feedback", recorded["good"], code=2).stderr
    assert "give a value, a label or both" in invoke("score", recorded["good"], "tone", code=1).stderr
