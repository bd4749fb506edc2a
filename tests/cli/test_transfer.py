"""Tasks from files and into files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sdk.client.samples import TASK

import milepost
from milepost.wire.tasks import Task, TaskCreate, TaskSettings
from milepost_collector.cli.taskfiles import LineError, definition_line, read_tasks, with_keys

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke

    from conftest import CollectorProcess

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
definitions = st.builds(
    TaskCreate,
    name=words,
    description=words | st.just(""),
    agent=st.none() | words,
    input=values,
    priority=st.sampled_from(["low", "medium", "high", "urgent"]),
    settings=st.builds(TaskSettings, max_retries=st.integers(0, 9), memory=st.booleans()),
    tags=st.lists(words, max_size=3),
    key=st.none() | words,
)


def as_task(made: TaskCreate) -> Task:
    """Return the task that is made of a definition."""
    fields = {
        name: getattr(made, name) for name in ("name", "description", "agent", "input", "priority", "tags", "key")
    }
    known = {name: getattr(TASK, name) for name in ("id", "type", "status", "agents", "created_at", "updated_at")}
    return Task(**known, **fields, settings=made.settings)


@given(made=st.lists(definitions, max_size=4))
def test_exported_definitions_are_read_as_what_they_were(made: list[TaskCreate]):
    lines = [definition_line(as_task(one)) for one in made]
    assert list(read_tasks(lines, "jsonl")) == made


@given(made=st.lists(definitions, max_size=6), again=st.integers(0, 3))
def test_keys_tell_equal_lines_apart_and_are_the_same_again(made: list[TaskCreate], again: int):
    lines = [definition_line(as_task(one)) for one in (made + made[:again])]
    keys = [
        [
            task.idempotency_key
            for task in with_keys(one for one in read_tasks(lines, "jsonl") if isinstance(one, TaskCreate))
        ]
        for _ in range(2)
    ]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == len(lines)


@given(
    lines=st.lists(st.text(st.characters(exclude_characters="\n\r"), max_size=30), max_size=4),
    kind=st.sampled_from(["jsonl", "csv"]),
)
def test_any_line_is_a_task_or_an_error_with_its_number(lines: list[str], kind: Any):
    for found in read_tasks([f"{line}\n" for line in lines], kind):
        assert isinstance(found, TaskCreate) or 1 <= found.line <= len(lines)


def test_columns_of_csv_are_fields():
    text = (
        "name,agent,tags,input.city,input.limit:json,settings.max_retries,priority\n"
        'fetch,amy,"a; b",007,3,5,high\n'
        "\n"
        "fetch,,,Bern,,,\n"
    )
    first, second = read_tasks(io.StringIO(text), "csv")
    assert first == TaskCreate(name="fetch", agent="amy", tags=["a", "b"], input={"city": "007", "limit": 3},
                               settings=TaskSettings(max_retries=5), priority="high")  # fmt: skip
    assert second == TaskCreate(name="fetch", input={"city": "Bern"})


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ('{"name": "a"}\n{"colour": "b"}', "jsonl", "line 2: Object contains unknown field `colour`"),
        ('{"name": ', "jsonl", "line 1: it is not JSON"),
        ("name,agent\na,b\na", "csv", "line 3: it has 1 cells, and the header 2"),
        ("name,input.n:json\na,{", "csv", "line 2: input.n:json '{' is not JSON"),
        ("name,priority\na,soon", "csv", "line 2: Invalid enum value 'soon' - at `$.priority`"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, kind: Any, said: str):
    [error] = [found for found in read_tasks(io.StringIO(text), kind) if isinstance(found, LineError)]
    assert said in str(error)


def test_file_is_imported_once_and_exported(invoke: Invoke, collector: CollectorProcess, tmp_path: Path):
    path = tmp_path / "tasks.csv"
    path.write_text("name,tags,input.n:json\n" + "".join(f"count,from-file,{n}\n" for n in range(1_203)))
    assert "1203 tasks can be made" in invoke("task", "import", str(path), "--dry-run").stdout
    made = invoke("task", "import", str(path)).stdout.split()
    assert len(set(made)) == 1_203
    assert invoke("task", "import", str(path)).stdout.split() == made
    once_more = tmp_path / "one.csv"
    once_more.write_text("name,tags\nagain,twice\n")
    told = [invoke("task", "import", str(once_more), "--again") for _ in range(2)]
    assert told[0].stdout != told[1].stdout
    assert all(one.stderr.startswith("1 task of batch ") for one in told)
    with milepost.Client(endpoint=collector.url) as client:
        assert client.tasks.count("status", tag="from-file").total == 1_203
        assert client.tasks.get(made[7]).input == {"n": 7}
    out = tmp_path / "out.csv"
    invoke("task", "export", "--tag", "from-file", "-o", str(out), "--limit", "5")
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [(row["name"], row["status"], row["tags"]) for row in rows] == [("count", "pending", "from-file")] * 5
    whole = invoke("task", "export", "--tag", "from-file", "--definitions", "--limit", "3").stdout
    assert sorted(json.loads(line)["input"]["n"] for line in whole.splitlines()) == [1_200, 1_201, 1_202]


def test_file_with_errors_makes_nothing(invoke: Invoke, collector: CollectorProcess, tmp_path: Path):
    path = tmp_path / "tasks.jsonl"
    path.write_text('{"name": "half", "tags": ["half"]}\n{"name": 7}\n')
    refused = invoke("task", "import", str(path), code=1)
    assert "nothing was made, 1 line cannot be read:" in refused.stderr
    assert "line 2: Expected `str`, got `int`" in refused.stderr
    with milepost.Client(endpoint=collector.url) as client:
        assert list(client.tasks.list(tag="half")) == []
    assert "cannot be read" in invoke("task", "import", str(tmp_path / "nothing.jsonl"), code=1).stderr
