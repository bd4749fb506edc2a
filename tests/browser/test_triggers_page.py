"""The triggers' pages: made and changed by hand, their secret shown once, what came, and again."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
from playwright.sync_api import Locator, Page, expect
from tests.browser.controlled import Controlled, confirm

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
OPENED = {"action": "opened", "issue": {"number": 7, "title": "It <b>fails</b>"}}
_numbers = itertools.count(1)


def made(controlled: Controlled, **fields: Any) -> tuple[dict[str, Any], str]:
    """Make a trigger for GitHub; return it and its secret."""
    wanted = {"kind": "webhook", "signature": {"scheme": "github"}, "task": {"name": "triage"}, **fields}
    answer = controlled.post("/api/triggers", **{"name": f"trigger {next(_numbers)}", **wanted})
    return answer["trigger"], answer["secret"]


def deliver(address: str, secret: str, payload: Any, delivery: str) -> Any:
    """Deliver as GitHub does; return the answer."""
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    return httpx.post(address, content=body, headers=headers, timeout=30).json()


def trigger_row(page: Page, name: str) -> Locator:
    """Return a row of the list."""
    link = page.get_by_role("link", name=name, exact=True)
    return page.get_by_role("table", name="Triggers").get_by_role("row").filter(has=link)


def test_trigger_is_made_and_its_secret_is_shown_once(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/triggers")
    page.get_by_role("button", name="New trigger").click()
    dialog = page.get_by_role("dialog", name="New trigger")
    dialog.get_by_role("button", name="Create the trigger").click()
    expect(dialog).to_contain_text("give a name of its own")
    dialog.get_by_label("Name of the trigger").fill("by hand")
    dialog.get_by_role("combobox", name="Task to make").fill("triage")
    dialog.get_by_role("textbox", name="Only when").fill("X-GitHub-Event = issues\n/action = opened, reopened")
    dialog.get_by_role("textbox", name="Fields of the input").fill('title = /issue/title !\nsource = "github"')
    dialog.get_by_role("button", name="Create the trigger").click()
    ready = page.get_by_role("dialog", name="“by hand” is ready")
    expect(ready).to_be_visible()
    address, secret = (code.inner_text() for code in ready.locator("dd code").all())
    assert address.startswith(f"{collector.url}/api/hooks/")
    answer = deliver(address, secret, OPENED, "d1")
    assert controlled.get(f"/api/tasks/{answer['task_id']}")["input"] == {
        "title": OPENED["issue"]["title"], "source": "github"
    }  # fmt: skip
    ready.get_by_role("button", name="Open the trigger").click()
    expect(page.get_by_role("heading", name="by hand", level=1)).to_be_visible()
    expect(page.get_by_role("region", name="Log")).to_contain_text("accepted")
    expect(page.locator("main")).to_contain_text(address)
    expect(page.locator("body")).not_to_contain_text(secret)


def test_wrong_lines_are_told_beside_their_field(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/triggers")
    page.get_by_role("button", name="New trigger").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name of the trigger").fill("wrong")
    dialog.get_by_role("combobox", name="Task to make").fill("triage")
    dialog.get_by_role("textbox", name="Only when").fill("/action")
    dialog.get_by_role("button", name="Create the trigger").click()
    expect(dialog.get_by_text("“/action” is not /place = value, nor /place exists")).to_be_visible()
    dialog.get_by_role("textbox", name="Only when").fill("")
    dialog.get_by_role("radio", name="an event here").check()
    dialog.get_by_role("combobox", name="Event").fill("run.flies")
    dialog.get_by_role("button", name="Create the trigger").click()
    expect(dialog.get_by_role("alert")).to_contain_text("run.flies")


def test_what_came_is_shown_and_replayed(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    trigger, secret = made(controlled, conditions=[{"pointer": "/action", "equals": "opened"}])
    address = collector.url + trigger["path"]
    page = open_page(f"{collector.url}/triggers/{trigger['id']}")
    log = page.get_by_role("region", name="Log")
    expect(log).to_contain_text("Nothing has come yet")
    first = deliver(address, secret, OPENED, "d1")
    deliver(address, secret, {"action": "closed"}, "d2")
    deliver(address, "another secret", OPENED, "d3")
    expect(log.get_by_role("row")).to_have_count(4)  # without a reload
    expect(log).to_contain_text('/action is "closed", wanted is "opened"')
    log.get_by_role("group", name="Outcomes").get_by_role("button", name="accepted").click()
    expect(log.get_by_role("row")).to_have_count(2)
    log.get_by_role("button", name=re.compile("What came at")).click()
    dialog = page.get_by_role("dialog", name=re.compile("What came at"))
    expect(dialog).to_contain_text("It <b>fails</b>")
    expect(dialog).to_contain_text("x-github-event")
    expect(dialog).not_to_contain_text("x-hub-signature")
    dialog.get_by_role("button", name="Replay").click()
    expect(dialog.get_by_role("status")).to_contain_text("It made task")
    page.keyboard.press("Escape")
    expect(log.get_by_role("row")).to_have_count(3)
    expect(log).to_contain_text("replay")
    log.get_by_role("link", name=first["task_id"][-8:]).click()
    expect(page.get_by_role("heading", name="triage", level=1)).to_be_visible()


def test_payload_is_tried_before_anybody_sends_one(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    mapping = [{"name": "title", "pointer": "/issue/title", "required": True}]
    trigger, _ = made(controlled, mapping=mapping, conditions=[{"header": "X-GitHub-Event", "equals": "issues"}])
    page = open_page(f"{collector.url}/triggers/{trigger['id']}")
    panel = page.get_by_role("region", name="Try it")
    would = panel.get_by_role("status", name="What it would make")
    panel.get_by_role("button", name="What would it make?").click()
    expect(would).to_contain_text("accepted")
    expect(would).to_contain_text("It fails")
    panel.get_by_role("textbox", name="A payload").fill("{}")
    panel.get_by_role("button", name="What would it make?").click()
    expect(would).to_contain_text("nothing at /issue/title")
    panel.get_by_role("textbox", name="A payload").fill("{")
    panel.get_by_role("button", name="What would it make?").click()
    expect(panel).to_contain_text("this is not JSON")
    assert controlled.get(f"/api/triggers/{trigger['id']}/events")["events"] == []


def test_trigger_is_tried_before_it_is_made(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/triggers")
    page.get_by_role("button", name="New trigger").click()
    dialog = page.get_by_role("dialog")
    would = dialog.get_by_role("status", name="What it would make")
    dialog.get_by_text("Try it").focus()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="What would it make?").click()
    expect(would).to_have_text("mend what is marked above first")
    expect(dialog).to_contain_text("give the name that agents handle it by")
    dialog.get_by_role("combobox", name="Task to make").fill("tried")
    dialog.get_by_role("textbox", name="Fields of the input").fill("title = /issue/title !")
    dialog.get_by_role("textbox", name="A payload").press("Control+Enter")
    expect(would).to_contain_text("It fails")
    dialog.get_by_role("textbox", name="Only when").fill("X-GitHub-Event = push")
    dialog.get_by_role("textbox", name="Headers").press("Control+Enter")
    expect(would).to_contain_text("filtered")
    expect(would).to_contain_text("X-GitHub-Event")
    dialog.get_by_role("radio", name="an event here").check()
    expect(dialog.get_by_role("textbox", name="A payload")).to_have_value(re.compile("run.failed"))
    assert "tried" not in [task["name"] for task in controlled.get("/api/tasks")["tasks"]]


def test_change_of_a_trigger_is_tried_before_it_is_made(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    trigger, _ = made(controlled, conditions=[{"pointer": "/action", "equals": "closed"}])
    page = open_page(f"{collector.url}/triggers/{trigger['id']}")
    page.get_by_role("button", name="Change", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Try it").click()
    dialog.get_by_role("textbox", name="Only when").fill("/action = opened")
    dialog.get_by_role("button", name="What would it make?").click()
    expect(dialog.get_by_role("status", name="What it would make")).to_contain_text("accepted")
    assert controlled.get(f"/api/triggers/{trigger['id']}")["conditions"] == trigger["conditions"]


def test_secret_and_address_are_rotated(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    trigger, secret = made(controlled)
    page = open_page(f"{collector.url}/triggers/{trigger['id']}")
    page.get_by_role("button", name="Rotate").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("checkbox", name="A new address").check()
    dialog.get_by_role("button", name="Rotate").click()
    expect(dialog).to_contain_text("shown this once")
    address, renewed = (code.inner_text() for code in dialog.locator("dd code").all())
    assert deliver(address, renewed, OPENED, "d1")["outcome"] == "accepted"
    assert deliver(collector.url + trigger["path"], secret, OPENED, "d2")["outcome"] == "accepted"
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator("main")).to_contain_text("before the rotation is taken until")


def test_trigger_is_changed_disabled_and_deleted(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    trigger, _ = made(controlled, name="steered", mapping=[{"name": "a", "pointer": "/a"}])
    page = open_page(f"{collector.url}/triggers")
    row = trigger_row(page, "steered")
    row.get_by_role("button", name="Disable").click()
    confirm(page, "Disable")
    expect(row).to_contain_text("disabled")
    row.get_by_role("button", name="Enable").click()
    confirm(page, "Enable")
    expect(row).not_to_contain_text("disabled")
    row.get_by_role("link", name="steered").click()
    page.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog", name="Change “steered”")
    dialog.get_by_role("textbox", name="Fields of the input").fill("")
    dialog.get_by_role("combobox", name="Agent").fill("ann")
    dialog.get_by_role("button", name="Change the trigger").click()
    expect(page.get_by_role("region", name="Rules")).to_contain_text("the whole payload")
    changed = controlled.get(f"/api/triggers/{trigger['id']}")
    assert (changed["mapping"], changed["task"]["agent"]) == (None, "ann")
    page.get_by_role("button", name="Delete").click()
    confirm(page, "Delete")
    expect(page).to_have_url(f"{collector.url}/triggers")
    expect(trigger_row(page, "steered")).to_have_count(0)


def test_list_is_searched_and_walked_by_keys(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    for name in ("walk one", "walk two"):
        made(controlled, name=name)
    page = open_page(f"{collector.url}/runs")
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page).to_have_url(f"{collector.url}/triggers")
    page.keyboard.press("/")
    page.keyboard.type("walk")
    expect(page.get_by_role("table", name="Triggers").get_by_role("row")).to_have_count(3)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="walk two", level=1)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/triggers\?text=walk$"))


def test_unknown_trigger_says_so(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/triggers/nobody")
    expect(page.get_by_role("heading", name="No such trigger")).to_be_visible()


def test_collector_that_does_not_answer_is_told_with_a_retry(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    made(controlled, name="unreached")
    page = open_page(f"{collector.url}/runs")
    page.route("**/api/triggers?*", lambda route: route.abort())
    page.get_by_role("link", name="Triggers").click()
    expect(page.get_by_role("alert")).to_contain_text("Collector not reachable")
    page.unroute("**/api/triggers?*")
    page.get_by_role("button", name="Retry").click()
    expect(trigger_row(page, "unreached")).to_be_visible()
