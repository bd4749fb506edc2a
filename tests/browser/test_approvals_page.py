"""The inbox of asks: read, decided by mouse and by keyboard, live, and by two people at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from tests.browser.controlled import Controlled

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
OpenInbox = Callable[..., Page]
MakeAsk = Callable[..., str]


@pytest.fixture
def agent() -> str:
    """Return an agent that no other test asks as, so that its asks are alone in a filtered inbox."""
    return f"agent-{secrets.token_hex(4)}"


@pytest.fixture
def ask(controlled: Controlled, agent: str) -> MakeAsk:
    """Return a function that asks on behalf of a run and returns the ask's id."""

    def make(title: str, **fields: Any) -> str:
        body = {"run_id": secrets.token_hex(16), "agent": agent, "key": title, "title": title, **fields}
        made: str = controlled.post("/api/asks", **body)["id"]
        return made

    return make


@pytest.fixture
def open_inbox(collector: CollectorProcess, context: BrowserContext, open_page: OpenPage, agent: str) -> OpenInbox:
    """Return a function that opens the inbox of the test's agent, as somebody."""

    def open_(who: str = "ann", path: str = "approvals", query: str = "") -> Page:
        context.add_init_script(f"localStorage.setItem('milepost.actingAs', '{who}')")
        return open_page(f"{collector.url}/{path}?agent={agent}{query}")

    return open_


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("listbox", name="Approvals").get_by_role("option").filter(has_text=title)


def detail(page: Page) -> Locator:
    return page.get_by_role("region", name="What is asked", exact=True)


def state(controlled: Controlled, ask_id: str) -> Any:
    return controlled.get(f"/api/asks/{ask_id}")


def test_list_is_in_order_of_expiry_and_opening_marks_received(
    ask: MakeAsk, open_inbox: OpenInbox, controlled: Controlled
) -> None:
    later, first = ask("Later?"), ask("Sooner?", timeout_ms=600_000, details="**Hurry** <b>up</b>", action={"usd": 5})
    page = open_inbox()
    expect(row(page, "Sooner?")).to_have_attribute("aria-posinset", "1")
    expect(row(page, "Later?")).to_contain_text("no expiry")
    expect(row(page, "Sooner?")).to_contain_text("left")
    expect(detail(page).get_by_role("heading", name="Sooner?")).to_be_visible()
    expect(detail(page)).to_contain_text("Hurry <b>up</b>")
    expect(detail(page).get_by_role("region", name="Action")).to_contain_text("usd")
    expect(detail(page).get_by_role("region", name="What was said")).to_contain_text("received")
    assert state(controlled, first)["received_at"] is not None
    assert state(controlled, later)["received_at"] is None


def test_approval_by_mouse_with_an_option_and_a_reason(
    ask: MakeAsk, open_inbox: OpenInbox, controlled: Controlled
) -> None:
    options = [
        {"name": "now", "label": "At once"},
        {"name": "late", "label": "Later"},
        {"name": "no", "approves": False},
    ]
    made = ask("Deploy?", options=options)
    page = open_inbox()
    detail(page).get_by_role("button", name="Approve …").click()
    form = page.get_by_role("form", name="Approve")
    form.get_by_role("button", name="Approve").click()
    expect(form.get_by_role("alert")).to_have_text("choose one")
    expect(form.get_by_label("no")).not_to_be_attached()
    form.get_by_label("Later").check()
    form.get_by_label("Reason").fill("after lunch")
    form.get_by_role("button", name="Approve").click()
    expect(detail(page).get_by_role("region", name="Answer")).to_contain_text("by ann · “late” · after lunch")
    answer = state(controlled, made)["answer"]
    assert (answer["status"], answer["option"], answer["by"], answer["reason"]) == (
        "approved",
        "late",
        "ann",
        "after lunch",
    )
    assert state(controlled, made)["decisions"][0]["via"] == "viewer"


