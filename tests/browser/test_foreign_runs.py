"""Runs that OpenTelemetry exporters sent: what is not counted, missing parents, clocks, linked runs, odd spans."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.browser.pages import EPOCH_NS, open_tab, run_header, run_row, span_row, tree_outline

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
Export = Callable[..., None]


def span(run_id: str, number: int, name: str, start_ms: int, end_ms: int, **fields: Any) -> dict[str, Any]:
    """Return a span in OTLP's JSON; times are milliseconds after EPOCH_NS, the parent is a number."""
    parent, attributes = fields.pop("parent", None), fields.pop("attributes", {})
    return {
        "traceId": run_id,
        "spanId": f"{number:016x}",
        "parentSpanId": "" if parent is None else f"{parent:016x}",
        "name": name,
        "startTimeUnixNano": str(EPOCH_NS + start_ms * 1_000_000),
        "endTimeUnixNano": str(EPOCH_NS + end_ms * 1_000_000),
        "attributes": [{"key": key, "value": any_value(value)} for key, value in attributes.items()],
        **fields,
    }


def any_value(value: str | int) -> dict[str, str]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


@pytest.fixture
def export(collector: CollectorProcess) -> Export:
    """Return a function that sends spans as the exporter of a service does."""

    def export_(*spans: dict[str, Any], service: str = "web") -> None:
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
        answer = httpx.post(f"{collector.url}/v1/traces", json=body, timeout=30)
        assert answer.status_code == 200, answer.text

    return export_


CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.input_tokens": 1300,
    "gen_ai.usage.output_tokens": 270,
}


def test_repeated_usage_is_marked_and_leads_to_what_is_counted(
    collector: CollectorProcess, export: Export, open_page: OpenPage, run_id: str
) -> None:
    export(
        span(run_id, 1, "ask", 0, 1000),
        span(run_id, 2, "outer call", 100, 900, parent=1, attributes=CALL),
        span(run_id, 3, "inner call", 110, 890, parent=2, attributes=CALL),
    )
    page = open_page(f"{collector.url}/runs/{run_id}")
    expect(run_header(page)).to_contain_text("1.6k")
    marked = page.get_by_role("treegrid").get_by_role("row").filter(has=page.get_by_text("not counted"))
    expect(marked).to_have_count(1)
    run_header(page).get_by_role("button", name="1", exact=True).press("Enter")
    explanation = page.locator("#not-counted")
    expect(explanation).to_contain_text("1 span repeats usage that other spans report and is not counted")
    explanation.get_by_role("button").click()
    expect(marked).to_have_attribute("aria-selected", "true")
    panel = open_tab(page, "Cost")
    expect(panel).to_contain_text("Not counted in the run's sums")
    panel.get_by_role("button", name="call").click()
    expect(marked).to_have_attribute("aria-selected", "false")
    expect(open_tab(page, "Cost")).not_to_contain_text("Not counted")


def test_reported_cost_stands_beside_the_computed_one(
    collector: CollectorProcess, export: Export, open_page: OpenPage, run_id: str
) -> None:
    export(
        span(run_id, 1, "priced call", 0, 10, attributes=CALL),
        span(run_id, 2, "house", 20, 30, attributes=CALL | {"gen_ai.response.model": "house-model-9"}),
    )
    page = open_page(f"{collector.url}/runs/{run_id}?span={2:016x}")
    panel = open_tab(page, "Cost")
    expect(panel).to_contain_text("unpriced")
    expect(panel).to_contain_text("No price is known for house-model-9")
    page.get_by_role("treegrid").get_by_role("row").first.click()
    expect(panel).to_contain_text(re.compile(r"Cost, computed\s*\$0\.000357"))


def test_facts_of_a_call_are_shown(
    collector: CollectorProcess, export: Export, open_page: OpenPage, run_id: str
) -> None:
    export(span(run_id, 1, "chat gpt-4o-mini", 0, 10, attributes=CALL))
    page = open_page(f"{collector.url}/runs/{run_id}?span={1:016x}")
    panel = open_tab(page, "Attributes")
    for text in ("chatcmpl-1", "Asked for", "gpt-4o-mini-2024-07-18", "web"):
        expect(panel).to_contain_text(text)


def test_large_message_is_loaded_on_demand(
    collector: CollectorProcess, export: Export, open_page: OpenPage, run_id: str
) -> None:
    parts = [{"type": "text", "content": "word " * 100_000 + "the end"}]
    sent = json.dumps([{"role": "user", "parts": parts}])
    export(span(run_id, 1, "chat", 0, 10, attributes=CALL | {"gen_ai.input.messages": sent}))
    page = open_page(f"{collector.url}/runs/{run_id}?span={1:016x}")
    panel = open_tab(page, "Messages")
    expect(panel).to_contain_text("500 KB, not loaded")
    panel.get_by_role("button", name="Load").press("Enter")
    panel.get_by_role("button", name="Show all 500,007 characters").click()
    panel.get_by_role("button", name="Show the other 300,007 characters").click()
    expect(panel).to_contain_text("the end")


