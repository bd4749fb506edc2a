"""What pictures of a run are drawn from."""

from __future__ import annotations

from msgspec import Struct


class SpanLink(Struct, frozen=True, gc=False):
    """A reference to another span."""

    run_id: str
    span_id: str


class TimedSpan(Struct, kw_only=True, gc=False):
    """A span of a run. start_ns, end_ns: nanoseconds after the run's earliest start; end_ns is None while it runs."""

    run_id: str
    span_id: str
    name: str
    kind: str
    status: str
    start_ns: int
    end_ns: int | None = None
    parent_span_id: str | None = None
    agent: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    error_type: str | None = None
    error_message: str | None = None
    links: list[SpanLink] = []

    def end_by(self, extent_ns: int) -> int:
        """Return when it ended; a running one reaches to the end of the picture."""
        return max(self.start_ns, extent_ns if self.end_ns is None else self.end_ns)