def test_action_is_edited_with_its_changes_shown_and_approved(
    ask: MakeAsk, open_inbox: OpenInbox, controlled: Controlled
) -> None:
    made = ask("Pay?", action={"usd": 1250, "to": "ACME", "id": 9007199254740993})
    page = open_inbox()
    detail(page).get_by_role("button", name="Edit and approve …").click()
    field = page.get_by_label("The action, as JSON")
    field.fill(field.input_value().replace("1250", "900"))
    expect(page.get_by_role("list", name="What your edit changes")).to_contain_text("usd")
    page.get_by_role("form").get_by_role("button", name="Approve as edited").click()
    expect(detail(page).get_by_role("region", name="Answer")).to_contain_text("with an edited action")
    assert state(controlled, made)["answer"]["action"] == {"usd": 900, "to": "ACME", "id": 9007199254740993}


def test_question_is_answered_in_fields_made_of_its_schema(
    ask: MakeAsk, open_inbox: OpenInbox, controlled: Controlled
) -> None:
    schema = {
        "type": "object",
        "required": ["quarter", "pages"],
        "properties": {
            "quarter": {"enum": ["Q2", "Q3"], "title": "Quarter"},
            "pages": {"type": "integer", "minimum": 1, "title": "Pages"},
            "draft": {"type": "boolean", "title": "Draft"},
            "to": {"type": "array", "items": {"type": "string"}, "title": "Recipients"},
        },
    }
    made = ask("Which quarter?", kind="question", schema=schema)
    page = open_inbox()
    detail(page).get_by_role("button", name="Answer …").click()
    form = page.get_by_role("form", name="Answer")
    form.get_by_label("Pages").fill("0")
    form.get_by_role("button", name="Answer").click()
    expect(form.get_by_label("Quarter")).to_have_accessible_description("choose one")
    expect(form.get_by_label("Pages")).to_have_accessible_description("give at least 1")
    form.get_by_label("Quarter").select_option("Q3")
    form.get_by_label("Pages").fill("12")
    form.get_by_label("Draft").select_option("yes")
    form.get_by_label("Recipients").fill("ann\nbo")
    form.get_by_role("button", name="Answer").click()
    expect(detail(page).get_by_role("region", name="Answer")).to_contain_text("Q3")
    assert state(controlled, made)["answer"]["value"] == {
        "quarter": "Q3",
        "pages": 12,
        "draft": True,
        "to": ["ann", "bo"],
    }


