"""The shapes of the JSON API's answers; `/openapi.json` is generated from them.

Absolute times are ISO 8601 in UTC with nanoseconds ("2026-11-21T07:30:00.123456789Z"). In skeletons, times are integer
nanoseconds after the message's `origin`, so that a browser's doubles hold them exactly.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct


class RunSummary(Struct, kw_only=True):
    """One line of the run list: the root span's facts and the sums over all spans of the run."""

    run_id: str
    name: str
    status: str
    start_time: str
    end_time: str | None
    duration_ms: float | None
    agent: str | None
    session_id: str | None
    user_id: str | None
    tags: list[str]
    models: list[str]
    span_count: int
    live_span_count: int
    task_count: int
    llm_call_count: int
    tool_call_count: int
    error_count: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None
    unpriced_count: int
    error_type: str | None
    error_message: str | None
    service: str | None = None
    part_of: str | None = None  # the run this one is a part of, when spans link them
    part_count: int = 0  # other runs that are parts of this one; its sums contain theirs
    task_id: str | None = None  # the managed task that the run is an attempt of
    attempt: int | None = None


class RunList(Struct, kw_only=True):
    """A page of runs. next_cursor: pass it as `cursor` for the next page; None at the end. sql: finds the same runs."""

    runs: list[RunSummary]
    next_cursor: str | None
    sql: str = ""


class SessionSummary(Struct, kw_only=True):
    """What a session's runs come to. status and name: of the run that started last; last_time: when it did.
    end_time: None while one runs."""

    session_id: str
    run_count: int
    start_time: str
    last_time: str
    end_time: str | None
    status: str
    name: str
    statuses: dict[str, int]
    agents: list[str]
    users: list[str]
    error_count: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cost_usd: float | None
    unpriced_count: int


class SessionList(Struct, kw_only=True):
    """A page of sessions. next_cursor: pass it as `cursor` for the next page; None at the end. sql: finds the same."""

    sessions: list[SessionSummary]
    next_cursor: str | None
    sql: str


class RunBucket(Struct, kw_only=True):
    """Runs that started in a stretch of time: how many, by status too, and what they used."""

    start: str
    runs: int = 0
    statuses: dict[str, int] = {}
    cost_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0


class RunHistogram(Struct, kw_only=True):
    """Runs by when they started. bucket_ms: how long each bucket is. sql: counts the same."""

    bucket_ms: int
    buckets: list[RunBucket]
    sql: str


class FacetValue(Struct, kw_only=True):
    """A value and how many runs have it."""

    value: str
    runs: int


class Facet(Struct, kw_only=True):
    """The most frequent values of a field. sql: finds the same."""

    field: str
    values: list[FacetValue]
    sql: str


class RunFacets(Struct, kw_only=True):
    """Facets of a list of runs."""

    facets: list[Facet]


class FoundSpans(Struct, kw_only=True):
    """The spans of a run that a search finds, by (start, span id). count: of all, also beyond the limit of the ids."""

    run_id: str
    span_ids: list[str]
    count: int
    sql: str


class FirstArguments(Struct, kw_only=True):
    """By span id, the first argument of spans that were called with any: in one line, cut short where it is long."""

    run_id: str
    arguments: dict[str, str]


class SearchOffer(Struct, kw_only=True, omit_defaults=True):
    """Something that may be put into a search. sort: field, operator or value. runs: how many have the value."""

    text: str
    sort: str
    description: str = ""
    runs: int | None = None


class SearchOffers(Struct, kw_only=True):
    """What may replace the characters of a search from `start` to before `end`."""

    start: int
    end: int
    offers: list[SearchOffer]


class ProducerInfo(Struct, kw_only=True):
    """A process that contributed to a run. dropped: events it had to drop since it started."""

    producer_id: str
    service_name: str | None
    host_name: str | None
    process_id: int | None
    sdk_name: str | None
    sdk_version: str | None
    runtime: str | None
    last_seen: str
    dropped: int


class NotCounted(Struct, omit_defaults=True):
    """A span whose usage its run's sums leave out, and why. of_span_id: the span that is counted instead, if one."""

    span_id: str
    reason: str
    of_span_id: str | None = None


class RunDetail(Struct, kw_only=True):
    """A run's header. parts: the runs that links join to this one, by start; the run's own sums contain theirs."""

    run: RunSummary
    producers: list[ProducerInfo]
    event_count: int
    checkpoint_count: int
    not_counted: list[NotCounted] = []
    parts: list[RunSummary] = []


class SpanSkeleton(Struct, kw_only=True, omit_defaults=True):
    """What the timeline needs of a span; everything else is fetched when the span is selected.

    start_ns, end_ns: nanoseconds after the origin; end_ns is absent while the span runs. task_id, attempt: the managed
    task that the span is an attempt of, and which.
    """

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
    service: str | None = None
    tool: str | None = None
    task_id: str | None = None
    attempt: int | None = None
    time_to_first_token_ms: float | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None


class RunSpans(Struct, kw_only=True):
    """All spans of a run, ordered by (start, span id). origin: the run's earliest start."""

    run_id: str
    origin: str
    spans: list[SpanSkeleton]


class EventItem(Struct, kw_only=True, omit_defaults=True):
    """A checkpoint, log record, exception, progress report or other event of a run."""

    time: str
    kind: str
    span_id: str | None = None
    name: str | None = None
    severity: str | None = None
    message: str | None = None
    fraction: float | None = None
    body: Raw | None = None
    attributes: Raw | None = None


