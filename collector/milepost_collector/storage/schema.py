"""The public SQL schema: what every column of every table and view means. A test compares it with the database."""

from __future__ import annotations

from functools import cache

from milepost_collector.protocol.api import Schema, SchemaColumn, SchemaTable

# A column means the same wherever its name appears; where it does not, the table says so. name: (type, unit, meaning)
_COLUMNS: dict[str, tuple[str, str | None, str]] = {
    "run_id": ("VARCHAR", None, "The run's id: its OpenTelemetry trace id, 32 hexadecimal digits."),
    "span_id": ("VARCHAR", None, "The span's id, 16 hexadecimal digits; unique within its run."),
    "parent_span_id": ("VARCHAR", None, "The span it belongs under; NULL for the run's root."),
    "name": ("VARCHAR", None, "The name its code gave it."),
    "kind": ("VARCHAR", None, "agent, task, llm, tool, retrieval, embedding, chain, http or another word."),
    "status": ("VARCHAR", None, "running, completed, failed, skipped, cancelled, or lost (its process went away)."),
    "start_time": ("TIMESTAMP_NS", "UTC", "When it started."),
    "end_time": ("TIMESTAMP_NS", "UTC", "When it ended; NULL while it runs."),
    "duration_ms": ("DOUBLE", "ms", "Time from start to end; NULL while it runs."),
    "agent": ("VARCHAR", None, "The agent that did it."),
    "session_id": ("VARCHAR", None, "The conversation or job that several runs belong to."),
    "user_id": ("VARCHAR", None, "The person it was done for."),
    "tags": ("VARCHAR[]", None, "Words it was marked with."),
    "task_id": ("VARCHAR", None, "The managed task the run is an attempt of."),
    "attempt": ("INTEGER", None, "Which attempt of the managed task, from 1."),
    "model": ("VARCHAR", None, "The model that was called; the first one when there were several."),
    "provider": ("VARCHAR", None, "Who serves the model: openai, anthropic and so on."),
    "input_tokens": ("BIGINT", "tokens", "All tokens sent, cached ones included; NULL when none were reported."),
    "output_tokens": ("BIGINT", "tokens", "All tokens received, reasoning included; NULL when none were reported."),
    "cache_read_tokens": ("BIGINT", "tokens", "Of the input tokens, those read from the provider's cache."),
    "cache_write_tokens": ("BIGINT", "tokens", "Of the input tokens, those written to the provider's cache."),
    "reasoning_tokens": ("BIGINT", "tokens", "Of the output tokens, those spent on reasoning."),
    "cost_usd": ("DOUBLE", "USD", "Cost as reported, or computed from the price table; NULL when unknown."),
    "cost_source": ("VARCHAR", None, "Where the cost is from: reported, computed, or unpriced: no price is known."),
    "error_type": ("VARCHAR", None, "The exception's class or the error's code."),
    "error_message": ("VARCHAR", None, "The error's text."),
    "error_stack": ("VARCHAR", None, "The error's traceback."),
    "reason": ("VARCHAR", None, "Why it was skipped or cancelled."),
    "input": ("JSON", None, "What it was given."),
    "output": ("JSON", None, "What it returned."),
    "attributes": ("JSON", None, "Everything else, by OpenTelemetry's names; what repeats, by reference."),
    "usage": ("JSON", None, "Tokens and cost by model, a list; the token and cost columns are its sums."),
    "links": ("JSON", None, "References to other spans: a list of run_id, span_id and attributes."),
    "service": ("VARCHAR", None, "The service its process belongs to."),
    "scope": ("VARCHAR", None, "The instrumentation library that recorded it; NULL for Milepost's own."),
    "producer_id": ("VARCHAR", None, "The process that sent it."),
    "commit_id": ("BIGINT", None, "Order of arrival: spans stored together have the same number."),
    "time": ("TIMESTAMP_NS", "UTC", "When it happened."),
    "severity": ("VARCHAR", None, "A log's level: trace, debug, info, warn, error or fatal."),
    "message": ("VARCHAR", None, "A log's, exception's or progress report's text."),
    "fraction": ("DOUBLE", "0 to 1", "Progress made."),
    "body": ("JSON", None, "A checkpoint's state, or the structured part of a log or event."),
    "sequence": ("BIGINT", None, "The number of the batch among those of its producer, from 0."),
    "batch_index": ("INTEGER", None, "Its place in the batch, from 0."),
    "models": ("VARCHAR[]", None, "The models that were called, in alphabetical order."),
    "span_count": ("BIGINT", "spans", "All spans of the run, running ones included."),
    "live_span_count": ("BIGINT", "spans", "Spans that run."),
    "task_count": ("BIGINT", "spans", "Spans of kind task."),
    "llm_call_count": ("BIGINT", "spans", "Calls of models: spans of kind llm, and tasks that recorded usage."),
    "tool_call_count": ("BIGINT", "spans", "Spans of kind tool."),
    "error_count": ("BIGINT", "spans", "Spans that failed."),
    "unpriced_count": ("BIGINT", "spans", "Spans whose model has no known price; cost_usd is too low by theirs."),
    "state": ("JSON", None, "The state that was saved."),
    "first_seen": ("TIMESTAMP_NS", "UTC", "When its first batch arrived."),
    "service_name": ("VARCHAR", None, "The service it belongs to."),
    "service_version": ("VARCHAR", None, "The service's version."),
    "host_name": ("VARCHAR", None, "The machine it runs on."),
    "process_id": ("BIGINT", None, "Its number on that machine."),
    "sdk_name": ("VARCHAR", None, "What it sends with."),
    "sdk_version": ("VARCHAR", None, "The version of what it sends with."),
    "runtime": ("VARCHAR", None, "The interpreter and its version."),
    "digest": ("VARCHAR", None, "Digest of an OTLP request's body, by which it is known; NULL for Milepost's own."),
    "received_at": ("TIMESTAMP_NS", "UTC", "When the batch arrived."),
    "accepted": ("INTEGER", "events", "Events of the batch that were stored."),
    "rejected": ("INTEGER", "events", "Events of the batch that were refused."),
    "dropped": ("BIGINT", "events", "Events the producer had had to drop since it started."),
    "closing": ("BOOLEAN", None, "Whether the producer said that it goes away."),
    "event": ("VARCHAR", None, "The event as it was sent, cut when long."),
    "score_id": ("VARCHAR", None, "The score; the same id is the same score."),
    "label": ("VARCHAR", None, "The verdict in a word, as `relevant`."),
    "explanation": ("VARCHAR", None, "Why."),
    "source": ("VARCHAR", None, "Who judged: human, llm or code."),
    "feedback_id": ("VARCHAR", None, "The feedback; the same id is the same feedback."),
    "rating": ("INTEGER", None, "From 1 to 5, which is best."),
    "issues": ("VARCHAR[]", None, "What was wrong, by name."),
    "event_id": ("VARCHAR", None, "Digest of what OpenTelemetry sent; NULL for Milepost's own events."),
    "tool": ("VARCHAR", None, "The tool that was called."),
    "request_model": ("VARCHAR", None, "The model that was asked for; `model` is the one that answered."),
    "response_id": ("VARCHAR", None, "The provider's id of the answer."),
    "time_to_first_token_ms": ("DOUBLE", "ms", "From the start to the first piece of a streamed answer."),
    "message_id": ("VARCHAR", None, "Digest of a chat message's role and parts, 32 hexadecimal digits."),
    "role": ("VARCHAR", None, "Who speaks: system, user, assistant, tool or another word."),
    "text": ("VARCHAR", None, "What can be read of the message, for searching."),
    "parts": ("JSON", None, "The message's parts: objects with a type (text, reasoning, tool_call, tool_result …)."),
    "direction": ("VARCHAR", None, "input: what the model was sent; output: what it answered."),
    "position": ("BIGINT", None, "The message's place among those of its call and direction, from 1."),
    "input_ids": ("VARCHAR[]", None, "The messages the model was sent, in order."),
    "output_ids": ("VARCHAR[]", None, "The messages it answered, in order."),
    "of_span_id": ("VARCHAR", None, "The span that is counted instead; NULL when there are several."),
    "linked_run_id": ("VARCHAR", None, "The run that the span links to."),
    "unit": ("VARCHAR", None, "The metric's unit (UCUM)."),
    "temporality": ("VARCHAR", None, "delta or cumulative; NULL for gauges."),
    "monotonic": ("BOOLEAN", None, "Whether a sum only grows."),
    "value": ("DOUBLE", None, "A gauge's or sum's value, in the metric's unit."),
    "count": ("BIGINT", None, "How many values a histogram or summary has."),
    "sum": ("DOUBLE", "the metric's", "Their sum."),
    "min": ("DOUBLE", "the metric's", "The smallest of them."),
    "max": ("DOUBLE", "the metric's", "The largest of them."),
    "buckets": ("JSON", None, "A histogram's bounds and counts, or a summary's quantiles."),
    "description": ("VARCHAR", None, "What the metric measures."),
    "point_id": ("VARCHAR", None, "Digest of the data point."),
    "call_count": ("BIGINT", "spans", "How many spans."),
    "first_time": ("TIMESTAMP_NS", "UTC", "When the first of them started."),
    "last_time": ("TIMESTAMP_NS", "UTC", "When the last of them started."),
    "type": ("VARCHAR", None, "manual, scheduled (a schedule made it) or triggered."),
    "priority": ("VARCHAR", None, "low, medium, high or urgent."),
    "team": ("VARCHAR", None, "The team it is for, if it is for one."),
    "app": ("VARCHAR", None, "The application that it belongs to."),
    "key": ("VARCHAR", None, "What it is limited by together with others: tasks with the same key."),
    "failures": ("INTEGER", "attempts", "Attempts that failed in their code since it was last run or retried."),
    "losses": ("INTEGER", "attempts", "Attempts whose worker was lost since then."),
    "created_at": ("TIMESTAMP_NS", "UTC", "When it was created."),
    "created_by": ("VARCHAR", None, "Who created it."),
    "run_at": ("TIMESTAMP_NS", "UTC", "Not before then it was to run."),
    "started_at": ("TIMESTAMP_NS", "UTC", "When its code began; NULL before."),
    "finished_at": ("TIMESTAMP_NS", "UTC", "When it was completed, failed or cancelled; NULL before."),
    "waiting_ms": ("DOUBLE", "ms", "Time from its creation, or from `run_at` if that is later, to `started_at`."),
    "deadline": ("TIMESTAMP_NS", "UTC", "By when it had to be finished."),
    "schedule_id": ("VARCHAR", None, "The schedule that made it."),
    "schedule_name": ("VARCHAR", None, "The schedule's name at that time."),
    "scheduled_for": ("TIMESTAMP_NS", "UTC", "The schedule's instant that it was made for."),
    "origin_run_id": ("VARCHAR", None, "The run that created it."),
    "worker_id": ("VARCHAR", None, "The worker: one process that serves the agent."),
    "leased_at": ("TIMESTAMP_NS", "UTC", "When a worker was given it."),
    "ended_at": ("TIMESTAMP_NS", "UTC", "When it ended; NULL while it runs."),
    "retry_at": ("TIMESTAMP_NS", "UTC", "When the next attempt was due, if there was to be one."),
    "summary": ("VARCHAR", None, "What the result says in short, if it does."),
    "insights": ("VARCHAR[]", None, "What was found out, as the result says."),
    "recommendations": ("VARCHAR[]", None, "What is to be done about it, as the result says."),
    "version": ("INTEGER", None, "The version."),
    "content_type": ("VARCHAR", None, "The media type of its content."),
    "size_bytes": ("BIGINT", "bytes", "The size of its content."),
    "sha256": ("VARCHAR", None, "The SHA-256 of its content, 64 hexadecimal digits."),
    "steps_reused": ("INTEGER", "steps", "Steps whose results it took from earlier attempts."),
    "checkpoint_count": ("INTEGER", "checkpoints", "States it saved."),
    "from_status": ("VARCHAR", None, "The task's status before; NULL when it was created."),
    "to_status": ("VARCHAR", None, "The task's status after."),
    "by": ("VARCHAR", None, 'Who did it, if a person or program asked for it. In SQL to be quoted: "by".'),
    "nominal": ("TIMESTAMP_NS", "UTC", "The instant, as the schedule's cadence has it."),
    "recorded_at": ("TIMESTAMP_NS", "UTC", "When that was decided."),
}  # fmt: skip

