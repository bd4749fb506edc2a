"""Schedules, agents and the task of a run are steered by keys alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect
from tests.browser.controlled import Controlled
from tests.browser.pages import ended, span_row

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
YEARLY = {"cron": "0 0 1 1 *"}


def press(page: Page, *keys: str) -> None:
    """Press keys one after the other."""
    for key in keys:
        page.keyboard.press(key)


def focused_text(page: Page) -> str:
    """Return what the focused element says."""
    text: str = page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText")
    return text


def tab_to(page: Page, text: str, most: int = 40) -> None:
    """Press Tab until the focused element says a text."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if focused_text(page).strip() == text:
            return
    raise AssertionError(f"{most} tabs do not reach {text!r}")


def reach(page: Page, field: Locator, most: int = 60) -> None:
    """Press Tab until a field has the focus."""
    for _ in range(most):
        if field.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{most} tabs do not reach the field")


def test_schedule_is_found_steered_and_opened(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    for name in ("first by keys", "second by keys"):
        controlled.post("/api/schedules", name=name, cadence=YEARLY, task={"name": "Greet", "agent": "nobody"})
    page = open_page(f"{collector.url}/runs")
    press(page, "g", "s")
    rows = page.get_by_role("table", name="Schedules").get_by_role("row")
    expect(rows.filter(has_text="by keys")).to_have_count(2)
    press(page, "/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("second by")
    expect(rows.filter(has_text="by keys")).to_have_count(1)
    press(page, "Escape", "j")
    row = rows.filter(has_text="second by keys")
    expect(row).to_have_attribute("aria-current", "true")
    expect(row.get_by_role("link", name="second by keys")).to_be_focused()
    tab_to(page, "Pause", most=3)
    press(page, "Enter")
    expect(page.get_by_role("dialog", name="Pause: “second by keys”?")).to_be_visible()
    press(page, "Enter")
    expect(row).to_contain_text("paused")
    expect(row.get_by_role("button", name="Resume")).to_be_focused()
    press(page, "j", "Enter")
    expect(page.get_by_role("heading", name="second by keys", level=1)).to_be_visible()
    assert controlled.get("/api/schedules/second by keys")["paused"] is True


def test_schedule_is_made_and_its_week_and_ledger_walked(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/schedules")
    expect(page.get_by_role("button", name="New schedule")).to_be_visible()
    tab_to(page, "New schedule")
    press(page, "Enter")
    dialog = page.get_by_role("dialog", name="New schedule")
    expect(dialog).to_be_visible()
    for label, text in (("Minute, hour", "0 7 * * 1"), ("Name of the schedule", "typed"), ("Task to make", "Report")):
        field = dialog.get_by_label(re.compile(f"^{label}")).first
        reach(page, field)
        press(page, "Control+a")
        page.keyboard.type(text)
    press(page, "Enter")
    expect(page.get_by_role("heading", name="typed", level=1)).to_be_visible()
    assert controlled.get("/api/schedules/typed")["cadence"]["cron"] == "0 7 * * 1"
    shown = page.get_by_role("region", name="Week").get_by_text("Week of")
    before = shown.inner_text()
    tab_to(page, "Next week")
    press(page, "Enter")
    expect(shown).not_to_have_text(before)
    tab_to(page, "missed")
    press(page, "Space")
    expect(page.get_by_role("region", name="Ledger")).to_contain_text("No instant of this kind")


def test_agent_is_found_paused_and_its_worker_followed(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    worker = controlled.worker("keyed-agent")
    controlled.worker("other-agent")
    task_id = controlled.create("Held by keys", agent="keyed-agent")
    worker.take(task_id)
    page = open_page(f"{collector.url}/runs")
    press(page, "g", "a")
    card = page.get_by_role("region", name="keyed-agent", exact=True)
    expect(card).to_contain_text("Held by keys")
    press(page, "/")
    page.keyboard.type("keyed")
    expect(page.get_by_role("region", name="other-agent")).to_have_count(0)
    press(page, "Escape", "j")
    expect(card).to_be_focused()
    tab_to(page, "Pause", most=8)
    press(page, "Enter")
    expect(page.get_by_role("dialog", name="Pause agent “keyed-agent”?")).to_be_visible()
    press(page, "Enter")
    expect(card).to_contain_text("paused")
    expect(card.get_by_role("button", name="Resume")).to_be_focused()
    tab_to(page, "Held by keys", most=8)
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Held by keys", level=1)).to_be_visible()


def test_limit_is_set_changed_and_deleted(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/agents")
    limits = page.get_by_role("region", name="Limits")
    expect(limits).to_be_visible()
    reach(page, limits.get_by_role("textbox", name="Which"))
    page.keyboard.type("keyed-limit")
    press(page, "Tab")
    page.keyboard.type("4")
    press(page, "Enter")
    row = limits.get_by_role("row").filter(has_text="keyed-limit")
    expect(row).to_contain_text("4 at once")
    reach(page, row.get_by_role("button", name="Edit"))
    press(page, "Enter")
    expect(limits.get_by_role("textbox", name="At once")).to_be_focused()
    press(page, "Control+a")
    page.keyboard.type("2")
    press(page, "Enter")
    expect(row).to_contain_text("2 at once")
    reach(page, row.get_by_role("button", name="Delete"))
    press(page, "Enter", "Enter")
    expect(row).to_have_count(0)
    assert controlled.get("/api/limits")["limits"] == []


def test_task_of_a_run_is_steered_on_the_page_of_the_run(
    collector: CollectorProcess, controlled: Controlled, send: Callable[..., None], open_page: OpenPage
) -> None:
    task_id = controlled.create("Steered Run", agent="steered-agent", settings={"max_retries": 0})
    worker = controlled.worker("steered-agent")
    run_id = worker.take(task_id)["run_id"]
    send(
        ended(run_id, "1" * 16, 0, 900, name="Steered Run", kind="agent", task_id=task_id, attempt=1),
        ended(run_id, "2" * 16, 100, 800, name="slow part", kind="tool", parent_span_id="1" * 16),
    )
    page = open_page(f"{collector.url}/runs/{run_id}")
    task = page.locator("[data-attempt-of]")
    expect(task.locator(".status")).to_have_text("in progress")
    press(page, "p", "p", "Shift+P")  # the critical path's
    expect(page.locator("[role=row][aria-selected=true]")).to_have_count(1)
    expect(page.get_by_role("dialog")).to_have_count(0)
    for key, title in (("Shift+H", "Pause “Steered Run”?"), ("Shift+C", "Cancel “Steered Run”?")):
        press(page, key)
        expect(page.get_by_role("dialog", name=title)).to_be_visible()
        press(page, "Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    expect(span_row(page, "slow part")).to_be_visible()
    worker.fail(task_id, "ValueError", "no such page")
    expect(task.locator(".status")).to_have_text("failed")
    press(page, "Shift+R")
    expect(page.get_by_role("dialog", name="Retry “Steered Run”?")).to_be_visible()
    press(page, "Escape", "?")
    expect(page.get_by_role("dialog")).to_contain_text("hold (pause) or resume the task")
