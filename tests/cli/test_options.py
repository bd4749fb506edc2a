"""What people may type for times, lengths of time and settings; and lists that fit the terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text
from tests.sdk.client.samples import TASK

from milepost_collector.cli.layout import fitted
from milepost_collector.cli.options import Assignment, duration_of, moment_of
from milepost_collector.cli.task_tables import relative
from milepost_collector.cli.watch import board, line, poll_delay_s

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("250ms", 250), ("1.5s", 1500), ("5m", 300_000), ("2h", 7_200_000), ("1w", 604_800_000)]
)
def test_lengths_of_time_have_a_unit(text: str, milliseconds: int):
    assert duration_of(text) == timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 m", "1e3s"])
def test_other_texts_are_no_length_of_time(text: str):
    assert duration_of(text) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("+30m", NOW + timedelta(minutes=30)),
        ("now-24h", NOW - timedelta(days=1)),
        ("2026-12-31", datetime(2026, 12, 31, tzinfo=UTC)),
        ("2026-12-31T12:00:00+02:00", datetime(2026, 12, 31, 10, tzinfo=UTC)),
    ],
)
def test_times_are_absolute_or_relative(text: str, moment: datetime):
    assert moment_of(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "tomorrow", "+5", "now+x", "2026-13-01"])
def test_other_texts_are_no_time(text: str):
    with pytest.raises(ValueError):
        moment_of(text, NOW)


@pytest.mark.parametrize(("text", "value"), [("a=1", 1), ("a=true", True), ("a=fixed", "fixed"), ('a="1"', "1")])
def test_settings_are_json_or_text(text: str, value: object):
    assert Assignment().convert(text, None, None) == ("a", value)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "0 s ago"), (-59, "59 s ago"), (300, "in 5 min"), (-7200, "2 h ago"), (90_000, "2026-11-22 13:00")],
)
def test_times_are_written_relative_within_a_day(seconds: int, written: str):
    assert relative(NOW + timedelta(seconds=seconds), NOW) == written


@given(st.lists(st.tuples(st.text("aä漢", max_size=30), st.text("ab", max_size=300)), max_size=4), st.integers(40, 200))
def test_lists_fit_the_terminal(rows: list[tuple[str, str]], width: int):
    console = Console(width=width, record=True, file=None, quiet=True)
    table = fitted(("name", "what about it"), [[Text(name), Text(about)] for name, about in rows], width)
    assert console.measure(table).maximum <= max(width, 90)


def test_board_shows_running_tasks_first_and_counts_the_rest():
    finished = msgspec.structs.replace(TASK, id="finished", status="completed")
    running = msgspec.structs.replace(TASK, id="running1", status="in_progress", progress=0.25, phase="page 1")
    console = Console(width=120)
    with console.capture() as captured:
        console.print(board([finished, running], NOW, rows=1))
    shown = captured.get()
    assert "running1" in shown
    assert "25%" in shown
    assert "finished (1 completed)" in shown
    assert "… and 1 more" in shown


def test_line_says_status_attempt_progress_and_phase():
    running = msgspec.structs.replace(TASK, status="in_progress", attempt=2, progress=0.5, phase="a\x1b[31m")
    assert line(running) == "t-1  Extract  in_progress  attempt 2  50%  a�[31m · by any"


@given(st.integers(1, 100_000))
def test_watching_many_tasks_asks_less_often(count: int):
    assert 0.25 <= poll_delay_s(count) <= 2.0
    assert poll_delay_s(count) <= poll_delay_s(count + 1)
