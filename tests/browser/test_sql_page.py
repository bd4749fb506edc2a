"""The SQL page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect
from tests.browser.pages import run_header

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]


def ask(page: Page, query: str) -> None:
    page.get_by_role("textbox", name="SQL query").fill(query)
    page.keyboard.press("Control+Enter")


def test_query_shows_rows_that_lead_to_runs(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    client.start_run("asked for").complete()
    client.flush()
    page = open_page(f"{collector.url}/sql")
    ask(page, "select run_id, name, 12345678901234567 as big from runs where name = 'asked for'")
    table = page.get_by_role("table", name="Result")
    expect(table).to_contain_text("asked for")
    expect(table).to_contain_text("12345678901234567")
    expect(page.get_by_text(re.compile(r"^1 row in"))).to_be_visible()
    table.get_by_role("link").click()
    expect(run_header(page)).to_contain_text("asked for")


def test_query_is_kept_in_the_fragment(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/sql")
    ask(page, "select 41 + 1 as answer")
    expect(page.get_by_role("table", name="Result")).to_contain_text("42")
    expect(page).to_have_url(re.compile(r"/sql#q=[\w-]+$"))
    page.reload()
    expect(page.get_by_role("textbox", name="SQL query")).to_have_value("select 41 + 1 as answer")


def test_mistake_is_explained_inline(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/sql")
    ask(page, "select no_such_column from runs")
    expect(page.get_by_role("alert")).to_contain_text("no_such_column")
    ask(page, "select 1 as fine")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_schema_is_listed_and_inserts_names(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/sql")
    page.get_by_role("navigation", name="Tables").get_by_text("llm_calls", exact=True).click()
    page.get_by_role("textbox", name="SQL query").fill("select ")
    page.get_by_role("navigation", name="Tables").get_by_role("button", name=re.compile("^cost_usd")).click()
    expect(page.get_by_role("textbox", name="SQL query")).to_have_value("select cost_usd")
