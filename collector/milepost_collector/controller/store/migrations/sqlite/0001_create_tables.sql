-- The controller's tables as they were at first.

CREATE TABLE agents (
    name TEXT NOT NULL,
    teams TEXT NOT NULL,
    tasks TEXT NOT NULL,
    paused BOOLEAN NOT NULL,
    paused_by TEXT,
    last_poll_at INTEGER,
    served_at INTEGER NOT NULL,
    joined TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    labels TEXT NOT NULL,
    given_capabilities TEXT,
    given_labels TEXT,
    PRIMARY KEY (name)
);

CREATE TABLE ask_events (
    ask_id TEXT NOT NULL,
    event TEXT NOT NULL,
    time INTEGER NOT NULL,
    task_id TEXT,
    run_id TEXT,
    "by" TEXT,
    reason TEXT NOT NULL,
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    transaction_id INTEGER DEFAULT 0 NOT NULL
);

CREATE INDEX ask_events_by_ask ON ask_events (ask_id, sequence);

CREATE TABLE ask_links (
    id TEXT NOT NULL,
    ask_id TEXT NOT NULL,
    approver TEXT NOT NULL,
    token_digest TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    created_by TEXT,
    used_at INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT ask_links_token UNIQUE (token_digest)
) WITHOUT ROWID;

CREATE INDEX ask_links_by_ask ON ask_links (ask_id);

CREATE TABLE asks (
    id TEXT NOT NULL,
    "key" TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    title TEXT NOT NULL,
    action_digest TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    on_expiry TEXT NOT NULL,
    owner TEXT,
    quorum INTEGER NOT NULL,
    approvals INTEGER NOT NULL,
    details TEXT NOT NULL,
    options TEXT NOT NULL,
    approvers TEXT NOT NULL,
    action TEXT,
    schema TEXT,
    task_id TEXT,
    position INTEGER,
    attempt INTEGER,
    agent TEXT,
    run_id TEXT,
    span_id TEXT,
    expires_at INTEGER,
    received_at INTEGER,
    alarm_at INTEGER,
    alarmed_at INTEGER,
    decided_at INTEGER,
    decided_by TEXT,
    decided_via TEXT,
    option TEXT,
    edited BOOLEAN NOT NULL,
    edited_action TEXT,
    edited_digest TEXT,
    value TEXT,
    reason TEXT NOT NULL,
    consumed_by INTEGER,
    PRIMARY KEY (id)
);

CREATE INDEX asks_by_alarm_at ON asks (alarm_at) WHERE alarm_at IS NOT NULL;

CREATE INDEX asks_by_created_at ON asks (created_at, id);

CREATE INDEX asks_by_owner ON asks (owner, "key");

CREATE INDEX asks_by_task ON asks (task_id) WHERE task_id IS NOT NULL;

CREATE UNIQUE INDEX asks_of_owner ON asks (owner, "key") WHERE status <> 'invalidated';

CREATE INDEX asks_open_by_expires_at ON asks (expires_at, id) WHERE status = 'open';

CREATE TABLE assignments (
    task_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL,
    ready_at INTEGER NOT NULL,
    order_at INTEGER NOT NULL,
    agent TEXT,
    team TEXT,
    avoid TEXT,
    "key" TEXT,
    failures INTEGER NOT NULL,
    losses INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    worker_id TEXT,
    held_by TEXT,
    run_id TEXT,
    leased_at INTEGER,
    started_at INTEGER,
    lease_ms INTEGER,
    expires_at INTEGER,
    timeout_at INTEGER,
    stop TEXT,
    stop_reason TEXT,
    cut_off_at INTEGER,
    progress DOUBLE,
    phase TEXT,
    steps_reused INTEGER NOT NULL,
    checkpoint_count INTEGER NOT NULL,
    ask_state TEXT,
    avoid_until INTEGER,
    needs TEXT,
    moved_at INTEGER,
    longest_gap_ms INTEGER NOT NULL,
    stalled_at INTEGER,
    fell_back BOOLEAN NOT NULL,
    budget_count INTEGER NOT NULL,
    PRIMARY KEY (task_id, position)
) WITHOUT ROWID;

