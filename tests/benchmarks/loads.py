"""What agents send: batches of events as the SDK makes them, encoded before they are sent.

A cycle is a few batches in a row. Encoded once, it is sent again and again with other run ids and token counts, so
that every run is new. Generating and encoding events thus costs nothing while the clock runs.
"""

from __future__ import annotations

import gzip
import itertools
import math
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from milepost.wire import Batch, Event, Resource, SpanEnded, SpanStarted, Usage, WireEvent

RUN_ID = re.compile(b"f00dfeed[0-9a-f]{24}")  # in a cycle; other run ids take their place when it is sent
# Counts differ from call to call, as they do: prices kept by their counts would be found only in a benchmark.
INPUT_TOKENS = re.compile(b"(input_tokens\xcd)..", re.DOTALL)  # msgpack's 16-bit integers
TASKS_PER_RUN = 20
STEP_NS = 100_000_000
DAY_NS = 86_400 * 10**9
FAILED_SHARE = 0.02
BASE_TIME = 1_762_000_000_000_000_000  # Unix ns; when does not matter to any figure

SYLLABLES = ("ta", "re", "mi", "lo", "ven", "dor", "sa", "ki", "pen", "tra", "ul", "mo", "ri", "ca", "ne", "fi", "go")
SYSTEM_PROMPT = "You are a careful analyst. Answer from the documents only, cite pages, and say what is missing. " * 4

_encode = msgspec.msgpack.Encoder().encode


def _vocabulary(size: int) -> list[str]:
    random_words = random.Random(3)
    return ["".join(random_words.choices(SYLLABLES, k=random_words.randint(1, 4))) for _ in range(size)]


