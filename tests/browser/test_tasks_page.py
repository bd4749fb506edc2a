"""The tasks' page: what is there and why it does not run, finding tasks, acting on one and on many."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect
from tests.browser.controlled import Controlled, column, confirm, task_row

if TYPE_CHECKING:
    from conftest import CollectorProcess, StartCollector

OpenPage = Callable[..., Page]


def test_empty_pages_show_how_to_begin(start_collector: StartCollector, open_page: OpenPage) -> None:
    page = open_page(f"{start_collector().url}/agents")
    expect(page.get_by_role("heading", name="No agents yet")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("agent.serve(concurrency=8)")
    page.get_by_role("link", name="Schedules").click()
    expect(page.get_by_role("heading", name="No schedules yet")).to_be_visible()
    subprocess.run([sys.executable, "-c", page.locator("pre").inner_text()], check=True, timeout=30)
    expect(page.get_by_role("row").filter(has_text="nightly")).to_contain_text("At 02:00 every day")
    page.get_by_role("link", name="Tasks").click()
    expect(page.get_by_role("heading", name="No tasks yet")).to_be_visible()
    with subprocess.Popen([sys.executable, "-c", page.locator("pre").inner_text()]) as agent:
        expect(task_row(page, "Say hello")).to_contain_text("completed")
        agent.terminate()
    assert agent.returncode == 0


def test_rows_say_why_a_task_does_not_run(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    first = controlled.create("Why First", agent="nobody")
    controlled.create("Why Second", agent="nobody", dependencies=[first])
    controlled.create("Why Later", agent="nobody", run_at="2099-01-01T00:00:00Z")
    page = open_page(f"{collector.url}/tasks?text=Why")
    expect(task_row(page, "Why First")).to_contain_text("no worker of agent nobody is polling")
    expect(task_row(page, "Why Second")).to_contain_text("waiting for Why First (pending)")
    expect(task_row(page, "Why Later")).to_contain_text("starts in")


def test_work_is_watched_without_reload(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/tasks?agent=watched-agent")
    expect(page.get_by_text("No task matches these filters")).to_be_visible()
    task_id = controlled.create("Watched", agent="watched-agent")
    expect(task_row(page, "Watched")).to_contain_text("pending")
    worker = controlled.worker("watched-agent")
    worker.take(task_id)
    worker.report(task_id, "progress", progress=0.4, phase="reading pages")
    expect(task_row(page, "Watched")).to_contain_text("reading pages")
    expect(task_row(page, "Watched")).to_contain_text("40 %")
    worker.fail(task_id, "ValueError", "page 7 is torn", retryable=False)
    expect(task_row(page, "Watched")).to_contain_text("page 7 is torn")
    expect(page.get_by_role("button", name="failed", exact=True)).to_contain_text("1")


def test_filters_and_counts_are_kept_in_the_address(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    for name, agent in (("Sorted One", "sorter-a"), ("Sorted Two", "sorter-b")):
        controlled.create(name, agent=agent, tags=["sorted"])
    page = open_page(f"{collector.url}/tasks?tag=sorted")
    page.get_by_label("Count by").select_option("agent")
    groups = page.get_by_role("group", name="Counts by agent")
    expect(groups.get_by_role("button")).to_have_text([re.compile("sorter-[ab] 1")] * 2)
    groups.get_by_role("button", name="sorter-a").click()
    expect(page).to_have_url(re.compile(r"agent=sorter-a.*tag=sorted.*group=agent"))
    expect(task_row(page, "Sorted Two")).to_have_count(0)
    page.reload()
    expect(task_row(page, "Sorted One")).to_be_visible()
    expect(groups.get_by_role("button", name="sorter-a")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(task_row(page, "Sorted Two")).to_be_visible()


def test_one_task_is_cancelled_after_a_question_that_names_it(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    task_id = controlled.create("Doomed", agent="nobody")
    page = open_page(f"{collector.url}/tasks?text=Doomed")
    task_row(page, "Doomed").get_by_role("button", name="Actions for Doomed").click()
    page.get_by_role("menuitem", name="Cancel").click()
    dialog = page.get_by_role("dialog", name="Cancel “Doomed”?")
    dialog.get_by_label("Reason").fill("not needed")
    confirm(page, "Cancel")
    expect(task_row(page, "Doomed")).to_contain_text("cancelled")
    expect(task_row(page, "Doomed")).to_contain_text("not needed")
    assert controlled.status(task_id) == "cancelled"


def test_selected_tasks_are_paused_with_their_number_in_the_question(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    ids = [controlled.create(f"Batch {number}", agent="nobody", tags=["batch"]) for number in range(4)]
    controlled.post(f"/api/tasks/{ids[0]}/cancel")
    page = open_page(f"{collector.url}/tasks?tag=batch")
    for number in (0, 1, 2):
        page.get_by_role("checkbox", name=f"Select Batch {number}").check()
    expect(page.get_by_text("3 tasks selected")).to_be_visible()
    page.get_by_role("button", name="Pause …").click()
    expect(page.get_by_role("dialog", name="Pause 2 tasks?")).to_contain_text("2 of 3 tasks take it, 1 do not")
    confirm(page, "Pause 2 tasks")
    expect(page.locator("[data-outcome]")).to_contain_text("done for 2 tasks")
    assert [controlled.status(task_id) for task_id in ids] == ["cancelled", "paused", "paused", "pending"]


def test_everything_that_matches_is_deleted_by_filter(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    controlled.post("/api/tasks/batch", tasks=[{"name": "Bulk Rubbish", "agent": "nobody", "tags": ["rubbish"]}] * 130)
    page = open_page(f"{collector.url}/tasks?tag=rubbish")
    page.get_by_role("checkbox", name="Select all loaded tasks").check()
    page.get_by_role("button", name="all that match the filters (130)").click()
    page.get_by_role("button", name="Delete …").click()
    expect(page.get_by_role("dialog", name="Delete 130 tasks?")).to_be_visible()
    confirm(page, "Delete 130 tasks")
    expect(page.get_by_text("No task matches these filters")).to_be_visible()
    assert controlled.get("/api/tasks/counts", tag="rubbish")["total"] == 0


def test_task_is_created_in_a_dialog_that_checks_its_input(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    page = open_page(f"{collector.url}/tasks")
    page.get_by_role("button", name="New task").click()
    dialog = page.get_by_role("dialog", name="New task")
    dialog.get_by_label("Input, as JSON").fill('{"rows": ')
    dialog.get_by_role("button", name="Create the task").click()
    name = dialog.get_by_role("combobox", name="Name", exact=True)
    expect(name).to_have_accessible_description("give the name that agents handle it by")
    expect(name).to_be_focused()
    expect(dialog.get_by_role("textbox", name="Input, as JSON", exact=True)).to_have_accessible_description(
        re.compile("this is not JSON")
    )
    name.fill("By Hand")
    dialog.get_by_role("combobox", name="Agent", exact=True).fill("hand-agent")
    dialog.get_by_label("Input, as JSON").fill('{"rows": 3}')
    dialog.get_by_label("Priority").select_option("urgent")
    dialog.get_by_role("button", name="Create the task").click()
    expect(page.get_by_role("heading", name="By Hand", level=1)).to_be_visible()
    made = controlled.get(f"/api/tasks/{page.url.rsplit('/', 1)[1]}")
    assert (made["input"], made["priority"], made["agent"]) == ({"rows": 3}, "urgent", "hand-agent")


def test_board_moves_cards_and_takes_drops(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    task_id = controlled.create("Card", agent="nobody", tags=["board"])
    page = open_page(f"{collector.url}/tasks?view=board&tag=board")
    card = column(page, "Pending").get_by_role("listitem").filter(has_text="Card")
    expect(card).to_be_visible()
    card.drag_to(column(page, "Paused"))
    expect(page.get_by_role("dialog", name="Pause “Card”?")).to_be_visible()
    confirm(page, "Pause")
    expect(column(page, "Paused").get_by_role("link", name="Card")).to_be_visible()
    expect(card).to_have_count(0)
    controlled.post(f"/api/tasks/{task_id}/cancel")
    expect(column(page, "Cancelled").get_by_role("link", name="Card")).to_be_visible()


def test_keys_move_select_and_ask(collector: CollectorProcess, controlled: Controlled, open_page: OpenPage) -> None:
    for number in range(3):
        controlled.create(f"Keyed {number}", agent="nobody", tags=["keyed"])
    page = open_page(f"{collector.url}/tasks?tag=keyed&sort=name")
    expect(task_row(page, "Keyed 0")).to_be_visible()
    for key in ("j", "x", "j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(page.get_by_text("3 tasks selected")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("3 tasks selected")).to_have_count(0)
    page.keyboard.press("k")
    page.keyboard.press("Shift+H")
    expect(page.get_by_role("dialog", name="Pause “Keyed 1”?")).to_be_visible()
    page.keyboard.press("Enter")
    expect(task_row(page, "Keyed 1")).to_contain_text("paused")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Keyed 1", level=1)).to_be_visible()


def test_letters_after_g_go_to_pages(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(collector.url)
    expect(page).to_have_title("Runs · Milepost")
    for letter, title in (("t", "Tasks"), ("s", "Schedules"), ("a", "Agents"), ("r", "Runs")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        expect(page).to_have_title(f"{title} · Milepost")


def test_new_tasks_wait_while_the_pointer_is_over_the_rows(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    controlled.create("Under Pointer", agent="nobody", tags=["pointer"])
    page = open_page(f"{collector.url}/tasks?tag=pointer")
    task_row(page, "Under Pointer").hover()
    controlled.create("Arrived Later", agent="nobody", tags=["pointer"])
    pill = page.get_by_role("button", name=re.compile("1 new task"))
    expect(pill).to_be_visible()
    expect(task_row(page, "Arrived Later")).to_have_count(0)
    pill.click()
    expect(task_row(page, "Arrived Later")).to_be_visible()


def test_long_list_pages_in(collector: CollectorProcess, controlled: Controlled, open_page: OpenPage) -> None:
    many = [{"name": f"Many {number}", "agent": "nobody", "tags": ["many"]} for number in range(230)]
    controlled.post("/api/tasks/batch", tasks=many)
    page = open_page(f"{collector.url}/tasks?tag=many&sort=created_at")
    for count, last in (("230 tasks, 100 loaded", "99"), ("230 tasks, 200 loaded", "199"), ("230 tasks", "229")):
        expect(page.get_by_text(count, exact=True)).to_be_visible()
        page.keyboard.press("End")
        expect(task_row(page, f"Many {last}")).to_be_visible()
    assert page.get_by_role("grid", name="Tasks").get_by_role("row").count() < 80


def test_refused_filter_is_explained_and_can_be_retried(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/tasks?sort=colour")
    expect(page.get_by_role("alert")).to_contain_text("colour")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()


@pytest.mark.slow
def test_stopped_collector_leaves_the_rows_and_is_recovered_from(
    start_collector: StartCollector, open_page: OpenPage
) -> None:
    first = start_collector()
    with Controlled(first.url) as controlled:
        controlled.create("Before", agent="nobody")
    page = open_page(f"{first.url}/tasks")
    expect(task_row(page, "Before")).to_be_visible()
    first.stop()
    expect(page.get_by_role("alert")).to_contain_text("the collector does not answer")
    expect(task_row(page, "Before")).to_be_visible()
    again = start_collector("--port", first.url.rsplit(":", 1)[1])
    with Controlled(again.url) as controlled:
        controlled.create("While Away", agent="nobody")
    expect(task_row(page, "While Away")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("alert")).to_have_count(0)
