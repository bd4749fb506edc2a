"""Every recorded program, sent to a collector as it was sent when it ran, and looked at as its author would."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import genai_prices
import pytest

from tests.collector.corpus.scenarios import SCENARIOS, Scenario
from tests.collector.server import Server

# Where the payload itself lost or altered what the model counted: by how much the sums differ from the truth, and why.
DIFFERENCES: dict[str, tuple[str, dict[str, int]]] = {
    "openai_v2_default": (
        "the Responses API is not traced, and the second stream did not ask for its usage",
        {"gpt-4o-mini input": -132, "gpt-4o-mini output": -27, "gpt-5-mini input": -118, "gpt-5-mini output": -30},
    ),
    "errors_openai_v2": (
        "two streams were abandoned before their usage came",
        {"gpt-4o-mini input": -230, "gpt-4o-mini output": -54},
    ),
    "langfuse_sdk": (
        "one call was written down by hand",
        {"claude-sonnet-4-5 input": 13, "claude-sonnet-4-5 output": 5},
    ),
    "mlflow_otlp": (
        "the embedding's span came without counts",
        {"text-embedding-3-small input": -3},
    ),
}
DIFFERENCES["openai_v2_content"] = DIFFERENCES["openai_v2_latest"] = DIFFERENCES["openai_v2_default"]

# Attributes that hold what a model was sent, by their beginnings.
CONTENT = (
    "llm.input_messages", "gen_ai.input.messages", "gen_ai.prompt", "ai.prompt.messages", "langfuse.observation.input",
    "mlflow.spanInputs",
)  # fmt: skip


@pytest.fixture(scope="module", params=SCENARIOS, ids=lambda scenario: scenario.name)
def replayed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    """Return a scenario and a collector that received it."""
    scenario: Scenario = request.param
    server = Server.start(tmp_path_factory.mktemp(scenario.name))
    yield Replayed(scenario, server)
    server.stop()


class Replayed:
    """A scenario, sent to a collector of its own."""

    def __init__(self, scenario: Scenario, server: Server) -> None:
        self.facts = scenario.facts
        self.scenario = scenario
        self.server = server
        for sent in scenario.requests:
            headers = {"Content-Type": sent.content_type}
            answer = server.client.post(f"/v1/{sent.signal}", content=sent.body, headers=headers)
            assert answer.status_code == 200, answer.text
        self.spans = {row["span_id"]: row for row in self.rows("SELECT * FROM spans")}

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query by column."""
        answer = self.server.sql(sql)
        assert answer.status_code == 200, answer.text
        names = [column["name"] for column in answer.json()["columns"]]
        return [dict(zip(names, row, strict=True)) for row in answer.json()["rows"]]

    def sent_spans(self) -> dict[str, dict[str, Any]]:
        """Return what was sent, by span id, without spans whose id came twice."""
        twice = {duplicate["span_id"] for duplicate in self.facts["duplicate_span_ids"]} if self.has_twins else set()
        return {span["span_id"]: span for span in self.facts["spans"] if span["span_id"] not in twice}

    @property
    def has_twins(self) -> bool:
        """Whether different spans came under one id."""
        return "edges" in self.scenario.name


def test_every_span_is_there_under_its_parent(replayed: Replayed) -> None:
    assert len(replayed.spans) == replayed.facts["n_distinct_spans"]
    for span_id, sent in replayed.sent_spans().items():
        stored = replayed.spans[span_id]
        assert stored["run_id"] == sent["trace_id"]
        assert (stored["parent_span_id"] or "") == sent["parent_span_id"]


def test_attributes_are_given_as_they_were_sent(replayed: Replayed) -> None:
    for span_id, sent in replayed.sent_spans().items():
        detail = replayed.server.get(f"/api/spans/{span_id}", run_id=sent["trace_id"], payload_limit=10_000_000)
        given = detail["attributes"] or {}
        for name, value in sent["attributes"].items():
            assert same(given[name], value), (name, given[name], value)


def test_usage_of_runs_is_what_the_models_counted(replayed: Replayed) -> None:
    why, differences = DIFFERENCES.get(replayed.scenario.name, ("", {}))
    truth = replayed.scenario.calls
    truth.update(differences)
    sums = replayed.rows("SELECT sum(input_tokens) AS input, sum(output_tokens) AS output FROM runs")[0]
    for direction in ("input", "output"):
        expected = sum(count for name, count in truth.items() if name.endswith(direction))
        if not replayed.facts["mock_llm_calls"]:
            continue
        assert (sums[direction] or 0) == expected, why


def test_usage_by_model_is_what_the_models_counted(replayed: Replayed) -> None:
    _, differences = DIFFERENCES.get(replayed.scenario.name, ("", {}))
    truth = replayed.scenario.calls
    truth.update(differences)
    found: Counter[str] = Counter()
    for row in replayed.rows(
        "SELECT model, request_model, input_tokens, output_tokens FROM spans ANTI JOIN uncounted "
        "USING (run_id, span_id) WHERE input_tokens IS NOT NULL AND kind IN ('llm', 'embedding')"
    ):
        asked = model_of(row, truth)
        found[f"{asked} input"] += row["input_tokens"] or 0
        found[f"{asked} output"] += row["output_tokens"] or 0
    if replayed.facts["mock_llm_calls"]:
        assert +found == +truth