def test_whole_inbox_by_keyboard(ask: MakeAsk, open_inbox: OpenInbox, controlled: Controlled) -> None:
    first, second = ask("One?", timeout_ms=600_000), ask("Two?", timeout_ms=700_000, action={"n": 1})
    third = ask("Three?", timeout_ms=800_000, kind="question")
    page = open_inbox()
    expect(row(page, "One?")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("r")
    page.keyboard.type("too dear")
    page.keyboard.press("Enter")
    expect(row(page, "One?")).not_to_be_attached()
    page.keyboard.press("Home")
    expect(detail(page).get_by_role("heading", name="Two?")).to_be_visible()
    page.keyboard.press("j")
    expect(detail(page).get_by_role("heading", name="Three?")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_label("Your answer")).to_be_focused()
    page.keyboard.type("forty two")
    page.keyboard.press("Control+Enter")
    expect(row(page, "Three?")).not_to_be_attached()
    page.keyboard.press("k")
    expect(detail(page).get_by_role("heading", name="Two?")).to_be_visible()
    page.keyboard.press("d")
    page.keyboard.type("bo, team:night")
    page.keyboard.press("Enter")
    expect(detail(page)).to_contain_text("delegated to bo, team night")
    assert state(controlled, first)["answer"]["reason"] == "too dear"
    assert state(controlled, second)["approvers"] == ["bo", "team:night"]
    assert state(controlled, third)["answer"]["value"] == "forty two"


def test_second_of_two_people_is_told_who_was_first(
    ask: MakeAsk, open_inbox: OpenInbox, controlled: Controlled
) -> None:
    made = ask("Race?")
    page = open_inbox(who="bo")
    detail(page).get_by_role("button", name="Approve …").click()
    form = page.get_by_role("form", name="Approve")
    expect(form).to_be_visible()
    page.route("**/api/asks/*", lambda route: route.abort())  # what it is now has not arrived when he decides
    controlled.post(f"/api/asks/{made}/decide", decision="reject", by="ann", via="cli")
    form.get_by_role("button", name="Approve").click()
    expect(detail(page).get_by_role("alert").filter(has_text="rejected by ann")).to_be_visible()
    page.unroute("**/api/asks/*")
    expect(detail(page).get_by_role("region", name="Answer")).to_contain_text("by ann")
    expect(page.get_by_role("button", name="Approve …")).not_to_be_attached()


def test_named_approver_decides_and_others_are_told(
    ask: MakeAsk, open_inbox: OpenInbox, controlled: Controlled
) -> None:
    made = ask("Four eyes?", approvers=["ann", "team:night"], quorum=2)
    page = open_inbox(who="")
    expect(detail(page)).to_contain_text("This is for ann, team night: say who you are first.")
    page.get_by_label("Acting as").fill("bo")
    page.get_by_role("button", name="That is me").click()
    detail(page).get_by_role("button", name="Approve …").click()
    page.get_by_role("form").get_by_role("button", name="Approve").click()
    expect(detail(page).get_by_role("meter", name="Approvals")).to_have_attribute("aria-valuenow", "1")
    expect(detail(page)).to_contain_text("bo for team night, via viewer")
    controlled.post(f"/api/asks/{made}/decide", decision="approve", by="ann")
    expect(detail(page).get_by_role("region", name="Answer")).to_contain_text("approved")


def test_new_asks_come_and_decided_ones_go_while_one_is_read(
    ask: MakeAsk, open_inbox: OpenInbox, controlled: Controlled
) -> None:
    read, other = ask("Read?", timeout_ms=900_000), ask("Other?")
    page = open_inbox()
    expect(detail(page).get_by_role("heading", name="Read?")).to_be_visible()
    row(page, "Read?").hover()
    ask("Urgent?", timeout_ms=60_000)
    expect(row(page, "Urgent?")).to_have_attribute("aria-posinset", "3")  # what is under the pointer stays there
    page.mouse.move(900, 500)
    expect(row(page, "Urgent?")).to_have_attribute("aria-posinset", "1")
    controlled.post(f"/api/asks/{other}/decide", decision="approve")
    expect(row(page, "Other?")).not_to_be_attached()
    controlled.post(f"/api/asks/{read}/decide", decision="approve", by="bo")
    expect(row(page, "Read?")).not_to_be_attached()
    expect(detail(page).get_by_role("region", name="Answer")).to_contain_text("by bo")


def advance(page: Page, ms: int, asked: list[str]) -> list[str]:
    """Let a page's clock go on and what that starts begin; return what was asked for meanwhile."""
    asked.clear()
    page.clock.fast_forward(ms)
    page.evaluate("fetch('readyz')")  # goes after what the clock has started
    return list(asked)


def test_open_inbox_is_told_of_what_happens_and_does_not_ask_by_itself(
    ask: MakeAsk, open_inbox: OpenInbox, controlled: Controlled, context: BrowserContext
) -> None:
    context.clock.install()
    ask("First?", timeout_ms=900_000)
    page = open_inbox()
    expect(row(page, "First?")).to_be_visible()
    expect(detail(page)).to_contain_text("received")
    expect(page.locator("[data-live=live]")).to_be_visible()
    expect(page.get_by_role("link", name="Approvals").locator(".count")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "api/asks" in request.url else None)
    while advance(page, 1_000, asked):  # what its opening brought about
        pass
    assert advance(page, 16_000, asked) == []  # longer than any page waits before it asks again
    partial = ask("Second?", timeout_ms=800_000, approvers=["ann", "bo", "cy"], quorum=2)
    expect(row(page, "Second?")).to_have_attribute("aria-posinset", "1")
    row(page, "Second?").click()
    page.mouse.move(900, 500)  # rows stay where they are under the pointer
    controlled.post(f"/api/asks/{partial}/decide", decision="approve", by="bo")
    expect(detail(page).get_by_role("meter", name="Approvals")).to_have_attribute("aria-valuenow", "1")
    controlled.post(f"/api/asks/{partial}/delegate", to=["dee"], by="ann")
    expect(detail(page)).to_contain_text("delegated to dee")
    brief = ask("Brief?", timeout_ms=2_000)
    expect(row(page, "Brief?")).to_be_visible()
    expect(row(page, "Brief?")).not_to_be_attached()
    assert state(controlled, brief)["status"] == "expired"


def test_number_of_open_asks_is_live_where_nothing_else_is(
    ask: MakeAsk, open_page: OpenPage, controlled: Controlled, collector: CollectorProcess
) -> None:
    page = open_page(f"{collector.url}/sql")
    expect(page.get_by_role("link", name="Approvals")).to_be_visible()
    made = ask("Anybody?")
    number = page.get_by_role("link", name="Approvals").locator(".count")
    expect(number).to_be_visible()
    expect(page.locator("[data-live]")).not_to_be_attached()
    before = controlled.get("/api/asks", status="open", limit=1)["open_count"]
    expect(number).to_contain_text(str(before))
    ask("Somebody else?")
    expect(number).to_contain_text(str(before + 1))
    controlled.post(f"/api/asks/{made}/decide", decision="approve")
    expect(number).to_contain_text(str(before))


def test_deep_link_filters_and_counts(
    ask: MakeAsk, open_inbox: OpenInbox, controlled: Controlled, collector: CollectorProcess
) -> None:
    closed, opened = ask("Closed?"), ask("Opened?")
    controlled.post(f"/api/asks/{closed}/decide", decision="approve", by="bo")
    page = open_inbox(path=f"approvals/{closed}")
    expect(detail(page).get_by_role("heading", name="Closed?")).to_be_visible()
    expect(row(page, "Opened?")).to_be_visible()
    expect(row(page, "Closed?")).not_to_be_attached()
    page.get_by_role("group", name="Status").get_by_role("button", name="approved").click()
    expect(row(page, "Closed?")).to_contain_text("bo")
    page.get_by_role("searchbox", name="Search approvals").fill("clo")
    expect(row(page, "Opened?")).not_to_be_attached()
    page.reload()
    expect(row(page, "Closed?")).to_be_visible()
    expect(page.get_by_role("link", name="Approvals").locator(".count")).to_be_visible()
    page.goto(f"{collector.url}/approvals/nothing")
    expect(page.get_by_role("heading", name="No such ask")).to_be_visible()
    assert state(controlled, opened)["status"] == "open"


def test_task_waiting_for_a_person_is_decided_on_its_page(
    controlled: Controlled, open_page: OpenPage, collector: CollectorProcess
) -> None:
    task_id = controlled.create("Asks First", agent="asking-agent")
    worker = controlled.worker("asking-agent")
    worker.take(task_id)
    worker.report(task_id, "asked", ask={"key": "k", "title": "Write it off?", "action": {"eur": 12}})
    page = open_page(f"{collector.url}/tasks/{task_id}")
    asks = page.get_by_role("region", name="Asks")
    expect(asks.get_by_role("link", name="Write it off?")).to_be_visible()
    asks.get_by_role("button", name="Approve …", exact=True).click()
    page.get_by_role("form", name="Approve").get_by_role("button", name="Approve").click()
    expect(asks.get_by_role("region", name="Answer")).to_contain_text("approved")
    expect(page.get_by_role("region", name="History", exact=True)).to_contain_text("answered")
    assert controlled.status(task_id) == "pending"
