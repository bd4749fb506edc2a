"""The schedules' page: when they are due, what became of each instant, making and steering them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect
from tests.browser.controlled import Controlled, confirm

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]


def schedule_row(page: Page, name: str) -> Locator:
    return (
        page.get_by_role("table", name="Schedules").get_by_role("row").filter(has=page.get_by_role("link", name=name))
    )


def test_list_says_the_cadence_in_words_and_when_it_is_next(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    cadence = {"cron": "30 2 * * *", "zone": "Europe/Berlin"}
    controlled.post("/api/schedules", name="nightly", cadence=cadence, task={"name": "Extract"})
    row = schedule_row(open_page(f"{collector.url}/schedules"), "nightly")
    expect(row).to_contain_text("At 02:30 every day, Europe/Berlin time")
    expect(row).to_contain_text(re.compile(r"in \d+ (h|min|s)"))
    expect(row).to_contain_text(re.compile(r"02:30:00 \+0[12]:00"))
    expect(row).to_contain_text("never yet")


def test_schedule_is_made_with_its_next_instants_shown_while_typing(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/schedules")
    page.get_by_role("button", name="New schedule").click()
    dialog = page.get_by_role("dialog", name="New schedule")
    preview = dialog.get_by_role("status", name="Next instants")
    cron = dialog.get_by_role("textbox", name="Minute, hour")
    cron.fill("61 * * * *")
    expect(preview).to_contain_text("61")
    cron.fill("15 3 * * 1")
    dialog.get_by_role("combobox", name="Zone").fill("America/New_York")
    expect(preview.get_by_role("listitem")).to_have_text([re.compile(r"03:15:00 ?-0[45]:00")] * 6)
    dialog.get_by_label("Name of the schedule").fill("by hand")
    dialog.get_by_role("combobox", name="Task to make").fill("Report")
    dialog.get_by_role("button", name="Create the schedule").click()
    expect(page.get_by_role("heading", name="by hand", level=1)).to_be_visible()
    made = controlled.get("/api/schedules/by hand")
    assert (made["cadence"]["cron"], made["cadence"]["zone"]) == ("15 3 * * 1", "America/New_York")


def test_clock_changes_are_noted_beside_the_instants(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    year = datetime.now(UTC).year + 1
    cadence = {"cron": "30 2 * 3,10 0", "zone": "Europe/Berlin"}
    made = controlled.post("/api/schedules", name="odd days", cadence=cadence, task={"name": "Report"})
    asked = {"cadence": cadence, "count": 10, "after": f"{year}-03-01T00:00:00Z"}
    notes = [instant.get("note") for instant in controlled.post("/api/schedules/preview", **asked)["instants"]]
    assert any(notes)
    page = open_page(f"{collector.url}/schedules/{made['id']}")
    listed = page.get_by_role("region", name="Next instants").get_by_role("listitem")
    expect(listed).to_have_count(len(made["next"]))
    shown = [note for instant in made["next"] if (note := instant.get("note"))]
    for note in shown:
        expect(listed.filter(has_text=note).first).to_be_visible()


def test_instants_are_kept_in_the_ledger_and_the_week(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    begun = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    cadence = {"every_ms": 900_000, "start": begun}
    made = controlled.post(
        "/api/schedules", name="quarterly", cadence=cadence, task={"name": "Ping", "agent": "nobody"}
    )
    since, until = ((datetime.now(UTC) - timedelta(minutes=ago)).isoformat() for ago in (50, 5))
    controlled.post(f"/api/schedules/{made['id']}/backfill", since=since, until=until)
    page = open_page(f"{collector.url}/schedules/{made['id']}")
    ledger = page.get_by_role("region", name="Ledger")
    expect(ledger.get_by_role("row").filter(has_text="backfilled")).to_have_count(3)
    ledger.get_by_role("group", name="Status of instants").get_by_role("button", name="missed").click()
    expect(ledger).to_contain_text("No instant of this kind")
    week = page.get_by_role("group", name="Week of quarterly")
    expect(week).to_contain_text(re.compile(r"\d ran"))
    expect(week).to_contain_text(re.compile(r"\d planned"))


def test_run_now_makes_a_task_and_goes_there(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    controlled.post(
        "/api/schedules", name="yearly", cadence={"cron": "0 0 1 1 *"}, task={"name": "Greet", "agent": "nobody"}
    )
    page = open_page(f"{collector.url}/schedules")
    schedule_row(page, "yearly").get_by_role("button", name="Run now").click()
    expect(page.get_by_role("dialog", name="Run now: “yearly”?")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Greet", level=1)).to_be_visible()
    page.get_by_role("link", name="from a schedule").click()
    expect(page.get_by_role("heading", name="yearly", level=1)).to_be_visible()


def test_schedule_is_paused_resumed_and_deleted(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    controlled.post("/api/schedules", name="steered", cadence={"cron": "0 0 1 1 *"}, task={"name": "Greet"})
    page = open_page(f"{collector.url}/schedules")
    row = schedule_row(page, "steered")
    row.get_by_role("button", name="Pause").click()
    confirm(page, "Pause")
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Resume").click()
    confirm(page, "Resume")
    expect(row).not_to_contain_text("paused")
    row.get_by_role("button", name="Delete").click()
    confirm(page, "Delete")
    expect(row).to_have_count(0)


def test_week_of_all_schedules_is_in_the_address(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    controlled.post("/api/schedules", name="hourly", cadence={"cron": "0 * * * *"}, task={"name": "Ping", "agent": "x"})
    page = open_page(f"{collector.url}/schedules")
    page.get_by_role("button", name="Week", exact=True).click()
    expect(page).to_have_url(re.compile("view=week"))
    expect(page.get_by_role("group", name="Week of hourly")).to_contain_text("1 planned")
    page.get_by_role("button", name="Next week").click()
    expect(page).to_have_url(re.compile(r"from=\d{4}-\d\d-\d\d"))
    expect(page.get_by_role("group", name="Week of hourly").get_by_text("1 planned")).to_have_count(168)
