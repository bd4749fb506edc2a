"""Insights: figures of a time, what they are beside the time before, and the way from every mark to its runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.pages import ended

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess, StartCollector

OpenPage = Callable[..., Page]
SendEvents = Callable[..., None]
HOUR_MS = 3_600_000
# Hand-made events begin at EPOCH_NS, 2026-11-18T11:06:40Z; these are the three hours after it, and the ones before.
TIME = "from=2026-11-18T11:00:00Z&to=2026-11-18T14:00:00Z"


def runs_of(number: int, hour: int, cost: float, *, fails: bool) -> list[dict[str, Any]]:
    run_id = f"{number + 1:032x}"
    start = hour * HOUR_MS
    usage = [
        {
            "model": f"model-{number % 2}",
            "input_tokens": 1000,
            "output_tokens": 100,
            "cache_read_tokens": 600,
            "cost_usd": cost,
        }
    ]
    error = {"error_type": "Timeout", "error_message": f"no answer within {number} s"} if fails else {}
    status = "failed" if fails else "completed"
    return [
        ended(run_id, f"{number:015x}f", start, start + 2000 + number, name=f"report-{number % 2}", kind="agent",
              agent="writer" if number % 2 else "reader", status=status),
        ended(run_id, f"{number:015x}1", start, start + 1000, parent_span_id=f"{number:015x}f", name="ask", kind="llm",
              status=status, usage=usage, **error),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def recorded(collector: CollectorProcess) -> CollectorProcess:
    """Return a collector with eight runs in three hours, two of which failed alike, and four in the hours before."""
    import httpx

    events = [event for n in range(8) for event in runs_of(n, n % 3, 0.25, fails=n in (3, 5))]
    events += [event for n in range(8, 12) for event in runs_of(n, -1 - n % 2, 0.25, fails=False)]
    answer = httpx.post(f"{collector.url}/v1/events", json={"producer_id": "p", "sequence": 0, "events": events})
    assert answer.json()["rejected"] == []
    return collector


def chart(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True).get_by_role("slider")


def figure(page: Page, title: str) -> Locator:
    return page.locator("dl > div").filter(has=page.get_by_role("term").filter(has_text=re.compile(f"^{title}$")))


def test_overview_has_figures_beside_those_before(recorded: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{recorded.url}/insights?{TIME}")
    expect(figure(page, "Runs")).to_contain_text("8")
    expect(figure(page, "Runs")).to_contain_text("+100 %")
    expect(figure(page, "Success rate")).to_contain_text("75.0 %")
    expect(figure(page, "Success rate")).to_contain_text("−25 %")
    expect(figure(page, "Cost")).to_contain_text("$2.00")
    for title in ("Runs", "Cost", "Tokens", "Duration of runs"):
        expect(chart(page, title)).to_be_visible()
    figure(page, "Runs").get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/runs\?q=.*2026-11-18T11"))


def test_chart_is_walked_told_and_followed_by_keyboard(recorded: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{recorded.url}/insights/tokens?{TIME}&by=model")
    tokens = chart(page, "Tokens over time")
    tokens.focus()
    page.keyboard.press("Home")
    expect(tokens).to_have_attribute("aria-valuetext", re.compile("^18 Nov 11:00 – "))
    for _ in range(40):
        page.keyboard.press("ArrowRight")
        if "cache read" in (tokens.get_attribute("aria-valuetext") or ""):
            break
    expect(tokens).to_have_attribute("aria-valuetext", re.compile("uncached input 1.2k · cache read 1.8k · output 300"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/runs\?q=span"))
    page.go_back()
    expect(page.get_by_role("combobox", name="By")).to_have_value("model")


def test_brush_narrows_the_time_by_pointer_and_by_key(recorded: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{recorded.url}/insights?{TIME}")
    box = chart(page, "Cost").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"from=2026-11-18T11%3A\d\d%3A00.000Z&to=2026-11-18T1"))
    page.go_back()
    expect(figure(page, "Runs")).to_contain_text("8")
    chart(page, "Runs").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("from=2026-11-18T11%3A00%3A00.000Z&to=2026-11-18T11%3A02%3A00.000Z"))
    expect(page.get_by_text("Nothing was recorded in this time")).to_be_visible()


def test_cost_is_told_apart_by_model_and_sorted(recorded: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{recorded.url}/insights/cost?{TIME}")
    page.get_by_role("combobox", name="By").select_option("model")
    expect(page).to_have_url(re.compile("by=model"))
    table = page.get_by_role("region", name="By model").get_by_role("table")
    expect(table.get_by_role("rowheader")).to_have_text(["model-0", "model-1"])
    row = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="model-1"))
    expect(row).to_contain_text("$1.00")
    expect(row).to_contain_text("+100 %")
    table.get_by_role("button", name="Calls").click()
    expect(table.get_by_role("columnheader", name="Calls")).to_have_attribute("aria-sort", "descending")
    row.get_by_role("link", name="model-1").click()
    expect(page).to_have_url(re.compile(r"/runs\?q=.*model-1"))


def test_every_chart_has_a_table_and_its_sql(recorded: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{recorded.url}/insights/latency?{TIME}")
    region = page.get_by_role("region", name="Duration of runs over time", exact=True)
    region.get_by_role("button", name="Table").click()
    expect(region.get_by_role("columnheader")).to_have_text(["Time", "p99", "p95", "p50"])
    expect(region.get_by_role("rowheader").first).to_have_text(re.compile("^18 Nov 11:0"))
    region.get_by_role("button", name="SQL").click()
    page.get_by_role("link", name="Open in SQL").click()
    expect(page.get_by_role("grid", name="Result")).to_be_visible()


def test_like_errors_are_one_line_with_a_way_to_the_newest(recorded: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{recorded.url}/insights/errors?{TIME}")
    line = page.get_by_role("region", name="Like errors").get_by_role("listitem").filter(has_text="Timeout")
    expect(line).to_contain_text("no answer within <n> s")
    expect(line).to_contain_text("2 runs")
    expect(line.get_by_role("img")).to_have_accessible_name(re.compile("2 errors over the time"))
    line.get_by_role("link", name="newest one").click()
    expect(page).to_have_url(re.compile(r"/runs/0{31}6\?span="))


def test_steps_and_outcomes_are_told(recorded: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{recorded.url}/insights/steps?{TIME}")
    expect(page.get_by_role("region", name="Most expensive steps").get_by_role("row").nth(1)).to_contain_text("$2.00")
    expect(page.get_by_role("region", name="Slowest steps").get_by_role("row").nth(1)).to_contain_text("1.00 s")
    page.get_by_role("link", name="Success").click()
    expect(chart(page, "Success rate over time")).to_be_visible()
    expect(figure(page, "Not succeeded")).to_contain_text("2")


def test_search_and_deep_link_show_the_same_picture(recorded: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{recorded.url}/insights/success?{TIME}")
    expect(figure(page, "Runs")).to_contain_text("8")
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search runs")).to_be_focused()
    page.keyboard.type("agent:writer")
    page.keyboard.press("Enter")
    expect(figure(page, "Runs")).to_contain_text("4")
    expect(page).to_have_url(re.compile("q=agent%3Awriter"))
    again = open_page(page.url)
    expect(figure(again, "Runs")).to_contain_text("4")
    expect(again.get_by_role("combobox", name="Search runs")).to_have_value("agent:writer")
    for one in (page, again):
        expect(one.get_by_role("table")).to_contain_text("new")  # what failures are beside none before
    assert again.get_by_role("table").inner_text() == page.get_by_role("table").inner_text()


def test_wrong_search_is_explained_and_the_picture_stays(recorded: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{recorded.url}/insights?{TIME}")
    expect(figure(page, "Runs")).to_contain_text("8")
    page.get_by_role("combobox", name="Search runs").fill("colour:red")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("colour")
    expect(figure(page, "Runs")).to_contain_text("8")


def test_new_runs_are_counted_while_the_page_is_open(start_collector: StartCollector, open_page: OpenPage) -> None:
    collector = start_collector()
    page = open_page(f"{collector.url}/insights?from=now-1h")
    expect(page.get_by_text("Nothing was recorded in this time")).to_be_visible()
    with Client(endpoint=collector.url, agent="tester", flush_interval_ms=20) as client:
        client.start_run("arrives live").complete()
        expect(figure(page, "Runs")).to_contain_text("1")
        client.start_run("and another").complete()
        expect(figure(page, "Runs")).to_contain_text("2")


def test_flame_of_the_same_runs_is_a_link_away(recorded: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{recorded.url}/insights/cost?{TIME}&q=agent:writer")
    page.get_by_role("link", name="Flame of these runs").click()
    expect(page).to_have_title("Flame · Milepost")
    expect(page).to_have_url(
        re.compile(r"flame\?q=agent%3Awriter&from=2026-11-18T11.*&to=2026-11-18T14.*&metric=cost&by=agent")
    )
    expect(page.locator("main")).to_contain_text("4 runs")
