"""One-time links: opened as a browser and as a preview would, sent once, twice and by two at once."""

from __future__ import annotations

import html
import json
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.wire.asks import Ask
from milepost_collector.web.links.answers import answer_of, fields_of
from milepost_collector.web.links.page import form_page, outcome_page
from milepost_collector.web.pace import Pace
from tests.collector.server import Server
from tests.collector.web.controller.api import Api


def ask(api: Api, **fields: Any) -> str:
    body = {"run_id": secrets.token_hex(16), "key": "k", "title": "Pay?", "action": {"usd": 5}, **fields}
    made: str = api.post("/asks", body, status=201)["id"]
    return made


def link(api: Api, ask_id: str, to: str = "ann", **fields: Any) -> str:
    """Make a link and return its path."""
    return urlsplit(api.post(f"/asks/{ask_id}/links", {"to": to, **fields}, status=201)["url"]).path


def hidden(page: str) -> dict[str, str]:
    """Return what the page's form sends by itself."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


def send(api: Api, path: str, **form: str) -> httpx.Response:
    """Open a link and press a button of its form."""
    return api.client.post(path, data=hidden(api.client.get(path).text) | form)


def status(api: Api, ask_id: str) -> str:
    found: str = api.get(f"/asks/{ask_id}")["status"]
    return found


def test_link_shows_what_is_asked_and_decides_once(api: Api) -> None:
    made = ask(api, details="<b>ACME</b> delivered", approvers=["ann"])
    path = link(api, made)
    page = api.client.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Pay?" in page.text
    assert "&quot;usd&quot;: 5" in page.text
    assert "&lt;b&gt;ACME&lt;/b&gt; delivered" in page.text
    done = send(api, path, decision="approve", reason="as agreed")
    assert (done.status_code, "Thank you, ann. It is approved by ann." in done.text) == (200, True)
    (decision,) = api.get(f"/asks/{made}")["decisions"]
    assert (decision["by"], decision["via"], decision["reason"]) == ("ann", "link", "as agreed")
    again = api.client.get(path)
    assert (again.status_code, "This link has been used. It is approved by ann." in again.text) == (410, True)
    assert api.client.post(path, data={"decision": "reject"}).status_code == 410
    assert status(api, made) == "approved"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_decides_and_notes_nothing(api: Api, method: str) -> None:
    made = ask(api)
    path = link(api, made)
    for query in ("", "?decision=approve", "?decision=reject&proof=x"):
        assert api.client.request(method, path + query).status_code == 200
    found = api.get(f"/asks/{made}")
    assert (found["status"], found["received_at"], found["decisions"]) == ("open", None, [])


def test_page_runs_no_script_and_is_kept_by_nobody(api: Api) -> None:
    answered = api.client.get(link(api, ask(api)))
    policy = answered.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "'unsafe-inline'" not in policy
    assert answered.headers.get_list("content-security-policy") == [policy]
    assert (answered.headers["cache-control"], answered.headers["referrer-policy"]) == ("no-store", "same-origin")
    assert "<script" not in answered.text
    assert not re.search(r'(?:src|href)="', answered.text)


def test_token_is_kept_nowhere_and_told_once(api: Api, server: Server) -> None:
    made = ask(api)
    token = link(api, made).rpartition("/")[2]
    assert len(token) >= 43  # 256 bits
    assert token not in api.client.get(f"/api/asks/{made}").text
    files = [file for file in server.app.state.services.config.data_dir.rglob("*") if file.is_file()]
    assert files
    assert not any(token.encode() in file.read_bytes() for file in files)


def test_form_of_another_page_decides_nothing(api: Api) -> None:
    made, other = ask(api), ask(api)
    path, stranger = link(api, made), link(api, other)
    for proof in ("", "0" * 64, hidden(api.client.get(stranger).text)["proof"]):
        form = hidden(api.client.get(path).text) | {"proof": proof, "decision": "approve"}
        assert api.client.post(path, data=form).status_code == 400
    assert api.client.post(path, json={"decision": "approve"}).status_code == 400
    assert (status(api, made), status(api, other)) == ("open", "open")


def test_action_that_was_edited_meanwhile_is_looked_at_again(api: Api) -> None:
    made = ask(api, quorum=2, approvers=["ann", "bo"])
    path = link(api, made)
    form = hidden(api.client.get(path).text) | {"decision": "approve"}
    api.post(f"/asks/{made}/decide", {"decision": "edit", "action": {"usd": 900}, "by": "bo"})
    refused = api.client.post(path, data=form)
    assert (refused.status_code, "another by now" in refused.text) == (409, True)
    assert "&quot;usd&quot;: 900" in api.client.get(path).text
    assert send(api, path, decision="approve").status_code == 200
    assert status(api, made) == "approved"


def test_link_is_for_an_approver_of_an_open_ask(api: Api) -> None:
    made = ask(api, approvers=["ann", "team:night"])
    assert api.post(f"/asks/{made}/links", {"to": "bo"}, status=403)["detail"].startswith(f"ask {made} is not bo's")
    assert send(api, link(api, made, "team:night"), decision="reject").status_code == 200
    assert api.get(f"/asks/{made}")["answer"]["by"] == "team:night"
    assert "nothing is left" in api.post(f"/asks/{made}/links", {"to": "ann"}, status=409)["detail"]
    assert api.post("/asks/nothing/links", {"to": "ann"}, status=404)
    for wrong in ({"to": "ann", "expires_in_ms": 999}, {"to": ""}, {}, {"to": "ann", "base_url": "javascript:x"}):
        assert api.post(f"/asks/{made}/links", wrong, status=400)


def test_expired_and_unknown_links_say_so(api: Api) -> None:
    made = ask(api)
    path = link(api, made, expires_in_ms=1_000)
    form = hidden(api.client.get(path).text) | {"decision": "approve"}
    api.get(f"/asks/{made}", wait_ms=1_100)  # the collector waits, for nobody answers
    answered = api.client.get(path)
    assert (answered.status_code, "has expired" in answered.text) == (410, True)
    assert api.client.post(path, data=form).status_code == 410
    for wrong in ("nobody-has-this", path.rpartition("/")[2][:-1]):
        page = api.client.get(f"/approve/{wrong}")
        assert (page.status_code, "not known" in page.text, wrong in page.text) == (404, True, False)
        assert api.client.post(f"/approve/{wrong}", data=form).status_code == 404
    assert status(api, made) == "open"


def test_link_to_what_others_have_decided_tells_the_outcome(api: Api) -> None:
    made = ask(api)
    path = link(api, made)
    form = hidden(api.client.get(path).text) | {"decision": "approve"}
    api.post(f"/asks/{made}/decide", {"decision": "reject", "by": "bo"})
    for answered in (api.client.get(path), api.client.post(path, data=form)):
        assert (answered.status_code, "left to decide. It is rejected by bo." in answered.text) == (
            409,
            True,
        )


def test_of_many_that_send_a_link_at_once_one_decides(api: Api) -> None:
    made = ask(api, quorum=3)
    path = link(api, made)
    form = hidden(api.client.get(path).text) | {"decision": "approve"}

    def press(_: int) -> int:
        with httpx.Client(base_url=str(api.client.base_url)) as client:
            return client.post(path, data=form).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(press, range(8)))
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {409, 410}
    assert (api.get(f"/asks/{made}")["approvals"], status(api, made)) == (1, "open")


def test_question_is_answered_in_fields_of_its_schema(api: Api) -> None:
    schema = {
        "type": "object",
        "required": ["quarter", "pages"],
        "properties": {
            "quarter": {"enum": ["Q2", "Q3"]},
            "pages": {"type": "integer", "minimum": 1, "title": "Pages"},
            "draft": {"type": "boolean"},
            "note": {"type": "string"},
            "to": {"type": "array", "items": {"type": "string"}},
        },
    }
    made = ask(api, kind="question", action=None, schema=schema)
    path = link(api, made)
    wrong = send(api, path, decision="answer", **{"value.quarter": '"Q3"', "value.pages": "none"})
    assert (wrong.status_code, "write a number" in wrong.text) == (400, True)
    assert '<option value="&quot;Q3&quot;" selected>Q3</option>' in wrong.text  # what was typed is still there
    low = send(api, path, decision="answer", **{"value.quarter": '"Q3"', "value.pages": "0"})
    assert low.status_code == 400
    sent = {"value.quarter": '"Q3"', "value.pages": "12", "value.draft": "true", "value.note": "", "value.to": '["bo"]'}
    assert send(api, path, decision="answer", **sent).status_code == 200
    assert api.get(f"/asks/{made}")["answer"]["value"] == {"quarter": "Q3", "pages": 12, "draft": True, "to": ["bo"]}


def test_options_are_chosen(api: Api) -> None:
    options = [{"name": "now"}, {"name": "never", "label": "Not at all", "approves": False}]
    made = ask(api, options=options)
    path = link(api, made)
    assert "Not at all" in api.client.get(path).text
    assert send(api, path, decision="answer").status_code == 400
    assert send(api, path, decision="answer", option="never").status_code == 200
    assert status(api, made) == "rejected"


def typed(page: str) -> str:
    """Return what stands in the field of the action."""
    found = re.search(r'<textarea name="action"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def test_action_is_edited_and_approved(api: Api) -> None:
    made = ask(api, action={"usd": 1250, "to": "ACME"}, schema={"properties": {"usd": {"maximum": 1000}}})
    path = link(api, made)
    assert json.loads(typed(api.client.get(path).text)) == {"usd": 1250, "to": "ACME"}
    for text, said in (
        ('{"usd": 900', "it is not JSON"),
        ('{"usd": 1100}', "1100 is greater than the maximum of 1000"),
    ):
        wrong = send(api, path, decision="edit", action=text, reason="too dear")
        assert (wrong.status_code, said in wrong.text, typed(wrong.text)) == (400, True, text)
        assert ("<details open><summary>Edit" in wrong.text, 'value="too dear"' in wrong.text) == (True, True)
    assert status(api, made) == "open"
    assert send(api, path, decision="edit", action='{"usd": 900,\r\n "to": "ACME"}', reason="less").status_code == 200
    answer = api.get(f"/asks/{made}")["answer"]
    assert (answer["status"], answer["edited"], answer["action"]) == ("approved", True, {"usd": 900, "to": "ACME"})
    assert (answer["by"], answer["reason"]) == ("ann", "less")


def test_what_cannot_be_edited_offers_no_editing(api: Api) -> None:
    for fields in ({"kind": "question"}, {"action": None}):
        path = link(api, ask(api, **fields))
        assert 'name="action"' not in api.client.get(path).text
        assert send(api, path, decision="edit", action="{}").status_code == 400


def test_rejection_by_link_has_its_reason(api: Api) -> None:
    made = ask(api)
    assert send(api, link(api, made), decision="reject", reason="not now").status_code == 200
    assert api.get(f"/asks/{made}")["answer"]["reason"] == "not now"


def test_delegation_gives_the_others_links_of_their_own(api: Api) -> None:
    made = ask(api, approvers=["ann", "cy"])
    path = link(api, made, base_url="https://milepost.example/tools").removeprefix("/tools")
    token = path.rpartition("/")[2]
    form = hidden(api.client.get(path).text) | {"decision": "delegate", "to": "bo, team:night", "reason": "away"}
    page = f"https://milepost.example/tools/approve/{token}"
    done = api.client.post(path, data=form, headers={"Referer": page})
    urls = [html.unescape(url) for url in re.findall(r"<pre>(https?:[^<]*)</pre>", done.text)]
    assert (done.status_code, len(urls)) == (200, 2)
    assert all(url.startswith("https://milepost.example/tools/approve/") for url in urls)
    found = api.get(f"/asks/{made}")
    assert (found["approvers"], found["status"]) == (["bo", "team:night"], "open")
    assert [(said["decision"], said["by"], said["via"]) for said in found["decisions"]] == [("delegate", "ann", "link")]
    assert api.client.get(path).status_code == 410
    assert api.client.post(path, data=form).status_code == 410
    assert send(api, urlsplit(urls[0]).path.removeprefix("/tools"), decision="approve").status_code == 200
    assert api.get(f"/asks/{made}")["answer"]["by"] == "bo"


def test_delegation_that_is_not_taken_leaves_the_link_as_it_was(api: Api) -> None:
    made = ask(api, approvers=["ann", "bo"], quorum=2)
    path = link(api, made)
    for to, said in (("", "give one to 20 names"), ("x" * 600, "give names"), ("cy", "there are only 1 approvers")):
        wrong = send(api, path, decision="delegate", to=to)
        assert (wrong.status_code, said in html.unescape(wrong.text)) == (400, True), wrong.text
        assert "<details open><summary>Let somebody" in wrong.text
    api.post(f"/asks/{made}/delegate", {"to": ["cy", "dee"], "by": "bo"})
    assert send(api, path, decision="delegate", to="ann").status_code == 409
    assert api.get(f"/asks/{made}")["approvers"] == ["cy", "dee"]


def test_link_works_from_other_names_and_the_rest_does_not(api: Api) -> None:
    path = link(api, ask(api), base_url="https://milepost.example/tools/")
    assert path.startswith("/tools/approve/")
    foreign = {"Host": "milepost.example", "Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert api.client.get(path.removeprefix("/tools"), headers=foreign).status_code == 200
    assert api.client.get("/api/asks", headers=foreign).status_code == 421


def test_tries_of_one_address_are_paced() -> None:
    pace = Pace(burst=3, per_s=2)
    assert [pace.wait_s("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert pace.wait_s("b", 0.0) == 0
    assert [pace.wait_s("a", 0.5), pace.wait_s("a", 0.5)] == [0, 0.5]


TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "div", "pre", "dl", "dt", "dd", "p", "form",
    "input", "label", "span", "small", "textarea", "button", "details", "summary",
}  # fmt: skip
NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Tags(HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


TEXTS = st.text() | st.sampled_from(['"><script>alert(1)</script>', "</pre><img src=x onerror=alert(1)>", "{{7*7}}"])


@given(title=TEXTS, details=TEXTS, name=TEXTS, reason=TEXTS)
def test_nothing_written_by_others_is_markup(title: str, details: str, name: str, reason: str) -> None:
    shown = Ask(
        id="a", kind="question", status="open", key="k", title=title, details=details, action={name: reason},
        action_digest="d", options=[], schema={"type": "object", "properties": {name or "n": {"type": "string"}}},
        approvers=[name], quorum=1, approvals=0, on_expiry="continue", created_at=NOW, expires_at=None,
        decisions=[], agent=name,
    )  # fmt: skip
    for page in (form_page(shown, name, "p", wrong=reason, form={"reason": reason}), outcome_page(shown, reason)):
        parsed = Tags()
        parsed.feed(page)
        assert parsed.tags <= TAGS
        assert not [name for name in parsed.attributes if name.startswith("on") or name in ("src", "href", "action")]


@given(st.text(min_size=1), st.integers(), st.booleans(), st.sampled_from(["a", 1, None]))
def test_form_makes_the_value_that_was_meant(text: str, number: int, flag: bool, choice: Any) -> None:
    schema = {
        "type": "object",
        "properties": {
            "t": {"type": "string"}, "n": {"type": "integer"}, "b": {"type": "boolean"}, "c": {"enum": ["a", 1, None]},
        },
    }  # fmt: skip
    form = {"value.t": text, "value.n": str(number), "value.b": str(flag).lower(), "value.c": json.dumps(choice)}
    assert answer_of(fields_of(schema), form) == {"t": text, "n": number, "b": flag, "c": choice}
