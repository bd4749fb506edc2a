"""A run as a page of Markdown for people and for models: what happened, what it cost, what failed, what came out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from milepost_collector.protocol.api import RunSummary
from milepost_collector.protocol.exports.timed import TimedSpan

MAX_NAME = 80  # characters of a name
MAX_MESSAGE = 600  # characters of an error's text
MAX_ERRORS = 20
LEAST_BYTES = 1_000  # a smaller page says nothing
FOLDED = 3  # equal siblings without children from which on they are one line
_OUTPUT_SHARE = 4  # a fourth of the page at most is output
_INDENT = "  "


@dataclass(kw_only=True, slots=True)
class MarkdownRun:
    """What a page is made of. spans: by start. output: the root's, as JSON. omitted: spans beyond those given."""

    run: RunSummary
    spans: Sequence[TimedSpan]
    output: str | None = None
    omitted: int = 0


@dataclass(slots=True)
class _Line:
    """A line of the tree: equal siblings without children are one."""

    spans: list[TimedSpan]
    depth: int
    below: list[_Line] = field(default_factory=list)


def markdown(whole: MarkdownRun, *, budget: int) -> str:
    """Return a page of at most `budget` bytes of UTF-8; what does not fit is counted.

    Raises:
        ValueError: the budget is below 1,000 bytes.
    """
    if budget < LEAST_BYTES:
        raise ValueError(f"a page of {budget} bytes is too small; use {LEAST_BYTES} or more")
    head, errors = _header(whole.run), _errors(whole.spans, budget // _OUTPUT_SHARE)
    output = _output(whole.output, budget // _OUTPUT_SHARE)
    left = budget - sum(len(part.encode()) + 2 for part in (head, errors, output))
    parts = [head, _tree(whole, left), errors, output]
    return _cut("\n\n".join(part for part in parts if part) + "\n", budget)


# --- parts of the page


def _header(run: RunSummary) -> str:
    facts = {
        "Run": f"`{run.run_id}`",
        "Status": run.status,
        "Started": run.start_time,
        "Duration": duration(run.duration_ms),
        "Agent": run.agent and _plain(run.agent),
        "Cost": None if run.cost_usd is None else cost(run.cost_usd) + _unpriced(run),
        "Tokens": _tokens(run.input_tokens, run.output_tokens),
        "Models": ", ".join(_plain(model) for model in run.models[:8]),
        "Spans": f"{run.span_count:,}, {run.llm_call_count:,} model calls, {run.tool_call_count:,} tool calls, "
        f"{run.error_count:,} failed",
        "Error": run.error_message and _one_line(f"{run.error_type or 'error'}: {run.error_message}", MAX_MESSAGE),
    }
    rows = [f"- {name}: {value}" for name, value in facts.items() if value]
    return "\n".join([f"# {_plain(run.name)}", "", *rows])


def _unpriced(run: RunSummary) -> str:
    return f" and {run.unpriced_count:,} calls without a known price" if run.unpriced_count else ""


def _errors(spans: Sequence[TimedSpan], room: int) -> str:
    failed = [span for span in spans if span.status in ("failed", "lost")]
    if not failed:
        return ""
    lines = [f"- **{_plain(span.name)}**: {_one_line(_said(span), MAX_MESSAGE)}" for span in failed[:MAX_ERRORS]]
    kept = _fitting(lines, room)
    if len(kept) < len(failed):
        kept.append(f"- … and {len(failed) - len(kept):,} more")
    return "\n".join(["## Errors", "", *kept])


def _said(span: TimedSpan) -> str:
    return ": ".join(filter(None, (span.error_type, span.error_message))) or f"{span.status} without saying why"


def _output(text: str | None, room: int) -> str:
    if text is None:
        return ""
    cut = _cut(text, max(room - 100, 0))
    fence = "`" * (3 + max((len(run) for run in _backticks(cut)), default=0))
    note = "" if cut == text else f"\n\n… {len(text.encode()):,} bytes in all"
    return f"## Output\n\n{fence}json\n{cut}\n{fence}{note}"


def _backticks(text: str) -> Iterator[str]:
    return (run for run in "".join(char if char == "`" else " " for char in text).split() if run)


# --- the tree


def _tree(whole: MarkdownRun, room: int) -> str:
    """Return as many levels of the tree as fit; of the first level that does not fit, its beginning."""
    title = ["## Timeline", ""]
    lines = list(_walk(_folded(whole.spans)))
    room -= len("\n".join(title)) + 80
    deepest = max((line.depth for line in lines), default=0)
    while deepest and sum(_size(line) for line in lines if line.depth <= deepest) > room:
        deepest -= 1
    kept = _fitting([_text(line) for line in lines if line.depth <= deepest], room)
    shown = sum(len(line.spans) for line in [line for line in lines if line.depth <= deepest][: len(kept)])
    left_out = len(whole.spans) + whole.omitted - shown
    return "\n".join([*title, *kept, *([f"\n{left_out:,} spans are not shown."] if left_out else [])])


def _folded(spans: Sequence[TimedSpan]) -> list[_Line]:
    """Return the spans as a tree of lines, each span once; what hangs on nothing known is a root."""
    known = {span.span_id for span in spans}
    children: defaultdict[str | None, list[TimedSpan]] = defaultdict(list)
    for span in spans:
        children[span.parent_span_id if span.parent_span_id in known else None].append(span)
    seen: set[str] = set()
    top = _lines(children[None], children, seen, 0)
    for span in spans:  # what is left are circles
        if span.span_id not in seen:
            top += _lines([span], children, seen, 0)
    return top


def _lines(
    spans: Sequence[TimedSpan], children: dict[str | None, list[TimedSpan]], seen: set[str], depth: int
) -> list[_Line]:
    top = _siblings(spans, children, seen, depth)
    waiting = list(top)
    while waiting:  # no recursion: runs may nest deeper than Python's limit
        line = waiting.pop()
        if len(line.spans) == 1:
            line.below = _siblings(children.get(line.spans[0].span_id, ()), children, seen, line.depth + 1)
            waiting += line.below
    return top


def _siblings(
    spans: Sequence[TimedSpan], children: dict[str | None, list[TimedSpan]], seen: set[str], depth: int
) -> list[_Line]:
    fresh = [span for span in spans if span.span_id not in seen]
    seen.update(span.span_id for span in fresh)
    leaves: defaultdict[tuple[str, str], list[TimedSpan]] = defaultdict(list)
    for span in fresh:
        if not children.get(span.span_id):
            leaves[span.name, span.status].append(span)
    lines: list[_Line] = []
    for span in fresh:
        alike = leaves.get((span.name, span.status), []) if not children.get(span.span_id) else []
        if len(alike) < FOLDED:
            lines.append(_Line([span], depth))
        elif alike[0] is span:
            lines.append(_Line(alike, depth))
    return lines


def _walk(top: Sequence[_Line]) -> Iterator[_Line]:
    waiting = list(reversed(top))
    while waiting:
        line = waiting.pop()
        yield line
        waiting += reversed(line.below)


def _size(line: _Line) -> int:
    return len(_text(line).encode()) + 1


def _text(line: _Line) -> str:
    first, many = line.spans[0], len(line.spans)
    told = [_plain(first.name), first.kind, *([first.status] if first.status != "completed" else [])]
    figures = [_elapsed(line.spans), _cost_of(line.spans), first.model and _plain(first.model)]
    times = f" × {many:,}" if many > 1 else ""
    return f"{_INDENT * line.depth}- {told[0]}{times} ({', '.join([*told[1:], *filter(None, figures)])})"


def _elapsed(spans: Sequence[TimedSpan]) -> str | None:
    known = [span.end_ns - span.start_ns for span in spans if span.end_ns is not None]
    return duration(sum(known) / 1e6) if known else None


def _cost_of(spans: Sequence[TimedSpan]) -> str | None:
    known = [span.cost_usd for span in spans if span.cost_usd is not None]
    return cost(sum(known)) if known else None


# --- figures and texts


def duration(milliseconds: float | None) -> str | None:
    """Return a time as people read it: 12 ms, 1.24 s, 2 min 05 s, 2 h 00 min."""
    if milliseconds is None:
        return None
    if milliseconds < 1_000:
        return f"{milliseconds:.3g} ms"
    if milliseconds < 59_950:
        return f"{milliseconds / 1000:.3g} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def cost(usd: float) -> str:
    """Return a cost as people read it: $201.11, $0.0773."""
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.3g}"


def _tokens(sent: int | None, received: int | None) -> str | None:
    return None if sent is None and received is None else f"{sent or 0:,} in, {received or 0:,} out"


def _plain(text: str) -> str:
    """Return a name on one line that Markdown takes for nothing else."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|" else char for char in _one_line(text, MAX_NAME))


def _one_line(text: str, limit: int) -> str:
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def _cut(text: str, limit: int) -> str:
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[:limit].decode("utf-8", "ignore")
