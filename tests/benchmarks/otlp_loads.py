"""What instrumented agents send over OTLP: runs of 20 spans, a root and 19 calls of a model with 15 attributes each.

As in `loads`, a cycle of bodies is encoded once and sent again and again with other ids, token counts and texts: every
text holds a word that is replaced each time, so that nothing repeats but what repeats in life.
"""

from __future__ import annotations

import gzip
import json
import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.benchmarks.loads import BASE_TIME, DAY_NS, STEP_NS, SYSTEM_PROMPT, Template, words

SPANS_PER_RUN = 20
RUN_MARK, WORD_MARK = b"\xf0\x0d\xfe\xed\xf0\x0d", b"wordmark"
# A run id of 16 bytes, a word of 16 letters, and a token count: all replaced in every cycle.
REPLACED = re.compile(
    b"(?s:" + re.escape(RUN_MARK) + b".{10})|" + WORD_MARK + b"[0-9a-f]{8}|(?s:(_tokens\x12\x03\x18)..)"
)
MODEL = "gpt-4o-mini"


@dataclass(frozen=True, kw_only=True, slots=True)
class OtlpLoad:
    """A load. text: characters of text a span. growing: every call repeats the messages of the calls before."""

    name: str
    clients: int
    spans: int
    text: int = 1024
    growing: bool = False
    gzip: bool = False
    batch_spans: int = 512


def bodies(load: OtlpLoad, client: int) -> Iterator[tuple[bytes, Template]]:
    """Yield the bodies a client sends, each with what it holds. client: from 0."""
    cycle = build_cycle(load, client)
    ids = random.Random(f"{load.name}, client {client}")
    cycles = max(load.spans // load.clients // sum(part.size for part in cycle), 1)
    for _ in range(cycles):
        fresh: dict[bytes, bytes] = {}
        for part in cycle:
            body = REPLACED.sub(lambda found: _replacement(found, fresh, ids), part.encoded)  # noqa: B023 # called at once
            yield gzip.compress(body, compresslevel=1, mtime=0) if load.gzip else body, part


def build_cycle(load: OtlpLoad, seed: int) -> list[Template]:
    """Return a cycle of whole runs that fills its bodies exactly."""
    ids = random.Random(seed)
    runs = load.batch_spans // math.gcd(SPANS_PER_RUN, load.batch_spans)
    spans = [span for _ in range(runs) for span in run_of(load, ids)]
    parts = [spans[begin : begin + load.batch_spans] for begin in range(0, len(spans), load.batch_spans)]
    return [Template(encoded(part), len(part), len(part), 0) for part in parts]


def encoded(spans: Sequence[Span]) -> bytes:
    """Return a request of spans of one process."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for name, value in {"service.name": "bench", "telemetry.sdk.name": "opentelemetry", "host.name": "bench"}.items():
        group.resource.attributes.append(_attribute(name, value))
    scoped = group.scope_spans.add()
    scoped.scope.name = "opentelemetry.instrumentation.openai_v2"
    scoped.spans.extend(spans)
    return request.SerializeToString()


def run_of(load: OtlpLoad, ids: random.Random) -> list[Span]:
    """Return a run, its root last, as exporters send it."""
    trace_id, root_id = RUN_MARK + ids.randbytes(10), ids.randbytes(7) + b"\1"
    begin = BASE_TIME + ids.randrange(DAY_NS)
    history: list[dict[str, Any]] = []
    spans = []
    for number in range(SPANS_PER_RUN - 1):
        question, answer = _text(ids, load.text * 2 // 5), _text(ids, load.text * 3 // 10)
        asked = [*history, _message("user", question)]
        attributes = call_attributes(ids, asked, answer, load.text - len(question) - len(answer))
        at = begin + number * STEP_NS + ids.randrange(STEP_NS)
        spans.append(_span(ids, trace_id, root_id, f"chat {MODEL}", at, attributes))
        if load.growing:
            history = [*asked, _message("assistant", answer)]
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "bench-agent"}
    root = _span(ids, trace_id, b"", "invoke_agent bench-agent", begin, agent)
    root.span_id = root_id
    return [*spans, root]


def call_attributes(
    ids: random.Random, asked: Sequence[dict[str, Any]], answer: str, prompt_length: int
) -> dict[str, Any]:
    """Return the 15 attributes of a call of a model."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": f"{MODEL}-2024-07-18",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.request.top_p": 1.0,
        "gen_ai.response.id": f"chatcmpl-{_word(ids)}",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 300,
        "gen_ai.usage.output_tokens": 200,
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": SYSTEM_PROMPT[:prompt_length]}]),
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": json.dumps([{**_message("assistant", answer), "finish_reason": "stop"}]),
        "server.address": "api.openai.com",
    }


def _span(ids: random.Random, trace_id: bytes, parent: bytes, name: str, at: int, attributes: dict[str, Any]) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=ids.randbytes(7) + b"\1",
        parent_span_id=parent,
        name=name,
        kind=3 if parent else 1,
        start_time_unix_nano=at,
        end_time_unix_nano=at + STEP_NS + ids.randrange(STEP_NS),
        attributes=[_attribute(key, value) for key, value in attributes.items()],
        flags=256,
    )


def _attribute(key: str, value: Any) -> KeyValue:
    if isinstance(value, list):
        values = ArrayValue(values=[AnyValue(string_value=one) for one in value])
        return KeyValue(key=key, value=AnyValue(array_value=values))
    kind = {str: "string_value", int: "int_value", float: "double_value"}[type(value)]
    return KeyValue(key=key, value=AnyValue(**{kind: value}))


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _text(ids: random.Random, length: int) -> str:
    """Return a text that begins with a word which is replaced."""
    return f"{_word(ids)} {words(ids, length)}"[:length]


def _word(ids: random.Random) -> str:
    return f"{WORD_MARK.decode()}{ids.getrandbits(32):08x}"


def _replacement(found: re.Match[bytes], fresh: dict[bytes, bytes], ids: random.Random) -> bytes:
    if found[1]:  # a count between 128 and 16,383: a varint of two bytes
        return found[1] + bytes((ids.randrange(128) | 0x80, ids.randrange(1, 128)))
    marked = found[0]
    if marked not in fresh:
        is_run = marked.startswith(RUN_MARK)
        fresh[marked] = ids.randbytes(15) + b"\1" if is_run else b"%016x" % ids.getrandbits(64)
    return fresh[marked]