def test_what_repeats_is_explained(replayed: Replayed) -> None:
    for row in replayed.rows("SELECT run_id, span_id, of_span_id, reason FROM uncounted"):
        detail = replayed.server.get(f"/api/spans/{row['span_id']}", run_id=row["run_id"])
        assert detail["not_counted"]["reason"] == row["reason"] != ""
        if row["of_span_id"] is not None:
            assert row["of_span_id"] in replayed.spans


def test_copies_that_differ_are_told_at_the_one_that_stands(replayed: Replayed) -> None:
    for twin in replayed.facts["duplicate_span_ids"] if replayed.has_twins else []:
        detail = replayed.server.get(f"/api/spans/{twin['span_id']}", run_id=twin["trace_id"])
        assert any("the more complete copy is kept" in problem for problem in detail["problems"])


def test_calls_cost_what_the_price_table_says(replayed: Replayed) -> None:
    for row in replayed.rows("SELECT * FROM llm_calls WHERE cost_source = 'computed'"):
        cached, written = row["cache_read_tokens"] or 0, row["cache_write_tokens"] or 0
        usage = genai_prices.Usage(
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            cache_read_tokens=cached,
            cache_write_tokens=written,
        )
        price = genai_prices.calc_price(
            usage, row["model"], provider_id=row["provider"] if row["provider"] in ("openai", "anthropic") else None
        )
        assert row["cost_usd"] == pytest.approx(float(price.total_price), rel=1e-6)


def test_calls_of_known_models_are_priced(replayed: Replayed) -> None:
    unpriced = replayed.rows("SELECT * FROM unpriced_models WHERE model IS NOT NULL")
    assert [row["model"] for row in unpriced if not row["model"].startswith("gpt-err")] == []


def test_errors_are_failures_with_their_type_and_text(replayed: Replayed) -> None:
    for error in replayed.facts["errors"]:
        stored = replayed.spans[error["span"]]
        if error["status"] != "ERROR" and error["error.type"] is None:
            continue
        assert stored["status"] in ("failed", "cancelled"), error
        texts = [error["message"], *(exception["message"] for exception in error["exceptions"])]
        assert not any(texts) or stored["error_message"] in texts
        types = [error["error.type"], *(exception["type"] for exception in error["exceptions"])]
        assert not any(types) or stored["error_type"] in types


def test_names_say_what_happened(replayed: Replayed) -> None:
    for stored in replayed.spans.values():
        assert stored["name"] not in ("", "chat", "unknown", "Chat Completion with {request_data[model]!r}")


def test_content_becomes_messages(replayed: Replayed) -> None:
    talking = {row["span_id"] for row in replayed.rows("SELECT DISTINCT span_id FROM llm_messages")}
    sent = replayed.sent_spans()
    for call in replayed.facts["llm_spans"]:
        span_id = call["span"]
        if replayed.spans[span_id]["kind"] == "llm" and any(
            name.startswith(CONTENT) for name in sent[span_id]["attributes"]
        ):
            assert span_id in talking


def test_calls_have_the_messages_of_what_repeats_them(replayed: Replayed) -> None:
    for row in replayed.rows(
        "SELECT run_id, of_span_id FROM uncounted JOIN conversations USING (run_id, span_id) "
        "WHERE of_span_id IS NOT NULL"
    ):
        detail = replayed.server.get(f"/api/spans/{row['of_span_id']}", run_id=row["run_id"])
        assert detail["messages"]["input"] or detail["messages"]["output"]
        where = f"run_id = '{row['run_id']}' AND span_id = '{row['of_span_id']}'"
        assert replayed.rows(f"SELECT * FROM llm_messages WHERE {where}")


def same(given: Any, sent: Any) -> bool:
    """Tell whether a value is what the facts say; they shorten long texts and write large integers as text."""
    if isinstance(sent, dict) and "$int" in sent:
        return given == int(sent["$int"])
    if isinstance(sent, list):
        return len(given) == len(sent) and all(map(same, given, sent))
    if isinstance(sent, dict) and "$bytes_b64" in sent:
        return given == {"base64": sent["$bytes_b64"]}
    if isinstance(sent, dict) and "$float" in sent:
        return given == {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[sent["$float"]]
    if isinstance(sent, dict) and "$chars" in sent:
        text = given if isinstance(given, str) else ""
        digest = next(value for key, value in sent.items() if key.startswith("$sha256"))
        return len(text) == sent["$chars"] and hashlib.sha256(text.encode()).hexdigest().startswith(digest)
    return bool(given == sent)


def model_of(row: dict[str, Any], truth: Counter[str]) -> str:
    """Return the model by the name it was asked for, which is what the truth knows it by."""
    names = {name.rpartition(" ")[0] for name in truth}
    for known in (row["request_model"], row["model"]):
        match = max((name for name in names if known and known.startswith(name)), key=len, default=None)
        if match:
            return match
    return str(row["model"])
