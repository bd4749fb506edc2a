"""The rows of a run's page: folding, focus, search, figures, by mouse and by keyboard alone."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.controlled import Controlled
from tests.browser.pages import ended, span_row, tree_outline

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
Send = Callable[..., None]

USAGE = [{"model": "some-model", "input_tokens": 1000, "output_tokens": 200, "cost_usd": 0.25}]
BROKEN = {"status": "failed", "error": {"type": "TimeoutError", "message": "no answer in 10 s"}}


def _events(run_id: str) -> list[dict[str, Any]]:
    """A run with everything that makes rows: repeats with and without an error, tries, sums, a status of each sort."""
    number = itertools.count(1)
    events: list[dict[str, Any]] = []

    def add(name: str, start: float, end: float, parent: str | None = None, **fields: Any) -> str:
        span_id = f"{next(number):016x}"
        fields = {"kind": "tool", **fields, **({"parent_span_id": parent} if parent else {})}
        events.append(ended(run_id, span_id, start, end, name=name, **fields))
        return span_id

    root = add("research", 0, 10_000, kind="agent")
    gather = add("gather", 100, 4000, root, kind="agent")
    for call in range(14):
        add("read_file", 200 + call * 100, 260 + call * 100, gather, input={"path": f"docs/{call}.md"})
    for call in range(6):
        add("web_search", 2000 + call * 100, 2060 + call * 100, gather, **(BROKEN if call == 3 else {}))
    for attempt in (1, 2, 3):
        add(
            "fetch",
            2700 + attempt * 200,
            2800 + attempt * 200,
            gather,
            attempt=attempt,
            **(BROKEN if attempt < 3 else {}),
        )
    write = add("write", 4100, 9000, root, kind="agent")
    add("draft budget", 4200, 6000, write, kind="llm", usage=USAGE, input={"ask": "how many chapters?"})
    add("polish", 6100, 8000, write, kind="llm", usage=USAGE)
    add("publish", 8100, 8200, write, status="skipped")
    add("announce", 8300, 8400, write, status="cancelled")
    return events


@pytest.fixture(scope="module")
def run_url(collector: CollectorProcess) -> str:
    """Return the address of a run whose rows show everything."""
    run_id = uuid.uuid4().hex
    batch = {"producer_id": run_id, "sequence": 0, "events": _events(run_id), "dropped": 0}
    answer = httpx.post(f"{collector.url}/v1/events", json=batch, timeout=30)
    assert answer.json()["rejected"] == []
    return f"{collector.url}/runs/{run_id}"


def tree(page: Page) -> Locator:
    return page.get_by_role("treegrid")


def search_box(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Search spans")


def selected(page: Page) -> Locator:
    return tree(page).locator("[aria-selected=true] .name")


FOLDED = [
    (1, "research 3"),
    (2, "gather 3"),
    (3, "read_file ×14"),
    (3, "web_search ×6 1"),
    *[(4, "web_search")] * 3,
    (4, "web_search failed"),
    *[(4, "web_search")] * 2,
    (3, "fetch 3 tries 2"),
    (2, "write"),
    (3, "draft budget some-model"),
    (3, "polish some-model"),
    (3, "publish skipped"),
    (3, "announce cancelled"),
]


def test_repeats_and_tries_are_one_row_until_opened(run_url: str, open_page: OpenPage) -> None:
    page = open_page(run_url)
    expect(span_row(page, "announce")).to_be_visible()
    assert tree_outline(page) == FOLDED
    repeat = span_row(page, "read_file")
    expect(repeat).to_have_attribute("aria-expanded", "false")
    repeat.click()
    note = page.get_by_role("complementary")
    expect(note).to_contain_text("read_file ×14")
    expect(note).to_contain_text("840 ms")  # the sum of 14 calls of 60 ms
    note.get_by_role("button", name="3 docs/2.md 60.0 ms", exact=True).click()
    expect(tree(page)).to_have_attribute("aria-rowcount", str(len(FOLDED) + 14))
    expect(page).to_have_url(re.compile(r"span=0{15}5"))
    expect(tree(page).locator("[aria-selected=true]")).to_contain_text("docs/2.md")
    span_row(page, "fetch").get_by_role("button", name="Expand").click()
    expect(span_row(page, "fetch")).to_have_count(4)


def test_link_into_a_folded_repeat_opens_it(run_url: str, open_page: OpenPage) -> None:
    page = open_page(f"{run_url}?span={5:016x}")
    expect(selected(page)).to_have_text("read_file")
    expect(tree(page)).to_have_attribute("aria-activedescendant", f"span-{5:016x}")
    group = open_page(f"{run_url}?span=repeat:{3:016x}")
    expect(span_row(group, "read_file")).to_have_attribute("aria-selected", "true")
    expect(span_row(group, "read_file")).to_have_count(1)


def test_subtree_is_focused_by_keys_and_left_by_its_trail(run_url: str, open_page: OpenPage) -> None:
    page = open_page(run_url)
    expect(span_row(page, "write")).to_be_visible()
    tree(page).focus()
    page.keyboard.press("Home")
    for _ in range(FOLDED.index((2, "write"))):
        page.keyboard.press("ArrowDown")
    expect(selected(page)).to_have_text("write")
    page.keyboard.press("Enter")
    expect(tree(page)).to_have_attribute("aria-rowcount", "5")
    assert tree_outline(page)[:2] == [(1, "write"), (2, "draft budget some-model")]
    expect(page).to_have_url(re.compile(r"t=[\d.]+-[\d.]+&focus=[0-9a-f]{16}"))
    again = open_page(page.url)
    expect(tree(again)).to_have_attribute("aria-rowcount", "5")
    trail = again.get_by_role("navigation", name="Focused subtree")
    expect(trail).to_have_text(re.compile(r"Whole run\s*research\s*write"))
    expect(again).to_have_url(page.url)
    trail.get_by_role("button", name="Whole run").click()
    expect(tree(again)).to_have_attribute("aria-rowcount", str(len(FOLDED)))
    page.keyboard.press("Backspace")
    expect(page.get_by_role("navigation", name="Focused subtree")).to_contain_text("research")
    page.keyboard.press("Backspace")
    expect(page.get_by_role("navigation", name="Focused subtree")).to_have_count(0)
    expect(selected(page)).to_have_text("write")


def test_back_leaves_a_focus_and_forward_returns_to_it(run_url: str, open_page: OpenPage) -> None:
    page = open_page(run_url)
    expect(span_row(page, "write")).to_be_visible()
    whole = tree(page).get_attribute("aria-rowcount")
    tree(page).focus()
    page.keyboard.press("Home")
    for _ in range(FOLDED.index((2, "write"))):
        page.keyboard.press("ArrowDown")
    expect(selected(page)).to_have_text("write")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"t=[\d.]+-[\d.]+&focus=[0-9a-f]{16}"))
    focused = page.url
    page.go_back()
    expect(page.get_by_role("navigation", name="Focused subtree")).to_have_count(0)
    expect(tree(page)).to_have_attribute("aria-rowcount", str(whole))
    expect(page).not_to_have_url(re.compile(r"[?&]t="))
    page.go_forward()
    expect(tree(page)).to_have_attribute("aria-rowcount", "5")
    expect(page).to_have_url(focused)


def test_rows_are_walked_and_folded_by_keys_alone(run_url: str, open_page: OpenPage) -> None:
    page = open_page(run_url)
    expect(span_row(page, "announce")).to_be_visible()
    tree(page).focus()
    page.keyboard.press("End")
    expect(selected(page)).to_have_text("announce")
    page.keyboard.press("Home")
    expect(selected(page)).to_have_text("research")
    page.keyboard.press("ArrowRight")
    expect(selected(page)).to_have_text("gather")
    page.keyboard.press("Shift+ArrowLeft")
    expect(tree(page)).to_have_attribute("aria-rowcount", "3")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(span_row(page, "gather")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("e")
    expect(selected(page)).to_have_text("web_search")
    page.keyboard.press("e")
    expect(selected(page)).to_have_text("fetch")
    page.keyboard.press("Shift+E")
    expect(selected(page)).to_have_text("web_search")
    page.keyboard.press("ArrowLeft")
    expect(selected(page)).to_have_text("web_search")
    expect(page).to_have_url(re.compile("span=repeat"))
    page.keyboard.press("Escape")
    expect(selected(page)).to_have_count(0)


def test_search_finds_names_at_once_and_texts_through_the_collector(run_url: str, open_page: OpenPage) -> None:
    page = open_page(run_url)
    expect(span_row(page, "announce")).to_be_visible()
    tree(page).focus()
    page.keyboard.press("/")
    page.keyboard.type("chapters")
    count = page.get_by_role("status").filter(has_text=re.compile(r"^[\d,]+( of [\d,]+)?$"))
    expect(count).to_have_text("1")
    page.keyboard.press("Enter")
    expect(selected(page)).to_have_text("draft budget")
    expect(count).to_have_text("1 of 1")
    search_box(page).fill("kind:tool -status:completed")
    expect(count).to_have_text("5")
    page.keyboard.press("Enter")
    expect(count).to_have_text("4 of 5")
    page.keyboard.press("Shift+Enter")
    expect(count).to_have_text("3 of 5")


def test_search_that_cannot_be_read_says_why(run_url: str, open_page: OpenPage) -> None:
    page = open_page(run_url)
    search_box(page).fill("colour:red")
    expect(page.get_by_role("alert")).to_contain_text("there is no field colour")
    search_box(page).fill("kind:llm")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_only_matches_keep_what_is_above_them(run_url: str, open_page: OpenPage) -> None:
    page = open_page(run_url)
    search_box(page).fill("status:failed")
    page.get_by_role("button", name="Only matches").click()
    expect(tree(page)).to_have_attribute("aria-rowcount", "7")
    assert [name.split()[0] for _, name in tree_outline(page)] == [
        "research", "gather", "web_search", "web_search", "fetch", "fetch", "fetch",
    ]  # fmt: skip
    expect(page).to_have_url(re.compile("q=status%3Afailed&only=matches"))
    again = open_page(page.url)
    expect(tree(again)).to_have_attribute("aria-rowcount", "7")
    expect(again).to_have_url(page.url)
    span_row(page, "gather").get_by_role("button", name="Collapse").click()
    expect(tree(page)).to_have_attribute("aria-rowcount", "2")
    search_box(page).press("Escape")
    expect(tree(page)).to_have_attribute("aria-rowcount", str(len(FOLDED)))


def test_columns_show_sums_and_are_chosen(run_url: str, open_page: OpenPage) -> None:
    page = open_page(run_url)
    figures = span_row(page, "write").get_by_role("gridcell")
    expect(figures).to_have_text([re.compile("write"), "4.90 s", "$0.5000"])
    expect(figures.nth(2)).to_have_attribute("title", "$0.5000")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Tokens").check()
    page.keyboard.press("Escape")
    expect(figures).to_have_text([re.compile("write"), "4.90 s", "$0.5000", "2.4k"])
    page.reload()
    expect(figures).to_have_count(4)


def test_copies_link_and_summary(run_url: str, open_page: OpenPage) -> None:
    page = open_page(f"{run_url}?span={5:016x}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(selected(page)).to_have_text("read_file")
    tree(page).focus()
    page.keyboard.press("Shift+Y")
    expect(page.locator("[aria-live]")).to_have_text("summary copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert text.splitlines()[:2] == [f"[read\\_file]({page.url})", "- tool · completed · 60.0 ms"]
    page.keyboard.press("y")
    expect(page.locator("[aria-live]")).to_have_text("link copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_reader_follows_the_newest_row_of_a_live_run(
    collector: CollectorProcess, client: Client, open_page: OpenPage
) -> None:
    run = client.start_run("followed")
    for number in range(60):
        run.start_task(f"step {number}").complete()
    client.flush()
    page = open_page(f"{collector.url}/runs/{run.run_id}")
    expect(span_row(page, "step 3")).to_have_count(1)
    tree(page).focus()
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
    expect(span_row(page, "step 59")).to_be_in_viewport()
    run.start_task("the newest").complete()
    expect(span_row(page, "the newest")).to_be_in_viewport()
    page.mouse.move(300, 500)
    page.mouse.wheel(0, -400)
    expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
    run.complete()


def test_fold_focus_selection_and_scroll_survive_what_arrives(
    collector: CollectorProcess, client: Client, open_page: OpenPage
) -> None:
    run = client.start_run("growing")
    left = run.start_task("left")
    right = run.start_task("right")
    for number in range(50):
        left.start_task(f"left {number}").complete()
        right.start_task(f"right {number}").complete()
    client.flush()
    page = open_page(f"{collector.url}/runs/{run.run_id}")
    span_row(page, "left").first.get_by_role("button", name="Collapse").click()
    expect(tree(page)).to_have_attribute("aria-rowcount", "53")
    right_row = tree(page).get_by_role("row", name=re.compile("right 20"))
    page.mouse.move(300, 500)
    page.mouse.wheel(0, 240)
    right_row.click()
    top = right_row.bounding_box()
    left.start_task("left late").complete()
    right.start_task("right late").complete()
    expect(tree(page)).to_have_attribute("aria-rowcount", "54")
    expect(right_row).to_have_attribute("aria-selected", "true")
    assert right_row.bounding_box() == top
    run.complete()


def test_attempts_of_a_task_are_switched_between(
    collector: CollectorProcess, controlled: Controlled, send: Send, open_page: OpenPage
) -> None:
    task = controlled.create("Tried Twice", agent="switcher", settings={"retry_delay_ms": 0})
    worker = controlled.worker("switcher")
    runs = []
    for attempt in (1, 2):
        run_id = worker.take(task)["run_id"]
        runs.append(run_id)
        send(ended(run_id, f"{attempt:016x}", 0, 100, name="Tried Twice", kind="agent", task_id=task, attempt=attempt))
        if attempt == 1:
            worker.fail(task, "Flaky", "again")
    page = open_page(f"{collector.url}/runs/{runs[0]}")
    switch = page.get_by_role("navigation", name="Attempts")
    expect(switch.get_by_role("link")).to_have_count(2)
    expect(switch.get_by_role("link").first).to_have_attribute("aria-current", "page")
    switch.get_by_role("link").last.click()
    expect(page).to_have_url(re.compile(runs[1]))
    expect(page.get_by_role("navigation", name="Attempts").get_by_role("link").last).to_have_attribute(
        "aria-current", "page"
    )
