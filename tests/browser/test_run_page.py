"""A run's page: the tree, the bars, the details, while it executes and afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.pages import ended, open_tab, run_header, span_row, tree_outline

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]

# Resolves when the canvas shows something else than before; rejects after ten seconds.
REPAINTED = """(canvas, before) => new Promise((resolve, reject) => {
    const deadline = performance.now() + 10000;
    (function look() {
        if (canvas.toDataURL() !== before) resolve();
        else if (performance.now() > deadline) reject(new Error("the canvas did not change"));
        else requestAnimationFrame(look);
    })();
})"""


def test_run_is_watched_while_it_executes(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    run = client.start_run("watched")
    client.flush()
    page = open_page(f"{collector.url}/runs/{run.run_id}")
    expect(page.get_by_role("heading", name="watched", level=1)).to_be_visible()
    page.evaluate("window.sameDocument = true")
    first = run.start_task("first step")
    expect(span_row(page, "first step")).to_contain_text("running")
    second = run.start_task("second step")
    first.complete(output={"pages": 3})
    expect(span_row(page, "first step")).not_to_contain_text("running")
    expect(span_row(page, "second step")).to_contain_text("running")
    second.fail(error_message="Connection refused")
    expect(span_row(page, "second step")).to_contain_text("failed")
    run.complete()
    expect(run_header(page)).to_contain_text("completed")
    assert page.evaluate("window.sameDocument") is True


def test_running_bar_grows(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    run = client.start_run("growing")
    run.start_task("short").complete()
    client.flush()
    page = open_page(f"{collector.url}/runs/{run.run_id}")
    expect(span_row(page, "short")).to_be_visible()
    canvas = bars(page)
    # The whole run stays in view, so the finished bar shrinks as the open one grows.
    canvas.evaluate(REPAINTED, canvas.evaluate("canvas => canvas.toDataURL()"))
    run.complete()


def bars(page: Page) -> Locator:
    return page.get_by_role("treegrid").locator("canvas")


@pytest.fixture
def rich_run(client: Client) -> str:
    """Return the id of a run whose one llm task has everything the detail panel can show."""
    with client.start_run("rich", tags=["nightly"]) as run:
        task = run.start_task("call", kind="llm", input={"messages": [{"role": "user", "content": "how many pages?"}]})
        task.checkpoint({"page": 12}, name="halfway")
        task.log("asking again", level="warning")
        task.set_attribute("shelf", "top")
        task.record_usage(model="some-model", input_tokens=812, output_tokens=96, cost_usd=0.25)
        try:
            raise ConnectionError("Connection refused")
        except ConnectionError as error:
            task.fail(error)
    client.flush()
    return run.run_id


def test_detail_panel_shows_every_part(collector: CollectorProcess, rich_run: str, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/runs/{rich_run}")
    span_row(page, "call").click()
    parts = {
        "Error": ["ConnectionError", "Connection refused", "Traceback", "test_run_page.py"],
        "Messages": ["user", "how many pages?"],
        "Input": ["messages", "how many pages?"],
        "Output": ["No output was captured."],
        "Checkpoints": ["halfway", "page", "12"],
        "Logs": ["asking again"],
        "Attributes": ["shelf", "top", "tester"],
        "Cost": ["some-model", "812", "96", "$0.2500", "as reported by the caller"],
    }
    for tab, texts in parts.items():
        panel = open_tab(page, tab)
        for text in texts:
            expect(panel).to_contain_text(text)


def test_link_restores_selection_tab_window_and_search(
    collector: CollectorProcess, rich_run: str, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/runs/{rich_run}")
    span_row(page, "call").click()
    open_tab(page, "Checkpoints")
    page.get_by_role("treegrid").focus()
    page.keyboard.press("w")
    page.get_by_role("searchbox", name="Search spans").fill("kind:llm")
    expect(page).to_have_url(re.compile(r"span=[0-9a-f]{16}&t=[\d.]+-[\d.]+&q=kind%3Allm&tab=checkpoints"))
    address = page.url
    again = open_page(address)
    expect(span_row(again, "call")).to_have_attribute("aria-selected", "true")
    expect(again.get_by_role("searchbox", name="Search spans")).to_have_value("kind:llm")
    expect(again.get_by_role("tab", name="Checkpoints")).to_have_attribute("aria-selected", "true")
    expect(again).to_have_url(address)


def test_back_returns_to_the_list(collector: CollectorProcess, rich_run: str, open_page: OpenPage) -> None:
    page = open_page(collector.url)
    page.get_by_role("link", name="rich", exact=True).first.click()
    expect(page.get_by_role("heading", name="rich", level=1)).to_be_visible()
    span_row(page, "call").click()
    expect(page).to_have_url(re.compile("span="))
    page.go_back()
    expect(page).to_have_title("Runs · Milepost")
    page.go_forward()
    expect(span_row(page, "call")).to_have_attribute("aria-selected", "true")


def test_live_picture_equals_the_picture_after_reload(
    collector: CollectorProcess, client: Client, open_page: OpenPage
) -> None:
    run = client.start_run("compared")
    client.flush()
    page = open_page(f"{collector.url}/runs/{run.run_id}")
    expect(span_row(page, "compared")).to_be_visible()
    tasks = [run.start_task(f"task {number}") for number in range(12)]
    for number, task in enumerate(reversed(tasks)):
        with task.start_task(f"inner {number}", kind="tool"):
            task.log("at work")
        task.skip(reason="cache hit") if number % 5 == 0 else task.complete()
    run.complete()
    expect(run_header(page)).to_contain_text("completed")
    expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "25")
    expect(span_row(page, "compared")).not_to_contain_text("running")
    live = tree_outline(page)
    page.reload()
    expect(span_row(page, "compared")).to_be_visible()
    assert tree_outline(page) == live
    assert len(live) == 25


HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>{@html 3}‮abc"


def test_hostile_text_stays_text(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    run = client.start_run(HOSTILE, input={HOSTILE: HOSTILE}, tags=[HOSTILE], agent=HOSTILE)
    message = {"role": HOSTILE, "content": HOSTILE, "tool_calls": [{"name": HOSTILE, "arguments": HOSTILE}]}
    task = run.start_task(HOSTILE, kind="llm", input=[message])
    task.log(HOSTILE)
    task.checkpoint({HOSTILE: HOSTILE}, name=HOSTILE)
    task.set_attribute("hostile", HOSTILE)
    task.fail(error_message=HOSTILE)
    run.complete()
    client.flush()
    page = open_page(collector.url)
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    page.goto(f"{collector.url}/runs/{run.run_id}?q=javascript:alert(4)")
    page.get_by_role("row").nth(1).click()
    for tab in page.get_by_role("tab").all():
        tab.click()
        expect(page.get_by_role("tabpanel")).to_be_visible()
    assert page.locator("img, #app script, iframe").count() == 0


def test_large_input_is_cut_until_all_is_asked_for(
    collector: CollectorProcess, send: Callable[..., None], open_page: OpenPage, run_id: str
) -> None:
    text = "x" * 400_000 + "the end"
    send(ended(run_id, "a" * 16, 0, 10, name="large", kind="agent", input={"text": text}))
    page = open_page(f"{collector.url}/runs/{run_id}")
    panel = open_tab(page, "Input")
    expect(panel).to_contain_text("The first 262 KB of 400 KB")
    panel.get_by_role("button", name="Load all").click()
    panel.get_by_role("button", name=re.compile("all 400,007 characters")).click()
    expect(panel).to_contain_text("the end")


def test_orphans_wait_under_a_placeholder_and_keep_their_place(
    collector: CollectorProcess, send: Callable[..., None], open_page: OpenPage, run_id: str
) -> None:
    send(
        ended(run_id, "1" * 16, 0, 100, name="root", kind="agent"),
        ended(run_id, "3" * 16, 20, 30, name="early child", parent_span_id="2" * 16),
    )
    page = open_page(f"{collector.url}/runs/{run_id}")
    expect(page.get_by_text("parent not received")).to_be_visible()
    span_row(page, "early child").click()
    send(ended(run_id, "2" * 16, 20, 40, name="late parent", parent_span_id="1" * 16))
    expect(span_row(page, "late parent")).to_be_visible()
    expect(page.get_by_text("parent not received")).to_have_count(0)
    assert tree_outline(page) == [(1, "root"), (2, "late parent"), (3, "early child")]
    expect(span_row(page, "early child")).to_have_attribute("aria-selected", "true")


def test_task_left_open_is_shown_as_open(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    run = client.start_run("careless")
    run.start_task("forgotten")
    run.complete()
    client.flush()
    page = open_page(f"{collector.url}/runs/{run.run_id}")
    expect(span_row(page, "forgotten")).to_contain_text("still open when the run ended")


def test_dropped_events_are_reported(
    collector: CollectorProcess, send: Callable[..., None], open_page: OpenPage, run_id: str
) -> None:
    send(ended(run_id, "1" * 16, 0, 100, name="root", kind="agent"), dropped=12)
    page = open_page(f"{collector.url}/runs/{run_id}")
    expect(page.get_by_text("12 events were dropped")).to_be_visible()


def test_unknown_run_says_so_and_appears_when_it_arrives(
    collector: CollectorProcess, send: Callable[..., None], open_page: OpenPage, run_id: str
) -> None:
    page = open_page(f"{collector.url}/runs/{run_id}")
    expect(page.get_by_role("heading", name="No such run")).to_be_visible()
    send(ended(run_id, "1" * 16, 0, 100, name="at last", kind="agent"))
    expect(page.get_by_role("heading", name="at last", level=1)).to_be_visible()


@pytest.mark.slow
def test_large_run_opens_folded_and_is_searched(
    collector: CollectorProcess, send: Callable[..., None], open_page: OpenPage, run_id: str
) -> None:
    spans = [ended(run_id, f"{1:016x}", 0, 40_000, name="root", kind="agent")]
    for task in range(20):
        parent = f"{task + 2:016x}"
        spans.append(
            ended(run_id, parent, task * 2000, task * 2000 + 1900, name=f"task {task}", parent_span_id=f"{1:016x}")
        )
        for call in range(200):
            start = task * 2000 + call * 9
            name = "needle" if (task, call) == (13, 77) else "call"
            spans.append(
                ended(
                    run_id,
                    f"{1000 + task * 200 + call:016x}",
                    start,
                    start + 8,
                    name=name,
                    kind="tool",
                    parent_span_id=parent,
                )
            )
    for first in range(0, len(spans), 1000):
        send(*spans[first : first + 1000])
    page = open_page(f"{collector.url}/runs/{run_id}")
    # The root, 20 tasks, their calls as one row each, and the needle that parts one of those rows in two.
    expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "43")
    page.get_by_role("searchbox", name="Search spans").fill("needle")
    expect(page.get_by_role("status").filter(has_text=re.compile(r"^1$"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(span_row(page, "needle")).to_have_attribute("aria-selected", "true")
    expect(span_row(page, "needle")).to_be_in_viewport()
