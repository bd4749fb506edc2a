-- What the controller did, as it told it: facts only, appended and never updated. Views pick the newest version of each.

-- One row per change of a task.
CREATE TABLE task_transitions (
    sequence BIGINT NOT NULL,
    task_id VARCHAR NOT NULL,
    time TIMESTAMP_NS NOT NULL,
    event VARCHAR NOT NULL,
    from_status VARCHAR,
    to_status VARCHAR NOT NULL,
    attempt INTEGER,
    agent VARCHAR,
    worker_id VARCHAR,
    "by" VARCHAR,
    reason VARCHAR
);

-- version: number of the record that a row came with; it rises.
CREATE TABLE task_versions (
    version BIGINT NOT NULL,
    task_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    type VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    priority VARCHAR NOT NULL,
    agent VARCHAR,
    team VARCHAR,
    app VARCHAR,
    key VARCHAR,
    tags VARCHAR[],
    attempt INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    losses INTEGER NOT NULL,
    created_at TIMESTAMP_NS NOT NULL,
    created_by VARCHAR,
    run_at TIMESTAMP_NS,
    started_at TIMESTAMP_NS,
    finished_at TIMESTAMP_NS,
    deadline TIMESTAMP_NS,
    error_type VARCHAR,
    error_message VARCHAR,
    reason VARCHAR,
    schedule_id VARCHAR,
    scheduled_for TIMESTAMP_NS,
    origin_run_id VARCHAR
);

CREATE TABLE attempt_versions (
    version BIGINT NOT NULL,
    task_id VARCHAR NOT NULL,
    attempt INTEGER NOT NULL,
    run_id VARCHAR NOT NULL,
    agent VARCHAR,
    worker_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    leased_at TIMESTAMP_NS NOT NULL,
    started_at TIMESTAMP_NS,
    ended_at TIMESTAMP_NS,
    retry_at TIMESTAMP_NS,
    steps_reused INTEGER NOT NULL,
    checkpoint_count INTEGER NOT NULL,
    error_type VARCHAR,
    error_message VARCHAR,
    reason VARCHAR,
    summary VARCHAR,
    insights VARCHAR[],
    recommendations VARCHAR[]
);

CREATE TABLE instant_versions (
    version BIGINT NOT NULL,
    schedule_id VARCHAR NOT NULL,
    schedule_name VARCHAR,
    nominal TIMESTAMP_NS NOT NULL,
    status VARCHAR NOT NULL,
    recorded_at TIMESTAMP_NS NOT NULL,
    task_id VARCHAR,
    reason VARCHAR
);

CREATE TABLE attached_versions (
    version BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    task_id VARCHAR,
    run_id VARCHAR,
    attempt INTEGER,
    span_id VARCHAR,
    name VARCHAR NOT NULL,
    deliverable_version INTEGER NOT NULL,
    type VARCHAR NOT NULL,
    content_type VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL,
    created_at TIMESTAMP_NS NOT NULL,
    agent VARCHAR,
    "by" VARCHAR
);

-- At most one row: up to where the controller's store has been recorded, and the number of the last record.
CREATE TABLE controller_position (
    position VARCHAR NOT NULL,
    version BIGINT NOT NULL
);
