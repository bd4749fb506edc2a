"""axe-core finds nothing on any page, whatever state it is in, in both themes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from tests.browser.controlled import Controlled
from tests.browser.pages import ended, span_row

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import CollectorProcess

SendEvents = Callable[..., None]
RUN, OTHER_RUN = "ab" * 16, "cd" * 16
PAGES = {
    "runs": "runs",
    "runs by session": "runs?group=session",
    "run": f"runs/{RUN}?span=2222222222222222",
    "lanes": f"runs/{RUN}?view=lanes",
    "messages": f"runs/{RUN}?view=messages",
    "log": f"runs/{RUN}?view=log",
    "table": f"runs/{RUN}?view=table",
    "no such run": f"runs/{'0' * 32}",
    "compare": f"compare?a={RUN}&b={OTHER_RUN}",
    "history": f"compare?run={RUN}&last=5",
    "flame": "flame",
    "insights": "insights",
    **{f"{board} board": f"insights/{board}" for board in ("cost", "tokens", "latency", "success", "errors", "steps")},
    "sql": "sql",
    "tasks": "tasks",
    "board": "tasks?view=board",
    "task": "tasks/{task}",
    "approvals": "approvals",
    "ask": "approvals/{ask}",
    "schedules": "schedules",
    "week": "schedules?view=week",
    "schedule": "schedules/{schedule}",
    "triggers": "triggers",
    "trigger": "triggers/on failure",
    "agents": "agents",
    "webhooks": "webhooks",
    "budgets": "budgets",
    "settings": "settings",
    "nothing": "nothing/here",
}
EMPTY_PAGES = ["runs", "compare", "flame", "insights", "tasks", "approvals", "schedules", "triggers", "agents"]
EMPTY_PAGES += ["webhooks", "budgets", "sql"]
FAILING_PAGES = ["runs", "run", "flame", "insights", "tasks", "task", "approvals", "schedules", "triggers", "webhooks"]
FAILING_PAGES += ["agents", "budgets", "settings"]
THEMES = ("light", "dark")
AXE = """async () => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] });
  return found.violations.map(
    rule => `${rule.id}: ${rule.nodes.slice(0, 3).map(node => node.target.join(' ') + ' ' + node.html.slice(0, 120))}`);
}"""


@pytest.fixture(scope="module")
def axe(root: Path) -> str:
    """Return axe-core's script."""
    return (root / "viewer" / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="module", params=THEMES)
