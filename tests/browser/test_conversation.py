"""Conversations in the detail panel: what was new, what was answered, tools, thinking, long and odd parts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.pages import ended, open_tab

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
ShowConversation = Callable[..., Page]

CALL = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}}
RESULT = {"type": "tool_result", "id": "call_1", "result": {"degrees": 21}}


def message(role: str, *parts: Any) -> dict[str, Any]:
    return {"role": role, "content": list(parts)}


def section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


@pytest.fixture
def show(collector: CollectorProcess, send: Callable[..., None], open_page: OpenPage, run_id: str) -> ShowConversation:
    """Return a function that records a model call with these messages and opens its conversation."""

    def show_(sent: list[dict[str, Any]], *answered: Any) -> Page:
        answer = message("assistant", *answered)
        send(ended(run_id, "a" * 16, 0, 10, name="chat", kind="llm", input={"messages": sent}, output=answer))
        page = open_page(f"{collector.url}/runs/{run_id}")
        open_tab(page, "Messages")
        return page

    return show_


def test_what_was_new_stands_apart_from_history_and_answer(show: ShowConversation) -> None:
    history = [message("system", "be brief"), *(message(role, f"{role} turn") for role in ("user", "assistant") * 6)]
    page = show([*history, message("user", "and now?")], "now")
    expect(section(page, "Sent")).to_contain_text("New in this call")
    expect(section(page, "Sent").get_by_role("article")).to_have_text([re.compile("and now\\?")])
    expect(section(page, "Answered").get_by_role("article")).to_have_text([re.compile("now")])
    expect(page.get_by_text("be brief")).to_have_count(0)
    page.get_by_role("button", name="13 earlier messages").click()
    expect(page.get_by_text("be brief")).to_be_visible()
    page.get_by_role("button", name="Fold earlier messages").click()
    expect(page.get_by_text("be brief")).to_have_count(0)


def test_tool_result_shows_the_call_it_answers(show: ShowConversation) -> None:
    sent = [message("user", "warm?"), message("assistant", CALL), message("tool", RESULT)]
    page = show(sent, "yes")
    called = section(page, "Earlier messages").get_by_role("article", name="assistant")
    for text in ("get_weather", "call_1", "city", "Paris"):
        expect(called).to_contain_text(text)
    answer = section(page, "Sent").get_by_role("article", name="tool")
    for text in ("get_weather", 'city: "Paris"', "degrees", "21"):
        expect(answer).to_contain_text(text)


def test_texts_are_formatted_or_plain(show: ShowConversation) -> None:
    text = "It is **21 degrees**.\n\n```py\nx = 1\n```\n[more](https://example.org/a)"
    page = show([message("user", "warm?")], text)
    answer = section(page, "Answered")
    expect(answer.locator(".strong")).to_have_text("21 degrees")
    expect(answer.locator("pre")).to_contain_text("x = 1")
    expect(answer.get_by_role("link", name="more")).to_have_attribute("rel", "noopener noreferrer")
    page.get_by_role("button", name="Plain").click()
    expect(answer).to_contain_text("**21 degrees**")
    page.reload()
    expect(page.get_by_role("button", name="Plain")).to_have_attribute("aria-pressed", "true")


def test_thinking_and_long_texts_open_on_demand(show: ShowConversation) -> None:
    thought = {"type": "reasoning", "content": "let me see. " * 100 + "so it is"}
    lines = "\n".join(f"rule {number}" for number in range(340))
    page = show([message("system", lines)], thought, "done")
    expect(page.get_by_text("so it is")).to_have_count(0)
    page.get_by_role("button", name="thinking").press("Enter")
    expect(page.get_by_text("so it is")).to_be_visible()
    sent = section(page, "Sent")
    expect(sent).not_to_contain_text("rule 339")
    sent.get_by_role("button", name="Show all 340 lines").click()
    expect(sent).to_contain_text("rule 339")
    sent.get_by_role("button", name="Show less").click()
    expect(sent).not_to_contain_text("rule 339")


def test_files_are_named_and_never_fetched(show: ShowConversation) -> None:
    image = {"type": "image", "mime_type": "image/png", "uri": "https://example.org/sky.png", "bytes": 182_344}
    odd = {"type": "hologram", "beam": [1, 2]}
    page = show([message("user", image, odd)])
    sent = section(page, "Sent")
    for text in ("image/png", "182 KB", "https://example.org/sky.png", "hologram", "beam"):
        expect(sent).to_contain_text(text)
    expect(page.locator("main img")).to_have_count(0)
    expect(section(page, "Answered")).to_contain_text("empty")


def test_huge_conversation_stays_usable(
    collector: CollectorProcess, send: Callable[..., None], open_page: OpenPage, run_id: str
) -> None:
    turns = [message("user" if number % 2 else "assistant", f"turn {number}") for number in range(500)]
    turns.append(message("user", "x" * 1_000_000))
    send(ended(run_id, "a" * 16, 0, 10, name="chat", kind="llm", input=turns, output=message("assistant", "done")))
    page = open_page(f"{collector.url}/runs/{run_id}")
    open_tab(page, "Input").get_by_role("button", name="Load all").click()
    open_tab(page, "Messages")
    expect(page.get_by_role("article")).to_have_count(3)
    page.get_by_role("button", name="499 earlier messages").click()
    expect(page.get_by_role("article")).to_have_count(53)
    page.get_by_role("button", name="50 more of 449 messages before").click()
    expect(page.get_by_role("article")).to_have_count(103)
    sent = section(page, "Sent")
    sent.get_by_role("button", name="Show all 1,000,000 characters").click()
    sent.get_by_role("button", name="Show the other 800,000 characters").click()
    expect(sent.get_by_role("button", name="Show less")).to_be_visible()


def test_conversation_is_copied(show: ShowConversation) -> None:
    page = show([message("user", "warm?")], CALL)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the conversation").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"## user\n\nwarm?\n\n## assistant\n\nget_weather {json.dumps({'city': 'Paris'}, indent=2)}"