_IDS = "run_id span_id parent_span_id"
_TIMES = "start_time end_time duration_ms"
_TOKENS = "input_tokens output_tokens cache_read_tokens cache_write_tokens reasoning_tokens"
_SPAN = (
    f"{_IDS} name kind status {_TIMES} agent session_id user_id tags task_id attempt model provider {_TOKENS} cost_usd "
    "cost_source error_type error_message error_stack reason input output attributes usage links service scope "
    "producer_id tool request_model response_id time_to_first_token_ms commit_id"
)
_RUN_WORDS = {
    "name": "The root span's name; without a root the first span's.",
    "status": "The root span's status; without a root the first span's once nothing of the run runs.",
    "start_time": "When the root started; without a root, when the first span did.",
    "end_time": "When the root ended; without a root, when the last span did. NULL while it runs.",
    "error_type": "The root's error.",
    "error_message": "The text of the root's error.",
    "tags": "Words any of its spans was marked with, in alphabetical order.",
    "input_tokens": "Sum over the run's spans, without those that repeat others (`uncounted`).",
    "output_tokens": "Sum over the run's spans, without those that repeat others.",
    "cache_read_tokens": "Sum over the run's spans.",
    "cache_write_tokens": "Sum over the run's spans.",
    "reasoning_tokens": "Sum over the run's spans.",
    "cost_usd": "Sum over the run's spans, without those that repeat others; NULL when no cost is known.",
}

