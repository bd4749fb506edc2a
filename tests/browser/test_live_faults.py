"""What is on screen while things happen equals what a reload shows, whatever became of the messages on their way."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.browser.faulty_proxy import FaultyProxy
from tests.browser.pages import EPOCH_NS, ended, run_row, span_row

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess, StartCollector

OpenPage = Callable[..., Page]
SendEvents = Callable[..., None]
TABS = 7  # one more than the connections that a browser opens to an origin over HTTP/1.1
BATCHES = 24
MOST_FRAMES = 20


@pytest.fixture
def proxy(collector: CollectorProcess) -> Iterator[FaultyProxy]:
    """Return a proxy before the module's collector."""
    made = FaultyProxy(collector.url, seed=20)
    yield made
    made.close()


def picture(page: Page) -> str:
    """Return what the page shows, as text, but for words that depend on when one looks."""
    return page.locator("main").aria_snapshot()


def tell(page: Page, proxy: FaultyProxy, send: Callable[[], None]) -> None:
    """Send something and wait until it is a live message, or for so long that the connection must be a cut one."""
    before = proxy.told
    send()
    for _ in range(MOST_FRAMES):
        if proxy.told > before:
            return
        page.evaluate("() => new Promise(requestAnimationFrame)")


def started(run_id: str, span_id: str, start_ms: float, **fields: Any) -> dict[str, Any]:
    """Return a `SpanStarted`."""
    return {
        "type": "span_started",
        "run_id": run_id,
        "span_id": span_id,
        "start_time": EPOCH_NS + int(start_ms * 1e6),
        **fields,
    }


def batches_of_a_run(run_id: str) -> Iterator[list[dict[str, Any]]]:
    """Yield what an agent sends: starts and ends, children before their parents, and the root's end last."""
    root = "f" * 16
    yield [started(run_id, root, 0, name="orchestrator", kind="agent")]
    for number in range(BATCHES):
        step, call = f"{number + 1:016x}", f"{number + 1001:016x}"
        at = number * 100
        yield [
            ended(run_id, call, at + 10, at + 60, name=f"call {number}", kind="tool", parent_span_id=step),
            started(run_id, step, at, name=f"step {number}", kind="task", parent_span_id=root),
        ]
        failed = {"status": "failed", "error_type": "ToolError"} if number % 7 == 3 else {}
        yield [ended(run_id, step, at, at + 90, name=f"step {number}", kind="task", parent_span_id=root, **failed)]
    yield [ended(run_id, root, 0, BATCHES * 100, name="orchestrator", kind="agent")]


def test_run_that_grew_through_faults_looks_as_after_a_reload(
    proxy: FaultyProxy, send: SendEvents, open_page: OpenPage, run_id: str
) -> None:
    batches = list(batches_of_a_run(run_id))
    send(*batches[0])
    page = open_page(f"{proxy.url}/runs/{run_id}")
    expect(span_row(page, "orchestrator")).to_be_visible()
    proxy.faulty = True
    for batch in batches[1:-1]:
        tell(page, proxy, partial(send, *batch))
    proxy.faulty = False
    send(*batches[-1])
    expect(page.locator("[data-live]")).to_have_text("Live")
    expect(page.locator("main header")).to_contain_text("completed")
    expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", str(2 * BATCHES + 1))
    expect(page.locator("main")).not_to_contain_text("not ended")  # the detail panel asks when a span has changed
    live = picture(page)
    assert all(proxy.faults[fate] > 0 for fate in ("drop", "twice", "late", "cut")), proxy.faults
    page.reload()
    expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", str(2 * BATCHES + 1))
    expect(page.locator("main")).to_match_aria_snapshot(live)


