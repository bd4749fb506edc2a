"""People step in from a task's page: they edit what it is given, give it to somebody else, and complete it by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.controlled import Controlled, confirm, task_row

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
OpenTask = Callable[[str], Page]

PATIENT = {"heartbeat_ms": 600_000, "cancel_grace_ms": 600_000}  # the worker is the test, which takes its time


@pytest.fixture
def open_task(collector: CollectorProcess, open_page: OpenPage) -> OpenTask:
    return lambda task_id: open_page(f"{collector.url}/tasks/{task_id}")


def step_in(page: Page, what: str) -> Locator:
    """Choose something of the menu and return the dialog."""
    page.get_by_role("button", name="Step in").click()
    page.get_by_role("menuitem", name=what).click()
    return page.get_by_role("dialog")


def history(page: Page) -> Locator:
    return page.get_by_role("region", name="History", exact=True)


def test_running_task_is_edited_and_goes_on_with_the_change(controlled: Controlled, open_task: OpenTask) -> None:
    exact = 9007199254740993
    task_id = controlled.create("Edited", agent="edit-agent", input={"day": "mon", "id": exact}, settings=PATIENT)
    worker = controlled.worker("edit-agent")
    worker.take(task_id)
    page = open_task(task_id)
    page.evaluate("localStorage.setItem('milepost.actingAs', 'ann')")
    page.reload()
    dialog = step_in(page, "Edit")
    field = dialog.get_by_label("Input, as JSON")
    expect(field).to_have_value(f'{{\n  "day": "mon",\n  "id": {exact}\n}}')
    expect(field).to_be_focused()
    confirm(page, "Edit")
    expect(field).to_have_accessible_description("nothing is changed yet")
    field.fill('{"day": ')
    confirm(page, "Edit")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill(f'{{"day": "tue", "id": {exact}}}')
    dialog.get_by_label("Reason").fill("wrong day")
    confirm(page, "Edit")
    expect(dialog).not_to_be_attached()
    expect(page.get_by_text("asked to make way for a change")).to_be_visible()
    expect(history(page)).to_contain_text("by ann · input changed: wrong day")
    worker.report(task_id, "paused")
    lease = worker.take(task_id)
    assert lease["input"] == {"day": "tue", "id": exact}
    expect(page.get_by_text("asked to make way for a change")).not_to_be_attached()


def test_task_goes_to_another_agent_or_team(controlled: Controlled, open_task: OpenTask) -> None:
    task_id = controlled.create("Redirected", agent="first-agent")
    controlled.worker("second-agent", teams=["night"])
    page = open_task(task_id)
    dialog = step_in(page, "Redirect")
    expect(dialog.locator("datalist option[value='second-agent']")).to_be_attached()
    expect(dialog.locator("datalist option[value='night']")).to_be_attached()
    dialog.get_by_label("Agent").fill("second-agent")
    dialog.get_by_label("Or any of a team").fill("night")
    confirm(page, "Redirect")
    expect(dialog.get_by_label("Or any of a team")).to_have_accessible_description(
        "an agent is given too; leave one of them empty"
    )
    dialog.get_by_label("Or any of a team").fill("")
    confirm(page, "Redirect")
    expect(history(page)).to_contain_text("given to agent second-agent")


def test_task_is_completed_by_hand(controlled: Controlled, open_task: OpenTask) -> None:
    task_id = controlled.create("By Hand", agent="slow-agent", settings=PATIENT)
    controlled.worker("slow-agent").take(task_id)
    page = open_task(task_id)
    dialog = step_in(page, "Complete")
    dialog.get_by_label("Result, as JSON").fill('{"pages": 12}')
    dialog.get_by_label("Reason").fill("counted them")
    confirm(page, "Complete")
    expect(page.get_by_role("region", name="Result", exact=True)).to_contain_text("12")
    expect(history(page)).to_contain_text("completed by hand: counted them")
    expect(page.get_by_role("button", name="Step in")).not_to_be_attached()


def test_edit_by_keyboard_alone(controlled: Controlled, open_task: OpenTask) -> None:
    task_id = controlled.create("Typed", agent="typed-agent", input=1)
    page = open_task(task_id)
    expect(page.get_by_role("heading", name="Typed")).to_be_visible()
    page.keyboard.press("Shift+I")
    field = page.get_by_role("dialog").get_by_label("Input, as JSON")
    expect(field).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).not_to_be_attached()
    assert controlled.get(f"/api/tasks/{task_id}")["input"] == 2


def test_several_tasks_are_completed_at_once(
    controlled: Controlled, collector: CollectorProcess, open_page: OpenPage
) -> None:
    ids = [controlled.create(f"Pile {number}", agent="pile-agent") for number in (1, 2)]
    page = open_page(f"{collector.url}/tasks?agent=pile-agent")
    for number in (1, 2):
        task_row(page, f"Pile {number}").get_by_role("checkbox").check()
    page.get_by_role("toolbar", name="Actions on the selection").get_by_role("button", name="Complete").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("done elsewhere")
    confirm(page, "Complete 2 tasks")
    for task_id in ids:
        expect(task_row(page, f"Pile {1 if task_id == ids[0] else 2}")).to_contain_text("completed")
        assert controlled.get(f"/api/tasks/{task_id}")["reason"] == "completed by hand: done elsewhere"
