"""What tasks used: the same sums as those of their runs, wherever the runs' spans lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from milepost.wire import SpanBase, WireEvent
from milepost_collector.traces.queries import RunIndex, TaskUsage, read_only, usage_of_tasks
from tests.collector.managed.facts import House
from tests.collector.managed.test_views import OTHER_RUN, RUN, spend
from tests.collector.queries.stories import Recorder, recorder, runs

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

TASKS = ["t0", "t1", "t2"]
EXPECTED = """
SELECT task_id, attempt, sum(input_tokens)::BIGINT, sum(output_tokens)::BIGINT, sum(cost_usd)
FROM runs WHERE task_id IS NOT NULL GROUP BY ALL ORDER BY ALL
"""
# What says the same call twice is only found in what OpenTelemetry sends; here it is any third span.
LEAVE_OUT = """
INSERT INTO uncounted
SELECT run_id, span_id, NULL, 'repeats', start_time, 1, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, reasoning_tokens, cost_usd, 0
FROM spans WHERE ('0x' || span_id)::UBIGINT % 3 = 0 AND input_tokens IS NOT NULL
"""


def as_attempt(event: WireEvent) -> WireEvent:
    """Return a root span as that of an attempt; most runs are attempts of one of three tasks."""
    assert isinstance(event, SpanBase)
    number = int(event.span_id, 16) // 100
    if event.parent_span_id is not None or number % 4 == 3:
        return event
    return msgspec.structs.replace(event, task_id=TASKS[number % 4], attempt=number // 4 + 1)


def expected(made: Recorder) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in made.store.rows(EXPECTED)]


def flat(found: dict[str, TaskUsage]) -> list[tuple[Any, ...]]:
    return [
        (task_id, number, used.input_tokens, used.output_tokens, used.cost_usd)
        for task_id, of_task in sorted(found.items())
        for number, used in sorted(of_task.attempts.items())
    ]


def close_to(rows: list[tuple[Any, ...]]) -> list[Any]:
    """Sums of costs differ in their last digits with the order of adding."""
    return [(*row[:-1], row[-1] if row[-1] is None else pytest.approx(row[-1])) for row in rows]


@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    events=runs(0, 12).map(lambda drawn: [as_attempt(event) for event in drawn]),
    arrival=st.fixed_dictionaries({"batch_size": st.integers(1, 20), "sum_up_every": st.integers(1, 6)}),
    with_index=st.booleans(),
    left_out=st.booleans(),
)
def test_attempts_used_what_their_runs_say(
    tmp_path: Path, events: list[WireEvent], arrival: dict[str, int], with_index: bool, left_out: bool
) -> None:
    with recorder(tmp_path) as made:
        made.record(events, **arrival)
        if left_out:
            made.store.database.writer.execute(LEAVE_OUT)
        with made.store.database.reader() as connection, read_only(connection):
            found = usage_of_tasks(connection, TASKS, RunIndex() if with_index else None)
        assert flat(found) == close_to(expected(made))


async def test_task_used_what_all_its_attempts_did(house: House) -> None:
    await spend(house, RUN, 1, 0.25)
    await spend(house, OTHER_RUN, 2, 0.5)
    with house.database.reader() as connection, read_only(connection):
        assert usage_of_tasks(connection, []) == {}
        found = usage_of_tasks(connection, ["t1", "t2"])
    assert found.keys() == {"t1"}
    assert (found["t1"].input_tokens, found["t1"].output_tokens, found["t1"].cost_usd) == (200, 20, 0.75)
    assert found["t1"].attempts[2].cost_usd == 0.5


async def test_run_says_which_attempt_it_is(house: House) -> None:
    await spend(house, RUN, 3, 0.25)
    assert house.rows("SELECT task_id, attempt FROM runs") == [("t1", 3)]
