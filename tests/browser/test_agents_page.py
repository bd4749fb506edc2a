"""The agents' page: workers, leases, load, queues and limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect
from tests.browser.controlled import Controlled, confirm

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]


def agent_card(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def test_agent_shows_its_workers_leases_and_load(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/agents")
    worker = controlled.worker("etl-agent", concurrency=2, host_name="node-1", process_id=4711, teams=["data"])
    ids = [controlled.create(f"Load {number}", agent="etl-agent") for number in range(3)]
    worker.poll()
    card = agent_card(page, "etl-agent")
    expect(card).to_contain_text("2 of 2 slots busy")
    expect(card).to_contain_text("1 ready")
    for text in ("team data", "node-1 · pid 4711", "polling", "Load 0", "lease for"):
        expect(card).to_contain_text(text)
    worker.report(ids[0], "progress", progress=0.5, phase="reading")
    expect(card.get_by_role("progressbar", name="Progress of Load 0")).to_have_attribute("aria-valuenow", "50")
    card.get_by_role("link", name="Load 0").click()
    expect(page.get_by_role("heading", name="Load 0", level=1)).to_be_visible()


def test_agent_without_workers_is_told_and_its_queue_opened(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    controlled.create("Stranded", agent="lonely-agent")
    page = open_page(f"{collector.url}/agents")
    card = agent_card(page, "lonely-agent")
    expect(card).to_contain_text("no worker is polling")
    card.get_by_role("link", name="1 ready").click()
    expect(page.get_by_role("link", name="Stranded")).to_be_visible()


def test_agent_is_paused_and_resumed(collector: CollectorProcess, controlled: Controlled, open_page: OpenPage) -> None:
    task_id = controlled.create("Held Up", agent="held-agent")
    page = open_page(f"{collector.url}/agents")
    card = agent_card(page, "held-agent")
    card.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("dialog", name="Pause agent “held-agent”?")).to_be_visible()
    page.keyboard.press("Enter")
    expect(card).to_contain_text("paused")
    assert "is paused" in controlled.get(f"/api/tasks/{task_id}")["why_not_running"]["text"]
    card.get_by_role("button", name="Resume").click()
    confirm(page, "Resume")
    expect(card.get_by_role("button", name="Pause")).to_be_visible()


def test_limits_are_set_changed_and_deleted(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/agents")
    limits = page.get_by_role("region", name="Limits")
    limits.get_by_role("button", name="Set the limit").click()
    expect(limits.get_by_role("textbox", name="At once")).to_have_accessible_description(
        "give a number at once, a rate, or both"
    )
    limits.get_by_role("combobox", name="Of").select_option("key")
    limits.get_by_role("textbox", name="Which").fill("openai")
    limits.get_by_role("textbox", name="At once").fill("4")
    limits.get_by_role("textbox", name="Begun").fill("100")
    limits.get_by_role("button", name="Set the limit").click()
    row = limits.get_by_role("row").filter(has_text="openai")
    expect(row).to_contain_text("4 at once, 100 in 1 min")
    row.get_by_role("button", name="Edit").click()
    limits.get_by_role("textbox", name="At once").fill("2")
    limits.get_by_role("button", name="Set the limit").click()
    expect(row).to_contain_text("2 at once")
    row.get_by_role("button", name="Delete").click()
    confirm(page, "Delete")
    expect(row).to_have_count(0)
    assert controlled.get("/api/limits")["limits"] == []
