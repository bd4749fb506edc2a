"""Many runs folded into one picture."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.pages import ended

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
SendEvents = Callable[..., None]


@pytest.fixture
def folded(send: SendEvents) -> str:
    """Return the name of two runs of 100 ms: a plan that searches, and a report of which half is writing."""
    name = f"research {uuid.uuid4().hex[:8]}"
    for number in range(2):
        run_id, at = uuid.uuid4().hex, 1000 * number

        def step(place: int, above: int, title: str, begin: int, end: int, **more: Any) -> dict[str, Any]:
            parent = {"parent_span_id": f"{above:016x}"} if above else {}
            return ended(run_id, f"{place:016x}", at + begin, at + end, name=title, **parent, **more)  # noqa: B023

        send(
            step(1, 0, name, 0, 100, kind="agent"),
            step(2, 1, "plan", 0, 40, kind="task"),
            step(3, 2, "search", 0, 30, kind="tool"),
            step(4, 1, "report", 40, 100, kind="task"),
            step(5, 4, "write", 40, 70, kind="llm", usage=[{"model": "m", "input_tokens": 5, "cost_usd": 0.25}]),
        )
    return name


def flame_url(collector: CollectorProcess, name: str, **more: str) -> str:
    extra = "".join(f"&{key}={value}" for key, value in more.items())
    return f'{collector.url}/flame?q=name:"{name}"{extra}'


def picture(page: Page) -> Locator:
    return page.get_by_role("application", name=re.compile("^Flame picture"))


def read_out(page: Page) -> Locator:
    return page.locator("#flame-read-out")


def entry(page: Page, table: str, name: str) -> Locator:
    row = page.get_by_role("grid", name=table).get_by_role("row")
    return row.filter(has=page.get_by_role("rowheader", name=name, exact=True))


def click_at(page: Page, part: float, level: int, *, twice: bool = False) -> None:
    """Click a level of the picture, at a part of its width."""
    box = picture(page).bounding_box()
    assert box is not None
    place = {"x": box["width"] * part, "y": level * 21 + 10}
    if twice:
        picture(page).dblclick(position=place)
    else:
        picture(page).click(position=place)


def test_runs_are_folded_and_walked_with_the_mouse(
    collector: CollectorProcess, folded: str, open_page: OpenPage
) -> None:
    page = open_page(flame_url(collector, folded))
    expect(page.get_by_text("2 runs, 10 spans")).to_be_visible()
    expect(page.locator(".crumbs")).to_contain_text("200 ms")
    picture(page).hover(position={"x": 20, "y": 31})
    expect(read_out(page)).to_contain_text("report")
    expect(read_out(page)).to_contain_text("60 %")
    click_at(page, 0.1, 1)
    expect(read_out(page)).to_contain_text("own 60.0 ms")
    expect(page).to_have_url(re.compile("node=report&x=0..0.6$"))
    click_at(page, 0.2, 2, twice=True)
    expect(page.get_by_role("navigation", name="Focus")).to_contain_text("write")
    expect(page.locator(".crumbs")).to_contain_text("60.0 ms")
    page.get_by_role("navigation", name="Focus").get_by_role("button", name="All runs").click()
    expect(page.locator(".crumbs")).to_contain_text("200 ms")
    page.go_back()
    expect(page.locator(".crumbs")).to_contain_text("60.0 ms")


def test_picture_by_keyboard_alone(collector: CollectorProcess, folded: str, open_page: OpenPage) -> None:
    page = open_page(flame_url(collector, folded))
    expect(page.get_by_text("2 runs, 10 spans")).to_be_visible()
    for key, name in (("ArrowDown", folded), ("ArrowDown", "report"), ("ArrowRight", "plan"), ("ArrowDown", "search")):
        page.keyboard.press(key)
        expect(read_out(page).locator("strong")).to_have_text(name)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Focus").locator("[aria-current]")).to_have_text("plan")
    expect(page.locator(".crumbs")).to_contain_text("80.0 ms")
    page.keyboard.press("Backspace")
    expect(page.get_by_role("navigation", name="Focus").locator("[aria-current]")).to_have_text(folded)
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search runs")).to_be_focused()


def test_metric_and_fold_are_chosen(collector: CollectorProcess, folded: str, open_page: OpenPage) -> None:
    page = open_page(flame_url(collector, folded))
    page.get_by_role("button", name="Cost").click()
    expect(page.locator(".crumbs")).to_contain_text("$0.5000")
    page.get_by_role("button", name="By model").click()
    expect(entry(page, "All of them by model", "m")).to_contain_text("$0.5000")
    page.get_by_role("button", name="Errors").click()
    expect(page.get_by_text("These 2 runs have no errors.")).to_be_visible()
    expect(page).to_have_url(re.compile("metric=errors&by=model"))


def test_callers_and_callees_of_a_name_are_told(collector: CollectorProcess, folded: str, open_page: OpenPage) -> None:
    page = open_page(flame_url(collector, folded))
    entry(page, "All of them by name", "report").click()
    expect(entry(page, "Callers", folded)).to_contain_text("120 ms")
    expect(entry(page, "Callees", "write")).to_contain_text("60.0 ms")
    entry(page, "Callees", "write").click()
    around = page.get_by_role("region", name="Around write")
    expect(around).to_contain_text("It calls nothing")
    page.get_by_role("grid", name="All of them by name").get_by_role("button", name="Total").click()
    expect(page.get_by_role("grid", name="All of them by name").get_by_role("rowheader").first).to_have_text(folded)
    around.get_by_role("link", name="Runs with this").click()
    expect(page).to_have_url(re.compile(r"/runs\?q=name.*span%28name%3Awrite%29"))


def test_link_shows_the_same_picture(collector: CollectorProcess, folded: str, open_page: OpenPage) -> None:
    page = open_page(flame_url(collector, folded, metric="self"))
    expect(page.get_by_text("2 runs, 10 spans")).to_be_visible()
    page.get_by_role("searchbox", name="Find a name").fill("RE")
    expect(page.get_by_role("status").filter(has_text="nodes")).to_contain_text("100 % in 2 nodes")
    page.get_by_role("button", name="Table").click()
    rows = page.get_by_role("treegrid").get_by_role("row")
    expect(rows).to_have_count(3)
    rows.filter(has_text="report").click()
    expect(page).to_have_url(re.compile("node=report"))
    copy = open_page(page.url)
    expect(copy.get_by_role("treegrid").get_by_role("row", selected=True)).to_contain_text("report")
    expect(copy.get_by_role("searchbox", name="Find a name")).to_have_value("RE")
    expect(copy.get_by_role("button", name="Self time")).to_have_attribute("aria-pressed", "true")
    copy.keyboard.press("y")


def test_search_that_is_refused_keeps_the_picture(
    collector: CollectorProcess, folded: str, open_page: OpenPage
) -> None:
    page = open_page(flame_url(collector, folded))
    expect(page.get_by_text("2 runs, 10 spans")).to_be_visible()
    page.get_by_role("combobox", name="Search runs").fill("cost>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("cost")
    expect(page.get_by_text("2 runs, 10 spans")).to_be_visible()
    page.get_by_role("combobox", name="Search runs").fill("name:nothing-of-this-name")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No run that has ended matches.")).to_be_visible()


def test_runs_that_end_are_told_and_folded_when_wanted(
    collector: CollectorProcess, folded: str, send: SendEvents, open_page: OpenPage
) -> None:
    page = open_page(flame_url(collector, folded))
    expect(page.get_by_text("2 runs, 10 spans")).to_be_visible()
    send(ended(uuid.uuid4().hex, "1" * 16, 5000, 5100, name=folded, kind="agent"))
    page.get_by_role("button", name="1 run ended since: fold again").click()
    expect(page.get_by_text("3 runs, 11 spans")).to_be_visible()


@pytest.fixture
def changed(send: SendEvents) -> tuple[str, str]:
    """Return the names of runs before and after: writing takes longer since, searching is gone, checking is new."""
    mark = uuid.uuid4().hex[:8]
    names = f"before {mark}", f"after {mark}"
    earlier = [("plan", 0, 40), ("search", 40, 60), ("write", 60, 70)]
    later = [("plan", 0, 40), ("write", 40, 80), ("check", 80, 90)]
    for name, parts, count in zip(names, (earlier, later), (1, 2), strict=True):
        for _ in range(count):
            run_id = uuid.uuid4().hex
            send(
                ended(run_id, f"{1:016x}", 0, 100, name="job", kind="agent", tags=[name]),
                *(
                    ended(run_id, f"{i:016x}", begin, end, name=title, kind="task", parent_span_id=f"{1:016x}")
                    for i, (title, begin, end) in enumerate(parts, start=2)
                ),
            )
    return names


def test_two_pictures_are_compared(changed: tuple[str, str], collector: CollectorProcess, open_page: OpenPage) -> None:
    before, after = changed
    page = open_page(f'{collector.url}/flame?q=tag:"{after}"')
    page.get_by_role("button", name="Compare", exact=True).click()
    search = page.get_by_role("combobox", name="Search the runs before")
    search.fill(f'tag:"{before}"')
    search.press("Enter")
    expect(page.get_by_text("before: 1 run, 4 spans")).to_be_visible()
    expect(page.get_by_text("▲ more than before")).to_be_visible()
    table = page.get_by_role("grid", name="Largest differences")
    rows = table.get_by_role("row")
    expect(rows).to_have_text(
        [re.compile(text) for text in ("Name.*Difference", "write", "job", "search", "check", "plan")]
    )
    expect(rows.nth(1)).to_contain_text(re.compile(r"write\s*10.0 ms\s*40.0 ms\s*\+30.0 ms\s*\+300 %"))
    expect(rows.nth(3)).to_contain_text(re.compile(r"20.0 ms\s*0\s*−20.0 ms\s*gone"))
    expect(rows.nth(4)).to_contain_text("new")
    picture(page).press("ArrowDown")
    picture(page).press("ArrowDown")
    expect(read_out(page)).to_contain_text(re.compile("(plan|write)"))
    page.get_by_role("button", name="SQL of the runs before").click()
    expect(page.get_by_role("dialog", name="SQL of the runs before").locator("pre")).to_contain_text("FROM")
    page.keyboard.press("Escape")
    address = page.url
    again = open_page(address)
    expect(again.get_by_role("grid", name="Largest differences").get_by_role("row").nth(1)).to_contain_text("+30.0 ms")
    again.get_by_role("button", name="Swap").click()
    expect(again.get_by_text("before: 2 runs, 8 spans")).to_be_visible()
    expect(again.get_by_role("grid", name="Largest differences").get_by_role("row").nth(1)).to_contain_text("−30.0 ms")
    again.get_by_role("button", name="Table").click()
    expect(again.get_by_role("treegrid").get_by_role("columnheader", name="Difference")).to_be_visible()
    again.keyboard.press("c")
    expect(again).not_to_have_url(re.compile("base_q"))
    expect(again.get_by_role("grid", name="All of them by name")).to_be_visible()
