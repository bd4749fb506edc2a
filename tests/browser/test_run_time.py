"""A run's time: idle stretches, frames, zooms, areas, gaps, the critical path, colours, and what links keep of them."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.controlled import Controlled
from tests.browser.pages import EPOCH_NS, ended, open_tab, span_row

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
SendEvents = Callable[..., None]

IDLE = uuid.uuid4().hex
BUSY = uuid.uuid4().hex
HOUR_MS = 3_600_000.0


def span(run_id: str, number: int, name: str, start_ms: float, end_ms: float, **fields: Any) -> dict[str, Any]:
    """Return the end of a span below the first one."""
    parent = {} if number == 1 else {"parent_span_id": f"{fields.pop('parent', 1):016x}"}
    return ended(run_id, f"{number:016x}", start_ms, end_ms, name=name, **parent, **fields)


def idle_run() -> list[dict[str, Any]]:
    """Return two bursts of work with an hour of nothing between them."""
    steps = [(2, "fetch", 0.0), (3, "parse", 4_000.0), (4, "store", HOUR_MS), (5, "report", HOUR_MS + 4_000)]
    spans = [span(IDLE, number, name, at, at + 3_000, kind="tool") for number, name, at in steps]
    return [span(IDLE, 1, "nightly", 0, HOUR_MS + 8_000, kind="agent"), *spans]


def busy_run() -> list[dict[str, Any]]:
    """Return a run whose second step was waited for, with costs, a failure, logs and a checkpoint."""
    usage = [{"model": "some-model", "input_tokens": 800, "output_tokens": 100, "cost_usd": 0.25}]
    log = {"type": "event", "run_id": BUSY, "span_id": f"{4:016x}", "kind": "log", "severity": "error", "message": "oh"}
    return [
        span(BUSY, 1, "report", 0, 10_000, kind="agent"),
        span(BUSY, 2, "ask", 0, 2_000, kind="llm", usage=usage),
        span(BUSY, 3, "read", 2_000, 3_000, kind="tool"),
        span(BUSY, 4, "search", 2_000, 6_000, kind="retrieval", status="failed", error_type="TimeoutError"),
        span(BUSY, 5, "write", 7_500, 9_500, kind="tool"),
        *({**log, "time": EPOCH_NS + at * 1_000_000} for at in (3_000, 3_010, 5_000)),
        {**log, "time": EPOCH_NS + 5_500_000_000, "kind": "checkpoint", "name": "half", "body": {"page": 1}},
    ]


@pytest.fixture(scope="module", autouse=True)
def _recorded(collector: CollectorProcess) -> None:
    batch = {"producer_id": uuid.uuid4().hex, "sequence": 0, "events": [*idle_run(), *busy_run()]}
    answer = httpx.post(f"{collector.url}/v1/events", json=batch, timeout=30)
    assert answer.json()["rejected"] == []


@pytest.fixture
def idle_page(collector: CollectorProcess, open_page: OpenPage) -> Page:
    """Return the page of the run that mostly waited."""
    page = open_page(f"{collector.url}/runs/{IDLE}")
    expect(span_row(page, "nightly")).to_be_visible()
    return page


@pytest.fixture
def busy_page(collector: CollectorProcess, open_page: OpenPage) -> Page:
    """Return the page of the run of ten seconds."""
    page = open_page(f"{collector.url}/runs/{BUSY}")
    expect(span_row(page, "report")).to_be_visible()
    return page


def ruler(page: Page) -> Locator:
    return page.locator(".ruler")


def toggle(page: Page, name: str) -> Locator:
    return page.get_by_role("toolbar", name="Time").get_by_role("button", name=name)


def trail(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Zoom")


def at(page: Page, name: str, share: float) -> tuple[float, float]:
    """Return the point on a span's row at a share of the bars' width."""
    row, bars = span_row(page, name).bounding_box(), page.locator(".bars canvas").bounding_box()
    assert row is not None
    assert bars is not None
    return bars["x"] + share * bars["width"], row["y"] + row["height"] / 2


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def test_idle_hours_are_folded_by_themselves_and_shown_on_request(idle_page: Page) -> None:
    expect(toggle(idle_page, "Fold idle")).to_have_attribute("aria-pressed", "true")
    expect(ruler(idle_page)).to_contain_text("idle 59 min 53 s")
    idle_page.get_by_role("button", name="59 min 53 s idle folded").click()
    expect(ruler(idle_page)).not_to_contain_text("idle")
    expect(idle_page).to_have_url(re.compile(r"idle=off"))
    idle_page.keyboard.press("i")
    expect(ruler(idle_page)).to_contain_text("idle 59 min 53 s")
    expect(idle_page).to_have_url(re.compile(r"idle=on"))


def test_run_without_idle_time_offers_no_folding(busy_page: Page) -> None:
    expect(toggle(busy_page, "Fold idle")).to_be_disabled()
    expect(ruler(busy_page)).to_contain_text(re.compile(r"0 = \d\d:\d\d:\d\d \S+"))


def test_slivers_are_framed_and_a_window_by_hand_ends_that(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/runs/{IDLE}?idle=off")
    expect(toggle(page, "Frame rows")).to_have_attribute("aria-pressed", "true")
    expect(trail(page)).to_contain_text("rows on screen")
    page.keyboard.press("w")
    expect(toggle(page, "Frame rows")).to_have_attribute("aria-pressed", "false")
    expect(page).to_have_url(re.compile(r"t=[\d.]+-[\d.]+&frame=off&idle=off"))
    page.keyboard.press("v")
    expect(page).to_have_url(re.compile(r"\?frame=on&idle=off"))


def test_zooms_leave_a_trail_to_go_back_on(busy_page: Page) -> None:
    box = ruler(busy_page).bounding_box()
    assert box is not None
    y = box["y"] + 6
    drag(busy_page, (box["x"] + 0.2 * box["width"], y), (box["x"] + 0.7 * box["width"], y))
    drag(busy_page, (box["x"] + 0.2 * box["width"], y), (box["x"] + 0.6 * box["width"], y))
    crumbs = trail(busy_page).get_by_role("button")
    expect(crumbs).to_have_count(3)
    expect(crumbs.nth(1)).to_have_text("5.06 s")
    busy_page.keyboard.press("z")
    expect(crumbs).to_have_count(2)
    crumbs.first.click()
    expect(crumbs).to_have_count(1)
    expect(busy_page).not_to_have_url(re.compile("t="))


def test_dragged_area_snaps_to_spans_and_sums_them_by_name(busy_page: Page) -> None:
    # From just after the start of "read" to just before the end of "search".
    drag(busy_page, at(busy_page, "read", 0.201), at(busy_page, "search", 0.589))
    area = busy_page.get_by_role("region", name="Selected area")
    expect(area).to_contain_text("4.00 s")
    rows = area.get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text(re.compile(r"search\s*1\s*4\.00 s\s*4\.00 s"))
    expect(rows.nth(2)).to_contain_text(re.compile(r"read\s*1\s*1\.00 s"))
    area.get_by_role("button", name="Zoom in").click()
    expect(busy_page).to_have_url(re.compile(r"t=1800-6200"))
    busy_page.keyboard.press("Escape")
    expect(area).to_have_count(0)


def test_link_restores_a_measured_area_and_a_gap(busy_page: Page, open_page: OpenPage) -> None:
    drag(busy_page, at(busy_page, "read", 0.201), at(busy_page, "search", 0.589))
    area = busy_page.get_by_role("region", name="Selected area")
    expect(area).to_contain_text("4.00 s")
    expect(busy_page).to_have_url(re.compile(r"area=2000-6000&rows=[0-9a-f]{16}&rows=[0-9a-f]{16}"))
    again = open_page(busy_page.url)
    expect(again.get_by_role("region", name="Selected area").get_by_role("row")).to_have_text(
        area.get_by_role("row").all_text_contents()
    )
    expect(again).to_have_url(busy_page.url)
    busy_page.keyboard.press("Escape")
    expect(busy_page).not_to_have_url(re.compile("area="))
    span_row(busy_page, "search").click(position={"x": 100, "y": 8})
    busy_page.keyboard.press("Shift+M")
    span_row(busy_page, "write").click(position={"x": 100, "y": 8})
    expect(busy_page.get_by_label("Gap", exact=True)).to_contain_text("1.50 s between")
    expect(busy_page).to_have_url(re.compile(r"span=([0-9a-f]{16})\b.*&gap=(?!\1)[0-9a-f]{16}"))
    again.goto(busy_page.url)
    expect(again.get_by_label("Gap", exact=True)).to_contain_text(
        "1.50 s between the end of search and the start of write"
    )


def test_gap_between_two_spans_is_measured_with_shift_and_click(busy_page: Page) -> None:
    span_row(busy_page, "search").click(position={"x": 100, "y": 8})
    busy_page.keyboard.down("Shift")
    busy_page.mouse.click(*at(busy_page, "write", 0.3))
    busy_page.keyboard.up("Shift")
    gap = busy_page.get_by_label("Gap", exact=True)
    expect(gap).to_contain_text("1.50 s between the end of search and the start of write")
    expect(gap).to_contain_text("write starts 5.50 s after search starts")
    gap.get_by_role("button", name="Stop measuring").click()
    expect(gap).to_have_count(0)


def test_checkpoint_on_the_rail_opens_it(busy_page: Page) -> None:
    busy_page.get_by_role("button", name="Checkpoint of search").click()
    expect(span_row(busy_page, "search")).to_have_attribute("aria-selected", "true")
    expect(busy_page.get_by_role("tab", name="Checkpoints")).to_have_attribute("aria-selected", "true")


def test_colours_have_one_meaning_and_a_legend(busy_page: Page) -> None:
    legend = busy_page.get_by_role("list", name="Colours").get_by_role("listitem")
    expect(legend).to_have_text(["agent", "llm", "tool", "retrieval"])
    busy_page.get_by_label("Colour by").select_option("cost")
    expect(legend).to_have_text(["no cost", re.compile(r"more than \$0\.1")])
    expect(busy_page).to_have_url(re.compile("color=cost"))
    busy_page.get_by_label("Colour by").select_option("status")
    expect(legend).to_have_text(["completed", "failed"])


def test_time_is_explored_by_keyboard_alone(busy_page: Page) -> None:
    press = busy_page.keyboard.press
    busy_page.get_by_role("treegrid").focus()
    visited = []
    for _ in range(4):
        press("p")
        expect(busy_page.locator("[role=row][aria-selected=true]")).to_have_count(1)
        visited.append(busy_page.locator("[role=row][aria-selected=true] .name").inner_text())
    assert visited == ["ask", "search", "report", "write"]
    press(",")
    expect(span_row(busy_page, "search")).to_have_attribute("aria-selected", "true")
    press("r")
    area = busy_page.get_by_role("region", name="Selected area")
    expect(area.get_by_role("row")).to_have_count(2)
    press("m")
    expect(area.get_by_role("row")).to_have_count(4)
    press("Escape")
    press("Shift+M")
    press(".")
    expect(busy_page.get_by_label("Gap", exact=True)).to_contain_text("1.50 s between")
    press("Escape")
    press("c")
    expect(busy_page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "4")
    expect(busy_page).to_have_url(re.compile("only=critical"))


def test_minimap_moves_the_window_by_keyboard_and_tells_what_is_in_it(busy_page: Page) -> None:
    minimap = busy_page.get_by_role("slider", name="Window of time")
    minimap.focus()
    expect(minimap).to_have_attribute("aria-valuetext", re.compile(r"0 ns to 10\.1 s, 5 spans, 1 error"))
    for _ in range(3):
        busy_page.keyboard.press("ArrowUp")
    busy_page.keyboard.press("End")
    expect(minimap).to_have_attribute("aria-valuetext", re.compile(r"6\.65 s to 10\.1 s, 2 spans, no errors"))
    busy_page.keyboard.press("Home")
    expect(minimap).to_have_attribute("aria-valuetext", re.compile(r"^0 ns to 3\.47 s"))


def test_link_restores_time_colours_and_folding(busy_page: Page, open_page: OpenPage) -> None:
    busy_page.get_by_label("Colour by").select_option("tokens")
    span_row(busy_page, "search").click(position={"x": 100, "y": 8})
    for key in ("f", "c"):
        busy_page.keyboard.press(key)
    expect(busy_page).to_have_url(re.compile(r"span=\w+&t=1800-6200&only=critical&color=tokens"))
    address = busy_page.url
    again = open_page(address)
    expect(span_row(again, "search")).to_have_attribute("aria-selected", "true")
    expect(again.get_by_label("Colour by")).to_have_value("tokens")
    expect(toggle(again, "Critical path")).to_have_attribute("aria-pressed", "true")
    expect(trail(again).get_by_role("button")).to_have_text(["Whole run", "4.40 s"])
    expect(again).to_have_url(address)


def test_logs_are_dots_that_were_asked_for_without_their_texts(busy_page: Page) -> None:
    span_row(busy_page, "search").click(position={"x": 100, "y": 8})
    expect(open_tab(busy_page, "Logs")).to_contain_text("oh")
    marks = busy_page.evaluate("async id => (await fetch(`api/runs/${id}/marks`)).json()", BUSY)
    assert marks["offset_ns"] == [0, 10_000_000, 2_000_000_000]
    assert "message" not in marks


def test_wait_for_a_worker_is_drawn_before_the_attempt(
    collector: CollectorProcess, controlled: Controlled, send: SendEvents, open_page: OpenPage
) -> None:
    worker = controlled.worker("waiter")
    task_id = controlled.create("waited-for", agent="waiter")
    lease = worker.take(task_id)
    start_ns = time.time_ns()
    root = ended(lease["run_id"], "1" * 16, 0, 0, name="waited-for", task_id=task_id, attempt=1)
    send({**root, "start_time": start_ns, "end_time": start_ns + 1_000_000})
    page = open_page(f"{collector.url}/runs/{lease['run_id']}")
    expect(span_row(page, "waited-for")).to_be_visible()
    expect(ruler(page)).to_contain_text(re.compile(r"waited [\d.]+ m?s"))