CREATE INDEX delayed_by_ready_at ON assignments (ready_at) WHERE state = 'delayed';

CREATE INDEX leased_by_cut_off_at ON assignments (cut_off_at) WHERE state = 'leased' AND cut_off_at IS NOT NULL;

CREATE INDEX leased_by_expires_at ON assignments (expires_at) WHERE state = 'leased';

CREATE INDEX leased_by_timeout_at ON assignments (timeout_at) WHERE state = 'leased' AND timeout_at IS NOT NULL;

CREATE INDEX leased_by_worker ON assignments (worker_id) WHERE state = 'leased';

CREATE INDEX ready_by_agent ON assignments (agent, order_at, task_id) WHERE state = 'ready' AND agent IS NOT NULL;

CREATE INDEX ready_by_team ON assignments (team, order_at, task_id) WHERE state = 'ready' AND agent IS NULL AND team IS NOT NULL;

CREATE INDEX ready_for_any ON assignments (order_at, task_id) WHERE state = 'ready' AND agent IS NULL AND team IS NULL;

CREATE TABLE attempts (
    task_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    position INTEGER NOT NULL,
    status TEXT NOT NULL,
    run_id TEXT NOT NULL,
    worker_id TEXT NOT NULL,
    leased_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    agent TEXT,
    started_at INTEGER,
    progress DOUBLE,
    phase TEXT,
    steps_reused INTEGER NOT NULL,
    checkpoint_count INTEGER NOT NULL,
    result TEXT,
    error_type TEXT,
    error_message TEXT,
    error_stack TEXT,
    reason TEXT,
    retry_at INTEGER,
    longest_gap_ms INTEGER,
    PRIMARY KEY (task_id, attempt)
);

CREATE TABLE batches (
    id TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    task_count INTEGER NOT NULL,
    task_ids TEXT NOT NULL,
    created_by TEXT,
    PRIMARY KEY (id, digest)
);

CREATE INDEX batches_by_created_at ON batches (created_at, id);

CREATE TABLE budget_events (
    budget_id TEXT NOT NULL,
    "key" TEXT NOT NULL,
    per TEXT NOT NULL,
    event TEXT NOT NULL,
    time INTEGER NOT NULL,
    period TEXT NOT NULL,
    measure TEXT,
    used INTEGER,
    budget_limit INTEGER,
    task_id TEXT,
    "by" TEXT,
    reason TEXT NOT NULL,
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    transaction_id INTEGER DEFAULT 0 NOT NULL
);

CREATE INDEX budget_events_by_budget ON budget_events (budget_id, sequence);

CREATE TABLE budget_holds (
    task_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    budget_id TEXT NOT NULL,
    held_at INTEGER NOT NULL,
    ask_id TEXT,
    PRIMARY KEY (task_id, position)
) WITHOUT ROWID;

CREATE INDEX budget_holds_by_budget ON budget_holds (budget_id, held_at);

CREATE TABLE budget_periods (
    budget_id TEXT NOT NULL,
    period TEXT NOT NULL,
    ended_at INTEGER NOT NULL,
    task_id TEXT,
    used_usd INTEGER NOT NULL,
    used_tokens INTEGER NOT NULL,
    used_wall_ms INTEGER NOT NULL,
    used_tool_calls INTEGER NOT NULL,
    limit_usd INTEGER,
    limit_tokens INTEGER,
    limit_wall_ms INTEGER,
    limit_tool_calls INTEGER,
    soft_at INTEGER,
    hard_at INTEGER,
    PRIMARY KEY (budget_id, period)
) WITHOUT ROWID;

CREATE INDEX budget_periods_by_ended_at ON budget_periods (ended_at);

