"""Hypothesis strategies: what processes could have sent, and every way a network could have delivered it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from milepost.wire import Batch, Event, Resource, SpanEnded, SpanStarted, Usage, WireEvent

START = 1_700_000_000_000_000_000

texts = st.text(max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
usages = st.builds(
    Usage,
    model=st.none() | st.sampled_from(["gpt-4o-mini", "claude-sonnet-4-0", "nobody-knows-it"]),
    input_tokens=st.none() | st.integers(0, 10_000),
    output_tokens=st.none() | st.integers(0, 10_000),
    cost_usd=st.none() | st.floats(0, 10),
)


@st.composite
def spans(draw: st.DrawFn, run_id: str, number: int, parents: Sequence[str]) -> list[WireEvent]:
    """Return what one span sends: a start, an end, or both, and some events."""
    span_id = f"{number + 1:016x}"
    start = START + draw(st.integers(0, 50))
    common = {
        "run_id": run_id,
        "span_id": span_id,
        "name": draw(texts),
        "start_time": start,
        "parent_span_id": draw(st.sampled_from([None, *parents, "f" * 16])),
        "kind": draw(st.sampled_from(["agent", "task", "llm", "tool"])),
        "agent": draw(st.none() | st.sampled_from(["a", "b"])),
        "session_id": draw(st.none() | texts),
        "tags": draw(st.none() | st.lists(st.sampled_from(["x", "y"]), max_size=2)),
        "input": draw(json_values),
        "attributes": draw(st.none() | st.dictionaries(texts, json_values, max_size=2)),
    }
    ended = SpanEnded(
        **common,
        end_time=start + draw(st.integers(0, 50)),
        status=draw(st.sampled_from(["completed", "failed", "skipped", "cancelled"])),
        output=draw(json_values),
        usage=draw(st.none() | st.lists(usages, min_size=1, max_size=2)),
        error_type=draw(st.none() | texts),
    )
    sent: list[WireEvent] = draw(st.sampled_from([[SpanStarted(**common)], [ended], [SpanStarted(**common), ended]]))
    happened = draw(st.lists(st.sampled_from(["checkpoint", "log", "progress"]), max_size=2))
    return sent + [Event(run_id=run_id, span_id=span_id, time=start, kind=kind) for kind in happened]


@st.composite
def stories(draw: st.DrawFn, salt: int) -> list[Batch]:
    """Return everything some processes send about some runs, in batches. salt: keeps examples apart in one database."""
    batches: list[Batch] = []
    run_ids = [f"{salt:016x}{run + 1:016x}" for run in range(draw(st.integers(1, 3)))]
    events: list[WireEvent] = []
    for run_id in run_ids:
        span_ids: list[str] = []
        for number in range(draw(st.integers(1, 5))):
            events += draw(spans(run_id, number, span_ids))
            span_ids.append(f"{number + 1:016x}")
    for producer in range(draw(st.integers(1, 2))):
        mine = events[producer::2] if producer or draw(st.booleans()) else events
        cuts = sorted(draw(st.lists(st.integers(0, len(mine)), max_size=4)))
        for sequence, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(mine)], strict=True)):
            batches.append(
                Batch(
                    producer_id=f"{salt:x}-{producer}",
                    sequence=sequence,
                    events=mine[begin:end],
                    resource=Resource(agent="default", service_name="svc"),
                )
            )
    return batches


@st.composite
def deliveries(draw: st.DrawFn, batches: Sequence[Batch]) -> list[list[Batch]]:
    """Return a way to deliver the batches: shuffled, some repeated, committed in groups."""
    repeated = draw(st.lists(st.sampled_from(list(batches)), max_size=4))
    order = draw(st.permutations([*batches, *repeated]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=4)))
    return [order[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(order)], strict=True) if order[begin:end]]
