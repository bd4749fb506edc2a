"""Query parameters, described by msgspec structs: parsed here, listed in /openapi.json from the same definition."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct
from starlette.datastructures import QueryParams

from milepost.wire import SPAN_STATUSES
from milepost_collector.errors import InvalidParameterError
from milepost_collector.protocol.search.parser import MAX_CHARACTERS
from milepost_collector.protocol.search.values import LATEST_NS
from milepost_collector.protocol.timestamps import ns_from_text
from milepost_collector.traces.queries.events import MAX_LIMIT as MAX_EVENTS
from milepost_collector.traces.queries.facets import FACETS, MAX_VALUES
from milepost_collector.traces.queries.filters import MAX_LIMIT as MAX_RUNS
from milepost_collector.traces.queries.filters import SORT_KEYS, RunFilter
from milepost_collector.traces.queries.histogram import MAX_BUCKETS
from milepost_collector.traces.queries.search import Search
from milepost_collector.traces.queries.search_spans import MAX_SPANS
from milepost_collector.traces.queries.sessions import SESSION_SORT_KEYS
from milepost_collector.traces.queries.turns import MAX_TURNS

Parameters = TypeVar("Parameters", bound=Struct)

MAX_PAYLOAD_LIMIT = 64 * 1024 * 1024

_Cursor = Annotated[str, Meta(description="`next_cursor` of the page before.", max_length=1000)]
_Live = Annotated[
    bool,
    Meta(description="1: name in the header Milepost-Live-Position where GET /api/live resumes after this answer."),
]
_Id = re.compile(r"[0-9a-f]+")


class NarrowingParameters(Struct, kw_only=True, rename={"since": "from", "until": "to"}):
    """What runs may be narrowed to."""

    status: Annotated[
        list[str], Meta(description=f"Any of these statuses; may be repeated: {', '.join(SPAN_STATUSES)}.")
    ] = []
    name: Annotated[str, Meta(description="The run's name.")] | None = None
    agent: Annotated[str, Meta(description="The agent's name.")] | None = None
    session: Annotated[str, Meta(description="The session's id.")] | None = None
    user: Annotated[str, Meta(description="The user's id.")] | None = None
    tag: Annotated[str, Meta(description="A tag of any of the run's spans.")] | None = None
    since: Annotated[str, Meta(description="Started at or after: ISO 8601, `now` or `now-24h`.")] | None = None
    until: Annotated[str, Meta(description="Started before: ISO 8601, `now` or `now-24h`.")] | None = None
    min_duration_ms: Annotated[float, Meta(description="Took at least so long.", ge=0)] | None = None
    min_cost_usd: Annotated[float, Meta(description="Cost at least so much.", ge=0)] | None = None
    text: (
        Annotated[
            str, Meta(description="Part of a name, input, output, error or attribute of any span, letter for letter.")
        ]
        | None
    ) = None
    q: Annotated[str, Meta(description='A search, as `status:failed cost>0.05 "connection refused"`.')] | None = None

    def to_filter(self, *, now_ns: int, **paging: Any) -> RunFilter:
        """Return the request for the queries. paging: sort, cursor and limit.

        Raises:
            InvalidParameterError: a status, a time, the search or the sort key is not valid.
        """
        search = Search.read(self.q, now_ns=now_ns) if self.q else None
        since, until = search.window() if search else (None, None)
        for status in self.status:
            if status not in SPAN_STATUSES:
                raise InvalidParameterError("status", status, f"use one of {', '.join(SPAN_STATUSES)}")
        return RunFilter(
            statuses=tuple(sorted(set(self.status))),
            name=self.name,
            agent=self.agent,
            session=self.session,
            user=self.user,
            tag=self.tag,
            since_ns=max(_known(instant("from", self.since, now_ns), since), default=None),
            until_ns=min(_known(instant("to", self.until, now_ns), until), default=None),
            min_duration_ms=self.min_duration_ms,
            min_cost_usd=self.min_cost_usd,
            text=self.text,
            search=search,
            **paging,
        )


class RunsParameters(NarrowingParameters, kw_only=True):
    """What a list of runs may be narrowed to, and which page of it."""

    sort: Annotated[
        str, Meta(description=f"One of {', '.join(SORT_KEYS)}; with a leading - the largest come first.")
    ] = "-start_time"
    cursor: _Cursor | None = None
    limit: Annotated[int, Meta(description="Runs at most.", ge=1, le=MAX_RUNS)] = 50
    live: _Live = False


class SessionsParameters(NarrowingParameters, kw_only=True):
    """Of which runs sessions are listed, and which page of them."""

    sort: Annotated[
        str, Meta(description=f"One of {', '.join(SESSION_SORT_KEYS)}; with a leading - the largest come first.")
    ] = "-last_time"
    cursor: _Cursor | None = None
    limit: Annotated[int, Meta(description="Sessions at most.", ge=1, le=MAX_RUNS)] = 50


class HistogramParameters(NarrowingParameters, kw_only=True):
    """Which runs are counted, and how finely."""

    buckets: Annotated[int, Meta(description="Buckets at most.", ge=1, le=MAX_BUCKETS)] = 60


class FacetParameters(NarrowingParameters, kw_only=True):
    """Of which runs values are counted, and which values."""

    field: Annotated[
        list[str], Meta(description=f"Any of these facets, else all; may be repeated: {', '.join(FACETS)}.")
    ] = []
    limit: Annotated[int, Meta(description="Values of each facet at most.", ge=1, le=MAX_VALUES)] = 10


class SpanSearchParameters(Struct, kw_only=True):
    """What is searched for in a run."""

    q: Annotated[str, Meta(description="A search, as `kind:llm cost>0.05`; all of it is about single spans.")] = ""
    limit: Annotated[int, Meta(description="Span ids at most.", ge=1, le=MAX_SPANS)] = 10_000


class ArgumentParameters(Struct, kw_only=True):
    """Which spans are asked about."""

    span_id: Annotated[list[str], Meta(description="A span of the run; repeated for several.")] = []


class CompleteParameters(Struct, kw_only=True):
    """A search that is being typed."""

    q: Annotated[str, Meta(description="The search so far; need not be valid.", max_length=MAX_CHARACTERS)] = ""
    at: Annotated[int, Meta(description="Where the cursor is, in characters; the end if left out.", ge=0)] | None = None
    limit: Annotated[int, Meta(description="Recorded values at most.", ge=1, le=MAX_VALUES)] = 10


class EventsParameters(Struct, kw_only=True):
    """What a list of events may be narrowed to."""

    kind: Annotated[str, Meta(description="checkpoint, log, exception, progress, score, feedback or event.")] | None = (
        None
    )
    span_id: Annotated[str, Meta(description="Events of this span only.")] | None = None
    cursor: _Cursor | None = None
    limit: Annotated[int, Meta(description="Events at most.", ge=1, le=MAX_EVENTS)] = 200
    live: _Live = False


class RunParameters(Struct, kw_only=True):
    """What comes beside a run."""

    live: _Live = False


class MessagesParameters(Struct, kw_only=True):
    """Which page of a conversation, and how much of each message."""

    cursor: _Cursor | None = None
    limit: Annotated[int, Meta(description="Turns at most.", ge=1, le=MAX_TURNS)] = 200
    payload_limit: Annotated[
        int,
        Meta(description="Bytes up to which a message or captured value is given whole.", ge=0, le=MAX_PAYLOAD_LIMIT),
    ] = 16_384


class SpanParameters(Struct, kw_only=True):
    """How a span is found and how much of it is answered."""

    run_id: Annotated[str, Meta(description="The span's run; makes the search fast.")] | None = None
    payload_limit: Annotated[
        int,
        Meta(description="Bytes up to which input and output are given whole, beyond it their head.", ge=0,
             le=MAX_PAYLOAD_LIMIT),
    ] = 262_144  # fmt: skip


class LiveParameters(Struct, kw_only=True):
    """What a live stream tells about."""

    runs: Annotated[bool, Meta(description="1: tell about every run's summary.")] = False
    run_id: Annotated[str, Meta(description="Tell about this run's spans and events.")] | None = None
    tasks: Annotated[bool, Meta(description="1: tell about every transition of a managed task.")] = False
    asks: Annotated[bool, Meta(description="1: tell everything that happens to asks, of tasks and of runs.")] = False
    follow: Annotated[
        bool, Meta(description="0: tell what was missed since last_event_id and end, for readers that ask again.")
    ] = True
    last_event_id: (
        Annotated[
            str, Meta(description="Where to resume, as the header Last-Event-ID says it, which wins.", max_length=100)
        ]
        | None
    ) = None


def parse(query: QueryParams, wanted: type[Parameters]) -> Parameters:
    """Read query parameters. A parameter without a value counts as absent.

    Raises:
        InvalidParameterError: a parameter is unknown or its value not allowed.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    values: dict[str, Any] = {}
    for name in query:
        if name not in fields:
            raise InvalidParameterError(name, query[name], f"this parameter is unknown; there are {', '.join(fields)}")
        given = [value for value in query.getlist(name) if value]
        if given:
            values[fields[name].name] = _converted(fields[name], given)
    return wanted(**values)