def test_run_list_that_changed_through_faults_looks_as_after_a_reload(
    proxy: FaultyProxy, send: SendEvents, open_page: OpenPage
) -> None:
    runs = [(uuid.uuid4().hex, f"watched {number}") for number in range(12)]
    page = open_page(proxy.url)
    expect(page.locator("[data-live]")).to_have_text("Live")
    proxy.faulty = True
    for number, (run_id, name) in enumerate(runs):
        begun = started(run_id, "a" * 16, number, name=name, kind="agent")
        failed = ended(run_id, "a" * 16, number, number + 50, name=name, kind="agent", status="failed")
        tell(page, proxy, partial(send, begun))
        if number % 2:
            tell(page, proxy, partial(send, failed))
    proxy.faulty = False
    last = uuid.uuid4().hex
    send(ended(last, "a" * 16, 100, 150, name="the last one", kind="agent"))
    expect(run_row(page, "the last one")).to_be_visible()
    expect(page.locator("[data-live]")).to_have_text("Live")
    for _, name in runs:
        expect(run_row(page, name)).to_be_attached()
    live = statuses(page)
    page.reload()
    expect(run_row(page, "the last one")).to_be_visible()
    assert statuses(page) == live
    assert sum("failed" in text for text in live) >= 6


def statuses(page: Page) -> list[str]:
    """Return status and name of every row of the run list that is on screen."""
    rows = page.locator("[role=grid] [role=row]").filter(has=page.get_by_role("link"))
    return rows.evaluate_all(
        "rows => rows.map(row => [...row.children].slice(0, 3).map(cell => cell.innerText.trim()).join(' | '))"
    )


def test_seven_tabs_are_all_live_at_once(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    client.start_run("before the tabs").complete()
    client.flush()
    pages = []
    for _ in range(TABS):
        pages.append(open_page(collector.url))
        expect(run_row(pages[-1], "before the tabs")).to_be_visible()
    client.start_run("seen in every tab").complete()
    client.flush()
    for page in pages:
        expect(run_row(page, "seen in every tab")).to_be_visible()
        expect(page.locator("[data-live]")).to_have_text("Live")


def test_tab_that_waited_streams_when_another_one_is_closed(collector: CollectorProcess, open_page: OpenPage) -> None:
    pages = [open_page(collector.url) for _ in range(TABS)]
    for page in pages:
        expect(page.locator("[data-live]")).to_have_text("Live")
    with pages[-1].expect_request(lambda request: "follow=0" in request.url):
        pass
    with pages[-1].expect_request(lambda request: "api/live" in request.url and "follow=0" not in request.url):
        for page in pages[:-1]:
            page.close()
    expect(pages[-1].locator("[data-live]")).to_have_text("Live")


def test_killed_collector_is_followed_again(start_collector: StartCollector, open_page: OpenPage, run_id: str) -> None:
    first = start_collector()
    post(first.url, "one", ended(run_id, "1" * 16, 0, 10, name="before the kill", kind="agent"))
    page = open_page(first.url)
    expect(run_row(page, "before the kill")).to_be_visible()
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    expect(page.locator("[data-live=broken]")).to_be_visible()
    expect(run_row(page, "before the kill")).to_be_visible()
    again = start_collector("--port", first.url.rsplit(":", 1)[1])
    post(again.url, "two", ended(uuid.uuid4().hex, "2" * 16, 20, 30, name="after the kill", kind="agent"))
    expect(run_row(page, "after the kill")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-live]")).to_have_text("Live")
    expect(run_row(page, "before the kill")).to_be_visible()


def post(url: str, producer: str, event: dict[str, Any]) -> None:
    """Send one event as a producer that nobody else is."""
    batch = {"producer_id": f"{producer}-{uuid.uuid4().hex}", "sequence": 0, "events": [event], "resource": {}}
    assert httpx.post(f"{url}/v1/events", json=batch, timeout=30).status_code == 200


def test_hidden_tab_lets_go_and_catches_up(collector: CollectorProcess, client: Client, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.clock.install()
    page.goto(collector.url)
    expect(page.locator("[data-live]")).to_have_text("Live")
    set_hidden(page, True)
    page.clock.run_for(31_000)
    expect(page.locator("[data-live]")).to_have_text("Paused")
    client.start_run("while nobody looked").complete()
    client.flush()
    with page.expect_request(lambda request: "last_event_id=" in request.url):
        set_hidden(page, False)
    expect(run_row(page, "while nobody looked")).to_be_visible()
    expect(page.locator("[data-live]")).to_have_text("Live")


def set_hidden(page: Page, hidden: bool) -> None:
    """Have the page believe that its tab is hidden or shown."""
    state = "hidden" if hidden else "visible"
    page.evaluate(
        f"() => {{ Object.defineProperty(document, 'visibilityState', {{ value: '{state}', configurable: true }});"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
