"""A task's page: its attempts in one timeline, what they saved, what it waits for, what was asked of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.controlled import Controlled, confirm
from tests.browser.pages import EPOCH_NS, ended

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
OpenTask = Callable[[str], Page]
SendEvents = Callable[..., None]


@pytest.fixture
def open_task(collector: CollectorProcess, open_page: OpenPage) -> OpenTask:
    return lambda task_id: open_page(f"{collector.url}/tasks/{task_id}")


def section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def attempt(page: Page, number: int) -> Locator:
    row = section(page, "Attempts").get_by_role("listitem")
    return row.filter(has=page.get_by_role("link", name=f"Run of attempt {number}", exact=True))


def test_attempts_stand_side_by_side_and_lead_to_their_runs(controlled: Controlled, open_task: OpenTask) -> None:
    settings = {"retry_delay_ms": 0, "jitter": 0}
    task_id = controlled.create("Tried Twice", agent="twice-agent", settings=settings)
    worker = controlled.worker("twice-agent")
    worker.take(task_id)
    worker.fail(task_id, "ConnectionError", "refused", error_stack="Traceback: here")
    lease = worker.take(task_id)
    page = open_task(task_id)
    expect(attempt(page, 1)).to_contain_text("failed")
    expect(attempt(page, 1)).to_contain_text("ConnectionError")
    expect(attempt(page, 2)).to_contain_text("running")
    attempt(page, 1).get_by_role("button").click()
    expect(attempt(page, 1)).to_contain_text("Traceback: here")
    bar = page.get_by_role("link", name="Run of attempt 2", exact=True)
    expect(bar).to_have_attribute("href", f"runs/{lease['run_id']}")
    worker.report(task_id, "completed", result={"pages": 3})
    expect(attempt(page, 2)).to_contain_text("completed")
    expect(section(page, "Result")).to_contain_text("pages")


def test_progress_and_phase_move_while_it_runs(controlled: Controlled, open_task: OpenTask) -> None:
    task_id = controlled.create("Moving", agent="moving-agent")
    page = open_task(task_id)
    expect(page.get_by_text("no worker of agent moving-agent is polling")).to_be_visible()
    worker = controlled.worker("moving-agent")
    worker.take(task_id)
    for part, phase in ((0.25, "reading"), (0.75, "writing")):
        worker.report(task_id, "progress", progress=part, phase=phase)
        expect(page.get_by_role("progressbar", name="Progress")).to_have_attribute(
            "aria-valuenow", str(int(part * 100))
        )
        expect(page.locator(".phase")).to_have_text(phase)


def test_lost_worker_is_told_and_the_next_try_shown(controlled: Controlled, open_task: OpenTask) -> None:
    task_id = controlled.create("Orphaned", agent="mortal-agent", settings={"heartbeat_ms": 1000})
    controlled.worker("mortal-agent").take(task_id)
    page = open_task(task_id)
    expect(attempt(page, 1)).to_contain_text("lost")
    expect(section(page, "Attempts")).to_contain_text("next")
    expect(page.locator(".bar.lost").first).to_be_visible()
    expect(section(page, "History")).to_contain_text("requeued")


def test_checkpoints_fold_and_steps_tell_who_reused_them(controlled: Controlled, open_task: OpenTask) -> None:
    task_id = controlled.create("Remembering", agent="memory-agent", settings={"retry_delay_ms": 0, "jitter": 0})
    worker = controlled.worker("memory-agent")
    worker.take(task_id)
    worker.report(task_id, "checkpoint", sequence=1, state={"row": 4000}, name="after part 1")
    worker.report(task_id, "step", name="read rates", input_digest="ab12", result={"eur": 1.08})
    worker.fail(task_id, "ValueError", "torn")
    worker.take(task_id)
    worker.report(task_id, "step_reused", name="read rates", input_digest="ab12")
    page = open_task(task_id)
    expect(section(page, "Steps")).to_contain_text("reused by attempt 2")
    checkpoint = section(page, "Checkpoints").get_by_role("button", name=re.compile("after part 1"))
    expect(checkpoint).to_have_attribute("aria-expanded", "false")
    checkpoint.click()
    expect(section(page, "Checkpoints")).to_contain_text("4000")


def test_failed_task_resumes_from_the_checkpoint_that_was_chosen(controlled: Controlled, open_task: OpenTask) -> None:
    task_id = controlled.create("Rewound", agent="rewinding-agent", settings={"max_retries": 0})
    worker = controlled.worker("rewinding-agent")
    worker.take(task_id)
    for sequence in (1, 2):
        worker.report(task_id, "checkpoint", sequence=sequence, state={"page": sequence}, name=f"page {sequence}")
    page = open_task(task_id)
    first = section(page, "Checkpoints").get_by_role("button", name=re.compile("page 1"))
    first.click()
    expect(page.get_by_role("button", name="Resume from here")).to_have_count(0)  # it runs
    worker.fail(task_id, "ValueError", "torn")
    page.get_by_role("button", name="Resume from here").click()
    dialog = page.get_by_role("dialog", name="Retry “Rewound”?")
    expect(dialog.get_by_role("combobox", name="From where")).to_have_value("1")
    dialog.get_by_role("button", name="Retry").click()
    lease = worker.take(task_id)
    assert lease["checkpoint"] == {"page": 1}
    expect(section(page, "Checkpoints")).to_contain_text("attempt 1 again")


def test_run_resumes_from_its_own_checkpoint_and_says_where_it_cannot(
    collector: CollectorProcess, controlled: Controlled, send: SendEvents, open_page: OpenPage
) -> None:
    task_id = controlled.create("Wound back", agent="winding-agent", settings={"max_retries": 0})
    worker = controlled.worker("winding-agent")
    run_id, span_id = worker.take(task_id)["run_id"], "00000000000000b1"
    saved = [("first", {"page": 1}), ("own", {"draft": True}), ("second", {"page": 2})]
    for sequence, (name, state) in enumerate((saved[0], saved[2]), start=1):
        worker.report(task_id, "checkpoint", sequence=sequence, state=state, name=name)
    send(
        ended(run_id, span_id, 0, 9000, name="wound back", kind="agent", status="failed", task_id=task_id, attempt=1),
        *(
            {"type": "event", "run_id": run_id, "span_id": span_id, "time": EPOCH_NS + at * 1_000_000_000}
            | {"kind": "checkpoint", "name": name, "body": state}
            for at, (name, state) in enumerate(saved, start=1)
        ),
    )
    page = open_page(f"{collector.url}/runs/{run_id}?tab=checkpoints")
    panel = page.get_by_role("tabpanel")
    expect(panel).to_contain_text("The task is in progress. It can resume from a checkpoint once it is paused, failed")
    expect(panel.get_by_role("button", name="Resume")).to_have_count(0)
    worker.fail(task_id, "ValueError", "torn")
    page.reload()
    own = panel.get_by_role("listitem").filter(has_text="own")
    expect(own).to_contain_text("not kept")
    panel.get_by_role("button", name="Resume from second").press("Enter")
    dialog = page.get_by_role("dialog", name="Retry “Wound back”?")
    expect(dialog.get_by_role("combobox", name="From where")).to_have_value("2")
    page.keyboard.press("Escape")
    panel.get_by_role("button", name="Resume from first").click()
    dialog.get_by_role("button", name="Retry").click()
    expect(panel).to_contain_text("The task is pending")
    assert worker.take(task_id)["checkpoint"] == {"page": 1}


def test_dependencies_are_drawn_with_their_statuses_and_lead_there(controlled: Controlled, open_task: OpenTask) -> None:
    first = controlled.create("Graph Extract", agent="nobody")
    middle = controlled.create(
        "Graph Transform", agent="nobody", dependencies=[{"task_id": first, "output_as": "rows"}]
    )
    controlled.create("Graph Load", agent="nobody", dependencies=[middle])
    page = open_task(middle)
    drawing = section(page, "Dependencies")
    boxes = [drawing.get_by_role("link", name=name).bounding_box() for name in ("Extract", "Transform", "Load")]
    assert [box["x"] for box in boxes if box] == sorted({box["x"] for box in boxes if box})
    expect(drawing).to_contain_text("rows")
    controlled.post(f"/api/tasks/{first}/cancel")
    expect(drawing.get_by_role("link", name="Graph Extract")).to_contain_text("cancelled")
    drawing.get_by_role("link", name="Graph Load").click()
    expect(page.get_by_role("heading", name="Graph Load", level=1)).to_be_visible()


def test_pause_resume_and_cancel_by_keys(controlled: Controlled, open_task: OpenTask) -> None:
    task_id = controlled.create("Steered", agent="nobody")
    page = open_task(task_id)
    expect(page.get_by_role("heading", name="Steered")).to_be_visible()
    for keys, question, status in (
        ("Shift+H", "Pause “Steered”?", "paused"),
        ("Shift+H", "Resume “Steered”?", "pending"),
        ("Shift+C", "Cancel “Steered”?", "cancelled"),
        ("Shift+R", "Retry “Steered”?", "pending"),
    ):
        page.keyboard.press(keys)
        expect(page.get_by_role("dialog", name=question)).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.locator("main header .status")).to_have_text(status)


def test_refusal_says_what_is_possible_instead(controlled: Controlled, open_task: OpenTask) -> None:
    task_id = controlled.create("Raced", agent="raced-agent")
    page = open_task(task_id)
    page.get_by_role("toolbar", name="Actions").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog", name="Delete “Raced”?")).to_be_visible()
    controlled.worker("raced-agent").take(task_id)
    confirm(page, "Delete")
    expect(page.get_by_role("dialog")).to_contain_text("What it takes now: update, cancel, pause, resume")
    page.get_by_role("button", name="Keep as it is").click()
    expect(page.locator("main header .status")).to_have_text("in progress")


def test_definition_shows_settings_and_origin(
    collector: CollectorProcess, client: Client, controlled: Controlled, open_task: OpenTask
) -> None:
    with client.start_run("asks for more") as run:
        traceparent = f"00-{run.run_id}-{'b' * 16}-01"
        fields = {"priority": "urgent", "input": {"path": "a.pdf"}, "context": {"tenant": "acme"}}
        task_id = controlled.create(
            "Asked For", agent="nobody", settings={"timeout_ms": 300_000}, traceparent=traceparent, **fields
        )
    client.flush()
    page = open_task(task_id)
    definition = page.get_by_role("complementary", name="Definition")
    for text in ("a.pdf", "acme", "urgent", "5 min"):
        expect(definition).to_contain_text(text)
    definition.get_by_role("link", name=re.compile("^run ")).click()
    expect(page.get_by_role("heading", name="asks for more", level=1)).to_be_visible()
    created = section(page, "Tasks it created")
    expect(created.get_by_role("link", name="Asked For")).to_be_visible()


def test_run_names_the_task_that_it_is_an_attempt_of(
    collector: CollectorProcess, controlled: Controlled, send: Callable[..., None], open_page: OpenPage
) -> None:
    task_id = controlled.create("Has Runs", agent="runs-agent")
    worker = controlled.worker("runs-agent")
    lease = worker.take(task_id)
    send(ended(lease["run_id"], "c" * 16, 0, 1_000, name="Has Runs", kind="agent", task_id=task_id, attempt=1))
    page = open_page(f"{collector.url}/runs/{lease['run_id']}")
    attempt = page.locator("[data-attempt-of]")
    expect(attempt).to_contain_text("Attempt 1 of task Has Runs")
    expect(attempt.locator(".status")).to_have_text("in progress")
    attempt.get_by_role("button", name="Actions for Has Runs").click()
    page.get_by_role("menuitem", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-outcome]")).to_contain_text("Has Runs is being cancelled")
    attempt.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Has Runs", level=1)).to_be_visible()


def test_cost_of_spans_that_come_after_the_end_is_shown(
    controlled: Controlled, send: Callable[..., None], open_task: OpenTask
) -> None:
    task_id = controlled.create("Costly", agent="costly-agent")
    worker = controlled.worker("costly-agent")
    lease = worker.take(task_id)
    page = open_task(task_id)
    worker.report(task_id, "completed", result=1)
    expect(page.locator("main header .status")).to_have_text("completed")
    span = ended(lease["run_id"], "d" * 16, 0, 10, name="Costly", kind="agent", task_id=task_id, attempt=1)
    send({**span, "usage": [{"model": "some-model", "input_tokens": 800, "output_tokens": 90, "cost_usd": 0.25}]})
    expect(page.locator("main header")).to_contain_text("$0.2500")


def test_unknown_task_names_itself(open_task: OpenTask) -> None:
    page = open_task("no-such-task")
    expect(page.get_by_role("heading", name="No such task")).to_be_visible()
    expect(page.locator("main")).to_contain_text("no-such-task")


def test_hostile_text_stays_text(controlled: Controlled, open_task: OpenTask) -> None:
    name = "<img src=x onerror=alert(1)>"
    task_id = controlled.create(
        name, agent="nobody", description="[x](javascript:alert(1))", input={name: name}, tags=[name]
    )
    page = open_task(task_id)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator("main img")).to_have_count(0)
