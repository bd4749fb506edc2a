"""Pages ask for their data before their scripts are there, and do not wait for the live stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.controlled import Controlled, task_row
from tests.browser.pages import ended

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
SendEvents = Callable[..., None]

# The path of what a page asks for, by its address.
ASKED = {
    "runs?q=agent%3Atester&sort=-cost_usd": "/api/runs",
    "runs?group=session&session_sort=-cost_usd": "/api/runs/sessions",
    "tasks?status=pending&agent=nobody&text=x&sort=name&group=agent": "/api/tasks",
    "tasks?group=tag&tag=a": "/api/tasks/counts",
    "agents": "/api/agents",
    "schedules?text=nightly": "/api/schedules",
    "compare?a={run}&b={run}": "/api/compare",
}
REQUESTED = """path => performance.getEntriesByType('resource')
    .filter(entry => new URL(entry.name).pathname === path).map(entry => [entry.name, entry.startTime])"""
LAST_SCRIPT = """() => Math.max(...performance.getEntriesByType('resource')
    .filter(entry => new URL(entry.name).pathname.endsWith('.js')).map(entry => entry.startTime))"""


@pytest.mark.parametrize(("address", "path"), ASKED.items())
def test_page_asks_before_its_scripts_are_there_and_once(
    address: str, path: str, collector: CollectorProcess, send: SendEvents, run_id: str, open_page: OpenPage
) -> None:
    send(ended(run_id, "1" * 16, 0, 900, name="early", kind="agent"))
    page = open_page(f"{collector.url}/{address.format(run=run_id)}")
    expect(page.locator("[data-live]")).to_have_text("Live")
    page.wait_for_load_state("networkidle")
    asked: list[tuple[str, float]] = page.evaluate(REQUESTED, path)
    assert asked[0][1] < page.evaluate(LAST_SCRIPT)
    names = [name for name, _ in asked]
    assert names.count(names[0]) == len(names) or path == "/api/tasks/counts", names
    if path == "/api/tasks/counts":
        assert len(set(names)) == 2  # by status, and by the group


def test_page_is_there_without_the_live_stream_and_catches_up_with_it(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    controlled.create("Before the stream", agent="nobody")
    page = open_page("about:blank")
    held: list[Route] = []
    page.route("**/api/live?*", lambda route: held.append(route))
    page.goto(f"{collector.url}/tasks")
    expect(task_row(page, "Before the stream")).to_be_visible()
    controlled.create("While it opened", agent="nobody")
    expect(page.locator("[data-live]")).not_to_have_text("Live")
    page.unroute("**/api/live?*")
    for route in held:
        route.continue_()
    expect(task_row(page, "While it opened")).to_be_visible()