def test_children_of_a_missing_parent_share_a_placeholder(
    collector: CollectorProcess, export: Export, open_page: OpenPage, run_id: str
) -> None:
    export(
        span(run_id, 1, "first", 0, 100, parent=99),
        span(run_id, 2, "second", 200, 300, parent=99),
        span(run_id, 3, "elsewhere", 50, 60, parent=98),
        span(run_id, 4, "own parent", 70, 80, parent=4),
    )
    page = open_page(f"{collector.url}/runs/{run_id}")
    expect(span_row(page, "second")).to_be_visible()
    names = [(level, text.removeprefix("parent not received ")) for level, text in tree_outline(page)]
    assert names == [
        (1, f"{99:016x}"),
        (2, "first"),
        (2, "second"),
        (1, f"{98:016x}"),
        (2, "elsewhere"),
        (1, "own parent"),
    ]
    page.get_by_role("row").filter(has_text=f"{99:016x}").click()
    panel = page.get_by_role("complementary", name="Detail")
    expect(panel).to_contain_text("2 spans name this one as parent")
    expect(panel).to_contain_text("at least the 300 ms they cover")


def test_clock_of_another_service_is_adjusted_until_recorded_times_are_asked_for(
    collector: CollectorProcess, export: Export, open_page: OpenPage, run_id: str
) -> None:
    export(span(run_id, 1, "call", 0, 1000), service="web")
    export(
        span(run_id, 2, "serve", 61_000, 61_400, parent=1),
        span(run_id, 3, "query", 61_100, 61_200, parent=2),
        service="api",
    )
    page = open_page(f"{collector.url}/runs/{run_id}?span={2:016x}")
    expect(span_row(page, "serve")).to_contain_text("clock adjusted by 1 min 01 s")
    expect(span_row(page, "query")).not_to_contain_text("clock adjusted")
    expect(page.get_by_text("The clock of api differs")).to_be_visible()
    panel = page.get_by_role("complementary", name="Detail")
    expect(panel).to_contain_text("Clock adjusted by 1 min 01 s")
    page.get_by_role("button", name="Show recorded times").click()
    expect(span_row(page, "serve")).not_to_contain_text("clock adjusted")
    expect(page).to_have_url(re.compile("clocks=raw"))
    page.reload()
    expect(page.get_by_role("button", name="Adjust times")).to_be_visible()


def test_linked_runs_are_parts_and_lead_back(
    collector: CollectorProcess, export: Export, open_page: OpenPage, run_id: str
) -> None:
    other = uuid.uuid4().hex
    name = f"conversation {run_id[:6]}"
    export(span(run_id, 1, name, 0, 1000))
    link = {"traceId": run_id, "spanId": f"{1:016x}", "attributes": []}
    export(span(other, 2, "delivery", 200, 300, links=[link]))
    page = open_page(f"{collector.url}/runs?name={quote(name)}")  # others may fill the page
    expect(run_row(page, name)).to_contain_text("+1 part")
    run_row(page, name).get_by_role("link").click()
    parts = page.get_by_role("region", name="Parts")
    expect(parts).to_contain_text("100 ms")
    parts.get_by_role("link", name="delivery").click()
    expect(page.get_by_role("heading", name="delivery", level=1)).to_be_visible()
    expect(run_header(page)).to_contain_text(f"part of {name}")
    open_tab(page, "Attributes").get_by_role("link", name=f"run {run_id[:8]}").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def test_contradictions_of_a_span_are_told(
    collector: CollectorProcess, export: Export, open_page: OpenPage, run_id: str
) -> None:
    export(span(run_id, 1, "backwards", 100, 40))
    page = open_page(f"{collector.url}/runs/{run_id}")
    expect(page.get_by_role("complementary", name="Detail")).to_contain_text("before its start")


@pytest.mark.slow
def test_runs_of_every_framework_open(collector: CollectorProcess, root: Path, open_page: OpenPage) -> None:
    for body in sorted((root / "tests" / "corpus").glob("*.[0-9][0-9].*")):
        if ".received." in body.name:
            continue
        kind = "application/json" if body.suffix == ".json" else "application/x-protobuf"
        signal = "logs" if ".logs." in body.name else "traces"
        sent = httpx.post(
            f"{collector.url}/v1/{signal}", content=body.read_bytes(), headers={"content-type": kind}, timeout=60
        )
        assert sent.status_code == 200, (body.name, sent.text)
    runs = httpx.get(f"{collector.url}/api/runs?limit=200", timeout=30).json()["runs"]
    page = open_page(collector.url)
    # The largest run of each set-up.
    largest = {run["service"]: run for run in sorted(runs, key=lambda run: run["span_count"])}
    assert len(largest) > 15
    for run in largest.values():
        page.goto(f"{collector.url}/runs/{run['run_id']}")
        expect(page.get_by_role("treegrid").get_by_role("row").first).to_be_visible()
        expect(page.get_by_role("tabpanel")).to_be_visible()
