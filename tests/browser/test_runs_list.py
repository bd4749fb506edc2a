"""The run list: searching, narrowing, choosing columns, peeking, selecting, sessions and views."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from tests.browser.pages import ended, run_row

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess, StartCollector

OpenPage = Callable[..., Page]

HOUR_MS = 3_600_000.0
FAILED, CHEAP, DEAR = ("a" * 32, "b" * 32, "c" * 32)


def run_of(run_id: str, name: str, hour: float, **fields: Any) -> dict[str, Any]:
    """Return a run's root that takes a second."""
    start = hour * HOUR_MS
    return ended(run_id, run_id[:16], start, start + 1000, name=name, kind="agent", **fields)


def call_in(run_id: str, hour: float, cost: float, **fields: Any) -> dict[str, Any]:
    """Return a call of a model directly below a run's root."""
    start = hour * HOUR_MS
    usage = [{"model": "small-model", "input_tokens": 1000, "output_tokens": 200, "cost_usd": cost}]
    below = {"parent_span_id": run_id[:16], "kind": "llm", "usage": usage}
    return ended(run_id, run_id[0] * 15 + "0", start, start + 500, name="ask the model", **below, **fields)


@pytest.fixture(scope="module")
def url(collector: CollectorProcess) -> str:
    """Return the address of a run list with three runs, an hour apart, two of them in one session."""
    timeout = {"status": "failed", "error_type": "TimeoutError", "error_message": "no answer within 30 s"}
    events = [
        run_of(FAILED, "check invoice", 0, agent="planner", session_id="chat-1", input="which one?", **timeout),
        call_in(FAILED, 0, 0.25, **timeout),
        run_of(CHEAP, "write summary", 1, agent="writer", session_id="chat-1", tags=["nightly"]),
        call_in(CHEAP, 1, 0.01),
        run_of(DEAR, "plan a trip", 2, agent="planner"),
        call_in(DEAR, 2, 2.5),
    ]
    batch = {"producer_id": "list", "sequence": 0, "events": events, "dropped": 0, "resource": {"service_name": "shop"}}
    assert httpx.post(f"{collector.url}/v1/events", json=batch, timeout=30).json()["rejected"] == []
    return f"{collector.url}/runs"


@pytest.fixture
def page(url: str, open_page: OpenPage) -> Page:
    """Return the list of all three runs."""
    opened = open_page(url)
    expect_runs(opened, "plan a trip", "write summary", "check invoice")
    return opened


def expect_runs(page: Page, *names: str) -> None:
    """Wait until these runs are listed, in this order."""
    expect(page.get_by_role("grid", name="Runs").locator("a.name")).to_have_text(list(names))


def search_field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search runs")


def test_search_is_completed_by_keyboard_alone(page: Page, open_page: OpenPage) -> None:
    page.keyboard.press("/")
    page.keyboard.type("ag")
    expect(page.get_by_role("option", name=re.compile("^agent:"))).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(search_field(page)).to_have_value("agent:")
    expect(page.get_by_role("option", name=re.compile("planner.*2 runs"))).to_be_visible()
    page.keyboard.type("pl")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page).to_have_url(re.compile(r"\?q=agent%3Aplanner$"))
    expect_runs(page, "plan a trip", "check invoice")
    page.keyboard.type("status:failed")
    page.keyboard.press("Enter")
    expect_runs(page, "check invoice")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press(" ")
    expect(page.get_by_role("region", name="Summary of the run")).to_contain_text("no answer within 30 s")
    again = open_page(page.url)
    expect(search_field(again)).to_have_value("agent:planner status:failed")
    expect(again.get_by_role("region", name="Summary of the run")).to_contain_text("no answer within 30 s")
    expect_runs(again, "check invoice")