def themed(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """Return a browser profile of one theme that the tests of it share."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme=request.param, reduced_motion="reduce"
    )
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def task_id(controlled: Controlled) -> str:
    """Return a task that waits for its agent; there is a trigger too."""
    conditions = [{"pointer": "/action", "equals": "opened"}]
    mapping = [{"name": "title", "pointer": "/issue/title", "required": True}]
    fields = {"signature": {"scheme": "github"}, "conditions": conditions, "mapping": mapping}
    controlled.post("/api/triggers", name="on failure", kind="webhook", task={"name": "triage"}, **fields)
    task_id = controlled.create("nightly", agent="reporter", deliverables=[{"type": "presentation"}])
    controlled.post(f"/api/tasks/{task_id}/deliverables", name="sums.json", value={"pages": 12})
    return task_id


@pytest.fixture(scope="module")
def schedule_id(controlled: Controlled) -> str:
    """Return a schedule with instants in its ledger and instants ahead."""
    begun = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    task = {"name": "nightly", "agent": "reporter", "input": {"pages": [1, 2]}}
    made = controlled.post("/api/schedules", name="often", cadence={"every_ms": 900_000, "start": begun}, task=task)
    since, until = ((datetime.now(UTC) - timedelta(minutes=ago)).isoformat() for ago in (50, 5))
    controlled.post(f"/api/schedules/{made['id']}/backfill", since=since, until=until)
    schedule_id: str = made["id"]
    return schedule_id


@pytest.fixture(scope="module")
def ask_id(controlled: Controlled) -> str:
    """Return an approval with all that one can have; there is a question, too, and one that is decided."""
    schema = {"type": "object", "required": ["quarter"], "properties": {"quarter": {"enum": [2, 3]}, "note": {}}}
    ask = {"run_id": RUN, "agent": "reporter", "timeout_ms": 3_600_000}
    done = controlled.post("/api/asks", **ask, key="done", title="Done?")["id"]
    controlled.post(f"/api/asks/{done}/decide", decision="approve", by="ann")
    controlled.post("/api/asks", **ask, key="question", kind="question", title="Which?", schema=schema)
    made = {"action": {"usd": 5}, "details": "**Now**", "options": [{"name": "now"}, {"name": "no", "approves": False}]}
    made_id: str = controlled.post("/api/asks", **ask, **made, key="pay", title="Pay?", quorum=2)["id"]
    return made_id


@pytest.fixture
def recorded(send: SendEvents) -> None:
    """Send two runs of one name, with an error, a call of a model and a log line."""
    for run_id, extra in ((RUN, 0), (OTHER_RUN, 40)):
        usage = [{"model": "gpt-4o-mini", "input_tokens": 812, "output_tokens": 96}]
        root = {"parent_span_id": "1" * 16}
        send(
            ended(run_id, "1" * 16, 0, 900 + extra, name="report", kind="agent", agent="reporter", session_id="s-1"),
            ended(run_id, "2" * 16, 10, 400 + extra, name="answer", kind="llm", usage=usage, **root),
            ended(run_id, "3" * 16, 410, 500, name="lookup", kind="tool", status="failed", error_type="E", **root),
            {"type": "event", "run_id": run_id, "span_id": "1" * 16, "time": 1_795_000_000_100_000_000, "kind": "log",
             "severity": "warn", "message": "pages are missing"},
        )  # fmt: skip


def violations(page: Page, axe: str) -> list[str]:
    """Return what axe finds wrong; its script comes past the page's security policy."""
    page.evaluate(axe)
    found: list[str] = page.evaluate(AXE)
    return found


def settled(page: Page) -> Page:
    """Wait until the page has its heading and nothing is on its way."""
    expect(page.get_by_role("heading", level=1).first).to_be_attached()
    page.wait_for_load_state("load")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    return page


@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_violations(
    name: str,
    themed: BrowserContext,
    collector: CollectorProcess,
    recorded: None,
    task_id: str,
    ask_id: str,
    schedule_id: str,
    axe: str,
) -> None:
    page = themed.new_page()
    page.goto(f"{collector.url}/{PAGES[name].format(task=task_id, ask=ask_id, schedule=schedule_id)}")
    assert violations(settled(page), axe) == []
    page.close()


@pytest.mark.parametrize("name", EMPTY_PAGES)
def test_empty_page_has_no_violations(name: str, themed: BrowserContext, empty: CollectorProcess, axe: str) -> None:
    page = themed.new_page()
    page.goto(f"{empty.url}/{name}")
    assert violations(settled(page), axe) == []
    page.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """Return a collector that holds nothing."""
    from conftest import launch_collector

    process = launch_collector(tmp_path_factory.mktemp("empty"))
    yield process
    process.stop()


def fail(route: Route) -> None:
    """Answer as a collector whose database is busy."""
    body = '{"title": "Too busy", "status": 503, "detail": "the query queue is full", "remedy": "ask again"}'
    route.fulfill(status=503, content_type="application/problem+json", body=body)


@pytest.mark.parametrize("name", FAILING_PAGES)
def test_failing_page_has_no_violations(
    name: str, themed: BrowserContext, collector: CollectorProcess, recorded: None, task_id: str, ask_id: str, axe: str
) -> None:
    page = themed.new_page()
    page.route("**/api/**", lambda route: route.continue_() if "/api/live" in route.request.url else fail(route))
    page.goto(f"{collector.url}/{PAGES[name].format(task=task_id, ask=ask_id)}")
    expect(page.get_by_role("alert").first).to_contain_text("the query queue is full")
    assert violations(page, axe) == []
    page.close()


def test_page_on_its_way_has_no_violations(themed: BrowserContext, collector: CollectorProcess, axe: str) -> None:
    for path in ("runs", f"runs/{RUN}", "tasks", "agents", "settings"):
        page = themed.new_page()
        page.route("**/api/**", lambda route: None)  # never answered
        page.goto(f"{collector.url}/{path}")
        expect(page.get_by_role("heading", level=1).first).to_be_attached()
        assert violations(page, axe) == []
        page.close()


def test_live_run_has_no_violations(
    themed: BrowserContext, collector: CollectorProcess, send: SendEvents, run_id: str, axe: str
) -> None:
    send({"type": "span_started", "run_id": run_id, "span_id": "1" * 16, "name": "going on", "start_time": 10**18})
    page = themed.new_page()
    page.goto(f"{collector.url}/runs/{run_id}")
    expect(span_row(page, "going on")).to_be_visible()
    expect(page.locator("[data-live]")).to_have_text("Live")
    assert violations(page, axe) == []
    page.close()


def test_menus_and_dialogs_have_no_violations(
    themed: BrowserContext, collector: CollectorProcess, recorded: None, axe: str
) -> None:
    page = themed.new_page()
    page.goto(f"{collector.url}/runs/{RUN}")
    settled(page)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_role("option").first).to_be_visible()
    assert violations(page, axe) == []
    page.keyboard.type("zzzz nothing fits this")
    expect(page.get_by_text("Nothing fits")).to_be_visible()
    assert violations(page, axe) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page, axe) == []
    page.keyboard.press("Escape")
    page.close()


