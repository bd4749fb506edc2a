"""Ids and W3C Trace Context."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from milepost._ids import RandomIds, format_traceparent, parse_traceparent

run_ids = st.integers(1, 2**128 - 1)
span_ids = st.integers(1, 2**64 - 1)


@given(run_ids, span_ids)
def test_traceparent_survives_a_round_trip(run_id, span_id):
    assert parse_traceparent(format_traceparent(run_id, span_id)) == (run_id, span_id)


@given(run_ids, span_ids)
def test_opentelemetry_reads_our_traceparent(run_id, span_id):
    context = TraceContextTextMapPropagator().extract({"traceparent": format_traceparent(run_id, span_id)})
    read = trace.get_current_span(context).get_span_context()
    assert (read.trace_id, read.span_id, read.trace_flags.sampled) == (run_id, span_id, True)


@given(st.text())
def test_any_text_is_parsed_or_refused_without_raising(text):
    assert parse_traceparent(text) is None or text.strip().count("-") >= 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00-0",
        f"00-{'0' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'0' * 16}-01",
        f"ff-{'1' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'1' * 16}-01-more",
        f"00-{'A' * 32}-{'1' * 16}-01",
    ],
)
def test_malformed_traceparent_is_refused(text):
    assert parse_traceparent(text) is None


def test_a_later_version_may_carry_more():
    assert parse_traceparent(f"01-{'1' * 32}-{'2' * 16}-01-more") == (int("1" * 32, 16), int("2" * 16, 16))


def test_ids_do_not_depend_on_the_users_seed():
    random.seed(42)
    first = RandomIds().new_run_id()
    random.seed(42)
    assert RandomIds().new_run_id() != first
