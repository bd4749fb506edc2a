"""The other views of a run: lanes, messages, log and table, with one selection and one window of time."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.pages import EPOCH_NS, ended, span_row

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
SendEvents = Callable[..., None]

CALL = {"type": "tool_call", "id": "c1", "name": "search_trains", "arguments": {"to": "Paris"}}


def said(role: str, *parts: Any) -> dict[str, Any]:
    texts = [{"type": "text", "content": part} if isinstance(part, str) else part for part in parts]
    return {"role": role, "parts": texts}


def otlp(run_id: str, number: int, name: str, start_ms: int, end_ms: int, **fields: Any) -> dict[str, Any]:
    """Return a span in OTLP's JSON. parent: a number; error: a message; the rest are attributes."""
    parent, error = fields.pop("parent", None), fields.pop("error", None)
    return {
        "traceId": run_id,
        "spanId": f"{number:016x}",
        "parentSpanId": "" if parent is None else f"{parent:016x}",
        "name": name,
        "startTimeUnixNano": str(EPOCH_NS + start_ms * 1_000_000),
        "endTimeUnixNano": str(EPOCH_NS + end_ms * 1_000_000),
        "status": {"code": 2, "message": error} if error else {},
        "attributes": [
            {"key": key.replace("__", "."), "value": {"stringValue": _text(value)}} for key, value in fields.items()
        ],
    }  # fmt: skip


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def talk(run_id: str, number: int, start_ms: int, sent: list[Any], answered: Any, **fields: Any) -> dict[str, Any]:
    attributes = {"gen_ai__operation__name": "chat", "gen_ai__input__messages": sent, **fields}
    if answered:
        attributes["gen_ai__output__messages"] = [answered]
    return otlp(run_id, number, "chat", start_ms, start_ms + 100, **attributes)


@pytest.fixture(scope="module")
def journey(collector: CollectorProcess) -> str:
    """Return the address of a run: an agent that asks a model, a tool and another agent, with logs and an error."""
    run_id = uuid.uuid4().hex
    ask, look = said("user", "To Paris?"), said("assistant", "Let me look.", CALL)
    result = said("tool", {"type": "tool_call_response", "id": "c1", "response": "ICE 9558"})
    agent = {"gen_ai__operation__name": "invoke_agent"}
    tool = {"gen_ai__operation__name": "execute_tool"}
    spans = [
        otlp(run_id, 1, "planner", 0, 2000, **agent),
        talk(run_id, 2, 100, [said("system", "be brief"), ask], look, parent=1),
        otlp(run_id, 3, "execute_tool search_trains", 250, 600, parent=1, gen_ai__tool__call__id="c1", **tool),
        otlp(run_id, 4, "hotels", 700, 1400, parent=1, **agent),
        talk(run_id, 5, 800, [said("user", "3 nights")], said("assistant", "Hotel du Nord"), parent=4),
        otlp(run_id, 6, "execute_tool hotel_api", 950, 1200, parent=4, error="HTTP 503 from hotels", **tool),
        talk(
            run_id, 7, 1500, [said("system", "be brief"), ask, look, result], said("assistant", "By train."), parent=1
        ),
    ]
    body = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": spans}]}]}
    assert httpx.post(f"{collector.url}/v1/traces", json=body, timeout=30).status_code == 200
    events = [
        {"type": "event", "run_id": run_id, "span_id": f"{span:016x}", "time": EPOCH_NS + at * 1_000_000, **event}
        for span, at, event in [
            (3, 300, {"kind": "log", "severity": "info", "message": "asking the timetable", "attributes": {"page": 2}}),
            (6, 1100, {"kind": "log", "severity": "warn", "message": "hotel service is slow"}),
            (6, 1190, {"kind": "exception", "name": "HTTPError", "message": "503"}),
            (1, 1900, {"kind": "checkpoint", "name": "planned", "body": {"step": 3}}),
        ]
    ]
    batch = {"producer_id": uuid.uuid4().hex, "sequence": 0, "events": events}
    assert httpx.post(f"{collector.url}/v1/events", json=batch, timeout=30).json()["rejected"] == []
    return f"{collector.url}/runs/{run_id}"


def view_button(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="View", exact=True).get_by_role("button", name=name)


