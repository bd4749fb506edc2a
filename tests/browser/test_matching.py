"""Who suits a task, teams, what agents can do, and how far a batch is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect
from tests.browser.controlled import Controlled

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]


def test_match_names_the_best_agent_and_what_others_lack(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    controlled.worker("match-amy", tasks=["Match this"], capabilities=["sql"])
    controlled.worker("match-bob", tasks=["Match this"])
    needs = ["sql", {"what": "gpu", "weight": 2}]
    task_id = controlled.create("Match this", needs=needs, run_at="2099-01-01T00:00:00Z")
    page = open_page(f"{collector.url}/tasks/{task_id}")
    table = page.get_by_role("table", name="Agents that could do it, the best first")
    expect(table.get_by_role("row").nth(1)).to_contain_text("match-amy")
    expect(table.get_by_role("row").nth(1)).to_contain_text("suits it best")
    expect(table).to_contain_text("it lacks capability 'sql'")
    expect(page.get_by_role("complementary", name="Definition")).to_contain_text("sql, gpu (preferred)")
    toggle = page.get_by_role("button", name="Who could do it")
    toggle.focus()
    page.keyboard.press("Enter")
    expect(table).to_be_hidden()


def test_why_names_the_capability_that_nobody_has(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    controlled.worker("lacking", tasks=["Lacking"])
    task_id = controlled.create("Lacking", needs=["quantum"])
    page = open_page(f"{collector.url}/tasks/{task_id}")
    expect(page.get_by_text("no agent has capability 'quantum'").first).to_be_visible()


def test_agents_page_shows_abilities_and_teams(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    controlled.worker("able-agent", capabilities=["charts"], labels={"region": "eu"})
    controlled.post("/api/teams", name="chart-team", members=["able-agent"], fallback={"person": "ann"})
    page = open_page(f"{collector.url}/agents")
    card = page.get_by_role("region", name="able-agent", exact=True)
    for text in ("team chart-team", "charts", "region=eu"):
        expect(card).to_contain_text(text)
    row = page.get_by_role("table", name="Teams").get_by_role("row", name="chart-team")
    expect(row).to_contain_text("1 of 1")
    expect(row).to_contain_text("person ann after all retries")


def test_batch_is_followed_by_its_header(
    collector: CollectorProcess, controlled: Controlled, open_page: OpenPage
) -> None:
    worker = controlled.worker("batch-agent", concurrency=8)
    made = controlled.post(
        "/api/tasks/batch", batch="nightly", tasks=[{"name": "Batched", "agent": "batch-agent"} for _ in range(4)]
    )
    page = open_page(f"{collector.url}/tasks?batch=nightly")
    header = page.get_by_role("region", name="Batch nightly")
    expect(header).to_contain_text("0 of 4 finished")
    worker.poll()
    worker.report(made["ids"][0], "completed")
    expect(header).to_contain_text("1 of 4 finished")
    expect(page.get_by_title("Remove this filter")).to_contain_text("nightly")
