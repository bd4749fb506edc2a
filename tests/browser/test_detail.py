"""The detail panel's tabs, and what the header leads to: related runs, exports, SQL."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.browser.pages import EPOCH_NS, ended, open_tab, run_header

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
ROOT, WORK = "1" * 16, "2" * 16


@pytest.fixture(scope="module")
def two_runs(collector: CollectorProcess) -> tuple[str, str]:
    """Return the addresses of two runs of one name, the earlier first; each saves its state three times."""
    runs = [uuid.uuid4().hex, uuid.uuid4().hex]
    for number, run_id in enumerate(runs):
        offset = number * 10_000
        events: list[dict[str, Any]] = [
            ended(run_id, ROOT, offset, offset + 2000, name="nightly", kind="agent", session_id="s-1"),
            ended(
                run_id, WORK, offset + 100, offset + 1600, name="work", kind="task", parent_span_id=ROOT,
                attributes={f"field.{letter}": f"value {letter}" for letter in "abcdefghij"},
                status="failed", error_type="ValueError", error_message="bad page", input={"file": "a.pdf"},
            ),
        ]  # fmt: skip
        events += [
            {
                "type": "event", "run_id": run_id, "span_id": WORK, "kind": "checkpoint", "name": f"page {page}",
                "time": EPOCH_NS + (offset + 200 + page * 100) * 1_000_000,
                "body": {"page": page, "done": ["x"] * page, **({"note": "half"} if page == 2 else {})},
            }
            for page in (1, 2, 3)
        ]  # fmt: skip
        batch = {"producer_id": uuid.uuid4().hex, "sequence": 0, "events": events}
        assert httpx.post(f"{collector.url}/v1/events", json=batch, timeout=30).json()["rejected"] == []
    first, second = (f"{collector.url}/runs/{run_id}" for run_id in runs)
    return first, second


def test_tabs_stand_in_one_order_and_are_walked_by_arrows(two_runs: tuple[str, str], open_page: OpenPage) -> None:
    page = open_page(f"{two_runs[0]}?span={WORK}")
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(["Input", "Output", "Error", re.compile("Checkpoints"), "Cost", "Attributes"])
    expect(page.get_by_role("tab", name="Error")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Error").press("ArrowRight")
    expect(page.get_by_role("tab", name="Checkpoints")).to_be_focused()
    expect(page).to_have_url(re.compile("tab=checkpoints"))
    again = open_page(page.url)
    expect(again.get_by_role("tab", name="Checkpoints")).to_have_attribute("aria-selected", "true")


def test_span_says_where_it_stands(two_runs: tuple[str, str], open_page: OpenPage) -> None:
    page = open_page(f"{two_runs[0]}?span={ROOT}")
    panel = page.get_by_role("complementary", name="Detail")
    expect(panel).to_contain_text("100 % of the critical path")
    expect(panel).to_contain_text("self 500 ms")


def test_checkpoints_tell_what_changed(two_runs: tuple[str, str], open_page: OpenPage) -> None:
    page = open_page(f"{two_runs[0]}?span={WORK}")
    panel = open_tab(page, "Checkpoints")
    second = panel.get_by_role("listitem").nth(1)
    expect(second.locator(".change")).to_have_text(
        [re.compile(r"page\s*1\s*→\s*2"), re.compile(r"done\[1\]\s*x"), re.compile(r"note\s*half")]
    )
    expect(panel.get_by_role("listitem").nth(2)).to_contain_text("note")
    second.get_by_role("button", name="whole state").click()
    expect(second).to_contain_text("half")
    expect(second.locator(".change")).to_have_count(0)


def test_attributes_are_filtered_and_copied_as_a_search(two_runs: tuple[str, str], open_page: OpenPage) -> None:
    page = open_page(f"{two_runs[0]}?span={WORK}&tab=attributes")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = page.get_by_role("tabpanel")
    panel.get_by_role("searchbox", name="Filter attributes").fill("field.c")
    expect(panel).not_to_contain_text("value a")
    panel.get_by_role("button", name="Copy field.c and its value").click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == 'field.c:"value c"'
    panel.get_by_role("searchbox").fill("nothing like it")
    expect(panel).to_contain_text("No attribute contains")


def test_each_part_of_a_value_is_copied_with_its_path(
    collector: CollectorProcess, send: Callable[..., None], open_page: OpenPage, run_id: str
) -> None:
    value = {"files": [{"page 2": 7, "text": "a\nb"}]}
    send(ended(run_id, "1" * 16, 0, 900, name="reads", kind="agent", input=value))
    page = open_page(f"{collector.url}/runs/{run_id}?span={'1' * 16}&tab=input")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = page.get_by_role("tabpanel")
    whole = panel.get_by_role("group", name="$", exact=True)
    whole.get_by_role("button", name="Copy the value").focus()
    page.keyboard.press("Enter")
    expect(whole.get_by_role("button", name="Copied")).to_be_visible()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == value
    text = panel.get_by_role("group", name="$.files[0].text", exact=True)
    panel.get_by_text("page 2", exact=True).hover()
    part = panel.get_by_role("group", name='$.files[0]["page 2"]', exact=True)
    for _ in range(5):  # the head of the files and of the first one, each with its button, then the part's
        page.keyboard.press("Tab")
    expect(part.get_by_role("button", name="Copy the value")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(part.get_by_role("button", name="Copied")).to_be_focused()
    assert page.evaluate("navigator.clipboard.readText()") == '$.files[0]["page 2"]'
    text.get_by_role("button", name="Copy the value").click()
    expect(text.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "a\nb"


def test_run_is_taken_away_as_files(two_runs: tuple[str, str], open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(two_runs[0])
    for name, beginning in [("OpenTelemetry", b"{"), ("speedscope", b"{"), ("Picture of the view", b"\x89PNG")]:
        run_header(page).get_by_role("button", name="Export").click()
        with page.expect_download() as waited:
            page.get_by_role("menuitem", name=name).click()
        waited.value.save_as(tmp_path / "file")
        assert (tmp_path / "file").read_bytes().startswith(beginning)


def test_run_leads_to_the_one_before_and_to_its_session(two_runs: tuple[str, str], open_page: OpenPage) -> None:
    page = open_page(two_runs[1])
    button = run_header(page).get_by_role("button", name="Related")
    button.press("Enter")
    expect(page.get_by_role("menuitem", name="Compare with the run before")).to_be_focused()
    page.keyboard.press("Enter")
    earlier, later = (address.rsplit("/", 1)[1] for address in two_runs)
    expect(page).to_have_url(re.compile(f"compare\\?a={earlier}&b={later}"))
    page.go_back()
    button.click()
    page.get_by_role("menuitem", name="Runs of the session").click()
    expect(page).to_have_url(re.compile(r"runs\?q=session"))
    expect(page.get_by_role("link", name="nightly", exact=True)).to_have_count(2)