def test_mistake_in_a_search_is_marked_where_it_is(page: Page) -> None:
    search_field(page).fill("agent:planner cost>abc")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("'abc' is no value of cost")
    expect(page.get_by_role("alert")).to_contain_text("as 0.05 or $2")
    expect(page.locator("mark")).to_have_text("abc")
    search_field(page).fill("agent:planner cost>1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect_runs(page, "plan a trip")


def test_values_of_a_menu_edit_the_search(page: Page) -> None:
    page.get_by_role("button", name="Agent", exact=True).click()
    menu = page.get_by_role("dialog", name="Agent")
    menu.get_by_role("checkbox", name="planner 2").check()
    expect(search_field(page)).to_have_value("agent:planner")
    expect_runs(page, "plan a trip", "check invoice")
    menu.get_by_role("checkbox", name="writer").check()
    expect(search_field(page)).to_have_value("agent:planner,writer")
    expect_runs(page, "plan a trip", "write summary", "check invoice")
    menu.get_by_role("button", name="Clear").click()
    expect(search_field(page)).to_have_value("")
    page.go_back()
    expect(search_field(page)).to_have_value("agent:planner,writer")


def test_what_finds_nothing_can_be_relaxed(url: str, open_page: OpenPage) -> None:
    page = open_page(f"{url}?q=agent:writer&status=failed")
    expect(page.get_by_role("heading", name="No run matches these filters")).to_be_visible()
    page.get_by_role("button", name="the status failed").click()
    expect_runs(page, "write summary")


def test_histogram_narrows_to_what_is_brushed(url: str, open_page: OpenPage) -> None:
    page = open_page(f"{url}?from=2026-11-18T10:00:00Z&to=2026-11-18T15:00:00Z")
    expect_runs(page, "plan a trip", "write summary", "check invoice")
    chart = page.get_by_role("slider", name=re.compile("Runs over time"))
    expect(page.get_by_text(re.compile(r"^3 runs · 1 failed, 2 completed · \$2\.76"))).to_be_visible()
    chart.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    expect(chart).to_have_attribute("aria-valuetext", re.compile("1 failed, 2 completed"))
    page.keyboard.press("Escape")
    box = chart.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"\?from=2026-11-18T10%3A00%3A00\.000Z&to="))
    expect_runs(page, "check invoice")
    page.get_by_role("button", name="Figures of the histogram").click()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(2)
    page.keyboard.press("Escape")
    page.go_back()
    expect_runs(page, "plan a trip", "write summary", "check invoice")


def test_range_of_time_is_chosen_or_typed(page: Page) -> None:
    page.get_by_role("button", name="Time range").click()
    page.get_by_role("textbox", name="Started from").fill("yesterday")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_contain_text("“yesterday” is no time; write 2026-11-21 07:30")
    page.get_by_role("textbox", name="Started from").fill("now-9000d")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?from=now-9000d$"))
    page.get_by_role("button", name="Time range").click()
    page.get_by_role("button", name="Any time").last.click()
    expect(page).to_have_url(re.compile("/runs$"))


def test_columns_are_chosen_and_moved(page: Page, open_page: OpenPage) -> None:
    page.get_by_role("button", name="Columns").click()
    menu = page.get_by_role("dialog", name="Columns")
    for shown in ("Status", "Agent or service", "Started", "Duration", "Spans", "Errors", "Models"):
        menu.get_by_role("checkbox", name=shown).uncheck()
    menu.get_by_role("checkbox", name="Session").check()
    menu.get_by_role("button", name="Move Cost to the left").click()
    expect(page).to_have_url(re.compile(r"\?cols=name,cost,tokens,session$"))
    page.keyboard.press("Escape")
    for reader in (page, open_page(page.url)):
        heads = reader.get_by_role("columnheader")
        expect(heads).to_have_text(["Select", "Name", "Cost", "Tokens", "Session"])
        expect(run_row(reader, "plan a trip")).to_contain_text("$2.50")
    page.get_by_role("columnheader", name="Cost").get_by_role("button").click()
    expect_runs(page, "plan a trip", "check invoice", "write summary")
    page.get_by_role("link", name="chat-1").first.click()
    expect(search_field(page)).to_have_value("session:chat-1")


def test_summary_follows_the_selected_row(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press(" ")
    summary = page.get_by_role("region", name="Summary of the run")
    expect(summary.get_by_role("heading", name="plan a trip")).to_be_visible()
    expect(summary).to_contain_text("1,000 in · 200 out")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(summary.get_by_role("heading", name="check invoice")).to_be_visible()
    expect(summary).to_contain_text("TimeoutError: no answer within 30 s")
    expect(summary).to_contain_text("which one?")
    expect(summary.get_by_role("listitem").filter(has_text="ask the model")).to_be_visible()
    expect(page).to_have_url(re.compile(f"peek={FAILED}"))
    page.keyboard.press("Escape")
    expect(summary).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/runs/{FAILED}$"))


def test_two_selected_runs_are_compared(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("x")
    bar = page.get_by_role("toolbar", name="Actions on the selection")
    expect(bar).to_contain_text("1 run selected")
    expect(bar.get_by_role("button", name="Compare")).to_be_disabled()
    run_row(page, "check invoice").get_by_role("checkbox").click(modifiers=["Shift"])
    expect(bar).to_contain_text("3 runs selected")
    page.keyboard.press("x")
    expect(bar).to_contain_text("2 runs selected")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile(rf"/compare\?a={DEAR}&b={CHEAP}"))
    page.go_back()
    expect(bar).to_contain_text("2 runs selected")
    page.keyboard.press("Escape")
    expect(bar).to_have_count(0)


def test_selected_run_is_exported(page: Page) -> None:
    run_row(page, "check invoice").get_by_role("checkbox").check()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as started:
        page.get_by_role("button", name="Markdown").click()
    assert "check invoice" in started.value.path().read_text()


def test_sessions_open_to_their_runs_by_keyboard(page: Page, open_page: OpenPage) -> None:
    page.get_by_role("button", name="Sessions").click()
    expect(page).to_have_url(re.compile(r"\?group=session$"))
    session = page.get_by_role("row").filter(has=page.get_by_role("link", name="chat-1"))
    expect(session).to_contain_text(re.compile(r"completed.*2.*1 h 00 min.*\$0\.2600.*planner, writer", re.DOTALL))
    page.get_by_role("button", name="Sessions").blur()
    page.keyboard.press("j")
    page.keyboard.press("ArrowRight")
    expect(session).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("treegrid").get_by_role("row", level=2)).to_have_count(2)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/runs/{CHEAP}$"))
    page.go_back()
    expect(session).to_have_attribute("aria-expanded", "true")
    page.get_by_role("columnheader", name="Cost").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="Cost")).to_have_attribute("aria-sort", "descending")
    expect(page).to_have_url(re.compile(r"\?group=session&session_sort=-cost_usd$"))
    again = open_page(page.url)
    expect(again.get_by_role("columnheader", name="Cost")).to_have_attribute("aria-sort", "descending")
    page.go_back()
    expect(page.get_by_role("columnheader", name="Last run")).to_have_attribute("aria-sort", "descending")
    again.get_by_role("link", name="chat-1").click()
    expect_runs(again, "write summary", "check invoice")


