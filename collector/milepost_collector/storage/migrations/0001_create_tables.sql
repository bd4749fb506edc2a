-- The first layout: facts only, appended and never updated, plus the small table of what is running.

-- One row per span that ended (or was closed as lost). duration_ms costs nothing on disk. What was captured is most of a
-- file, and half as large with zstd as with what DuckDB would choose.
CREATE TABLE spans (
    run_id VARCHAR NOT NULL,
    span_id VARCHAR NOT NULL,
    parent_span_id VARCHAR,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    start_time TIMESTAMP_NS NOT NULL,
    end_time TIMESTAMP_NS NOT NULL,
    duration_ms DOUBLE GENERATED ALWAYS AS ((epoch_ns(end_time) - epoch_ns(start_time)) / 1e6) VIRTUAL,
    agent VARCHAR,
    session_id VARCHAR,
    user_id VARCHAR,
    tags VARCHAR[],
    task_id VARCHAR,
    attempt INTEGER,
    model VARCHAR,
    provider VARCHAR,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_write_tokens BIGINT,
    reasoning_tokens BIGINT,
    cost_usd DOUBLE,
    cost_source VARCHAR,
    error_type VARCHAR,
    error_message VARCHAR,
    error_stack VARCHAR,
    reason VARCHAR,
    input JSON USING COMPRESSION zstd,
    output JSON USING COMPRESSION zstd,
    attributes JSON USING COMPRESSION zstd,
    usage JSON,
    links JSON,
    service VARCHAR,
    scope VARCHAR,
    producer_id VARCHAR,
    tool VARCHAR,
    request_model VARCHAR,
    response_id VARCHAR,
    time_to_first_token_ms DOUBLE,
    commit_id BIGINT NOT NULL -- order of arrival
);

-- Spans that started and have not ended. Rows leave when the end arrives or the producer is given up.
CREATE TABLE live_spans (
    run_id VARCHAR NOT NULL,
    span_id VARCHAR NOT NULL,
    parent_span_id VARCHAR,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    start_time TIMESTAMP_NS NOT NULL,
    agent VARCHAR,
    session_id VARCHAR,
    user_id VARCHAR,
    tags VARCHAR[],
    task_id VARCHAR,
    attempt INTEGER,
    input JSON,
    attributes JSON,
    links JSON,
    service VARCHAR,
    scope VARCHAR,
    producer_id VARCHAR
);

-- Events of an OpenTelemetry span come and go with the span: they have neither a sequence nor an event_id.
CREATE TABLE events (
    run_id VARCHAR, -- NULL: a log record that belongs to no run
    span_id VARCHAR,
    time TIMESTAMP_NS NOT NULL,
    kind VARCHAR NOT NULL,
    name VARCHAR,
    severity VARCHAR,
    message VARCHAR,
    fraction DOUBLE,
    body JSON USING COMPRESSION zstd,
    attributes JSON USING COMPRESSION zstd,
    producer_id VARCHAR,
    sequence BIGINT,
    batch_index INTEGER,
    event_id VARCHAR -- digest of a log record, which has no other identity
);

-- A chat message, once however often it was sent. parts: NULL when it is one text.
CREATE TABLE stored_messages (
    message_id VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    text VARCHAR USING COMPRESSION zstd,
    parts JSON USING COMPRESSION zstd
);

-- Which messages a span sent to a model and got back; source: span, event or log, by what carried them.
CREATE TABLE span_messages (
    run_id VARCHAR NOT NULL,
    span_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    time TIMESTAMP_NS NOT NULL,
    event_id VARCHAR,
    input_ids VARCHAR[],
    output_ids VARCHAR[]
);

-- Parts of attributes that repeat from call to call, by content; attributes refer to them, and to messages.
CREATE TABLE pieces (
    piece_id VARCHAR NOT NULL,
    text VARCHAR NOT NULL USING COMPRESSION zstd
);

-- Spans whose usage repeats what other spans of their run say. Sums of runs leave it out.
CREATE TABLE uncounted (
    run_id VARCHAR NOT NULL,
    span_id VARCHAR NOT NULL,
    of_span_id VARCHAR,
    reason VARCHAR NOT NULL,
    start_time TIMESTAMP_NS NOT NULL,
    llm_call_count BIGINT NOT NULL,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_write_tokens BIGINT,
    reasoning_tokens BIGINT,
    cost_usd DOUBLE,
    unpriced_count BIGINT NOT NULL
);