def detail(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Detail")


def span_id(number: int) -> str:
    return f"{number:016x}"


def test_views_are_switched_by_mouse_and_keys_and_undone_by_back(journey: str, open_page: OpenPage) -> None:
    page = open_page(journey)
    span_row(page, "hotels").click()
    view_button(page, "Table").click()
    expect(page).to_have_url(re.compile(rf"view=table&span={span_id(4)}"))
    expect(page.get_by_role("grid").locator("[aria-selected=true]")).to_contain_text("hotels")
    for key, name in [("2", "Lanes"), ("3", "Messages"), ("4", "Log"), ("1", "Waterfall")]:
        page.keyboard.press(key)
        expect(view_button(page, name)).to_have_attribute("aria-pressed", "true")
        expect(detail(page)).to_contain_text("hotels")
    expect(page.get_by_role("treegrid").locator("[aria-selected=true]")).to_contain_text("hotels")
    page.go_back()
    expect(view_button(page, "Log")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(view_button(page, "Messages")).to_have_attribute("aria-pressed", "true")


def test_lanes_are_walked_and_read_out(journey: str, open_page: OpenPage) -> None:
    page = open_page(f"{journey}?view=lanes")
    lanes, told = page.get_by_role("application"), page.locator("#lane-readout")
    expect(page.get_by_text("3 lanes")).to_be_visible()
    lanes.press("ArrowDown")
    expect(told).to_contain_text("planner")
    lanes.press("ArrowDown")
    expect(told).to_contain_text(re.compile("chat.*at 100 ms.*in planner.*lane 2 of 3"))
    lanes.press("ArrowRight")
    lanes.press("ArrowRight")
    expect(told).to_contain_text("hotels")
    lanes.press("ArrowDown")
    expect(told).to_contain_text("in hotels")
    lanes.press("ArrowRight")
    expect(told).to_contain_text("failed")
    expect(detail(page)).to_contain_text("HTTP 503 from hotels")
    expect(page).to_have_url(re.compile(f"span={span_id(6)}"))
    lanes.press("ArrowUp")
    expect(told).to_contain_text("hotels")


def test_lanes_answer_pointer_and_zoom_both_ways(journey: str, open_page: OpenPage) -> None:
    page = open_page(f"{journey}?view=lanes")
    lanes, told = page.get_by_role("application"), page.locator("#lane-readout")
    expect(page.get_by_text("3 lanes")).to_be_visible()
    box = lanes.bounding_box()
    assert box is not None
    hotels = {"x": box["width"] * 0.5, "y": 36}  # in the second lane
    lanes.hover(position=hotels)
    expect(told).to_contain_text("hotels")
    lanes.click(position=hotels)
    expect(detail(page)).to_contain_text("hotels")
    lanes.dblclick(position=hotels)
    expect(page).to_have_url(re.compile(r"t=66\d\.?\d*-14\d\d"))
    page.get_by_role("button", name="Taller lanes").click()
    expect(page.get_by_role("button", name="Fit", exact=True)).to_be_enabled()
    page.get_by_role("button", name="Fit", exact=True).click()
    expect(page.get_by_role("button", name="Fit", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Show as table").click()
    expect(page.get_by_text("only 665 ms")).to_be_visible()


def test_lanes_mark_waits_events_checkpoints_and_ends_that_are_not_known(
    collector: CollectorProcess, send: SendEvents, run_id: str, open_page: OpenPage
) -> None:
    tries = [(2, 1000, 2000, "RateLimitError"), (3, 5000, 6000, "TimeoutError"), (4, 8000, 9000, None)]
    send(
        ended(run_id, span_id(1), 0, 12_000, name="retrier", kind="agent"),
        *(
            ended(run_id, span_id(i), start, end, name="ask", kind="llm", parent_span_id=span_id(1), attempt=i - 1)
            | ({"status": "failed", "error_type": error} if error else {"status": "completed"})
            for i, start, end, error in tries
        ),
        {"type": "span_started", "run_id": run_id, "span_id": span_id(5), "parent_span_id": span_id(1)}
        | {"name": "left open", "kind": "tool", "start_time": EPOCH_NS + 10_000_000_000},
        *(
            {"type": "event", "run_id": run_id, "span_id": span_id(4), "time": EPOCH_NS + at * 1_000_000, **event}
            for at, event in [
                (8100, {"kind": "log", "severity": "warn", "message": "slow"}),
                (8500, {"kind": "checkpoint", "name": "asked", "body": {"step": 1}}),
            ]
        ),
    )
    page = open_page(f"{collector.url}/runs/{run_id}?view=lanes")
    lanes, told = page.get_by_role("application"), page.locator("#lane-readout")
    expect(page.get_by_text("2 lanes")).to_be_visible()
    box = lanes.bounding_box()
    assert box is not None
    second = {"y": 30}
    per_ms = box["width"] / 12_144  # the run and a little room after it
    lanes.hover(position=second | {"x": 3500 * per_ms})
    expect(told).to_contain_text(re.compile(r"Waited for a limit.*3\.00 s.*before ask.*at 2\.00 s"))
    lanes.hover(position=second | {"x": 7000 * per_ms})
    expect(told).to_contain_text(re.compile(r"Backoff.*2\.00 s"))
    lanes.click(position=second | {"x": 7000 * per_ms})
    expect(page).to_have_url(re.compile(f"span={span_id(4)}"))
    lanes.hover(position=second | {"x": 8500 * per_ms})
    expect(told).to_contain_text("checkpoint at 8.50 s")
    lanes.press("Home")
    expect(told).to_contain_text("failed: RateLimitError")
    for facts in (
        r"failed: TimeoutError.*after 3\.00 s of a limit",
        r"after 2\.00 s of backoff.*1 checkpoint.*1 event \(1 warning\)",
    ):
        lanes.press("ArrowRight")
        expect(told).to_contain_text(re.compile(facts))
    lanes.press("ArrowRight")
    expect(told).to_contain_text(re.compile("left open.*not ended"))
    page.get_by_role("button", name="Marks").click()
    expect(page.get_by_role("dialog", name="Marks")).to_contain_text("the end is not known")


def test_messages_are_one_conversation(journey: str, open_page: OpenPage) -> None:
    page = open_page(f"{journey}?view=messages")
    entries = page.get_by_role("feed").locator(".entry")
    expect(entries).to_have_text(
        [
            re.compile("system.*be brief", re.DOTALL),
            re.compile("user.*To Paris", re.DOTALL),
            re.compile("assistant.*Let me look", re.DOTALL),
            re.compile('search_trains.*to: "Paris".*ICE 9558', re.DOTALL),
            re.compile("hotels"),
            re.compile("user.*3 nights", re.DOTALL),
            re.compile("assistant.*Hotel du Nord", re.DOTALL),
            re.compile("hotel_api.*HTTP 503 from hotels", re.DOTALL),
            re.compile("Back in planner"),
            re.compile("3 earlier messages sent again"),
            re.compile("assistant.*By train", re.DOTALL),
        ]
    )
    page.get_by_text("Hotel du Nord").click()
    expect(page).to_have_url(re.compile(f"span={span_id(5)}"))
    expect(detail(page)).to_contain_text("chat")
    view_button(page, "Waterfall").click()
    expect(page.get_by_role("treegrid").locator("[aria-selected=true]")).to_be_visible()


def test_messages_are_read_and_searched_by_keyboard(journey: str, open_page: OpenPage) -> None:
    page = open_page(f"{journey}?view=messages")
    entries = page.get_by_role("feed").locator(".entry")
    expect(entries).to_have_count(11)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(entries.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(entries.nth(10)).to_be_focused()
    expect(page).to_have_url(re.compile(f"span={span_id(7)}"))
    page.keyboard.press("/")
    page.keyboard.type("hotel")
    expect(page.get_by_role("searchbox", name="Find in messages")).to_have_value("hotel")
    expect(page.get_by_role("status").get_by_text("3", exact=True)).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 3")).to_be_visible()
    expect(page).to_have_url(re.compile(f"span={span_id(5)}.*q=hotel"))
    again = open_page(page.url)
    expect(again.get_by_role("searchbox", name="Find in messages")).to_have_value("hotel")
    expect(again.get_by_role("feed").locator(".entry.selected").first).to_be_visible()


def test_new_messages_arrive_while_the_run_goes_on(
    collector: CollectorProcess, send: Callable[..., None], open_page: OpenPage, run_id: str
) -> None:
    started = {"type": "span_started", "run_id": run_id, "time": EPOCH_NS}
    send({**started, "span_id": span_id(1), "name": "agent", "kind": "agent", "start_time": EPOCH_NS})
    page = open_page(f"{collector.url}/runs/{run_id}?view=messages")
    expect(page.get_by_text("This run has no calls of models or tools yet.")).to_be_visible()
    send(
        ended(run_id, span_id(2), 1, 5, name="ask", kind="llm", parent_span_id=span_id(1), input="warm?", output="yes")
    )
    expect(page.get_by_role("feed").locator(".entry")).to_have_text([re.compile("warm"), re.compile("yes")])
    send(
        ended(run_id, span_id(3), 6, 9, name="look", kind="tool", parent_span_id=span_id(1), input={"of": 1}, output=2)
    )
    expect(page.get_by_role("feed").locator(".entry")).to_have_count(3)


def test_log_is_filtered_by_level_text_and_time(journey: str, open_page: OpenPage) -> None:
    page = open_page(f"{journey}?view=log")
    lines = page.get_by_role("feed", name="Log").get_by_role("article")
    expect(lines).to_have_count(4)
    expect(lines.nth(0)).to_contain_text(re.compile("300 ms.*info.*asking the timetable.*search_trains", re.DOTALL))
    page.get_by_role("button", name="Warnings").click()
    expect(lines).to_have_count(2)
    expect(page).to_have_url(re.compile("level=warn"))
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("checkbox", name="Starts and ends").check()
    expect(page.get_by_text("18 lines")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("hotel")
    expect(lines).to_have_count(6)
    expect(page).to_have_url(re.compile("q=hotel.*lines=spans"))
    again = open_page(page.url)
    expect(again.get_by_role("feed", name="Log").get_by_role("article")).to_have_count(6)
    again.goto(f"{journey}?view=log&t=1000-1195")
    expect(again.get_by_role("feed", name="Log").get_by_role("article")).to_have_count(2)
    again.get_by_role("button", name="whole run").click()
    expect(again.get_by_role("feed", name="Log").get_by_role("article")).to_have_count(4)


def test_log_is_walked_by_keyboard(journey: str, open_page: OpenPage) -> None:
    page = open_page(f"{journey}?view=log")
    lines = page.get_by_role("feed", name="Log").get_by_role("article")
    expect(lines).to_have_count(4)
    page.keyboard.press("j")
    expect(lines.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("feed", name="Log").get_by_text("page", exact=True)).to_be_visible()
    page.keyboard.press("End")
    expect(lines.nth(3)).to_be_focused()
    expect(page).to_have_url(re.compile(f"span={span_id(1)}"))


def test_log_follows_a_live_run(
    collector: CollectorProcess, send: Callable[..., None], open_page: OpenPage, run_id: str
) -> None:
    send({"type": "span_started", "run_id": run_id, "span_id": span_id(1), "name": "agent", "start_time": EPOCH_NS})
    page = open_page(f"{collector.url}/runs/{run_id}?view=log")
    log = page.get_by_role("feed", name="Log")
    expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
    logged = {"type": "event", "run_id": run_id, "span_id": span_id(1), "kind": "log"}
    send(*({**logged, "time": EPOCH_NS + number, "message": f"line {number}"} for number in range(200)))
    expect(log.get_by_text("line 199")).to_be_in_viewport()
    expect(page.get_by_text("200 lines")).to_be_visible()
    page.get_by_role("button", name="Follow").click()
    page.keyboard.press("Home")
    expect(log.get_by_text("line 0", exact=True)).to_be_in_viewport()
    send({**logged, "time": EPOCH_NS + 300, "message": "line 300"})
    expect(page.get_by_text("201 lines")).to_be_visible()
    expect(log.get_by_text("line 0", exact=True)).to_be_in_viewport()


def test_table_is_sorted_narrowed_and_added_up(journey: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(f"{journey}?view=table")
    grid, sums = page.get_by_role("grid"), page.get_by_role("status", name="Sums")
    rows = grid.get_by_role("row")
    expect(rows).to_have_count(8)
    expect(sums).to_contain_text("7 spans")
    grid.get_by_role("button", name="Duration").click()
    expect(page).to_have_url(re.compile("sort=-duration"))
    expect(rows.nth(1)).to_contain_text("planner")
    expect(rows.nth(2)).to_contain_text("hotels")
    rows.nth(2).click()
    rows.nth(3).click(modifiers=["Control"])
    rows.nth(5).click(modifiers=["Shift"])
    expect(sums).to_contain_text("4 spans chosen")
    expect(sums).to_contain_text("1.40 s in all")
    expect(sums).to_contain_text("1 error")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("menuitemcheckbox", name="Tool").click()
    page.keyboard.press("Escape")
    expect(grid.get_by_role("columnheader", name="Tool")).to_be_visible()
    with page.expect_download() as waited:
        page.get_by_role("button", name="Export CSV").click()
    waited.value.save_as(tmp_path / "spans.csv")
    head, *lines = (tmp_path / "spans.csv").read_text().splitlines()
    assert head.startswith("span_id,parent_span_id,name,kind,status,start_time,duration_ms")
    assert len(lines) == 4
    expect(page).to_have_url(re.compile("cols=.*tool"))
    again = open_page(page.url)
    expect(again.get_by_role("grid").get_by_role("columnheader", name="Tool")).to_be_visible()
    expect(again.get_by_role("grid").get_by_role("row").nth(1)).to_contain_text("planner")


def test_table_is_walked_and_chosen_by_keyboard(journey: str, open_page: OpenPage) -> None:
    page = open_page(f"{journey}?view=table")
    grid, sums = page.get_by_role("grid"), page.get_by_role("status", name="Sums")
    expect(grid.get_by_role("row")).to_have_count(8)
    grid.press("ArrowDown")
    grid.press("j")
    expect(grid.locator("[aria-selected=true]")).to_contain_text("chat")
    grid.press("x")
    grid.press("j")
    grid.press("Shift+X")
    expect(sums).to_contain_text("2 spans chosen")
    grid.press("Escape")
    expect(sums).to_contain_text("7 spans")
    grid.press("e")
    expect(grid.locator("[aria-selected=true]")).to_contain_text("hotel_api")
    expect(detail(page)).to_contain_text("HTTP 503")
