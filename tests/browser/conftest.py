"""A real Chromium looking at real collectors that real clients send to."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright
from tests.browser.controlled import Controlled

from milepost import Client

if TYPE_CHECKING:
    from conftest import CollectorProcess

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
WAIT_MS = 15_000  # the deadline of every condition a test waits for; a busy machine is slow, not wrong
EXPECTED_FAILURES = ("Failed to load resource", "net::ERR_")  # how Chromium reports a 404 or a collector that is gone

SendEvents = Callable[..., None]
OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as needing Chromium."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Return a Chromium for the tests of a module; while it runs, Playwright's event loop bars all others."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Return a browser profile of the test's own."""
    fresh = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light", reduced_motion="reduce")
    fresh.set_default_timeout(WAIT_MS)
    yield fresh
    fresh.close()


class Watch:
    """What a page did that no page may do."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.foreign: list[str] = []

    def attach(self, page: Page) -> None:
        """Note errors, dialogs and requests to anywhere but this machine."""
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self._dialog(dialog))
        page.on("console", lambda message: self._console(message.type, message.text))
        page.route("**/*", self._request)

    def _dialog(self, dialog: Any) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, level: str, text: str) -> None:
        if level == "error" and not any(expected in text for expected in EXPECTED_FAILURES):
            self.errors.append(text)

    def _request(self, route: Route) -> None:
        if urlsplit(route.request.url).hostname == "127.0.0.1":
            route.continue_()
        else:
            self.foreign.append(route.request.url)
            route.abort()


@pytest.fixture
def open_page(context: BrowserContext) -> Iterator[OpenPage]:
    """Return a function that opens an address; scripts that fail and requests that leave the machine fail the test."""
    watch = Watch()

    def open_(url: str) -> Page:
        page = context.new_page()
        watch.attach(page)
        page.goto(url)
        return page

    yield open_
    assert watch.errors == []
    assert watch.foreign == []


@pytest.fixture
def client(collector: CollectorProcess) -> Iterator[Client]:
    """Return a client of the module's collector that sends at once."""
    with Client(endpoint=collector.url, agent="tester", flush_interval_ms=20) as started:
        yield started


@pytest.fixture(scope="module")
def controlled(collector: CollectorProcess) -> Iterator[Controlled]:
    """Return the controller of the module's collector, asked over HTTP."""
    with Controlled(collector.url) as made:
        yield made


@pytest.fixture
def send(collector: CollectorProcess) -> SendEvents:
    """Return a function that sends wire events as a producer of the test's own."""
    sequence = itertools.count()
    producer_id = uuid.uuid4().hex

    def send_(*events: dict[str, Any], dropped: int = 0, service: str | None = None) -> None:
        batch = {
            "producer_id": f"{producer_id}-{service}"[:64],
            "sequence": next(sequence),
            "events": events,
            "dropped": dropped,
            "resource": {"service_name": service},
        }
        answer = httpx.post(f"{collector.url}/v1/events", json=batch, timeout=30)
        assert answer.status_code == 200, answer.text
        assert answer.json()["rejected"] == []

    return send_


@pytest.fixture
def run_id() -> str:
    """Return the id of a run that no other test has."""
    return uuid.uuid4().hex
