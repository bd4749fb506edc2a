"""A search as SQL over the views `runs` and `all_spans`.

Values stand in the text as literals, quoted: the same text is run here and shown to users, who may change and run it.
A comparison with NULL is NULL, which counts as false; so NOT asks for what is not true.
"""

from __future__ import annotations

from collections.abc import Callable

from milepost_collector.protocol.search import (
    FIELDS,
    And,
    Instant,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    SpanGroup,
    Term,
    Value,
    instant_ns,
)
from milepost_collector.protocol.timestamps import iso_from_ns

TEXT_COLUMNS = ("name", "input", "output", "error_type", "error_message", "error_stack", "attributes")
TOOL = "coalesce(tool, CASE WHEN kind = 'tool' THEN name END)"

_BOTH = {
    "status": "status", "name": "name", "agent": "agent", "session": "session_id", "user": "user_id",
    "service": "service", "run": "run_id", "task": "task_id", "cost": "cost_usd", "dur": "duration_ms",
    "tokens": "(coalesce(input_tokens, 0) + coalesce(output_tokens, 0))", "input_tokens": "input_tokens",
    "output_tokens": "output_tokens", "started": "start_time",
}  # fmt: skip
RUN_COLUMNS = {**_BOTH, "spans": "span_count", "errors": "error_count"}
SPAN_COLUMNS = {**_BOTH, "kind": "kind", "model": "model", "provider": "provider", "tool": TOOL}
RUN_LISTS = {"tag": "tags", "model": "models"}
SPAN_LISTS = {"tag": "tags"}

_STATES = {"live": "status = 'running'", "ended": "status <> 'running'"}
_HAS = {
    "cost": "cost_usd IS NOT NULL", "tokens": "(input_tokens IS NOT NULL OR output_tokens IS NOT NULL)",
    "agent": "agent IS NOT NULL", "session": "session_id IS NOT NULL", "user": "user_id IS NOT NULL",
    "tag": "len(tags) > 0", "task": "task_id IS NOT NULL",
}  # fmt: skip
RUN_CHOICES = {"is": _STATES, "has": {**_HAS, "error": "error_count > 0", "model": "len(models) > 0"}}
SPAN_CHOICES = {"is": _STATES, "has": {**_HAS, "error": "status = 'failed'", "model": "model IS NOT NULL"}}

_SAID = "SELECT run_id, span_id, unnest(list_concat(coalesce(input_ids, []), coalesce(output_ids, []))) AS message_id"


def literal(value: str | float) -> str:
    """Return a value as SQL."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if value == int(value) and abs(value) < 2**53:
        return str(int(value))
    text = repr(value)
    # With up to 15 digits a decimal becomes the same double; e0 makes it one at once.
    return text if "e" in text or len(text) <= 16 else f"{text}e0"


def time_literal(unix_nano: int) -> str:
    """Return a time as SQL. unix_nano: nanoseconds since 1970."""
    text = iso_from_ns(unix_nano).replace("T", " ").removesuffix("Z")
    return f"TIMESTAMP_NS '{text}'"


def is_about_spans(node: Node) -> bool:
    """Tell whether a term or group holds for a run because of a span of it."""
    return isinstance(node, SpanGroup) or (isinstance(node, Term) and _is_of_spans_only(node.field))


def run_condition(node: Node, now_ns: int) -> str:
    """Return the condition on rows of the view `runs`."""
    if is_about_spans(node):
        return f"run_id IN ({runs_with(node, now_ns, 'all_spans')})"
    return _combined(node, now_ns, run_condition, RUN_COLUMNS, RUN_LISTS, RUN_CHOICES)


def span_condition(node: Node, now_ns: int) -> str:
    """Return the condition on rows of the view `all_spans`."""
    if isinstance(node, SpanGroup):
        return span_condition(node.item, now_ns)
    return _combined(node, now_ns, span_condition, SPAN_COLUMNS, SPAN_LISTS, SPAN_CHOICES)


def runs_with(node: Node, now_ns: int, source: str) -> str:
    """Return the query for the runs with a span that fulfils what is_about_spans. source: a table of spans."""
    if isinstance(node, Term) and node.field == "text":
        # Apart: asking of each span whether one of its messages has the text takes several times as long.
        columns = _either([_in_columns(value) for value in node.values])
        messages = _either([_in_message(value) for value in node.values])
        return f"SELECT run_id FROM {source} WHERE {columns} UNION {_said_by('run_id', messages)}"
    return f"SELECT run_id FROM {source} WHERE {span_condition(node, now_ns)}"


def _is_of_spans_only(field: str) -> bool:
    return FIELDS[field].place == "span"


def _combined(
    node: Node,
    now_ns: int,
    inner: Callable[[Node, int], str],
    columns: dict[str, str],
    lists: dict[str, str],
    choices: dict[str, dict[str, str]],
) -> str:
    match node:
        case Not(item):
            return f"NOT coalesce({inner(item, now_ns)}, false)"
        case And(items):
            return f"({' AND '.join(inner(item, now_ns) for item in items)})" if items else "true"
        case Or(items):
            return _either([inner(item, now_ns) for item in items])
        case Term(field, operator, values):
            if field in choices:
                return _either([choices[field][value.parts[0]] for value in values if isinstance(value, Pattern)])
            if field in lists:
                return _either([_in_list(lists[field], value) for value in values])
            if field in columns:
                return _either([_compared(columns[field], operator, value, now_ns) for value in values])
            return _either([_in_texts(field, value) for value in values])
    raise AssertionError(f"{node} stands where it is not allowed")


def _either(conditions: list[str]) -> str:
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def _compared(column: str, operator: str, value: Value, now_ns: int) -> str:
    sign = "=" if operator == ":" else operator
    match value:
        case Pattern():
            return _like(column, value)
        case Number(number):
            return f"{column} {sign} {literal(number)}"
        case Instant():
            return f"{column} {sign} {time_literal(instant_ns(value, now_ns))}"


def _like(column: str, pattern: Pattern, around: str = "") -> str:
    if pattern.exact is not None and not around:
        return f"{column} = {literal(pattern.exact)}"
    parts = [part.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") for part in pattern.parts]
    return f"{column} LIKE {literal(around + '%'.join(parts) + around)} ESCAPE '\\'"


def _in_list(column: str, value: Value) -> str:
    assert isinstance(value, Pattern)
    if value.exact is not None:
        return f"list_contains({column}, {literal(value.exact)})"
    return f"len(list_filter({column}, lambda item: {_like('item', value)})) > 0"


def _in_texts(field: str, value: Value) -> str:
    assert isinstance(value, Pattern)
    if field == "error":
        return f"({_like('error_type', value)} OR {_like('error_message', value)})"
    said = _said_by("run_id, span_id", _in_message(value))
    return f"({_in_columns(value)} OR (run_id, span_id) IN ({said}))"


def _in_columns(value: Value) -> str:
    return _either([_within(column, value) for column in TEXT_COLUMNS])


def _in_message(value: Value) -> str:
    return f"({_within('text', value)} OR {_within('parts', value)})"


def _within(column: str, value: Value) -> str:
    assert isinstance(value, Pattern)
    # contains() takes 75 ns a document; ILIKE, or lower() before it, take five to ten times as long.
    if value.exact is not None:
        return f"contains({column}, {literal(value.exact)})"
    return _like(column, value, around="%")


def _said_by(columns: str, condition: str) -> str:
    messages = f"SELECT message_id FROM stored_messages WHERE {condition}"
    return f"SELECT {columns} FROM ({_SAID} FROM span_messages) WHERE message_id IN ({messages})"