CREATE TABLE budget_runs (
    run_id TEXT NOT NULL,
    lineage TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    task_id TEXT,
    position INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    agent TEXT,
    ended_at INTEGER,
    used_usd INTEGER NOT NULL,
    used_tokens INTEGER NOT NULL,
    used_wall_ms INTEGER NOT NULL,
    used_tool_calls INTEGER NOT NULL,
    finishing INTEGER NOT NULL,
    PRIMARY KEY (run_id)
);

CREATE INDEX budget_runs_by_ended_at ON budget_runs (ended_at);

CREATE INDEX budget_runs_by_task ON budget_runs (task_id, began_at);

CREATE TABLE budget_turns (
    task_id TEXT NOT NULL,
    budget_id TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    run_id TEXT,
    limit_usd INTEGER,
    limit_tokens INTEGER,
    limit_wall_ms INTEGER,
    limit_tool_calls INTEGER,
    PRIMARY KEY (task_id)
) WITHOUT ROWID;

CREATE TABLE budgets (
    id TEXT NOT NULL,
    "key" TEXT NOT NULL,
    per TEXT NOT NULL,
    zone TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    soft DOUBLE NOT NULL,
    finish DOUBLE NOT NULL,
    grace_ms INTEGER NOT NULL,
    task_id TEXT,
    set_by TEXT,
    limit_usd INTEGER,
    limit_tokens INTEGER,
    limit_wall_ms INTEGER,
    limit_tool_calls INTEGER,
    soft_usd INTEGER,
    soft_tokens INTEGER,
    soft_wall_ms INTEGER,
    soft_tool_calls INTEGER,
    period TEXT NOT NULL,
    ends_at INTEGER,
    used_usd INTEGER NOT NULL,
    used_tokens INTEGER NOT NULL,
    used_wall_ms INTEGER NOT NULL,
    used_tool_calls INTEGER NOT NULL,
    reserved_usd INTEGER NOT NULL,
    reserved_tokens INTEGER NOT NULL,
    reserved_wall_ms INTEGER NOT NULL,
    reserved_tool_calls INTEGER NOT NULL,
    raised_usd INTEGER NOT NULL,
    raised_tokens INTEGER NOT NULL,
    raised_wall_ms INTEGER NOT NULL,
    raised_tool_calls INTEGER NOT NULL,
    soft_at INTEGER,
    hard_at INTEGER,
    eased_at INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT budgets_of_key UNIQUE ("key", per)
);

CREATE INDEX budgets_by_ends_at ON budgets (ends_at) WHERE ends_at IS NOT NULL;

CREATE INDEX budgets_by_task ON budgets (task_id);

CREATE TABLE charges (
    budget_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    period TEXT NOT NULL,
    task_id TEXT,
    used_usd INTEGER NOT NULL,
    used_tokens INTEGER NOT NULL,
    used_wall_ms INTEGER NOT NULL,
    used_tool_calls INTEGER NOT NULL,
    PRIMARY KEY (budget_id, run_id, period)
) WITHOUT ROWID;

CREATE INDEX charges_by_run ON charges (run_id);

CREATE INDEX charges_by_task ON charges (task_id);

CREATE TABLE checkpoints (
    task_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    position INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempt_sequence INTEGER,
    name TEXT,
    copy_of INTEGER,
    PRIMARY KEY (task_id, sequence),
    CONSTRAINT checkpoints_of_attempt UNIQUE (task_id, attempt, attempt_sequence)
);

CREATE TABLE contents (
    sha256 TEXT NOT NULL,
    "key" TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (sha256)
) WITHOUT ROWID;

CREATE INDEX contents_by_key ON contents ("key");

CREATE INDEX contents_by_used_at ON contents (used_at);

CREATE TABLE decisions (
    ask_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    decision TEXT NOT NULL,
    at INTEGER NOT NULL,
    via TEXT NOT NULL,
    "by" TEXT,
    team TEXT,
    reason TEXT NOT NULL,
    option TEXT,
    delegated_to TEXT NOT NULL,
    PRIMARY KEY (ask_id, number)
) WITHOUT ROWID;

