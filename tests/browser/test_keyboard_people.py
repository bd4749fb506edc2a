"""Triggers, webhooks and budgets are set up and steered by keys alone; approvals are in `test_approvals_page`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect
from tests.browser.controlled import Controlled
from tests.browser.test_keyboard_control import press, reach, tab_to
from tests.browser.test_triggers_page import OPENED, deliver, made

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]


def test_trigger_is_made_by_keys(collector: CollectorProcess, controlled: Controlled, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/runs")
    press(page, "g", "h")
    expect(page.get_by_role("button", name="New trigger")).to_be_visible()
    press(page, "n")
    dialog = page.get_by_role("dialog", name="New trigger")
    expect(dialog.get_by_label("Name of the trigger")).to_be_focused()
    page.keyboard.type("typed")
    reach(page, dialog.get_by_role("combobox", name="Task to make"))
    page.keyboard.type("triage")
    reach(page, dialog.get_by_role("textbox", name="Only when"))
    page.keyboard.type("/action = opened")
    tab_to(page, "Create the trigger")
    press(page, "Enter")
    expect(page.get_by_role("dialog", name="“typed” is ready")).to_be_visible()
    tab_to(page, "Open the trigger")
    press(page, "Enter")
    expect(page.get_by_role("heading", name="typed", level=1)).to_be_visible()
    assert controlled.get("/api/triggers/typed")["conditions"] == [{"pointer": "/action", "equals": "opened"}]


def test_what_came_is_chosen_looked_at_and_replayed_by_keys(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    trigger, secret = made(controlled, name="by keys", conditions=[{"pointer": "/action", "equals": "opened"}])
    deliver(collector.url + trigger["path"], secret, OPENED, "d1")
    deliver(collector.url + trigger["path"], secret, {"action": "closed"}, "d2")
    page = open_page(f"{collector.url}/triggers?text=by keys")
    expect(page.get_by_role("link", name="by keys")).to_be_visible()
    press(page, "j", "Enter")
    log = page.get_by_role("region", name="Log")
    expect(log.get_by_role("row")).to_have_count(3)
    tab_to(page, "accepted")
    press(page, "Space")
    expect(log.get_by_role("row")).to_have_count(2)
    reach(page, log.get_by_role("button", name=re.compile("What came at")))
    press(page, "Enter")
    expect(page.get_by_role("dialog")).to_contain_text("x-github-event")
    tab_to(page, "Replay")
    press(page, "Enter")
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("It made task")
    press(page, "Escape")
    expect(log.get_by_role("row")).to_have_count(3)
    press(page, "Escape")
    expect(page).to_have_url(re.compile(r"/triggers\?text="))


def test_webhook_is_made_found_and_paused_by_keys(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    controlled.post("/api/webhooks", name="another", url="https://hooks.example.com/a", events=["run.failed"])
    page = open_page(f"{collector.url}/runs")
    press(page, "g", "w")
    expect(page.get_by_role("link", name="another")).to_be_visible()
    press(page, "n")
    dialog = page.get_by_role("dialog", name="New webhook")
    expect(dialog.get_by_role("textbox", name="Name", exact=True)).to_be_focused()
    page.keyboard.type("typed")
    reach(page, dialog.get_by_label("Address"))
    page.keyboard.type("https://hooks.example.com/b")
    press(page, "Enter")
    expect(page.get_by_role("dialog", name="Secret of “typed”")).to_be_visible()
    press(page, "Enter")
    expect(page.get_by_role("heading", name="typed", level=1)).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("searchbox")).to_be_visible()
    press(page, "/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("/b")
    expect(page.get_by_role("table", name="Webhooks").get_by_role("row")).to_have_count(2)
    press(page, "Escape", "j", "Enter")
    expect(page.get_by_role("heading", name="typed", level=1)).to_be_visible()
    tab_to(page, "Pause")
    press(page, "Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    press(page, "Enter")
    expect(page.get_by_role("toolbar").get_by_role("button", name="Resume")).to_be_visible()
    assert controlled.get("/api/webhooks/typed")["status"] == "paused"


def test_budget_is_set_raised_changed_and_deleted_by_keys(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    for agent in ("ann", "ben"):
        controlled.http.put("/api/budgets", content=json.dumps({"scope": "agent", "value": agent, "tokens": 1_000}))
    page = open_page(f"{collector.url}/runs")
    press(page, "g", "b")
    tokens = page.get_by_role("meter", name="Tokens of Agent ben")
    expect(tokens).to_be_visible()
    press(page, "j", "j", "Enter")
    raising = page.get_by_role("dialog", name="Raise the budget of Agent ben")
    expect(raising.get_by_role("textbox", name="Tokens")).to_be_focused()
    page.keyboard.type("0")  # in place of what is proposed
    press(page, "Enter")
    expect(raising.get_by_role("textbox", name="Tokens")).to_have_accessible_description("give an amount above 0")
    press(page, "Control+a")
    page.keyboard.type("250")
    press(page, "Enter")
    expect(tokens).to_have_attribute("aria-valuetext", "0 of 1.3k used, within")
    expect(page.get_by_role("button", name="Raise Agent ben")).to_be_focused()
    press(page, "Tab", "Enter")  # edit
    expect(page.get_by_role("textbox", name="Cost, $")).to_be_focused()
    page.keyboard.type("3")
    press(page, "Enter")
    expect(page.get_by_role("meter", name="Cost of Agent ben")).to_be_visible()
    press(page, "j", "Tab", "Tab", "Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Delete")).to_be_focused()
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Agent ann", exact=True)).to_be_hidden()
    assert [budget["value"] for budget in controlled.get("/api/budgets")["budgets"]] == ["ben"]
