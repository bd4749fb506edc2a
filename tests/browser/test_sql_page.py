"""The SQL page: asking, stopping, mistakes, what there is to ask about, results as table, chart and file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pyarrow.parquet
import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.pages import run_header

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
ENDLESS = "select sum(hash(x)) from range(100000000000) t(x)"
FIGURES = "select x, x * x as squared, 'n' || (x % 2) as parity from range(20) t(x)"


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="SQL query")


def result(page: Page) -> Locator:
    return page.get_by_role("grid", name="Result")


def cell(page: Page, row: int, column: int) -> Locator:
    return result(page).locator(f'[aria-rowindex="{row + 1}"] [aria-colindex="{column}"]')


def ask(page: Page, query: str) -> None:
    editor(page).fill(query)
    page.keyboard.press("Control+Enter")


@pytest.fixture
def page(collector: CollectorProcess, open_page: OpenPage) -> Page:
    opened = open_page(f"{collector.url}/sql")
    expect(editor(opened)).to_be_focused()
    return opened


def test_query_shows_rows_that_lead_to_runs(client: Client, page: Page) -> None:
    client.start_run("asked for").complete()
    client.flush()
    ask(page, "select run_id, name, 12345678901234567 as big, cost_usd from runs where name = 'asked for'")
    expect(result(page)).to_contain_text("asked for")
    expect(cell(page, 1, 3)).to_have_text("12345678901234567")
    expect(cell(page, 1, 4)).to_have_text("null")
    expect(page.get_by_text(re.compile(r"^1 row in"))).to_be_visible()
    result(page).get_by_role("link").click()
    expect(run_header(page)).to_contain_text("asked for")


def test_link_shows_the_same_query_limit_and_chart(
    page: Page, collector: CollectorProcess, open_page: OpenPage
) -> None:
    page.get_by_role("combobox", name="Rows at most").select_option("100")
    ask(page, FIGURES)
    page.get_by_role("button", name="Chart", exact=True).click()
    page.get_by_role("combobox", name="Chart").select_option("scatter")
    page.get_by_role("combobox", name="Across").select_option("x")
    page.get_by_role("checkbox", name="squared").check()
    page.get_by_role("checkbox", name="x", exact=True).uncheck()
    page.get_by_role("combobox", name="Series by").select_option("parity")
    expect(page).to_have_url(re.compile(r"/sql#q=[\w-]+&chart=scatter.*parity.*limit=100$"))
    again = open_page(page.url)
    expect(editor(again)).to_have_text(FIGURES)
    expect(again.get_by_role("slider", name="squared by x")).to_be_visible()
    expect(again.get_by_role("combobox", name="Series by")).to_have_value("parity")
    expect(again.get_by_role("combobox", name="Rows at most")).to_have_value("100")


def test_mistake_is_explained_and_marked_at_its_place(page: Page) -> None:
    ask(page, "select 1;\nselect no_such_column\nfrom runs")
    expect(page.get_by_role("alert")).to_contain_text("no_such_column")
    expect(page.locator(".cm-wrong")).to_have_text("no_such_column")
    page.get_by_role("button", name="Line 2, column 8").click()
    expect(editor(page)).to_be_focused()
    ask(page, "select 1 as fine")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".cm-wrong")).to_have_count(0)


def test_statement_at_the_cursor_or_the_selection_is_run(page: Page) -> None:
    editor(page).fill("select 'first' as x;\nselect 'second' as x")
    page.keyboard.press("Control+Home")
    page.keyboard.press("Control+Enter")
    expect(cell(page, 1, 1)).to_have_text("first")
    page.keyboard.press("Control+End")
    page.keyboard.press("Control+Enter")
    expect(cell(page, 1, 1)).to_have_text("second")
    page.keyboard.press("Control+Home")
    page.keyboard.press("Shift+End")
    page.keyboard.press("Control+Enter")
    expect(cell(page, 1, 1)).to_have_text("first")


def test_cancelled_query_ends_in_the_collector(page: Page, collector: CollectorProcess) -> None:
    ask(page, "select 42 as kept")
    expect(cell(page, 1, 1)).to_have_text("42")
    for _ in range(5):  # more than the collector answers at once: each that went on would hold up the last one
        ask(page, ENDLESS)
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()
    expect(cell(page, 1, 1)).to_have_text("42")
    answer = httpx.post(f"{collector.url}/api/sql", json={"sql": "select 1"}, timeout=10)
    assert answer.json()["rows"] == [[1]]


def test_large_result_is_walked_sorted_and_copied_by_keyboard_alone(page: Page, context_clipboard: None) -> None:
    page.get_by_role("combobox", name="Rows at most").select_option("100000")
    wide = ", ".join(f"x * {n} as c{n}" for n in range(1, 61))
    ask(page, f"select {wide} from range(100001) t(x)")
    expect(page.get_by_text("Cut: the first 100,000 rows of more")).to_be_visible()
    expect(result(page)).to_have_attribute("aria-rowcount", "100001")
    assert result(page).get_by_role("gridcell").count() < 2000
    result(page).focus()
    page.keyboard.press("Control+End")
    expect(cell(page, 100_000, 60)).to_have_text(str(99_999 * 60))
    page.keyboard.press("Control+Home")
    expect(cell(page, 1, 1)).to_have_text("0")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(result(page).get_by_role("columnheader", name="c1 ↓")).to_have_attribute("aria-sort", "descending")
    expect(cell(page, 1, 1)).to_have_text("99999")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("4 cells", exact=True)).to_be_visible()
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()") == "c1\tc2\n99999\t199998\n99998\t199996"


@pytest.fixture
def context_clipboard(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])


def test_columns_are_hidden_resized_and_values_opened(page: Page) -> None:
    ask(page, """select '{"a": {"b": [1, 2]}}' as inside, 1 as other, timestamp '2026-11-21 07:30:00' as at""")
    expect(cell(page, 1, 3)).to_have_text("2026-11-21 07:30:00")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="other").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Columns (1 hidden)")).to_be_visible()
    expect(cell(page, 1, 2)).to_have_text("2026-11-21 07:30:00")
    before = cell(page, 1, 1).bounding_box()
    result(page).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowRight")
    expect(cell(page, 1, 1)).not_to_have_css("width", f"{before and before['width']}px")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.get_by_role("complementary", name="Value")).to_contain_text("b")
    page.get_by_role("button", name="Close the value").click()


def test_tables_are_found_inserted_and_told_about(client: Client, page: Page) -> None:
    client.start_run("counted").complete()
    client.flush()
    page.get_by_role("searchbox", name="Find a table or column").fill("runs.name")
    page.get_by_role("button", name="About runs.name").click()
    expect(page.get_by_role("list", name="Most frequent values")).to_contain_text("counted")
    editor(page).fill("select ")
    page.get_by_role("button", name="name: insert").click()
    expect(editor(page)).to_have_text("select name")
    page.get_by_role("searchbox", name="Find a table or column").fill("runs.span_count")
    page.get_by_role("button", name="About runs.span_count").click()
    expect(page.get_by_role("img", name=re.compile("Counts from min to max"))).to_be_visible()


def test_words_are_completed_from_the_schema(page: Page) -> None:
    editor(page).fill("select cache_re")
    page.keyboard.type("a")
    expect(page.get_by_role("option", name=re.compile("cache_read_tokens"))).to_be_visible()
    page.keyboard.press("Tab")
    expect(editor(page)).to_have_text("select cache_read_tokens")
    page.keyboard.type(" from llm_c")
    expect(page.get_by_role("option", name=re.compile("llm_calls"))).to_be_visible()


def test_history_keeps_queries_and_pins(page: Page) -> None:
    for query in ("select 'older' as x", "select 'newer' as x"):
        ask(page, query)
        expect(result(page)).to_contain_text(query[8:13])
    page.get_by_role("tab", name="History").click()
    entries = page.get_by_role("list", name="Queries run before")
    expect(entries.get_by_role("listitem").first).to_contain_text("newer")
    older = entries.get_by_role("listitem").filter(has_text="older")
    older.get_by_role("button", name="Pin").click()
    expect(entries.get_by_role("listitem").first).to_contain_text("older")
    page.reload()
    page.get_by_role("tab", name="History").click()
    page.get_by_role("searchbox", name="Find a query").fill("old")
    expect(entries.get_by_role("listitem")).to_have_count(1)
    entries.get_by_role("button", name="select 'older'").click()
    expect(cell(page, 1, 1)).to_have_text("older")


def test_plan_is_shown_without_and_with_times(page: Page) -> None:
    editor(page).fill("select count(*) from spans")
    page.get_by_role("button", name="Explain").click()
    plan = page.get_by_role("region", name="Plan")
    expect(plan).to_contain_text("AGGREGATE")
    page.get_by_role("button", name="With times").click()
    expect(plan).to_contain_text("Total Time")


@pytest.mark.parametrize("title", ["CSV", "Parquet", "Arrow", "JSON"])
def test_result_is_saved_as_a_file(page: Page, tmp_path: Path, title: str) -> None:
    ask(page, "select 1 as n union all select 2")
    expect(cell(page, 2, 1)).to_have_text("2")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name=title).click()
    assert saved.value.suggested_filename == f"milepost.{title.lower()}"
    saved.value.save_as(tmp_path / "saved")
    content = (tmp_path / "saved").read_bytes()
    if title == "CSV":
        assert content == b"n\r\n1\r\n2\r\n"
    if title == "Parquet":
        assert pyarrow.parquet.read_table(tmp_path / "saved").to_pydict() == {"n": [1, 2]}
    expect(page.get_by_text(f"{title} saved")).to_be_visible()


def test_charts_are_walked_by_keyboard(page: Page) -> None:
    ask(page, "select 'a' as name, 3 as n union all select 'b', 5")
    page.get_by_role("button", name="Chart", exact=True).click()
    chart = page.get_by_role("slider", name="n by name")
    chart.focus()
    page.keyboard.press("End")
    expect(chart).to_have_attribute("aria-valuetext", "b: n 5")
    page.get_by_role("combobox", name="Chart").select_option("heat")
    heat = page.get_by_role("slider", name="rows by name and n")
    heat.focus()
    page.keyboard.press("ArrowRight")
    expect(heat).to_have_attribute("aria-valuetext", re.compile(": 1$"))


def test_examples_run_as_they_are(page: Page) -> None:
    page.get_by_role("tab", name="Examples").click()
    examples = page.get_by_role("list", name="Examples").get_by_role("button")
    for number in range(examples.count()):
        examples.nth(number).click()
        expect(page.get_by_text(re.compile(r"^[\d,]+ rows? in"))).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