# name: (meaning, columns in order, meanings that differ here)
_TABLES: dict[str, tuple[str, str, dict[str, str]]] = {
    "runs": (
        "One row per run: its root span's facts and the sums over all its spans.",
        f"run_id name status {_TIMES} agent service session_id user_id tags models span_count live_span_count "
        f"task_count llm_call_count tool_call_count error_count {_TOKENS} cost_usd unpriced_count error_type "
        "error_message task_id attempt",
        _RUN_WORDS,
    ),
    "tasks": (
        "Spans of kind task: the steps that the agent's code marks.",
        f"{_IDS} name status {_TIMES} agent session_id user_id tags model provider {_TOKENS} cost_usd cost_source "
        "error_type error_message reason input output attributes",
        {},
    ),
    "llm_calls": (
        "Calls of language models, each once: spans of kind llm, and tasks that recorded usage themselves, without "
        "those that repeat another (`uncounted`).",
        f"{_IDS} name status {_TIMES} agent session_id user_id model request_model provider {_TOKENS} cost_usd "
        "cost_source time_to_first_token_ms error_type error_message input output attributes",
        {
            "input": "What it was given, unless that is chat messages: those are in `llm_messages`.",
            "output": "What it returned, unless that is chat messages: those are in `llm_messages`.",
        },
    ),
    "tool_calls": (
        "Spans of kind tool.",
        f"{_IDS} name tool status {_TIMES} agent session_id user_id error_type error_message input output attributes",
        {},
    ),
    "checkpoints": (
        "States saved during runs.",
        "run_id span_id time name state attributes",
        {"name": "The checkpoint's name.", "span_id": "The span that saved it."},
    ),
    "scores": (
        "Judgements of runs, spans and tasks by a measure: by code, models and people.",
        "score_id run_id span_id task_id time name value label explanation source by attributes",
        {
            "span_id": "The span that was judged; NULL when it is the run as a whole.",
            "task_id": "The managed task that was judged, if one was.",
            "time": "When it was judged.",
            "name": "The measure.",
            "value": "The figure, on the measure's own scale.",
            "by": 'Who or what judged. In SQL to be quoted: "by".',
        },
    ),
    "feedback": (
        "What people think of runs, spans and tasks.",
        "feedback_id run_id span_id task_id time rating text issues by",
        {
            "span_id": "The span it is about; NULL when it is the run as a whole.",
            "task_id": "The managed task it is about, if it is about one.",
            "time": "When it was given.",
            "text": "What was written.",
            "by": 'Who said so. In SQL to be quoted: "by".',
        },
    ),
    "errors": (
        "Spans that failed.",
        f"{_IDS} name kind time agent error_type error_message error_stack attributes",
        {"time": "When the span ended."},
    ),
    "managed_tasks": (
        "One row per task that was handed to the controller, as it stands. Tasks that were deleted stay, with the "
        "status `deleted`; those whose time in the controller is over stay as they were.",
        "task_id name type status priority agent team app key tags attempt failures losses created_at created_by "
        "run_at started_at finished_at duration_ms waiting_ms deadline error_type error_message reason schedule_id "
        "scheduled_for origin_run_id input_tokens output_tokens cost_usd",
        {
            "task_id": "The task's id.",
            "name": "What is to be done; agents handle tasks by their names.",
            "status": "pending, blocked, assigned, in_progress, review, paused, completed, failed, cancelled, deleted.",
            "agent": "The agent it is for; NULL when it is for a team, for several agents or for any.",
            "attempt": "How many attempts there have been.",
            "started_at": "When a worker was first given it; NULL before.",
            "duration_ms": "Time from `started_at` to `finished_at`.",
            "error_type": "The error it failed with.",
            "reason": "Why it was cancelled, paused or given up.",
            "input_tokens": "Sum over the runs of its attempts.",
            "output_tokens": "Sum over the runs of its attempts.",
            "cost_usd": "Sum over the runs of its attempts; NULL when no cost is known.",
        },
    ),
    "attempts": (
        "Every attempt of a managed task, running ones included. Each is a run.",
        "task_id attempt run_id agent worker_id status leased_at started_at ended_at duration_ms retry_at steps_reused "
        "checkpoint_count error_type error_message reason summary insights recommendations input_tokens output_tokens "
        "cost_usd",
        {
            "task_id": "The managed task.",
            "attempt": "Which attempt of the task, from 1.",
            "run_id": "The run it is recorded as.",
            "agent": "The agent whose worker was given it.",
            "status": "running, completed, failed, cancelled, lost (its worker went away) or paused.",
            "started_at": "When its code began; NULL when it did not.",
            "duration_ms": "Time from `started_at`, or from `leased_at` without one, to `ended_at`.",
            "reason": "Why it was cancelled, paused or given up.",
            "input_tokens": "Sum over the run.",
            "output_tokens": "Sum over the run.",
            "cost_usd": "Sum over the run; NULL when no cost is known.",
        },
    ),
    "task_transitions": (
        "Every change of a managed task's status, and what else happened to it.",
        "sequence task_id time event from_status to_status attempt agent worker_id by reason",
        {
            "sequence": "Its number among the controller's transitions; it rises with time.",
            "task_id": "The managed task.",
            "event": "What happened: created, leased, started, completed, failed, requeued, cancelled and so on.",
            "attempt": "The attempt it is about, if it is about one.",
            "reason": "Why.",
        },
    ),
    "schedule_instants": (
        "Every instant of a schedule that passed, and what became of it.",
        "schedule_id schedule_name nominal status recorded_at task_id reason",
        {
            "schedule_id": "The schedule.",
            "status": "fired (in time), late (made up for), skipped, missed, queued (waits for the task before it) or "
            "backfilled (asked for afterwards).",
            "task_id": "The managed task that was made for it.",
            "reason": "Why it was skipped, missed or late.",
        },
    ),
    "deliverables": (
        "Every version of what tasks and runs handed over; also of contents that have been removed since.",
        "task_id run_id attempt span_id name version type content_type size_bytes sha256 created_at agent by",
        {
            "task_id": "The managed task; NULL if a run of its own handed it over.",
            "run_id": "The run that attached it; NULL if a person did.",
            "attempt": "The attempt that attached it.",
            "span_id": "The span in which it was attached.",
            "name": "Its name.",
            "version": "Counted from 1 for every name.",
            "type": "What kind of thing it is, as `report`.",
            "created_at": "When it was attached.",
            "agent": "The agent that attached it.",
            "by": "The person who attached it.",
        },
    ),
    "spans": (
        "One row per span that has ended.",
        _SPAN,
        {"end_time": "When it ended.", "duration_ms": "Time from start to end."},
    ),
    "live_spans": (
        "Spans that have started and not ended.",
        f"{_IDS} name kind start_time agent session_id user_id tags task_id attempt input attributes links service "
        "scope producer_id",
        {},
    ),
    "all_spans": ("Rows of spans and live_spans together; columns a running span cannot have are NULL.", _SPAN, {}),
    "events": (
        "What happened at one instant of a run: checkpoints, logs, exceptions, progress, scores, feedback.",
        "run_id span_id time kind name severity message fraction body attributes producer_id sequence batch_index "
        "event_id",
        {
            "span_id": "The span it happened in; NULL when it belongs to the run as a whole.",
            "run_id": "The run it belongs to; NULL for a log record outside of any.",
            "sequence": "The number of the batch among those of its producer; NULL for what came by OTLP.",
            "kind": "checkpoint, log, exception, progress, score, feedback or event.",
            "name": "The checkpoint's, phase's, score's, exception type's or event's own name.",
        },
    ),
    "producers": (
        "One row per process that ever sent something.",
        "producer_id first_seen service_name service_version host_name process_id sdk_name sdk_version runtime "
        "attributes",
        {"producer_id": "The process; made anew at every start.", "attributes": "What else its resource says."},
    ),
    "batches": (
        "One row per stored batch.",
        "producer_id sequence digest received_at accepted rejected dropped closing",
        {"sequence": "Its number among those of its producer, from 0; NULL for an OTLP request."},
    ),
    "rejected": (
        "Events that could not be stored, with the reason.",
        "received_at producer_id sequence batch_index reason event event_id",
        {"reason": "Why it was refused."},
    ),
    "messages": ("Every distinct chat message, once.", "message_id role text parts", {}),
    "llm_messages": (
        "The chat messages of every span that has any, in order.",
        "run_id span_id direction position message_id role text parts",
        {},
    ),
    "conversations": ("The ids of every span's chat messages.", "run_id span_id input_ids output_ids", {}),
    "uncounted": (
        "Spans whose usage repeats that of others; sums of runs leave it out.",
        f"run_id span_id of_span_id reason start_time llm_call_count {_TOKENS} cost_usd unpriced_count",
        {
            "reason": "Why it is not counted.",
            "llm_call_count": "1 if it looks like a call of a model, else 0.",
            "unpriced_count": "1 if its model has no known price, else 0.",
        },
    ),
    "unpriced_models": (
        "Models that the price table does not know; their calls are missing from every cost.",
        "model provider call_count input_tokens output_tokens first_time last_time",
        {"input_tokens": "Sum over the calls.", "output_tokens": "Sum over the calls."},
    ),
    "run_links": ("Links from spans to other runs.", "run_id span_id linked_run_id", {}),
    "metrics": (
        "Data points of OpenTelemetry metrics.",
        "time start_time name kind unit temporality monotonic value count sum min max buckets attributes description "
        "service scope producer_id point_id",
        {
            "start_time": "When the measured interval began.",
            "name": "The metric's name.",
            "kind": "gauge, sum, histogram, exponential_histogram or summary.",
        },
    ),
}


@cache
def public_schema() -> Schema:
    """Return every public table and view with its columns, units and meanings."""
    return Schema(tables=[_table(name, *described) for name, described in _TABLES.items()])


def schema_markdown() -> str:
    """Return the schema as Markdown: a heading and a table of columns for each."""
    return "\n".join(_markdown(table) for table in public_schema().tables)


def _table(name: str, description: str, columns: str, words: dict[str, str]) -> SchemaTable:
    return SchemaTable(
        name=name, description=description, columns=[_column(column, words.get(column)) for column in columns.split()]
    )


def _column(name: str, meaning: str | None) -> SchemaColumn:
    kind, unit, usual = _COLUMNS[name]
    return SchemaColumn(name=name, type=kind, unit=unit, description=meaning or usual)


def _markdown(table: SchemaTable) -> str:
    rows = [
        f"| `{column.name}` | {column.type} | {column.unit or ''} | {column.description} |" for column in table.columns
    ]
    head = [
        f"#### `{table.name}`",
        "",
        table.description,
        "",
        "| column | type | unit | meaning |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])
