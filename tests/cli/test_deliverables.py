"""`milepost task deliverables|attach|collect` against a real collector."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import milepost
from milepost_collector.cli.deliverables import size_text

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke, Milepost

    from conftest import CollectorProcess


@pytest.fixture
def task(invoke: Invoke) -> str:
    """Return the id of a task that is to hand over a report and a presentation."""
    made = invoke("task", "create", "Analyze Q4 revenue", "--agent", "nobody", "--deliverables", "report,presentation")
    assert made.exit_code == 0, made.output
    return made.stdout.split()[0]


def test_what_is_attached_is_listed_and_saved(invoke: Invoke, task: str, tmp_path: Path) -> None:
    """With what is missing still, and whole."""
    report, sums = tmp_path / "revenue.md", tmp_path / "sums.csv"
    report.write_text("# Revenue\n")
    sums.write_bytes(b"1,2\n" * 100_000)
    assert "revenue.md, version 1, 10 bytes" in invoke("task", "attach", task, str(report), "--type", "report").output
    invoke("task", "attach", task, str(sums))
    shown = invoke("task", "deliverables", task).output
    assert "revenue.md" in shown
    assert "400.0 kB" in shown
    assert "missing: type presentation: not attached" in shown
    assert "missing: type report" not in shown
    whole = invoke("task", "get", task).output
    assert "revenue.md v1 (report), sums.csv v1 (file)" in whole
    saved = invoke("task", "deliverables", task, "--download", str(tmp_path / "out" / "here"))
    assert saved.exit_code == 0, saved.output
    assert (tmp_path / "out" / "here" / "sums.csv").read_bytes() == sums.read_bytes()
    assert saved.stdout.split() == [str(tmp_path / "out" / "here" / name) for name in ("revenue.md", "sums.csv")]


def test_versions_can_be_chosen(invoke: Invoke, task: str, tmp_path: Path) -> None:
    """By name and number."""
    file = tmp_path / "a.txt"
    for text in ("one", "two"):
        file.write_text(text)
        invoke("task", "attach", task, str(file), "--name", "b.txt")
    listed = json.loads(invoke("task", "deliverables", task, "--all", "--json").stdout)
    assert [one["version"] for one in listed["deliverables"]] == [2, 1]
    out = ("--download", str(tmp_path))
    invoke("task", "deliverables", task, *out, "--name", "b.txt")
    assert (tmp_path / "b.txt").read_text() == "two"
    invoke("task", "deliverables", task, *out, "--name", "b.txt", "--version", "1")
    assert (tmp_path / "b.txt").read_text() == "one"
    assert "there is: b.txt" in invoke("task", "deliverables", task, *out, "--name", "none", code=1).output
    invoke("task", "deliverables", task, "--version", "1", code=2)


def test_a_result_is_shown_with_what_it_says(invoke: Invoke, task: str, collector: CollectorProcess) -> None:
    """Summary, insights and recommendations in lines of their own."""
    with milepost.Client(endpoint=collector.url) as client:
        result = milepost.Result({"usd": 3}, summary="It grew.", insights=["services"], recommendations=["more"])
        client.tasks.complete(task, result=result)
    lines = [line.split(maxsplit=1) for line in invoke("task", "get", task).stdout.splitlines()]
    for line in (["summary", "It grew."], ["insight", "services"], ["recommendation", "more"], ["result", '{"usd":3}']):
        assert line in [[part.strip() for part in one] for one in lines]


def test_garbage_is_collected_on_demand(invoke: Invoke, task: str) -> None:
    """What is new stays."""
    assert "0 contents and 0 leftovers removed" in invoke("task", "collect").output


def test_commands_have_examples(command: Milepost) -> None:
    """In a process, as a user sees them."""
    for name in ("deliverables", "attach", "collect"):
        assert "Examples:" in command("task", name, "--help").stdout


@pytest.mark.parametrize(("size", "text"), [(0, "0 bytes"), (1, "1 byte"), (1_234, "1.2 kB"), (5 * 10**9, "5.0 GB")])
def test_sizes_are_written_for_people(size: int, text: str) -> None:
    """In powers of a thousand."""
    assert size_text(size) == text
