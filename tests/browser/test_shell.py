"""What holds on every page: the connection, the theme, the keyboard, nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.pages import run_header, run_row, span_row

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess, StartCollector

OpenPage = Callable[..., Page]


@pytest.mark.slow
def test_stopped_collector_is_noticed_and_recovered_from(start_collector: StartCollector, open_page: OpenPage) -> None:
    first = start_collector()
    with Client(endpoint=first.url, flush_interval_ms=20) as client:
        client.start_run("before").complete()
    page = open_page(first.url)
    chip = page.locator("[data-live]")
    expect(chip).to_have_text("Live")
    expect(run_row(page, "before")).to_be_visible()
    first.stop()
    expect(chip).to_have_text(re.compile("Reconnecting|Stale"))
    expect(chip).to_have_text(re.compile(r"Stale \d+ s"), timeout=20_000)
    expect(run_row(page, "before")).to_be_visible()
    again = start_collector("--port", first.url.rsplit(":", 1)[1])
    with Client(endpoint=again.url, flush_interval_ms=20) as client:
        client.start_run("while away").complete()
    expect(chip).to_have_text("Live", timeout=20_000)
    expect(run_row(page, "while away")).to_be_visible()


def test_theme_follows_choice_and_survives_reload(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(collector.url)
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    expect(root).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()


def test_system_theme_is_taken(browser: Browser, collector: CollectorProcess) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(collector.url)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    context.close()


def test_journey_by_keyboard_alone(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    with client.start_run("by keyboard") as run, run.start_task("outer"):
        run.start_task("inner one").complete()
        run.start_task("inner two").fail(error_message="broken")
    client.flush()
    page = open_page(collector.url)
    expect(run_row(page, "by keyboard")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("by keyboard")
    expect(page).to_have_url(re.compile("q=by.keyboard"))
    expect(page.get_by_text("1 run", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(run_header(page)).to_contain_text("by keyboard")
    expect(span_row(page, "outer")).to_be_visible()
    page.keyboard.press("e")
    expect(span_row(page, "inner two")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "1")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("span="))
    page.keyboard.press("f")
    expect(page).to_have_url(re.compile("t="))
    page.keyboard.press("0")
    expect(page).not_to_have_url(re.compile("t="))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next error, previous error")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_title("Runs · Milepost")


def test_nothing_is_fetched_from_outside(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    run = client.start_run("offline")
    run.complete()
    client.flush()
    for path in (
        "",
        f"/runs/{run.run_id}",
        "/tasks",
        "/tasks?view=board",
        "/schedules",
        "/agents",
        "/sql",
        "/nothing/here",
    ):
        page = open_page(collector.url + path)
        expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
        sources = page.evaluate("performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin)")
        assert set(sources) == {collector.url}
        page.close()  # each open page holds one of the six connections that a browser allows


def test_pages_keep_one_live_connection(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    client.start_run("one stream").complete()
    client.flush()
    page = open_page(collector.url)
    open_streams: set[object] = set()
    page.on("request", lambda request: "api/live" in request.url and open_streams.add(request))
    page.on("requestfailed", lambda request: open_streams.discard(request))
    page.reload()
    expect(page.locator("[data-live]")).to_have_text("Live")
    for _ in range(3):
        page.get_by_role("link", name="one stream", exact=True).first.click()
        expect(run_header(page)).to_contain_text("one stream")
        expect(page.locator("[data-live]")).to_have_text("Live")
        page.go_back()
        expect(run_row(page, "one stream")).to_be_visible()
        expect(page.locator("[data-live]")).to_have_text("Live")
    assert len(open_streams) <= 1