def test_forms_have_no_violations(
    themed: BrowserContext, collector: CollectorProcess, controlled: Controlled, axe: str
) -> None:
    answer = controlled.http.put("/api/budgets", json={"scope": "project", "usd": 5, "per": "day"})
    assert answer.is_success, answer.text
    page = themed.new_page()
    for path, button in (
        ("tasks", "New task"),
        ("schedules", "New schedule"),
        ("triggers", "New trigger"),
        ("webhooks", "New webhook"),
        ("budgets", "Raise Project, per day"),
    ):
        page.goto(f"{collector.url}/{path}")
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert violations(page, axe) == []
    page.close()


def test_trying_a_trigger_has_no_violations(themed: BrowserContext, collector: CollectorProcess, axe: str) -> None:
    page = themed.new_page()
    page.goto(f"{collector.url}/triggers")
    page.get_by_role("button", name="New trigger").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Task to make").fill("triage")
    dialog.get_by_text("Try it").click()
    for payload, told in (('{"a": 1}', "accepted"), ("{", "this is not JSON")):
        dialog.get_by_role("textbox", name="A payload").fill(payload)
        dialog.get_by_role("button", name="What would it make?").click()
        expect(dialog).to_contain_text(told)
        assert violations(page, axe) == []
    page.close()


def test_theme_holds_for_forced_colours_and_contrast(browser: Browser, collector: CollectorProcess, axe: str) -> None:
    context = browser.new_context(forced_colors="active", contrast="more", color_scheme="dark")
    page = context.new_page()
    for path in ("runs", "tasks", "settings"):
        page.goto(f"{collector.url}/{path}")
        assert violations(settled(page), axe) == []
    context.close()


@pytest.mark.parametrize("move", ["Approve …", "Edit and approve …", "Reject …", "Delegate …", "Answer …"])
def test_deciding_has_no_violations(
    move: str, themed: BrowserContext, collector: CollectorProcess, ask_id: str, axe: str
) -> None:
    page = themed.new_page()
    page.goto(f"{collector.url}/approvals/{ask_id}")
    page.evaluate("localStorage.setItem('milepost.actingAs', 'ann')")
    page.reload()
    if move == "Answer …":
        page.get_by_role("listbox", name="Approvals").get_by_role("option").filter(has_text="Which?").click()
    page.get_by_role("button", name=move, exact=True).click()
    expect(page.get_by_role("form")).to_be_visible()
    if move in ("Answer …", "Delegate …"):
        page.get_by_role("form").get_by_role("button").last.click()  # what is missing is said
    assert violations(settled(page), axe) == []
    page.close()


def test_page_of_a_link_has_no_violations(
    themed: BrowserContext, controlled: Controlled, ask_id: str, axe: str
) -> None:
    page = themed.new_page()
    page.goto(controlled.post(f"/api/asks/{ask_id}/links", to="ann")["url"])
    assert violations(settled(page), axe) == []
    page.close()