CREATE TABLE deliverables (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    type TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    task_id TEXT,
    attempt INTEGER,
    run_id TEXT,
    span_id TEXT,
    agent TEXT,
    "by" TEXT,
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    transaction_id INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT deliverables_of_owner UNIQUE (owner, name, version)
);

CREATE INDEX deliverables_by_sha256 ON deliverables (sha256);

CREATE INDEX deliverables_by_task ON deliverables (task_id) WHERE task_id IS NOT NULL;

CREATE TABLE deliveries (
    id TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    time INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    payload TEXT NOT NULL,
    subject TEXT NOT NULL,
    tries INTEGER NOT NULL,
    tries_before INTEGER NOT NULL,
    claim INTEGER NOT NULL,
    next_at INTEGER,
    claimed_at INTEGER,
    finished_at INTEGER,
    last_status INTEGER,
    last_error TEXT,
    PRIMARY KEY (id)
);

CREATE INDEX deliveries_by_created_at ON deliveries (created_at, id);

CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, created_at, id);

CREATE INDEX deliveries_claimed ON deliveries (claimed_at) WHERE claimed_at IS NOT NULL;

CREATE INDEX deliveries_due ON deliveries (webhook_id, next_at, id) WHERE next_at IS NOT NULL;

CREATE TABLE delivery_tries (
    delivery_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status INTEGER,
    error TEXT,
    PRIMARY KEY (delivery_id, number)
) WITHOUT ROWID;

CREATE TABLE dependencies (
    task_id TEXT NOT NULL,
    upstream_id TEXT NOT NULL,
    state TEXT NOT NULL,
    output_as TEXT,
    PRIMARY KEY (task_id, upstream_id)
) WITHOUT ROWID;

CREATE INDEX dependencies_by_upstream ON dependencies (upstream_id);

CREATE TABLE idempotency (
    "key" TEXT NOT NULL,
    digest TEXT NOT NULL,
    task_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY ("key")
) WITHOUT ROWID;

CREATE INDEX idempotency_by_created_at ON idempotency (created_at);

CREATE TABLE instants (
    schedule_id TEXT NOT NULL,
    nominal INTEGER NOT NULL,
    status TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    task_id TEXT,
    reason TEXT,
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    transaction_id INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT instants_of_schedule UNIQUE (schedule_id, nominal)
);

CREATE INDEX instants_by_recorded_at ON instants (recorded_at);

CREATE INDEX instants_queued ON instants (schedule_id, nominal) WHERE status = 'queued';

CREATE TABLE limits (
    scope TEXT NOT NULL,
    value TEXT NOT NULL,
    concurrency INTEGER,
    rate INTEGER,
    per_ms INTEGER,
    PRIMARY KEY (scope, value)
) WITHOUT ROWID;

CREATE TABLE payloads (
    task_id TEXT NOT NULL,
    input TEXT,
    context TEXT,
    result TEXT,
    PRIMARY KEY (task_id)
);

CREATE TABLE positions (
    follower TEXT NOT NULL,
    source TEXT NOT NULL,
    position TEXT NOT NULL,
    PRIMARY KEY (follower, source)
) WITHOUT ROWID;

CREATE TABLE rates (
    scope TEXT NOT NULL,
    value TEXT NOT NULL,
    begun TEXT NOT NULL,
    PRIMARY KEY (scope, value)
) WITHOUT ROWID;

CREATE TABLE reservations (
    run_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    budgets TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    free_at INTEGER NOT NULL,
    released_at INTEGER,
    task_id TEXT,
    left_usd INTEGER NOT NULL,
    left_tokens INTEGER NOT NULL,
    left_wall_ms INTEGER NOT NULL,
    left_tool_calls INTEGER NOT NULL,
    PRIMARY KEY (run_id, number)
) WITHOUT ROWID;

CREATE INDEX reservations_by_free_at ON reservations (free_at);