# Words by Zipf's law: as compressible as prose, about 1.5 bits a character.
WORDS = _vocabulary(5_000)
WEIGHTS = list(itertools.accumulate(1 / (rank + 2) for rank in range(len(WORDS))))


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """A load. shape: small, late or large. events: in all, about. gzip: bodies are compressed, as by the SDK."""

    name: str
    shape: str = "small"
    clients: int
    batch_events: int = 512
    events: int
    gzip: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A batch but for its run ids. spans, events: rows it brings into the tables of these names."""

    encoded: bytes
    size: int
    spans: int
    events: int


def build_cycle(shape: str, batch_events: int, seed: int) -> list[Template]:
    """Return a cycle of whole runs that fills its batches exactly."""
    random_ids = random.Random(seed)
    run = {"small": small_run, "late": small_run, "large": large_run}[shape]
    per_run = len(run(random_ids, _placeholder(random_ids)))
    runs = batch_events // math.gcd(per_run, batch_events)
    events = [event for _ in range(runs) for event in run(random_ids, _placeholder(random_ids))]
    if shape == "late":
        events = _with_late_ends(events, batch_events)
    parts = [events[begin : begin + batch_events] for begin in range(0, len(events), batch_events)]
    return [_template(part) for part in parts]


def bodies(load: Load, client: int) -> Iterator[tuple[bytes, Template]]:
    """Yield the bodies a client sends, each with what it holds. client: from 0."""
    cycle = build_cycle(load.shape, load.batch_events, client)
    producer_id = f"{load.name}, client {client}"
    ids = random.Random(producer_id)
    cycles = max(load.events // load.clients // sum(part.size for part in cycle), 1)
    resource = Resource(agent="bench-agent", service_name="bench", process_id=1000 + client, sdk_name="milepost")
    for number in range(cycles):
        new_ids: dict[bytes, bytes] = defaultdict(lambda: fresh_run_id(ids).encode())
        for place, part in enumerate(cycle):
            encoded = RUN_ID.sub(lambda found: new_ids[found[0]], part.encoded)  # noqa: B023 # called at once
            events = msgspec.Raw(INPUT_TOKENS.sub(lambda found: found[1] + _two_bytes(ids), encoded))
            sequence = number * len(cycle) + place
            body = _encode(_Envelope(producer_id, sequence, events, resource))
            yield gzip.compress(body, compresslevel=1, mtime=0) if load.gzip else body, part


def small_run(ids: random.Random, run_id: str) -> list[WireEvent]:
    """Return a run of 20 tasks with small values, two calls of a model, a log line and a checkpoint."""
    root, begin = _span_id(ids), BASE_TIME + ids.randrange(DAY_NS)
    events: list[WireEvent] = [_started(run_id, root, None, "report", "agent", begin)]
    for number in range(TASKS_PER_RUN):
        span_id, at = _span_id(ids), begin + number * STEP_NS + ids.randrange(STEP_NS)
        events.append(_started(run_id, span_id, root, f"step-{number}", "task", at))
        usage = [_usage(ids)] if number % 10 == 9 else None
        events.append(_ended(ids, run_id, span_id, root, f"step-{number}", at, usage))
    body = f'{{"page":{ids.randrange(40)},"done":["a","b"]}}'
    events.append(Event(run_id=run_id, span_id=root, time=begin, kind="checkpoint", name="pages", body_json=body))
    events.append(Event(run_id=run_id, span_id=root, time=begin, kind="log", severity="info", message="pages read"))
    events.append(_ended(ids, run_id, root, None, "report", begin, None, kind="agent"))
    return events


def large_run(ids: random.Random, run_id: str) -> list[WireEvent]:
    """Return a run of 20 calls of models: 15 attributes and 1.4 KB of text a span."""
    root, begin = _span_id(ids), BASE_TIME + ids.randrange(DAY_NS)
    events: list[WireEvent] = [_started(run_id, root, None, "report", "agent", begin)]
    for number in range(TASKS_PER_RUN):
        span_id, at = _span_id(ids), begin + number * STEP_NS + ids.randrange(STEP_NS)
        events.append(_started(run_id, span_id, root, f"call-{number % 4}", "llm", at))
        events.append(llm_span(ids, run_id, span_id, root, f"call-{number % 4}", at))
    events.append(_ended(ids, run_id, root, None, "report", begin, None, kind="agent"))
    return events


def llm_span(ids: random.Random, run_id: str, span_id: str, parent: str, name: str, at: int) -> SpanEnded:
    """Return a call of a model with what instrumentations record of it."""
    return SpanEnded(
        run_id=run_id,
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        kind="llm",
        start_time=at,
        end_time=at + STEP_NS + ids.randrange(STEP_NS),
        attributes=llm_attributes(ids),
    )


def llm_attributes(ids: random.Random) -> dict[str, object]:
    """Return 15 attributes, 1.4 KB: a system prompt that repeats, a question and an answer that do not."""
    question, answer = words(ids, 220), words(ids, 320)
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.request.top_p": 1.0,
        "gen_ai.response.id": f"chatcmpl-{ids.getrandbits(96):024x}",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 700 + ids.randrange(400),
        "gen_ai.usage.output_tokens": 60 + ids.randrange(200),
        "gen_ai.system_instructions": SYSTEM_PROMPT[:330],
        "gen_ai.input.messages": f'[{{"role":"user","content":"{question}"}}]',
        "gen_ai.output.messages": f'[{{"role":"assistant","content":"{answer}"}}]',
        "server.address": "api.openai.com",
    }


def _started(run_id: str, span_id: str, parent: str | None, name: str, kind: str, at: int) -> SpanStarted:
    return SpanStarted(
        run_id=run_id, span_id=span_id, parent_span_id=parent, name=name, kind=kind, start_time=at,
        input_json=_input(at),
    )  # fmt: skip


def _ended(
    ids: random.Random, run_id: str, span_id: str, parent: str | None, name: str, at: int, usage: list[Usage] | None,
    kind: str = "task",
) -> SpanEnded:  # fmt: skip
    failed = ids.random() < FAILED_SHARE
    return SpanEnded(
        run_id=run_id, span_id=span_id, parent_span_id=parent, name=name, kind=kind, start_time=at,
        end_time=at + STEP_NS // 2 + ids.randrange(STEP_NS), status="failed" if failed else "completed",
        input_json=_input(at), output_json=f'{{"rows":{ids.randrange(1000)},"ok":true}}', usage=usage,
        error_type="ConnectionError" if failed else None, error_message="connection refused" if failed else None,
    )  # fmt: skip


def _usage(ids: random.Random) -> Usage:
    # Counts differ from call to call, as they do: a price looked up by its counts would be found only in a benchmark.
    return Usage(
        model="gpt-4o-mini", provider="openai", input_tokens=256 + ids.randrange(4000), output_tokens=ids.randrange(700)
    )


def _two_bytes(ids: random.Random) -> bytes:
    return (256 + ids.randrange(60_000)).to_bytes(2, "big")


def _input(at: int) -> str:
    return f'{{"file":"report-{at % 97}.pdf","pages":{at % 13}}}'


def _with_late_ends(events: Sequence[WireEvent], batch_events: int) -> list[WireEvent]:
    """Move every third end to a later batch, as of tasks that take their time."""
    ends = 0
    placed = []
    for place, event in enumerate(events):
        ends += type(event) is SpanEnded
        late = type(event) is SpanEnded and ends % 3 == 0
        placed.append((place + (batch_events * 3 // 2 if late else 0), place, event))
    return [event for _, _, event in sorted(placed, key=lambda item: item[:2])]


def _template(events: Sequence[WireEvent]) -> Template:
    spans = sum(type(event) is SpanEnded for event in events)
    other = sum(type(event) is Event for event in events)
    return Template(_encode(list(events)), len(events), spans, other)


class _Envelope(msgspec.Struct):
    """A `Batch` whose events are encoded already."""

    producer_id: str
    sequence: int
    events: msgspec.Raw
    resource: Resource


assert set(_Envelope.__struct_fields__) <= set(Batch.__struct_fields__)


def fresh_run_id(ids: random.Random) -> str:
    """Return a random run id."""
    return f"{ids.getrandbits(128):032x}"


def _placeholder(ids: random.Random) -> str:
    return f"f00dfeed{ids.getrandbits(96):024x}"


def _span_id(ids: random.Random) -> str:
    return f"{ids.getrandbits(63) + 1:016x}"


def words(ids: random.Random, length: int) -> str:
    """Return a text of random words, of at most this many characters."""
    return " ".join(ids.choices(WORDS, cum_weights=WEIGHTS, k=length // 5))[:length]