def test_view_is_saved_under_a_name(page: Page) -> None:
    search_field(page).fill("cost>1")
    page.keyboard.press("Enter")
    expect_runs(page, "plan a trip")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("textbox", name="Name of a new view").fill("Dear ones")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect_runs(page, "plan a trip", "write summary", "check invoice")
    page.reload()
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Dear ones", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?q=cost%3E1$"))
    expect_runs(page, "plan a trip")
    page.get_by_role("button", name="Views: Dear ones").click()
    page.get_by_role("button", name="Delete the view Dear ones").click()
    expect(page.get_by_role("button", name="Dear ones", exact=True)).to_have_count(0)


def test_list_names_its_sql(page: Page) -> None:
    page.get_by_role("button", name="SQL of this list").click()
    panel = page.get_by_role("dialog", name="SQL of this list")
    expect(panel.locator("pre")).to_contain_text("FROM runs")
    panel.get_by_role("link", name="Open in SQL").click()
    expect(page).to_have_url(re.compile(r"/sql#q=[\w-]+$"))


def test_narrow_page_has_rows_of_two_lines(url: str, context: BrowserContext) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(url)
    expect(run_row(page, "check invoice")).to_contain_text("2 failed")
    for part in (page.get_by_role("main"), page.get_by_role("grid", name="Runs")):
        assert part.evaluate("node => node.scrollWidth") <= 320


@pytest.mark.parametrize("width", [360, 640, 900])
def test_sessions_fit_narrow_pages(url: str, context: BrowserContext, width: int) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(f"{url}?group=session")
    sessions = page.get_by_role("treegrid", name="Sessions")
    session = sessions.get_by_role("row").filter(has=page.get_by_role("link", name="chat-1"))
    expect(session).to_contain_text(re.compile(r"1 h 00 min.*2 runs.*\$0\.2600", re.DOTALL))
    for part in (page.get_by_role("main"), sessions, sessions.get_by_role("rowgroup")):
        assert part.evaluate("node => node.scrollWidth <= node.clientWidth")
    page.get_by_role("combobox", name="Sorted by").select_option("Session, A to Z")
    expect(page).to_have_url(re.compile("session_sort=session_id$"))
    session.get_by_role("gridcell").last.click()
    expect(session).to_have_attribute("aria-expanded", "true")
    sessions.get_by_role("row", level=2).filter(has_text="check invoice").get_by_role("link").click()
    expect(page).to_have_url(re.compile("/runs/[0-9a-f]{32}$"))


def test_search_is_judged_anew_while_runs_change(start_collector: StartCollector, open_page: OpenPage) -> None:
    collector = start_collector()
    page = open_page(f"{collector.url}/runs?q=agent:live+is:live")
    expect(page.get_by_role("heading", name="No run matches these filters")).to_be_visible()
    with Client(endpoint=collector.url, agent="live", flush_interval_ms=20) as client:
        run = client.start_run("looked for")
        other = client.start_run("looked for too")
        expect(run_row(page, "looked for")).to_contain_text("running")
        expect(run_row(page, "looked for too")).to_be_visible()
        run.complete()
        expect(run_row(page, "looked for")).to_have_count(0)
        expect(run_row(page, "looked for too")).to_be_visible()
        other.complete()
        expect(page.get_by_role("heading", name="No run matches these filters")).to_be_visible()
        page.goto(f"{collector.url}/runs?sort=-cost_usd")
        expect(run_row(page, "looked for")).to_be_visible()
        client.start_run("comes late").complete()
        page.get_by_role("button", name="1 new run").click()
        expect(run_row(page, "comes late")).to_be_visible()
