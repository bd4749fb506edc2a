"""Tasks, schedules, triggers and webhooks on narrow pages: all of a list fits, and all that can be done is in reach."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from tests.browser.controlled import Controlled, task_row

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenNarrow = Callable[[str, int], Page]

WIDTHS = pytest.mark.parametrize("width", [360, 640, 900])
LONG = "review-of-all-the-contracts-that-end-within-the-next-quarter"
NOTE = {"name": "Write a long report", "agent": "writer-of-the-long-reports"}


@pytest.fixture(scope="module")
def filled(controlled: Controlled) -> Controlled:
    """Return a controller with something of every kind, under long names."""
    controlled.create("Read a short note", agent="reader", priority="low")
    failed = controlled.create(NOTE["name"], agent=NOTE["agent"], priority="urgent", tags=["quarterly"])
    worker = controlled.worker(NOTE["agent"])
    worker.take(failed)
    worker.fail(failed, "TimeoutError", "no answer of the archive within 30 s", retryable=False)
    controlled.post("/api/schedules", name=LONG, cadence={"cron": "0 9 * * 1", "zone": "Europe/Berlin"}, task=NOTE)
    controlled.post("/api/triggers", kind="webhook", name=LONG, signature={"scheme": "github"}, task=NOTE)
    controlled.post("/api/webhooks", name=LONG, url=f"https://example.org/{'hooks/' * 20}", events=["task.*"])
    return controlled


@pytest.fixture
def open_narrow(filled: Controlled, collector: CollectorProcess, context: BrowserContext) -> OpenNarrow:
    """Return a function that opens a page of so many pixels."""

    def open_(path: str, width: int) -> Page:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 700})
        page.goto(f"{collector.url}/{path}")
        return page

    return open_


def expect_to_fit(*parts: Locator) -> None:
    """Check that nothing sticks out to the right."""
    for part in parts:
        assert part.evaluate("node => node.scrollWidth <= node.clientWidth")


@WIDTHS
def test_tasks_fit(open_narrow: OpenNarrow, width: int) -> None:
    page = open_narrow("tasks", width)
    grid, row = page.get_by_role("grid", name="Tasks"), task_row(page, NOTE["name"])
    expect(row).to_contain_text(re.compile("writer-of-the-long-reports.*TimeoutError", re.DOTALL))
    expect_to_fit(page.get_by_role("main"), grid, grid.get_by_role("rowgroup"))
    page.get_by_role("combobox", name="Sorted by").select_option("Name, A to Z")
    expect(page).to_have_url(re.compile("sort=name$"))
    expect(grid.locator(".name a")).to_have_text(["Read a short note", NOTE["name"]])
    row.get_by_role("button", name="Actions").click()
    expect(page.get_by_role("menuitem", name="Retry")).to_be_in_viewport(ratio=1)


def test_narrow_tasks_are_walked_and_acted_on_by_keys(open_narrow: OpenNarrow) -> None:
    page = open_narrow("tasks?sort=name", 360)
    expect(task_row(page, NOTE["name"])).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+R")
    expect(page.get_by_role("dialog")).to_contain_text(NOTE["name"])
    page.keyboard.press("Escape")
    page.get_by_role("checkbox", name="Select all loaded tasks").check()
    expect(page.get_by_role("toolbar")).to_contain_text("2 tasks selected")


@WIDTHS
@pytest.mark.parametrize(
    ("path", "facts", "action"),
    [
        ("schedules", "At 09:00 on Monday.*in .*0 fired", "Pause"),
        ("triggers", "webhook of GitHub.*never yet.*0", "Disable"),
    ],
)
def test_what_can_be_done_is_in_reach(open_narrow: OpenNarrow, path: str, facts: str, action: str, width: int) -> None:
    page = open_narrow(path, width)
    table = page.get_by_role("table")
    expect(table).to_contain_text(re.compile(facts, re.DOTALL))
    expect_to_fit(page.get_by_role("main"), page.locator(".scroll"))
    page.keyboard.press("j")
    page.keyboard.press("Tab")
    expect(table.get_by_role("button").first).to_be_focused()
    button = table.get_by_role("button", name=action)
    expect(button).to_be_in_viewport(ratio=1)
    button.click()
    expect(page.get_by_role("dialog", name=re.compile(f"{action}: “{LONG}”"))).to_be_visible()


@WIDTHS
def test_webhooks_fit(open_narrow: OpenNarrow, width: int) -> None:
    page = open_narrow("webhooks", width)
    expect(page.get_by_role("table")).to_contain_text(re.compile(r"task\.\*.*0.*0.*0.*never yet", re.DOTALL))
    expect_to_fit(page.get_by_role("main"), page.locator(".scroll"))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=LONG)).to_be_visible()