-- Spans that link to spans of other runs.
CREATE TABLE run_links (
    run_id VARCHAR NOT NULL,
    span_id VARCHAR NOT NULL,
    linked_run_id VARCHAR NOT NULL
);

-- One row per data point of an OpenTelemetry metric.
CREATE TABLE metrics (
    time TIMESTAMP_NS NOT NULL,
    start_time TIMESTAMP_NS,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    unit VARCHAR,
    temporality VARCHAR,
    monotonic BOOLEAN,
    value DOUBLE,
    count BIGINT,
    sum DOUBLE,
    min DOUBLE,
    max DOUBLE,
    buckets JSON,
    attributes JSON,
    description VARCHAR,
    service VARCHAR,
    scope VARCHAR,
    producer_id VARCHAR,
    point_id VARCHAR NOT NULL
);

-- One row per stored batch: its identity is what makes a repeated delivery change nothing. That is the number its producer
-- gave it, or of an OTLP request the digest of its body.
CREATE TABLE batches (
    producer_id VARCHAR NOT NULL,
    sequence BIGINT,
    digest VARCHAR,
    received_at TIMESTAMP_NS NOT NULL,
    accepted INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    dropped BIGINT NOT NULL,
    closing BOOLEAN NOT NULL
);

-- One row per process that ever sent something.
CREATE TABLE producers (
    producer_id VARCHAR NOT NULL,
    first_seen TIMESTAMP_NS NOT NULL,
    service_name VARCHAR,
    service_version VARCHAR,
    host_name VARCHAR,
    process_id BIGINT,
    sdk_name VARCHAR,
    sdk_version VARCHAR,
    runtime VARCHAR,
    attributes JSON
);

-- Events that could not be stored, with the reason.
CREATE TABLE rejected (
    received_at TIMESTAMP_NS NOT NULL,
    producer_id VARCHAR,
    sequence BIGINT,
    batch_index INTEGER,
    reason VARCHAR NOT NULL,
    event VARCHAR,
    event_id VARCHAR
);

-- Sums over the spans of a run that arrived up to a commit, made in bulk between commits. The view `run_parts` adds what
-- arrived since, and `runs` adds a run's parts up: some twenty times less work than adding up spans, and the sums are the
-- same however the spans of a run were spread over parts.
-- first_key, root_key: (start, span id) packed into one number, so that "the first" is the same in every order of arrival.
CREATE TABLE run_sums (
    run_id VARCHAR NOT NULL,
    first_start TIMESTAMP_NS NOT NULL,
    last_end TIMESTAMP_NS,
    first_key HUGEINT NOT NULL,
    first_name VARCHAR,
    first_status VARCHAR,
    root_key HUGEINT,
    root_name VARCHAR,
    root_status VARCHAR,
    root_start_time TIMESTAMP_NS,
    root_end_time TIMESTAMP_NS,
    root_agent VARCHAR,
    root_service VARCHAR,
    root_session_id VARCHAR,
    root_user_id VARCHAR,
    root_task_id VARCHAR,
    root_attempt INTEGER,
    root_error_type VARCHAR,
    root_error_message VARCHAR,
    agent VARCHAR,
    service VARCHAR,
    session_id VARCHAR,
    user_id VARCHAR,
    tags VARCHAR[],
    models VARCHAR[],
    span_count BIGINT NOT NULL,
    live_span_count BIGINT NOT NULL,
    task_count BIGINT NOT NULL,
    llm_call_count BIGINT NOT NULL,
    tool_call_count BIGINT NOT NULL,
    error_count BIGINT NOT NULL,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_write_tokens BIGINT,
    reasoning_tokens BIGINT,
    cost_usd DECIMAL(38, 12),
    unpriced_count BIGINT NOT NULL
);

-- One row: the commit up to which every span is contained in run_sums.
CREATE TABLE summed (up_to BIGINT NOT NULL);
INSERT INTO summed VALUES (-1);
