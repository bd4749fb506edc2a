"""The webhooks' pages: who is told, how each does, what became of every delivery, and steering them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.controlled import Controlled, confirm
from tests.browser.test_axe import axe, settled, violations
from tests.collector.webhooks.sink import Reply, Sink, running_sink

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]

__all__ = ["axe"]  # the fixture


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    """Return a receiver."""
    with running_sink() as running:
        yield running


@pytest.fixture(scope="module")
def collector(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """Return a collector that may send to the receiver."""
    from conftest import launch_collector

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MILEPOST_WEBHOOK_ALLOW_HOSTS", sink.host)
        running = launch_collector(tmp_path_factory.mktemp("webhooks"))
    yield running
    running.stop()


@pytest.fixture
def ops(controlled: Controlled, sink: Sink) -> Iterator[str]:
    """Return the id of a webhook that the test has to itself."""
    sink.reply = lambda _: Reply()
    made = controlled.post("/api/webhooks", name="ops", url=sink.url, events=["task.created"])
    yield made["webhook"]["id"]
    controlled.http.delete(f"/api/webhooks/{made['webhook']['id']}")


def test_first_webhook_is_made_from_the_empty_page_and_its_secret_is_shown_once(
    collector: CollectorProcess, controlled: Controlled, sink: Sink, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/webhooks")
    page.get_by_role("button", name="New webhook").click()
    dialog = page.get_by_role("dialog", name="New webhook")
    dialog.get_by_role("button", name="Create the webhook").click()
    expect(dialog.get_by_role("textbox", name="Name", exact=True)).to_be_focused()
    dialog.get_by_role("textbox", name="Name", exact=True).fill("first")
    dialog.get_by_label("Address").fill("http://10.0.0.1/x")
    dialog.get_by_label("Events, commas between").fill("task.*, run.failed")
    dialog.get_by_role("button", name="Create the webhook").click()
    expect(dialog.get_by_role("alert")).to_contain_text("not encrypted")
    dialog.get_by_label("Address").fill(sink.url)
    dialog.get_by_role("button", name="Create the webhook").click()
    secret = page.get_by_role("dialog", name="Secret of “first”")
    expect(secret.locator("code")).to_have_text(re.compile(r"^whsec_\S{44}$"))
    secret.get_by_role("button", name="It is kept").click()
    expect(page.get_by_role("heading", name="first", level=1)).to_be_visible()
    expect(page.get_by_text("whsec_")).to_have_count(0)
    assert controlled.get("/api/webhooks/first")["events"] == ["task.*", "run.failed"]
    page.get_by_role("button", name="Delete").click()
    confirm(page, "Delete")
    expect(page.get_by_role("heading", name="No webhooks yet")).to_be_visible()


def test_list_says_how_each_does(
    collector: CollectorProcess, controlled: Controlled, sink: Sink, ops: str, open_page: OpenPage
) -> None:
    sink.reply = lambda _: Reply(500)
    page = open_page(f"{collector.url}/webhooks")
    row = page.get_by_role("row").filter(has_text="ops")
    expect(row).to_contain_text("active")
    controlled.create("Load")
    expect(row).to_contain_text("failing")
    expect(row).to_contain_text("answered 500")


def test_delivery_is_looked_at_with_its_tries_and_made_once_more(
    collector: CollectorProcess, controlled: Controlled, sink: Sink, ops: str, open_page: OpenPage
) -> None:
    task_id = controlled.create("Load")
    page = open_page(f"{collector.url}/webhooks/{ops}")
    page.get_by_role("button", name="task.created").click()
    panel = page.get_by_role("complementary", name="Delivery")
    expect(panel.get_by_role("link", name=task_id)).to_have_attribute("href", f"tasks/{task_id}")
    expect(panel.get_by_role("listitem").filter(has_text="answered 204")).to_have_count(1)
    panel.get_by_role("button", name="Deliver once more").click()
    expect(panel.get_by_role("listitem").filter(has_text="answered 204")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.get_by_role("button", name="failed", exact=True).click()
    expect(page.get_by_text("No delivery of this kind.")).to_be_visible()


def test_webhook_is_tried_out_paused_resumed_and_given_another_secret(
    collector: CollectorProcess, controlled: Controlled, sink: Sink, ops: str, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/webhooks/{ops}")
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("toolbar").get_by_text("Test delivered: answered 204")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    page.get_by_label("Why (optional)").fill("it is being moved")
    confirm(page, "Pause")
    expect(page.get_by_role("status").filter(has_text="it is being moved")).to_be_visible()
    controlled.create("Load")
    expect(page.get_by_role("region", name="Deliveries")).to_contain_text("waiting")
    page.get_by_role("button", name="Resume").click()
    confirm(page, "Resume")
    expect(page.get_by_role("row").filter(has_text="task.created")).to_contain_text("answered 204")
    page.get_by_role("button", name="Rotate secret").click()
    confirm(page, "Rotate the secret")
    expect(page.get_by_role("dialog", name="Secret of “ops”").locator("code")).to_contain_text("whsec_")


def test_keys_alone_lead_from_the_runs_to_a_delivery(
    collector: CollectorProcess, controlled: Controlled, ops: str, open_page: OpenPage
) -> None:
    controlled.create("Load")
    page = open_page(f"{collector.url}/runs")
    expect(page.get_by_role("heading", level=1)).to_be_attached()
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page.get_by_role("link", name="ops")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="task.created")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("complementary", name="Delivery")).to_contain_text("webhook-id")


def test_unknown_webhook_is_told(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/webhooks/nobody")
    expect(page.get_by_role("heading", name="No such webhook")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_have_no_violations(
    theme: str, browser: Browser, collector: CollectorProcess, controlled: Controlled, ops: str, axe: str
) -> None:
    context = browser.new_context(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    controlled.create("Load")
    page.goto(f"{collector.url}/webhooks")
    expect(page.get_by_role("link", name="ops")).to_be_visible()
    assert violations(settled(page), axe) == []
    page.get_by_role("button", name="New webhook").click()
    assert violations(page, axe) == []
    page.goto(f"{collector.url}/webhooks/{ops}")
    page.get_by_role("button", name="task.created").click()
    expect(page.get_by_role("complementary", name="Delivery")).to_contain_text("webhook-id")
    assert violations(settled(page), axe) == []
    context.close()
