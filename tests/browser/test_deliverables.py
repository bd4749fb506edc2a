"""What a task hands over, on its page: listed, shown safely, saved, missing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.controlled import Controlled

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenTask = Callable[[str], Page]
HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


@pytest.fixture
def open_task(collector: CollectorProcess, open_page: Callable[..., Page]) -> OpenTask:
    return lambda task_id: open_page(f"{collector.url}/tasks/{task_id}")


def put(controlled: Controlled, task_id: str, name: str, content: bytes, **headers: str) -> None:
    """Attach a content by hand."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    answer = controlled.http.put(f"/api/tasks/{task_id}/deliverables/{name}", content=content, headers=named)
    assert answer.is_success, answer.text


def png() -> bytes:
    """Return a red bitmap of four by four."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\xff\0\0" * 4) * 4)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def handed_over(page: Page) -> Locator:
    """Return the section of deliverables."""
    return page.get_by_role("region", name="Deliverables", exact=True)


def test_what_was_handed_over_is_listed_shown_and_saved(
    controlled: Controlled, open_task: OpenTask, tmp_path: Path
) -> None:
    task_id = controlled.create(
        "Hands Over", agent="hands", deliverables=[{"type": "report"}, {"type": "presentation"}]
    )
    page = open_task(task_id)
    expect(handed_over(page)).to_contain_text("type presentation")
    put(controlled, task_id, "report.md", b"# First", milepost_type="report", content_type="text/markdown")
    put(controlled, task_id, "report.md", b"# Second", milepost_type="report", content_type="text/markdown")
    row = handed_over(page).get_by_role("listitem").filter(has_text="report.md")
    expect(row).to_contain_text("v2")  # live: nobody reloads the page
    expect(handed_over(page)).not_to_contain_text("type report")
    row.get_by_role("button", expanded=False).click()
    expect(row).to_contain_text("# Second")
    expect(row).to_contain_text("v1, 7 B")
    with page.expect_download() as download:
        row.get_by_role("link", name="Download report.md, version 1").click()
    download.value.save_as(tmp_path / "saved.md")
    assert (download.value.suggested_filename, (tmp_path / "saved.md").read_bytes()) == ("report.md", b"# First")


def test_previews_run_nothing(controlled: Controlled, open_task: OpenTask) -> None:
    task_id = controlled.create("Previews", agent="previews")
    put(controlled, task_id, "page.html", HOSTILE.encode(), content_type="text/html")
    put(
        controlled,
        task_id,
        "drawing.svg",
        f"<svg xmlns='http://www.w3.org/2000/svg'>{HOSTILE}</svg>".encode(),
        content_type="image/svg+xml",
    )
    put(controlled, task_id, "sums.json", b'{"pages": 12}', content_type="application/json")
    put(controlled, task_id, "red.png", png(), content_type="image/png")
    put(controlled, task_id, "raw.bin", b"\0\1", content_type="application/octet-stream")
    put(controlled, task_id, "long.txt", b"x" * 400_000, content_type="text/plain")
    page = open_task(task_id)
    shown = {
        "page.html": "<script>window.hacked = 1</script>", "drawing.svg": "<svg xmlns", "sums.json": "pages",
        "raw.bin": "No preview of application/octet-stream", "long.txt": "download it for the rest",
    }  # fmt: skip
    for name, text in shown.items():
        row = handed_over(page).get_by_role("listitem").filter(has_text=name)
        row.get_by_role("button", expanded=False).click()
        expect(row).to_contain_text(text)
    row = handed_over(page).get_by_role("listitem").filter(has_text="red.png")
    row.get_by_role("button", expanded=False).click()
    expect(page.get_by_alt_text("Preview of red.png")).to_have_js_property("naturalWidth", 4)
    assert page.evaluate("window.hacked") is None


def test_active_contents_are_only_saved(
    controlled: Controlled, collector: CollectorProcess, open_page: Callable[..., Page]
) -> None:
    task_id = controlled.create("Active", agent="active")
    put(controlled, task_id, "page.html", HOSTILE.encode(), content_type="text/html")
    page = open_page(f"{collector.url}/tasks")
    with page.expect_download() as download:
        page.evaluate(
            "(url) => { location.href = url; }", f"{collector.url}/api/tasks/{task_id}/deliverables/page.html/content"
        )
    assert download.value.suggested_filename == "page.html"


def test_a_result_says_what_it_means(controlled: Controlled, open_task: OpenTask) -> None:
    task_id = controlled.create("Says", agent="says")
    result = {
        "value": {"usd": 3},
        "summary": "Revenue grew.",
        "insights": ["services lead"],
        "recommendations": ["do more"],
    }
    controlled.post(f"/api/tasks/{task_id}/complete", result=result)
    section = open_task(task_id).get_by_role("region", name="Result", exact=True)
    expect(section).to_contain_text("Revenue grew.")
    expect(section.get_by_role("heading", name="Insights")).to_be_visible()
    expect(section.get_by_role("listitem").filter(has_text="do more")).to_be_visible()
    expect(section).to_contain_text("usd")
