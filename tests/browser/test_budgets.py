"""What of the viewer's budgets does not depend on the machine: sizes of scripts, and that an idle page rests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.benchmarks.bundle import measure
from tests.browser.pages import ended, run_row, span_row

if TYPE_CHECKING:
    from conftest import CollectorProcess

SendEvents = Callable[..., None]
KB = 1000


def test_scripts_are_as_small_as_they_should_be() -> None:
    bundle = measure()
    assert bundle.first_load <= 120 * KB
    assert bundle.sql <= 130 * KB
    assert bundle.raw <= 2 * 1_200 * KB


@pytest.mark.parametrize("path", ["runs", "runs/{run}", "tasks", "agents", "settings"])
def test_idle_page_paints_nothing(
    path: str, browser: Browser, collector: CollectorProcess, send: SendEvents, run_id: str
) -> None:
    send(ended(run_id, "1" * 16, 0, 900, name="long over", kind="agent"))
    page = browser.new_page()
    page.goto(f"{collector.url}/{path.format(run=run_id)}")
    shown = {"runs": run_row(page, "long over"), "runs/{run}": span_row(page, "long over")}
    expect(shown.get(path, page.locator("main")).first).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-live]")).to_have_text("Live")
    assert paints(page, browser) == 0
    page.close()


def paints(page: Page, browser: Browser) -> int:
    """Count what Chromium paints in a second and a half, once the page has come to rest."""
    page.mouse.move(0, 0)
    page.evaluate("() => new Promise(resolve => requestIdleCallback(resolve))")
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    page.evaluate("() => new Promise(resolve => setTimeout(resolve, 1500))")  # a length of time is what is measured
    events = json.loads(browser.stop_tracing())["traceEvents"]
    return sum(event["name"] == "Paint" for event in events)
