"""Every page under a path prefix, offline, magnified, on a narrow screen and for readers who need other colours."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.pages import ended, run_row, span_row

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
RUN = "5a" * 16
PREFIX = "/a/b"
PATHS = (
    "",
    "runs",
    f"runs/{RUN}?span={'1' * 16}",
    f"runs/{RUN}?view=lanes",
    f"compare?a={RUN}&b={RUN}",
    "flame",
    "insights",
    "sql",
    "tasks?view=board",
    "schedules?view=week",
    "agents",
    "settings",
    "nothing/here/at/all",
)
LISTS = ("runs", "tasks", "schedules", "agents", "settings", "insights")


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """Return a collector that is served under a prefix, with a run in it; its url includes the prefix."""
    from conftest import launch_collector

    os.environ["MILEPOST_ROOT_PATH"] = PREFIX
    try:
        process = launch_collector(tmp_path_factory.mktemp("behind"))
    finally:
        del os.environ["MILEPOST_ROOT_PATH"]
    at = urlsplit(process.url)
    process.url = f"{at.scheme}://{at.netloc}{PREFIX}"
    record(process.url)
    yield process
    process.stop()


def record(url: str) -> None:
    """Send a run of two spans."""
    root, step = "1" * 16, "2" * 16
    events = [
        ended(RUN, root, 0, 900, name="behind a proxy", kind="agent"),
        ended(RUN, step, 10, 400, name="step", kind="tool", parent_span_id=root),
    ]
    batch = {"producer_id": "prefix", "sequence": 0, "events": events, "resource": {}}
    assert httpx.post(f"{url}/v1/events", json=batch, timeout=30).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_page_works_under_a_prefix(path: str, behind: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    missing: list[str] = []
    page.on("response", lambda answer: answer.status == 404 and missing.append(answer.url))
    page.goto(f"{behind.url}/{path}")
    expect(page.get_by_role("heading", level=1).first).to_be_attached()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    links = page.locator("a[href]").evaluate_all("links => links.map(link => new URL(link.href).pathname)")
    assert [link for link in links if not link.startswith(f"{PREFIX}/")] == []
    asked = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(behind.url).netloc}  # nothing comes from outside
    assert [url for url in asked if not urlsplit(url).path.startswith(f"{PREFIX}/")] == []
    assert missing == []


def test_journey_under_a_prefix(behind: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(behind.url + "/")
    run_row(page, "behind a proxy").get_by_role("link").first.click()
    expect(span_row(page, "step")).to_be_visible()
    span_row(page, "step").click()
    expect(page).to_have_url(re.compile(f"{PREFIX}/runs/{RUN}.*span=2222"))
    again = open_page(page.url)
    expect(span_row(again, "step")).to_have_attribute("aria-selected", "true")
    again.keyboard.press("g")
    again.keyboard.press("t")
    expect(again).to_have_url(behind.url + "/tasks")
    again.go_back()
    expect(span_row(again, "step")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("width", [320, 640])  # 640: 1280 pixels at 200 %
def test_list_fits_a_narrow_page(path: str, width: int, behind: CollectorProcess, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": width, "height": 640}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{behind.url}/{path}")
    expect(page.get_by_role("heading", level=1).first).to_be_attached()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_reader_preferences_change_colours_and_motion(behind: CollectorProcess, browser: Browser) -> None:
    lines = {}
    for contrast in ("no-preference", "more"):
        context = browser.new_context(contrast=contrast, reduced_motion="reduce", color_scheme="light")
        page = context.new_page()
        page.goto(f"{behind.url}/settings")
        token = "name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
        lines[contrast] = page.evaluate(token, "--ink-3")
        assert page.evaluate(token, "--ease") in ("0ms", "0s")
        context.close()
    assert lines["more"] != lines["no-preference"]


def test_marks_are_seen_with_forced_colours(behind: CollectorProcess, browser: Browser) -> None:
    context = browser.new_context(forced_colors="active", color_scheme="dark")
    page = context.new_page()
    page.goto(f"{behind.url}/settings")
    box = page.get_by_role("checkbox", name="Show as formatted text")
    checked = box.screenshot()
    box.uncheck()
    assert box.screenshot() != checked
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    context.close()
