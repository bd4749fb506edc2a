"""First arguments: what a row says of the input of its span."""

from __future__ import annotations

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.wire import SpanEnded, SpanStarted
from milepost_collector.traces.queries.arguments import MAX_CHARACTERS, first_argument
from tests.collector.server import Server

RUN = "a1" * 16
BASE_NS = 1_790_000_000_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"path": "docs/one.md", "lines": 3}', "docs/one.md"),
        ('{"lines": 3, "path": "x"}', "3"),
        ('{"args": [], "kwargs": {"deep": {"er": true}}}', "true"),
        ('["a", "b"]', "a"),
        ('"just text"', "just text"),
        ("-1.5e3", "-1.5e3"),
        ('{"query": "two\\n  lines \\"quoted\\" \\u00e9"}', 'two lines "quoted" é'),
        ('{"empty": "", "next": "this"}', "this"),
        ('{"text": {"$piece": "deadbeef"}}', None),
        ('{"cut": "sho', "sho"),
        ('{"none": null}', None),
        ("{}", None),
        ("", None),
    ],
)
def test_first_argument_is_the_first_value(text: str, expected: str | None) -> None:
    assert first_argument(text) == expected


@given(st.text(), st.integers(0, 200))
def test_first_argument_reads_any_text_wherever_it_is_cut(value: str, cut: int) -> None:
    whole = msgspec.json.encode({"value": value}).decode()
    found = first_argument(whole[:cut])
    assert found is None or (len(found) <= MAX_CHARACTERS and "\n" not in found)
    if "\\" not in whole and value.split():
        assert first_argument(whole) == " ".join(value.split())[:MAX_CHARACTERS]


def test_arguments_are_those_of_the_spans_asked_about(server: Server) -> None:
    ids = [f"{number:016x}" for number in (1, 2, 3)]
    server.send(
        [
            SpanStarted(run_id=RUN, span_id=ids[0], name="open", start_time=BASE_NS, input={"page": 4}),
            SpanEnded(
                run_id=RUN, span_id=ids[1], name="read", start_time=BASE_NS, end_time=BASE_NS + 1, input=["a.md"]
            ),
            SpanEnded(run_id=RUN, span_id=ids[2], name="rest", start_time=BASE_NS, end_time=BASE_NS + 1),
        ]
    )
    answer = server.client.get(f"/api/runs/{RUN}/arguments", params=[("span_id", one) for one in ids])
    assert answer.json() == {"run_id": RUN, "arguments": {ids[0]: "4", ids[1]: "a.md"}}
    assert server.get(f"/api/runs/{RUN}/arguments", span_id=ids[0])["arguments"] == {ids[0]: "4"}


def test_too_many_spans_are_refused(server: Server) -> None:
    answer: httpx.Response = server.client.get(
        f"/api/runs/{RUN}/arguments", params=[("span_id", f"{number:016x}") for number in range(201)]
    )
    assert (answer.status_code, answer.json()["remedy"]) == (400, "ask about at most 200 spans")
