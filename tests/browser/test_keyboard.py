"""One table of keys: what it says works on the page, in the command menu and in the sheet; keys may be switched off."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect
from tests.browser.pages import ended, run_row, span_row

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
SendEvents = Callable[..., None]


@pytest.fixture
def run_page(collector: CollectorProcess, send: SendEvents, open_page: OpenPage, run_id: str) -> Page:
    """Return the page of a run of two spans."""
    send(
        ended(run_id, "1" * 16, 0, 900, name="whole", kind="agent"),
        ended(run_id, "2" * 16, 10, 400, name="part", kind="tool", parent_span_id="1" * 16),
    )
    page = open_page(f"{collector.url}/runs/{run_id}")
    expect(span_row(page, "part")).to_be_visible()
    return page


def open_menu(page: Page) -> None:
    """Open the command menu and wait until it has the keys."""
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name=re.compile("Search commands"))).to_be_focused()


def test_command_menu_opens_a_run_that_is_searched_for(
    collector: CollectorProcess, client: Client, open_page: OpenPage
) -> None:
    client.start_run("found by typing").complete()
    client.flush()
    page = open_page(f"{collector.url}/settings")
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    open_menu(page)
    page.keyboard.type("found by ty")
    expect(page.get_by_role("option", name="found by typing")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("main header")).to_contain_text("found by typing")


def test_command_menu_does_by_mouse_what_a_key_does(run_page: Page) -> None:
    run_page.get_by_role("button", name="Search").first.click()
    run_page.get_by_role("combobox", name=re.compile("Search commands")).fill("next row")
    run_page.get_by_role("option", name="Next row").click()
    expect(run_page.get_by_role("dialog")).to_have_count(0)
    expect(run_page.locator("[role=row][aria-selected=true]")).to_have_count(1)


def test_command_menu_walks_and_closes_by_keys(run_page: Page) -> None:
    open_menu(run_page)
    options = run_page.get_by_role("dialog").get_by_role("option")
    expect(run_page.get_by_role("dialog").get_by_role("listbox")).to_have_attribute("aria-busy", "false")
    expect(options.first).to_have_attribute("aria-selected", "true")
    run_page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    run_page.keyboard.press("ArrowUp")
    run_page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    run_page.keyboard.press("Escape")
    expect(run_page.get_by_role("dialog")).to_have_count(0)


def test_prefix_leads_to_a_page_where_its_second_key_means_something_else(run_page: Page) -> None:
    run_page.keyboard.press("g")
    run_page.keyboard.press("a")  # alone it pans
    expect(run_page).to_have_title("Agents · Milepost")
    for key, title in (
        ("t", "Tasks"),
        ("s", "Schedules"),
        (",", "Settings"),
        ("i", "Insights"),
        ("r", "Runs"),
        ("q", "SQL"),
    ):
        run_page.keyboard.press("g")
        run_page.keyboard.press(key)
        expect(run_page).to_have_title(re.compile(f"{title} · Milepost"))


def test_sheet_is_searched(run_page: Page) -> None:
    run_page.keyboard.press("?")
    sheet = run_page.get_by_role("dialog")
    expect(sheet.get_by_role("heading", name="Tree of a run")).to_be_visible()
    run_page.keyboard.type("zoom in")
    expect(sheet.get_by_role("heading", name="Tree of a run")).to_have_count(0)
    expect(sheet).to_contain_text("zoom in")
    run_page.keyboard.press("Escape")
    run_page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)


def test_shortcuts_can_be_switched_off(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    client.start_run("without keys").complete()
    client.flush()
    page = open_page(f"{collector.url}/settings")
    page.get_by_role("checkbox", name=re.compile("Keys that type")).uncheck()
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(run_row(page, "without keys")).to_be_visible()
    for key in ("?", "g", "t", "j"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_title("Runs · Milepost")
    open_menu(page)
    page.keyboard.type("keys and marks")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("switched off")
    page.keyboard.press("Escape")
    page.reload()
    expect(run_row(page, "without keys")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_times_are_shown_in_the_chosen_zone(
    collector: CollectorProcess, send: SendEvents, open_page: OpenPage, run_id: str
) -> None:
    send(ended(run_id, "1" * 16, 0, 900, name="somewhere", kind="agent"))
    page = open_page(f"{collector.url}/settings")
    page.get_by_role("radio", name="Another one").check()
    name = page.get_by_role("combobox", name="Name")
    name.fill("Mars/Olympus")
    name.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("There is no zone")
    name.fill("Asia/Kathmandu")
    name.press("Enter")
    expect(page.get_by_role("status").filter(has_text="It is now")).to_contain_text("Asia/Kathmandu")
    page.goto(f"{collector.url}/runs/{run_id}")
    expect(page.locator("main header")).to_contain_text("2026-11-18 16:51:40")  # 11:06:40 UTC


def test_settings_tell_what_the_collector_holds(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/settings")
    facts = page.locator("main dl")
    expect(facts).to_contain_text(str(collector.data_dir))
    expect(facts).to_contain_text("DuckDB")
    expect(facts).to_contain_text("genai-prices")
    page.get_by_role("radio", name="Dark").check()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("radio", name=re.compile("Compact")).check()
    expect(page.locator("html")).to_have_attribute("data-density", "compact")
    page.reload()
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    expect(page.get_by_role("radio", name=re.compile("Compact"))).to_be_checked()


def test_settings_are_made_by_keys_alone(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/settings")
    page.get_by_role("radio", name="As the system").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("radio", name="Dark")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.locator("html")).to_have_attribute("data-density", "roomy")