class EventList(Struct, kw_only=True):
    """Events of a run in time order."""

    run_id: str
    events: list[EventItem]
    next_cursor: str | None


class EventMarks(Struct, kw_only=True):
    """When a run's logs, exceptions and events were, and how grave: columns of equal length, in time order.

    offset_ns counts from origin, which is None when there are no events. truncated: there are more.
    """

    run_id: str
    origin: str | None
    offset_ns: list[int]
    span_id: list[str | None]
    kind: list[str]
    severity: list[str | None]
    truncated: bool


class Payload(Struct, kw_only=True, omit_defaults=True):
    """A captured value: `value` when it fits the request's payload_limit, else `head`, the JSON text's beginning."""

    bytes: int
    value: Raw | None = None
    head: str | None = None


class MessageItem(Struct, kw_only=True, omit_defaults=True):
    """A chat message. bytes: of its parts as JSON; parts: absent when they are larger than payload_limit.

    A part is an object with a `type`: text {content}, reasoning {content}, tool_call {id, name, arguments}, tool_result
    {id, name, result}, image, audio or file {mime_type, uri | name | bytes}, or any other type with what was sent.
    """

    message_id: str
    role: str
    bytes: int
    parts: Raw | None = None


class Conversation(Struct, kw_only=True):
    """What a model was sent and what it answered."""

    input: list[MessageItem]
    output: list[MessageItem]


class Turn(Struct, kw_only=True, omit_defaults=True):
    """A call of a model or tool within a run's conversation, with what was new in it.

    repeated: messages it was sent that earlier calls had sent or got back; they come before `input`. sent, returned:
    what was captured, where that is not messages. call_id: which call of a model a tool's span answers.
    """

    span_id: str
    repeated: int = 0
    input: list[MessageItem] = []
    output: list[MessageItem] = []
    sent: Payload | None = None
    returned: Payload | None = None
    error_message: str | None = None
    call_id: str | None = None


class RunMessages(Struct, kw_only=True):
    """A page of a run's conversation, by (start, span id)."""

    run_id: str
    turns: list[Turn]
    next_cursor: str | None


class UsageItem(Struct, kw_only=True, omit_defaults=True):
    """Usage of one model within a span and how its cost was found (reported | computed | unpriced).

    computed_cost_usd: what the price table says, beside a reported cost.
    """

    cost_source: str
    model: str | None = None
    provider: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: float | None = None
    price_id: str | None = None
    price_date: str | None = None
    computed_cost_usd: float | None = None


class SpanDetail(Struct, kw_only=True):
    """Everything about one span."""

    run_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    kind: str
    status: str
    start_time: str
    end_time: str | None
    duration_ms: float | None
    agent: str | None
    session_id: str | None
    user_id: str | None
    tags: list[str]
    model: str | None
    provider: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None
    cost_source: str | None
    error_type: str | None
    error_message: str | None
    error_stack: str | None
    reason: str | None
    task_id: str | None
    attempt: int | None
    service: str | None
    scope: str | None
    producer_id: str | None
    input: Payload | None
    output: Payload | None
    attributes: Raw | None
    usage: list[UsageItem]
    links: Raw | None
    events: list[EventItem]
    tool: str | None = None
    request_model: str | None = None
    response_id: str | None = None
    time_to_first_token_ms: float | None = None
    messages: Conversation | None = None
    not_counted: NotCounted | None = None
    problems: list[str] = []  # what was wrong with the span as it was sent, and what was done about it


class SqlRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A query. sql: one SELECT statement. limit: rows at most."""

    sql: str
    limit: int | None = None


class SqlColumn(Struct, kw_only=True):
    """A result column: its name and DuckDB type."""

    name: str
    type: str


class SqlResult(Struct, kw_only=True):
    """A query's answer. truncated: there were more rows than the limit."""

    columns: list[SqlColumn]
    rows: list[list[Any]]
    truncated: bool
    elapsed_ms: float


class SchemaColumn(Struct, kw_only=True):
    """A documented column of a public table or view."""

    name: str
    type: str
    unit: str | None
    description: str


class SchemaTable(Struct, kw_only=True):
    """A public table or view."""

    name: str
    description: str
    columns: list[SchemaColumn]


class Schema(Struct, kw_only=True):
    """The public SQL schema."""

    tables: list[SchemaTable]


class LiveHello(Struct, kw_only=True):
    """First message of the live stream. now: the collector's clock. behind: messages that were missed and follow."""

    version: str
    now: str
    behind: int = 0


class LiveRuns(Struct, kw_only=True):
    """`runs` message: runs that changed, whole summaries; replace what is held under the same run_id."""

    runs: list[RunSummary]


class LiveSpans(Struct, kw_only=True):
    """`spans` message: spans of the followed run that started or ended; replace by span_id."""

    run_id: str
    origin: str
    spans: list[SpanSkeleton]


class LiveEvents(Struct, kw_only=True):
    """`events` message: new events of the followed run."""

    run_id: str
    events: list[EventItem]


class Problem(Struct, kw_only=True, omit_defaults=True):
    """An error answer, RFC 9457 problem details. field, value, limit, remedy, legal (the commands that a task allows
    now), position and end (the characters of a search that are wrong, counted from 0) are extensions."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    field: str | None = None
    value: Any = None
    limit: Any = None
    remedy: str | None = None
    legal: list[str] | None = None
    position: int | None = None
    end: int | None = None
