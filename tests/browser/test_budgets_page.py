"""Budgets on screen: their page, the page of a task and the header of its run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
from playwright.sync_api import Page, expect
from tests.browser.controlled import Controlled, confirm

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]


def set_budget(collector: CollectorProcess, **fields: Any) -> str:
    answer = httpx.put(f"{collector.url}/api/budgets", json=fields)
    answer.raise_for_status()
    return str(answer.json()["id"])


def test_budget_is_set_raised_and_deleted(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/agents")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Budgets").click()
    form = page.get_by_role("form", name="Set a budget")
    form.get_by_role("button", name="Set the budget").click()
    expect(form.get_by_role("textbox", name="Cost, $")).to_have_accessible_description("give at least one limit")
    form.get_by_role("textbox", name="Which").fill("amy")
    form.get_by_role("textbox", name="Cost, $").fill("2")
    form.get_by_role("textbox", name="Running, min").fill("10")
    form.get_by_role("button", name="Set the budget").click()
    expect(page.get_by_role("heading", name="Agent amy, per day")).to_be_visible()
    cost = page.get_by_role("meter", name="Cost of Agent amy, per day")
    expect(cost).to_have_attribute("aria-valuetext", "$0 of $2.00 used, within")
    page.get_by_role("button", name="Raise Agent amy, per day").click()
    raising = page.get_by_role("dialog", name="Raise the budget of Agent amy, per day")
    expect(raising.get_by_role("textbox", name="Cost, $")).to_have_value("1.00")
    expect(raising.get_by_role("textbox", name="Running, min")).to_have_value("5")
    expect(raising.get_by_role("textbox", name="Tokens")).to_have_count(0)
    raising.get_by_role("textbox", name="Cost, $").fill("0.25")
    raising.get_by_role("textbox", name="Running, min").fill("")
    confirm(page, "Raise")
    expect(cost).to_have_attribute("aria-valuetext", "$0 of $2.25 used, within")
    expect(page.get_by_text("raised by $0.2500")).to_be_visible()
    page.get_by_role("button", name="Delete Agent amy, per day").click()
    confirm(page, "Delete")
    expect(page.get_by_role("heading", name="Agent amy, per day", exact=True)).to_be_hidden()


def test_used_up_budget_is_told_by_words_too(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    agent = "spender"
    worker = controlled.worker(agent)
    set_budget(collector, scope="agent", value=agent, wall_ms=1, tokens=1_000, grace_ms=60_000)
    task_id = controlled.create("Dear", agent=agent, budget={"usd": 5})
    worker.poll()
    page = open_page(f"{collector.url}/tasks/{task_id}")
    budgets = page.get_by_role("region", name="Budgets")
    expect(budgets.get_by_role("meter")).to_have_count(3)
    expect(budgets.get_by_role("meter", name="Cost of This task")).to_have_attribute("aria-valuenow", "0")
    expect(budgets.get_by_text("used up")).to_be_visible()
    page.goto(f"{collector.url}/budgets")
    expect(page.get_by_text("1 attempt draws on it")).to_be_visible()
    expect(page.get_by_text(", 1 used up")).to_be_visible()
