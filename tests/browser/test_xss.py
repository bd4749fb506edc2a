"""Text that agents recorded stays text: nothing of it runs, nothing of it is fetched, all of it can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.browser.controlled import Controlled
from tests.browser.pages import EPOCH_NS, ended

if TYPE_CHECKING:
    from conftest import CollectorProcess

OpenPage = Callable[..., Page]
SendEvents = Callable[..., None]
RUN = "e1" * 16
CORPUS = (
    "<script>alert(1)</script>",
    "<script src=https://evil.example/x.js></script>",
    "<img src=x onerror=alert(1)>",
    "<img src=https://evil.example/pixel.png>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)>",
    "<embed src=https://evil.example/x.swf>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<form action=https://evil.example/><button autofocus>go</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video src=https://evil.example/v.mp4 autoplay onerror=alert(1)>",
    "<audio src=https://evil.example/a.mp3 onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<template><img src=x onerror=alert(1)></template>",
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "javascript:alert(1)",
    "[link](javascript:alert(1))",
    "![image](https://evil.example/i.png)",
    "<https://evil.example/auto>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "{@html '<img src=x onerror=alert(1)>'}",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "data:text/html,<script>alert(1)</script>",
    "`\"'<>&\\",
    "=HYPERLINK(\"https://evil.example\")",
    "\u202egnp.exe\u202c",
    "__proto__",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def recorded(collector: CollectorProcess) -> Iterator[str]:
    """Record a run that has every text in every place, and a task made of them; return the task's id."""
    events: list[dict[str, Any]] = []
    for number, text in enumerate(CORPUS):
        event = ended(
            RUN, f"{number + 2:016x}", number, number + 1, name=text, kind="llm" if number % 2 else "tool",
            parent_span_id="1" * 16, input={"text": text, text: 1}, output=[text], attributes={text[:60]: text},
            agent=text, status="failed", error_type=text, error_message=text, error_stack=text,
            usage=[{"model": text, "provider": text}],
        )  # fmt: skip
        events += [event, log(number, text)]
    events.append(
        ended(RUN, "1" * 16, 0, 100, name=CORPUS[2], kind="agent", agent=CORPUS[0], tags=list(CORPUS[:8]),
              session_id=CORPUS[3], user_id=CORPUS[4], status="failed", error_type=CORPUS[5], error_message=CORPUS[6])
    )  # fmt: skip
    batch = {"producer_id": "hostile", "sequence": 0, "events": events, "resource": {"service_name": CORPUS[2]}}
    answer = httpx.post(f"{collector.url}/v1/events", json=batch, timeout=30)
    assert answer.json()["rejected"] == []
    with Controlled(collector.url) as controlled:
        yield controlled.create(
            CORPUS[2], agent=CORPUS[0], description="\n".join(CORPUS), tags=list(CORPUS[:6]), input=list(CORPUS),
            context={text: text for text in CORPUS},
        )  # fmt: skip


def log(number: int, text: str) -> dict[str, Any]:
    """Return a log line of a span."""
    return {
        "type": "event",
        "run_id": RUN,
        "span_id": f"{number + 2:016x}",
        "time": EPOCH_NS + number,
        "kind": "log",
        "name": text,
        "message": text,
        "body": {"text": text},
    }


def test_corpus_is_large_enough() -> None:
    assert len(set(CORPUS)) >= 40


def test_names_are_text_in_lists(collector: CollectorProcess, open_page: OpenPage, recorded: str) -> None:
    for path in ("runs", "runs?group=session", "tasks", "tasks?view=board", "agents", "insights", "flame"):
        page = open_page(f"{collector.url}/{path}")
        expect(page.get_by_role("heading", level=1).first).to_be_attached()
        page.wait_for_load_state("load")
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        if path in ("runs", "tasks"):
            expect(page.get_by_text(CORPUS[2], exact=True).first).to_be_visible()
        page.close()


def test_names_are_text_in_a_run(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/runs/{RUN}")
    grid = page.get_by_role("treegrid")
    expect(grid).to_have_attribute("aria-rowcount", str(len(CORPUS) + 1))
    for text in CORPUS[:12]:
        expect(grid.get_by_text(text, exact=True).first).to_be_visible()
    for view in ("lanes", "messages", "log", "table"):
        page.goto(f"{collector.url}/runs/{RUN}?view={view}")
        expect(page.locator("main header").first).to_contain_text(CORPUS[2])
        expect(page.locator("[aria-busy=true]")).to_have_count(0)


@pytest.mark.parametrize("number", range(0, len(CORPUS), 5))
def test_details_of_a_span_are_text(number: int, collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/runs/{RUN}?span={number + 2:016x}")
    expect(page.locator("aside h2")).to_have_text(CORPUS[number])
    for tab in page.get_by_role("tab").all():
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")


def test_fields_of_a_task_are_text(collector: CollectorProcess, open_page: OpenPage, recorded: str) -> None:
    page = open_page(f"{collector.url}/tasks/{recorded}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(CORPUS[2])
    expect(page.locator("main")).to_contain_text(CORPUS[0])


def test_results_of_sql_are_text(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/sql")
    editor = page.get_by_role("textbox", name="SQL").first
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(
        f"select name, error_message, attributes from spans where run_id = '{RUN}' order by start_time"
    )
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(CORPUS[0], exact=True).first).to_be_visible()


def test_command_menu_shows_text(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/settings")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.insert_text("onerror")
    expect(page.get_by_role("option").filter(has_text=CORPUS[2]).first).to_be_visible()


def test_address_is_text(collector: CollectorProcess, open_page: OpenPage) -> None:
    page = open_page(f"{collector.url}/nothing/%3Cimg%20src=x%20onerror=alert(1)%3E")
    expect(page.get_by_role("heading", name="Nothing at this address")).to_be_visible()
    for search in ("q=%3Cscript%3Ealert(1)%3C/script%3E", "text=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"):
        page.goto(f"{collector.url}/runs?{search}")
        expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
