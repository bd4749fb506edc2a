"""Tasks from files and into files."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.sdk.client.samples import TASK

import milepost
from milepost.wire.budgets import Amounts, Budget, BudgetLimits, TaskBudget
from milepost.wire.deliverables import ExpectedDeliverable, ExpectedState
from milepost.wire.tasks import Fallback, Need, Task, TaskCreate, TaskSettings
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
    deliverables=st.lists(
        st.builds(
            ExpectedDeliverable,
            type=st.none() | st.sampled_from(["report", "data"]),
            name=st.sampled_from(["q4.pdf", "table.csv"]),
            required=st.booleans(),
            content_types=st.lists(st.sampled_from(["image/*", "text/csv"]), max_size=2, unique=True).map(tuple),
            max_bytes=st.none() | st.integers(1, 10**12),
        ),
        max_size=3,
    ),
    needs=st.lists(st.builds(Need, what=words, weight=st.none() | st.just(2.0)), max_size=2),
    fallback=st.none() | st.builds(Fallback, team=words, after_failures=st.integers(1, 9)),
    budget=st.none() | st.builds(TaskBudget, usd=st.floats(0, 100), soft=st.sampled_from([0.5, 0.8])),
)


def budget(scope: Any, value: str, definition: TaskBudget) -> Budget:
    """Return a budget that a task draws on."""
    limits, none, now = BudgetLimits(usd=definition.usd), Amounts(), datetime.now(UTC)
    return Budget(
        id="b", scope=scope, value=value, per="total", zone="UTC", definition=definition, limits=limits,
        soft_limits=limits, raised=BudgetLimits(), used=none, reserved=none, state="open",
        grace_ms=definition.grace_ms, finish=definition.finish, created_at=now, updated_at=now,
    )  # fmt: skip


def as_task(made: TaskCreate) -> Task:
    """Return the task that is made of a definition."""
    fields = {
        name: getattr(made, name) for name in ("name", "description", "agent", "input", "priority", "tags", "key")
    }
    fields |= {"needs": made.needs, "fallback": made.fallback}
    met = [ExpectedState(met=False, problem="not attached", **structs.asdict(one)) for one in made.deliverables]
    budgets = [budget("project", "*", TaskBudget(usd=1_000)), budget("task", "parent", TaskBudget(usd=9))]
    budgets += [budget("task", TASK.id, made.budget)] if made.budget else []
    known = {name: getattr(TASK, name) for name in ("id", "type", "status", "agents", "created_at", "updated_at")}
    return Task(**known, **fields, settings=made.settings, expected_deliverables=met, budgets=budgets)


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


def test_what_is_expected_of_a_task_is_exported_and_imported(
    invoke: Invoke, collector: CollectorProcess, tmp_path: Path
):
    with milepost.Client(endpoint=collector.url) as client:
        table = {"name": "q4.csv", "content_types": ["text/csv"], "max_bytes": 1_000, "required": False}
        needs, limits = ["sql", {"what": "region=eu", "weight": 2}], {"usd": 3, "tokens": 9}
        made = client.tasks.create(
            "hand over", tags=["out"], deliverables=["report", table], needs=needs, budget=limits
        )
        out = tmp_path / "out.jsonl"
        invoke("task", "export", "--tag", "out", "--definitions", "-o", str(out))
        (again,) = invoke("task", "import", str(out)).stdout.split()
        before, after = client.tasks.get(made), client.tasks.get(again)
        assert before.id != after.id
        assert (after.expected_deliverables, after.needs) == (before.expected_deliverables, before.needs)
        assert after.expected_deliverables[1].content_types == ("text/csv",)
        assert [one.definition for one in after.budgets] == [one.definition for one in before.budgets] != []


def test_file_with_errors_makes_nothing(invoke: Invoke, collector: CollectorProcess, tmp_path: Path):
    path = tmp_path / "tasks.jsonl"
    path.write_text('{"name": "half", "tags": ["half"]}\n{"name": 7}\n')
    refused = invoke("task", "import", str(path), code=1)
    assert "nothing was made, 1 line cannot be read:" in refused.stderr
    assert "line 2: Expected `str`, got `int`" in refused.stderr
    with milepost.Client(endpoint=collector.url) as client:
        assert list(client.tasks.list(tag="half")) == []
    assert "cannot be read" in invoke("task", "import", str(tmp_path / "nothing.jsonl"), code=1).stderr