def checked_id(name: str, value: str, digits: int) -> str:
    """Return an id in lower case.

    Raises:
        InvalidParameterError: it is not `digits` hexadecimal digits.
    """
    lower = value.lower()
    if len(lower) != digits or not _Id.fullmatch(lower):
        raise InvalidParameterError(name, value, f"use {digits} hexadecimal digits")
    return lower


def _known(*instants: int | None) -> list[int]:
    return [one for one in instants if one is not None]


def _converted(field: msgspec.structs.FieldInfo, given: list[str]) -> Any:
    repeatable = field.default_factory is list
    try:
        return msgspec.convert(given if repeatable else given[-1], field.type, strict=False)
    except msgspec.ValidationError as error:
        reason = str(error)
        raise InvalidParameterError(field.encode_name, given[-1], reason[0].lower() + reason[1:]) from error


def instant(name: str, text: str | None, now_ns: int) -> int | None:
    """Return a time in nanoseconds since the Unix epoch.

    Raises:
        InvalidParameterError: it is no time.
    """
    if text is None:
        return None
    try:
        return min(ns_from_text(text, now_ns=now_ns), LATEST_NS)
    except ValueError as error:
        raise InvalidParameterError(name, text, "use an ISO 8601 time, now, or now-24h (s, m, h, d, w)") from error