CREATE TABLE schedules (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    cadence TEXT NOT NULL,
    task TEXT NOT NULL,
    overlap TEXT NOT NULL,
    catch_up TEXT NOT NULL,
    catch_up_window_ms INTEGER NOT NULL,
    jitter_ms INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    mark_at INTEGER NOT NULL,
    paused BOOLEAN NOT NULL,
    paused_by TEXT,
    end_at INTEGER,
    next_at INTEGER,
    fired_count INTEGER NOT NULL,
    skipped_count INTEGER NOT NULL,
    missed_count INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT schedules_name UNIQUE (name)
);

CREATE INDEX schedules_by_next_at ON schedules (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE started_runs (
    run_id TEXT NOT NULL,
    told_at INTEGER NOT NULL,
    PRIMARY KEY (run_id)
) WITHOUT ROWID;

CREATE TABLE steps (
    task_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    input_digest TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    result TEXT NOT NULL,
    reused_by TEXT NOT NULL,
    PRIMARY KEY (task_id, position, name, input_digest)
);

CREATE TABLE task_history (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    priority INTEGER NOT NULL,
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    agent TEXT,
    agents TEXT,
    team TEXT,
    tags TEXT NOT NULL,
    app TEXT,
    "key" TEXT,
    created_by TEXT,
    idempotency_key TEXT,
    run_at INTEGER,
    deadline_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    schedule_id TEXT,
    scheduled_for INTEGER,
    origin_run_id TEXT,
    origin_span_id TEXT,
    attempt INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    losses INTEGER NOT NULL,
    open_dependencies INTEGER NOT NULL,
    progress DOUBLE,
    phase TEXT,
    error_type TEXT,
    error_message TEXT,
    reason TEXT,
    last_run_id TEXT,
    last_agent TEXT,
    stop TEXT,
    stop_by TEXT,
    at_risk_at INTEGER,
    deliverables TEXT,
    batch TEXT,
    needs TEXT,
    fallback TEXT,
    PRIMARY KEY (id),
    CONSTRAINT history_is_finished CHECK (status IN ('completed', 'failed', 'cancelled') AND finished_at IS NOT NULL)
);

CREATE INDEX task_history_by_batch ON task_history (batch, id) WHERE batch IS NOT NULL;

CREATE INDEX task_history_by_created_at ON task_history (created_at, id);

CREATE INDEX task_history_by_finished_at ON task_history (finished_at, id);

CREATE INDEX task_history_by_name ON task_history (name, status, finished_at);

CREATE INDEX task_history_by_schedule ON task_history (schedule_id, created_at) WHERE schedule_id IS NOT NULL;

CREATE INDEX task_history_by_status ON task_history (status, created_at, id);

CREATE TABLE tasks (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    priority INTEGER NOT NULL,
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    agent TEXT,
    agents TEXT,
    team TEXT,
    tags TEXT NOT NULL,
    app TEXT,
    "key" TEXT,
    created_by TEXT,
    idempotency_key TEXT,
    run_at INTEGER,
    deadline_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    schedule_id TEXT,
    scheduled_for INTEGER,
    origin_run_id TEXT,
    origin_span_id TEXT,
    attempt INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    losses INTEGER NOT NULL,
    open_dependencies INTEGER NOT NULL,
    progress DOUBLE,
    phase TEXT,
    error_type TEXT,
    error_message TEXT,
    reason TEXT,
    last_run_id TEXT,
    last_agent TEXT,
    stop TEXT,
    stop_by TEXT,
    at_risk_at INTEGER,
    deliverables TEXT,
    batch TEXT,
    needs TEXT,
    fallback TEXT,
    PRIMARY KEY (id),
    CONSTRAINT tasks_are_not_finished CHECK (status NOT IN ('completed', 'failed', 'cancelled') AND finished_at IS NULL)
);

CREATE INDEX tasks_by_batch ON tasks (batch, id) WHERE batch IS NOT NULL;

CREATE INDEX tasks_by_created_at ON tasks (created_at, id);

CREATE INDEX tasks_by_deadline ON tasks (deadline_at) WHERE deadline_at IS NOT NULL;

CREATE INDEX tasks_by_schedule ON tasks (schedule_id) WHERE schedule_id IS NOT NULL;

CREATE INDEX tasks_with_fallback ON tasks (id) WHERE fallback IS NOT NULL;

CREATE TABLE teams (
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    description TEXT NOT NULL,
    fallback TEXT,
    PRIMARY KEY (name)
);

CREATE TABLE transitions (
    time INTEGER NOT NULL,
    task_id TEXT NOT NULL,
    event TEXT NOT NULL,
    to_status TEXT NOT NULL,
    from_status TEXT,
    attempt INTEGER,
    agent TEXT,
    worker_id TEXT,
    "by" TEXT,
    reason TEXT,
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    transaction_id INTEGER DEFAULT 0 NOT NULL
);

CREATE INDEX transitions_by_task ON transitions (task_id, sequence);

CREATE INDEX transitions_by_time ON transitions (time);

CREATE TABLE trigger_events (
    id TEXT NOT NULL,
    trigger_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    delivery_id TEXT,
    reason TEXT NOT NULL,
    task_id TEXT,
    depth INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    replay_of TEXT,
    "by" TEXT,
    PRIMARY KEY (id)
);

CREATE INDEX trigger_events_by_at ON trigger_events (at);

CREATE INDEX trigger_events_by_delivery ON trigger_events (trigger_id, delivery_id);

CREATE INDEX trigger_events_by_outcome ON trigger_events (trigger_id, outcome, at);

CREATE INDEX trigger_events_by_task ON trigger_events (task_id);

CREATE INDEX trigger_events_by_trigger ON trigger_events (trigger_id, id);

CREATE TABLE trigger_payloads (
    event_id TEXT NOT NULL,
    trigger_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (event_id)
);

CREATE INDEX trigger_payloads_by_expires_at ON trigger_payloads (expires_at);

CREATE INDEX trigger_payloads_by_trigger ON trigger_payloads (trigger_id, event_id);

CREATE TABLE triggers (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    armed_at INTEGER NOT NULL,
    enabled BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    hook_id TEXT,
    secret TEXT,
    previous_hook_id TEXT,
    previous_secret TEXT,
    previous_until INTEGER,
    last_at INTEGER,
    last_outcome TEXT,
    accepted INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    filtered INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    limited INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT triggers_name UNIQUE (name)
);

CREATE TABLE webhooks (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    format TEXT NOT NULL,
    url TEXT NOT NULL,
    sealed_url TEXT NOT NULL,
    sealed_secret TEXT NOT NULL,
    events TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    description TEXT NOT NULL,
    agents TEXT NOT NULL,
    names TEXT NOT NULL,
    tags TEXT NOT NULL,
    reason TEXT NOT NULL,
    changed_by TEXT,
    sealed_old_secret TEXT,
    old_secret_until INTEGER,
    failing_since INTEGER,
    throttled_until INTEGER,
    last_success_at INTEGER,
    last_failure_at INTEGER,
    last_error TEXT,
    delivered_count INTEGER NOT NULL,
    failed_count INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT webhooks_name UNIQUE (name)
);

CREATE TABLE workers (
    id TEXT NOT NULL,
    agent TEXT NOT NULL,
    concurrency INTEGER NOT NULL,
    tasks TEXT NOT NULL,
    teams TEXT NOT NULL,
    any_task BOOLEAN NOT NULL,
    started_at INTEGER NOT NULL,
    last_poll_at INTEGER NOT NULL,
    polled_until INTEGER NOT NULL,
    draining BOOLEAN NOT NULL,
    host_name TEXT,
    process_id INTEGER,
    sdk_version TEXT,
    abilities TEXT NOT NULL,
    PRIMARY KEY (id)
);
