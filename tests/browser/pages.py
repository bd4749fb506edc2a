"""How tests find things on the viewer's pages, and events they send by hand."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

EPOCH_NS = 1_795_000_000_000_000_000  # the instant hand-made events count from


def run_row(page: Page, name: str) -> Locator:
    """Return a row of the run list."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def span_row(page: Page, name: str) -> Locator:
    """Return a row of a run's tree."""
    return page.get_by_role("treegrid").get_by_role("row").filter(has=page.locator(".name", has_text=name))


def run_header(page: Page) -> Locator:
    """Return the header of a run's page."""
    return page.locator("main header")


def open_tab(page: Page, title: str) -> Locator:
    """Open a tab of the detail panel and return its content."""
    page.get_by_role("tab", name=title).click()
    expect(page.get_by_role("tab", name=title)).to_have_attribute("aria-selected", "true")
    return page.get_by_role("tabpanel")


def tree_outline(page: Page) -> list[tuple[int, str]]:
    """Return depth and text of the tree's rows, top to bottom, without their figures."""
    rows = page.get_by_role("treegrid").get_by_role("row").all()
    facts = [
        (
            int(row.get_attribute("aria-rowindex") or 0),
            int(row.get_attribute("aria-level") or 0),
            row.get_by_role("gridcell").first.inner_text(),
        )
        for row in rows
    ]
    return [(level, " ".join(text.split())) for _, level, text in sorted(facts)]


def ended(run_id: str, span_id: str, start_ms: float, end_ms: float, **fields: Any) -> dict[str, Any]:
    """Return a `SpanEnded`; times are milliseconds after EPOCH_NS."""
    times = {"start_time": EPOCH_NS + int(start_ms * 1e6), "end_time": EPOCH_NS + int(end_ms * 1e6)}
    return {"type": "span_ended", "run_id": run_id, "span_id": span_id, **times, **fields}
