"""Two runs side by side, and one beside the last ones of its name."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.pages import EPOCH_NS, ended, run_header

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
SendEvents = Callable[..., None]


def story(run_id: str, steps: dict[str, Any], *, name: str = "report", start_ms: float = 0) -> list[dict[str, Any]]:
    """Return a run whose steps returned these values, each 10 ms long."""
    root = ended(run_id, "f" * 16, start_ms, start_ms + 10 * len(steps), name=name, kind="agent", agent="tester")
    events = [root]
    for place, (step_name, output) in enumerate(steps.items()):
        begin = start_ms + 10 * place
        usage = [{"model": "m", "input_tokens": 100 * (place + 1), "cost_usd": 0.01}]
        facts = {"name": step_name, "kind": "tool", "output": output, "usage": usage, "parent_span_id": "f" * 16}
        events.append(ended(run_id, f"{place + 1:016x}", begin, begin + 10, **facts))
    return events


TEXT = [f"line {number}" for number in range(40)]


@pytest.fixture
def pair(send: SendEvents) -> tuple[str, str]:
    """Return two runs that part at the second step: it returned another text, and then there is a step more."""
    a, b = uuid.uuid4().hex, uuid.uuid4().hex
    other = [*TEXT[:20], "line 20 was changed", *TEXT[21:]]
    send(*story(a, {"plan": 1, "fetch": "\n".join(TEXT), "gone": 2, "write": {"pages": 3}}))
    send(*story(b, {"plan": 1, "fetch": "\n".join(other), "check": True, "publish": 5, "write": {"pages": 4}}))
    return a, b


def step(page: Page, name: str) -> Locator:
    """Return a row of the comparison."""
    return page.get_by_role("treegrid").get_by_role("row").filter(has=page.locator(".name", has_text=name))


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="Selected step")


def test_rows_are_aligned_and_what_differs_is_told(
    collector: CollectorProcess, pair: tuple[str, str], open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/compare?a={pair[0]}&b={pair[1]}")
    expect(page.get_by_role("toolbar", name="Differences")).to_contain_text(
        "2 different · 1 only in A · 2 only in B · 2 same"
    )
    expect(step(page, "gone")).to_contain_text("only in A")
    expect(step(page, "check")).to_contain_text("only in B")
    expect(step(page, "write")).to_contain_text("output")
    summary = page.get_by_role("table", name="What both runs took and used").get_by_role("row").last
    for text in ("+10.0 ms +25 %", "+$0.0100 +25 %", "+500 +50 %", "±0"):
        expect(summary).to_contain_text(text)


def test_selected_step_shows_what_changed_in_its_output(
    collector: CollectorProcess, pair: tuple[str, str], open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/compare?a={pair[0]}&b={pair[1]}")
    page.get_by_role("button", name="First: output of fetch").click()
    expect(step(page, "fetch")).to_have_attribute("aria-selected", "true")
    lines = panel(page).get_by_role("group", name="Output, A beside B")
    expect(lines.locator("mark")).to_have_text(" was changed")
    expect(lines).not_to_contain_text("line 3\n")
    panel(page).get_by_role("button", name="17 equal lines").click()
    expect(lines).to_contain_text("line 3")
    step(page, "check").click()
    expect(panel(page)).to_contain_text("has no such step")
    expect(panel(page)).to_contain_text("only in B")
    panel(page).get_by_role("link", name="Open in its run").click()
    expect(run_header(page)).to_contain_text("report")


def test_comparison_by_keyboard_alone(collector: CollectorProcess, pair: tuple[str, str], open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/compare?a={pair[0]}&b={pair[1]}")
    expect(step(page, "plan")).to_be_visible()
    for name in ("fetch", "check", "publish"):
        page.keyboard.press("n")
        expect(step(page, name)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Shift+N")
    expect(step(page, "check")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("treegrid").get_by_role("row")).to_have_count(1)
    expect(step(page, "report")).to_contain_text("5 inside")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    expect(step(page, "write")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Shift+X")
    expect(page).to_have_url(re.compile(f"a={pair[1]}&b={pair[0]}"))
    expect(step(page, "gone")).to_contain_text("only in B")


def test_link_shows_the_same_picture(collector: CollectorProcess, pair: tuple[str, str], open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/compare?a={pair[0]}&b={pair[1]}")
    step(page, "gone").click()
    page.get_by_role("checkbox", name="Only differences").check()
    page.get_by_role("button", name="Path").click()
    expect(step(page, "plan")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"span=a-0{15}3&align=path&only=differences$"))
    copy = open_page(page.url)
    expect(step(copy, "gone")).to_have_attribute("aria-selected", "true")
    expect(step(copy, "plan")).to_have_count(0)
    expect(copy.get_by_role("button", name="Path")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    page.go_back()
    expect(step(page, "plan")).to_be_visible()


def test_equal_runs_have_no_difference(collector: CollectorProcess, send: SendEvents, open_page: OpenPage) -> None:
    a, b = uuid.uuid4().hex, uuid.uuid4().hex
    for run_id in (a, b):
        send(*story(run_id, {"plan": 1}))
    page = open_page(f"{collector.url}/compare?a={a}&b={b}")
    expect(page.get_by_role("toolbar", name="Differences")).to_contain_text("No difference")


def test_missing_run_is_named_and_shown_when_it_arrives(
    collector: CollectorProcess, send: SendEvents, open_page: OpenPage
) -> None:
    a, b = uuid.uuid4().hex, uuid.uuid4().hex
    send(*story(a, {"plan": 1}))
    page = open_page(f"{collector.url}/compare?a={a}&b={b}")
    expect(page.get_by_role("heading", name="No run B")).to_be_visible()
    expect(page.locator("main")).to_contain_text(b)
    send(*story(b, {"plan": 2}))
    expect(step(page, "plan")).to_contain_text("output")


def test_running_run_is_compared_as_it_goes_on(
    collector: CollectorProcess, send: SendEvents, open_page: OpenPage
) -> None:
    a, b = uuid.uuid4().hex, uuid.uuid4().hex
    send(*story(a, {"plan": 1, "fetch": 2}))
    begun = {"type": "span_started", "run_id": b, "span_id": "f" * 16, "name": "report", "start_time": EPOCH_NS}
    send({**begun, "kind": "agent"})
    page = open_page(f"{collector.url}/compare?a={a}&b={b}")
    expect(step(page, "fetch")).to_contain_text("only in A")
    send(*story(b, {"plan": 1, "fetch": 3}))
    expect(step(page, "fetch")).not_to_contain_text("only in A")
    expect(step(page, "fetch")).to_contain_text("output")


def test_another_run_is_picked_from_those_of_its_name(
    collector: CollectorProcess, send: SendEvents, open_page: OpenPage
) -> None:
    name = f"picked {uuid.uuid4().hex[:8]}"
    runs = [uuid.uuid4().hex for _ in range(3)]
    for number, run_id in enumerate(runs):
        send(*story(run_id, {"plan": number}, name=name, start_ms=1000 * number))
    page = open_page(f"{collector.url}/compare?a={runs[0]}")
    links = page.locator("main").get_by_role("link", name=name)
    expect(links).to_have_count(2)
    links.first.click()
    expect(page).to_have_url(re.compile(f"a={runs[0]}&b={runs[2]}"))
    page.get_by_role("button", name="Change").last.click()
    page.get_by_role("dialog", name="Another run as B").get_by_role("link", name=name).click()
    expect(page).to_have_url(re.compile(f"a={runs[0]}&b={runs[1]}"))


@pytest.fixture
def past(send: SendEvents) -> list[str]:
    """Return eight runs of one name; the last took longer over one step, has a new one and lacks one."""
    name = f"nightly {uuid.uuid4().hex[:8]}"
    runs = [uuid.uuid4().hex for _ in range(8)]
    for number, run_id in enumerate(runs):
        last = number == len(runs) - 1
        steps = {"plan": 1, "publish" if last else "check": 1, "fetch": 2}
        events = story(run_id, steps, name=name, start_ms=1000 * number)
        if last:
            events[-1]["end_time"] += 500_000_000
        send(*events)
    return runs


def path_row(page: Page, name: str) -> Locator:
    return page.get_by_role("grid").get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def test_run_is_set_beside_the_last_of_its_name(
    collector: CollectorProcess, past: list[str], open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/compare?run={past[-1]}&last=10")
    expect(path_row(page, "fetch")).to_contain_text("above all")
    expect(path_row(page, "plan")).to_contain_text("usual")
    expect(path_row(page, "publish")).to_contain_text("new")
    expect(path_row(page, "check")).to_contain_text("missing")
    expect(
        path_row(page, "fetch").get_by_role("img", name=re.compile("above all; of 7 runs: p50 10.0 ms"))
    ).to_be_visible()
    expect(page.get_by_text("3 of 5 steps unusual")).to_be_visible()
    page.get_by_role("checkbox", name="Only unusual").check()
    expect(path_row(page, "plan")).to_have_count(0)
    page.get_by_role("button", name="Time").click()
    expect(page.get_by_role("grid").get_by_role("rowheader").first).to_contain_text("fetch")
    copy = open_page(page.url)
    expect(copy.get_by_role("grid").get_by_role("rowheader").first).to_contain_text("fetch")
    page.get_by_role("region", name="Wall of these runs").get_by_role("link").last.click()
    expect(page).to_have_url(re.compile(f"a={past[-2]}&b={past[-1]}"))


def test_history_by_keyboard_alone(collector: CollectorProcess, past: list[str], open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/compare?run={past[-1]}&last=10")
    expect(path_row(page, "fetch")).to_be_visible()
    for _ in range(4):
        page.keyboard.press("j")
    expect(path_row(page, "fetch")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(path_row(page, "check")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"runs/{past[-2]}\\?span="))


def test_first_run_of_a_name_has_nothing_beside_it(
    collector: CollectorProcess, send: SendEvents, run_id: str, open_page: OpenPage
) -> None:
    send(*story(run_id, {"plan": 1}, name=f"first {run_id}"))
    page = open_page(f"{collector.url}/compare?run={run_id}")
    expect(page.get_by_text("No earlier run of this name has ended")).to_be_visible()
    expect(path_row(page, "plan")).to_contain_text("10.0 ms")
