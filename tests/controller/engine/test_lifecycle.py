"""The transition table itself, and that commands keep to it."""

from __future__ import annotations

import pytest

from milepost.wire.tasks import FINISHED_STATUSES, TASK_STATUSES
from milepost_collector.controller.lifecycle import (
    COMMANDS,
    TRANSITIONS,
    diagram,
    is_finished,
    is_legal,
    legal_commands,
)
from milepost_collector.errors import ConflictError
from tests.controller.engine.house import House, Worker

ARROWS = [
    (status, event, target)
    for status, events in TRANSITIONS.items()
    for event, targets in events.items()
    for target in targets
]
EVENT_OF = {
    "run": "reopened", "retry": "reopened", "cancel": "cancelled", "pause": "paused", "resume": "resumed",
    "complete": "completed",
}  # fmt: skip


def test_every_status_is_reachable() -> None:
    reached: set[str | None] = {None}
    while more := {target for source, _, target in ARROWS if source in reached} - reached:
        reached |= more
    assert reached == {None, *TASK_STATUSES}


def test_every_open_status_leads_to_every_end() -> None:
    reaching = {status: {status} for status in FINISHED_STATUSES}
    for status, sources in reaching.items():
        while more := {source for source, _, target in ARROWS if target in sources and source} - sources:
            sources |= more
        assert sources == set(TASK_STATUSES), status


@pytest.mark.parametrize("status", FINISHED_STATUSES)
def test_finished_status_is_left_only_by_being_opened_again(status: str) -> None:
    assert set(TRANSITIONS[status]) == {"reopened"}
    assert is_finished(status)


def test_targets_are_statuses_and_sources_are_all_of_them() -> None:
    assert set(TRANSITIONS) == {None, *TASK_STATUSES}
    assert {target for _, _, target in ARROWS} == set(TASK_STATUSES)


@pytest.mark.parametrize("command", EVENT_OF)
def test_command_is_legal_where_the_table_has_its_event(command: str) -> None:
    for status in COMMANDS[command]:  # type: ignore[index]
        events = TRANSITIONS[status]
        taken_back = command == "resume" and "paused" in events  # a pause that was asked for
        assert EVENT_OF[command] in events or taken_back, status


def test_legal_commands_are_those_of_the_status() -> None:
    assert legal_commands("completed") == ["run", "delete"]
    assert legal_commands("in_progress") == ["update", "cancel", "pause", "resume", "redirect", "complete"]


def test_transition_that_is_not_in_the_table_is_not_legal() -> None:
    assert is_legal("pending", "leased", "assigned")
    assert not is_legal("completed", "leased", "assigned")
    assert not is_legal("pending", "leased", "completed")


def test_diagram_has_every_arrow_between_two_statuses() -> None:
    lines = diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    for source, event, target in ARROWS:
        if source != target:
            (line,) = [line for line in lines if line.startswith(f"    {source or '[*]'} --> {target}: ")]
            assert event in line.partition(": ")[2].split(", ")
    assert {f"    {status} --> [*]" for status in FINISHED_STATUSES} <= set(lines)


def test_illegal_command_says_what_is_legal(house: House, worker: Worker) -> None:
    made = house.create()
    worker.complete(worker.take())
    with pytest.raises(ConflictError, match="is completed: pause is not possible; possible now: run, delete") as caught:
        house.pause(made)
    assert caught.value.legal == ["run", "delete"]
    assert house.events(made)[-1] == "completed"
