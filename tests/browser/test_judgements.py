"""Scores and feedback on the page of a run: what is there, what arrives, and giving some."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]


def test_scores_are_shown_and_lead_to_their_span(
    collector: CollectorProcess, client: Client, open_page: OpenPage
) -> None:
    with client.start_run("judged") as run, run.start_task("answer", kind="llm") as task:
        task.score("grounded", 0.912345, label="mostly", explanation="two of three", source="llm", by="judge")
    client.flush()
    page = open_page(f"{collector.url}/runs/{run.run_id}")
    shown = page.get_by_label("Scores and feedback")
    expect(shown).to_contain_text("grounded 0.9123 · mostly")
    shown.get_by_role("button", name="answer").click()
    expect(page.get_by_role("complementary", name="Detail").get_by_role("heading")).to_contain_text("answer")
    run.score("late", 1)
    expect(shown).to_contain_text("late 1")


def test_feedback_is_given_by_keyboard(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    with client.start_run("to be rated") as run:
        pass
    client.flush()
    page = open_page(f"{collector.url}/runs/{run.run_id}")
    page.get_by_role("button", name="Feedback").press("Enter")
    expect(page.get_by_label("1", exact=True)).to_be_focused()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("right, <b>but</b> slow")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Scores and feedback")).to_contain_text("4 of 5")
    expect(page.get_by_label("Scores and feedback")).to_contain_text("right, <b>but</b> slow")
    assert collector.sql("SELECT rating, text FROM feedback") == [[4, "right, <b>but</b> slow"]]
