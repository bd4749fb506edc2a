"""The run list: what is there, what arrives, finding and opening a run."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect
from tests.browser.pages import run_row

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess, StartCollector

OpenPage = Callable[..., Page]


def test_empty_collector_shows_how_to_send_a_first_run(start_collector: StartCollector, open_page: OpenPage) -> None:
    collector = start_collector()
    page = open_page(collector.url)
    expect(page.get_by_text(f"listening on {collector.url}")).to_be_visible()
    snippet = page.locator("pre").inner_text()
    assert len(snippet.splitlines()) == 4
    subprocess.run([sys.executable, "-c", snippet], check=True, timeout=30)
    expect(run_row(page, "hello")).to_contain_text("completed")


def test_new_run_appears_and_ends_without_reload(
    collector: CollectorProcess, client: Client, open_page: OpenPage
) -> None:
    page = open_page(collector.url)
    run = client.start_run("arrives live")
    expect(run_row(page, "arrives live")).to_contain_text("running")
    run.fail(error_message="no luck")
    expect(run_row(page, "arrives live")).to_contain_text("failed")


def test_row_shows_tokens_cost_and_model(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    with client.start_run("priced") as run, run.start_task("call", kind="llm") as task:
        task.record_usage(model="some-model", input_tokens=11_000, output_tokens=1_400, cost_usd=0.0773)
    client.flush()
    shown = run_row(open_page(collector.url), "priced")
    for text in ("12.4k", "$0.0773", "some-model", "tester"):
        expect(shown).to_contain_text(text)


def test_filters_are_kept_in_the_address(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    client.start_run("good one").complete()
    client.start_run("bad one").fail(error_message="broken")
    client.flush()
    page = open_page(collector.url)
    page.get_by_role("button", name="failed", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?status=failed$"))
    expect(run_row(page, "bad one")).to_be_visible()
    expect(run_row(page, "good one")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="failed", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(run_row(page, "good one")).to_have_count(0)
    page.go_back()
    expect(run_row(page, "good one")).to_be_visible()


def test_search_finds_text_and_says_when_nothing_matches(
    collector: CollectorProcess, client: Client, open_page: OpenPage
) -> None:
    client.start_run("needle in here").complete()
    client.flush()
    page = open_page(collector.url)
    page.get_by_role("combobox", name="Search runs").fill("needle")
    expect(page).to_have_url(re.compile("q=needle"))
    expect(run_row(page, "needle in here")).to_be_visible()
    page.get_by_role("combobox", name="Search runs").fill("no such run anywhere")
    expect(page.get_by_text("No run matches these filters")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(run_row(page, "needle in here")).to_be_visible()


def test_refused_filter_is_explained_and_can_be_retried(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/runs?sort=colour")
    expect(page.get_by_role("alert")).to_contain_text("colour")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()


@pytest.mark.slow
def test_long_list_pages_in_and_holds_new_runs_back(start_collector: StartCollector, open_page: OpenPage) -> None:
    collector = start_collector()
    with Client(endpoint=collector.url, agent="tester", flush_interval_ms=20) as client:
        for number in range(230):
            client.start_run(f"run {number}").complete()
        client.flush()
        page = open_page(collector.url)
        expect(run_row(page, "run 229")).to_be_visible()
        expect(page.get_by_text("100 of 230 runs loaded")).to_be_visible()
        page.keyboard.press("End")
        expect(run_row(page, "run 130")).to_be_visible()
        expect(page.get_by_text("230 runs", exact=True)).to_be_visible()
        page.keyboard.press("End")
        expect(run_row(page, "run 0")).to_be_visible()
        client.start_run("latecomer").complete()
        pill = page.get_by_role("button", name=re.compile("1 new run"))
        expect(pill).to_be_visible()
        expect(run_row(page, "run 0")).to_be_visible()
        pill.click()
        expect(run_row(page, "latecomer")).to_be_visible()


def test_list_is_sorted_by_a_column(start_collector: StartCollector, open_page: OpenPage) -> None:
    collector = start_collector()
    with Client(endpoint=collector.url) as client:
        for name in ("b", "c", "a"):
            client.start_run(name).complete()
    page = open_page(collector.url)
    names = page.get_by_role("grid").get_by_role("link")
    expect(names).to_have_text(["a", "c", "b"])
    page.get_by_role("columnheader", name="Name").get_by_role("button").click()
    expect(names).to_have_text(["a", "b", "c"])
    expect(page).to_have_url(re.compile("sort=name"))
    page.get_by_role("columnheader", name="Name").get_by_role("button").click()
    expect(names).to_have_text(["c", "b", "a"])


def test_unknown_address_names_itself(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/no/such/page")
    expect(page.get_by_role("heading", name="Nothing at this address")).to_be_visible()
    expect(page.get_by_text("no/such/page")).to_be_visible()
    expect(page).to_have_title("Not found · Milepost")
    page.get_by_role("link", name="All runs").click()
    expect(page).to_have_title("Runs · Milepost")
