-- The public SQL schema beside the table `spans`. Recreated at every start, so it always fits the program.

-- Stored times are UTC with nanoseconds, a type that DuckDB does not compare with times that carry a zone. So that
-- `start_time > now() - INTERVAL 1 DAY` just works, the present is UTC without a zone too.
CREATE OR REPLACE MACRO now() AS system.main.now() AT TIME ZONE 'UTC';
CREATE OR REPLACE MACRO get_current_timestamp() AS system.main.now() AT TIME ZONE 'UTC';

-- Everything known of every span, running ones included. Columns a running span cannot have are NULL.
CREATE OR REPLACE VIEW all_spans AS
SELECT * FROM spans
UNION ALL BY NAME
SELECT *, 'running' AS status FROM live_spans;

-- Sums over parts of runs: what was summed in bulk, what arrived since, and what is running.
CREATE OR REPLACE VIEW run_parts AS
SELECT * FROM run_sums
UNION ALL BY NAME
SELECT * FROM ({recent_parts});

CREATE OR REPLACE VIEW live_run_parts AS
{live_parts};

-- What is to be taken off a run's sums, as a part of it with negative sums.
CREATE OR REPLACE VIEW uncounted_run_parts AS
SELECT
    run_id,
    -llm_call_count AS llm_call_count,
    -input_tokens AS input_tokens,
    -output_tokens AS output_tokens,
    -cache_read_tokens AS cache_read_tokens,
    -cache_write_tokens AS cache_write_tokens,
    -reasoning_tokens AS reasoning_tokens,
    -cost_usd::DECIMAL(38, 12) AS cost_usd,
    -unpriced_count AS unpriced_count
FROM uncounted;

-- Every distinct chat message.
CREATE OR REPLACE VIEW messages AS
SELECT
    message_id, role, text,
    coalesce(parts, json_array(json_object('type', 'text', 'content', text))) AS parts
FROM stored_messages;

-- Which messages went into and came out of a span: what the span itself says first, then what events and logs say.
CREATE OR REPLACE VIEW conversations AS
SELECT
    run_id, span_id,
    coalesce(
        first(input_ids) FILTER (source = 'span' AND input_ids IS NOT NULL),
        flatten(list(input_ids ORDER BY time, event_id) FILTER (source <> 'span' AND input_ids IS NOT NULL))
    ) AS input_ids,
    coalesce(
        first(output_ids) FILTER (source = 'span' AND output_ids IS NOT NULL),
        flatten(list(output_ids ORDER BY time, event_id) FILTER (source <> 'span' AND output_ids IS NOT NULL))
    ) AS output_ids
FROM span_messages
GROUP BY run_id, span_id;

CREATE OR REPLACE VIEW runs AS
WITH summed AS (
    SELECT
        run_id,
        min(first_start) AS first_start,
        max(last_end) AS last_end,
        arg_min_null(first_name, first_key) AS first_name,
        arg_min_null(first_status, first_key) AS first_status,
        min(root_key) AS root_key,
        arg_min_null(root_name, root_key) AS root_name,
        arg_min_null(root_status, root_key) AS root_status,
        arg_min_null(root_start_time, root_key) AS root_start_time,
        arg_min_null(root_end_time, root_key) AS root_end_time,
        arg_min_null(root_agent, root_key) AS root_agent,
        arg_min_null(root_service, root_key) AS root_service,
        arg_min_null(root_session_id, root_key) AS root_session_id,
        arg_min_null(root_user_id, root_key) AS root_user_id,
        arg_min_null(root_task_id, root_key) AS root_task_id,
        arg_min_null(root_attempt, root_key) AS root_attempt,
        arg_min_null(root_error_type, root_key) AS root_error_type,
        arg_min_null(root_error_message, root_key) AS root_error_message,
        min(agent) AS agent,
        min(service) AS service,
        min(session_id) AS session_id,
        min(user_id) AS user_id,
        list_sort(list_distinct(flatten(list(tags) FILTER (tags IS NOT NULL)))) AS tags,
        list_sort(list_distinct(flatten(list(models) FILTER (models IS NOT NULL)))) AS models,
        sum(span_count)::BIGINT AS span_count,
        sum(live_span_count)::BIGINT AS live_span_count,
        sum(task_count)::BIGINT AS task_count,
        sum(llm_call_count)::BIGINT AS llm_call_count,
        sum(tool_call_count)::BIGINT AS tool_call_count,
        sum(error_count)::BIGINT AS error_count,
        sum(input_tokens)::BIGINT AS input_tokens,
        sum(output_tokens)::BIGINT AS output_tokens,
        sum(cache_read_tokens)::BIGINT AS cache_read_tokens,
        sum(cache_write_tokens)::BIGINT AS cache_write_tokens,
        sum(reasoning_tokens)::BIGINT AS reasoning_tokens,
        sum(cost_usd)::DOUBLE AS cost_usd,
        sum(unpriced_count)::BIGINT AS unpriced_count
    FROM (
        SELECT * FROM run_parts
        UNION ALL BY NAME SELECT * FROM live_run_parts
        UNION ALL BY NAME SELECT * FROM uncounted_run_parts
    )
    GROUP BY run_id
)
SELECT
    run_id,
    coalesce(root_name, first_name) AS name,
    -- Without a root the run is over when nothing of it runs; its outcome is then that of its first span.
    CASE
        WHEN root_key IS NOT NULL THEN root_status
        WHEN live_span_count > 0 THEN 'running'
        ELSE first_status
    END AS status,
    coalesce(root_start_time, first_start) AS start_time,
    CASE
        WHEN root_key IS NOT NULL THEN root_end_time
        WHEN live_span_count = 0 THEN last_end
    END AS end_time,
    (epoch_ns(end_time) - epoch_ns(start_time)) / 1e6 AS duration_ms,
    coalesce(root_agent, agent) AS agent,
    coalesce(root_service, service) AS service,
    coalesce(root_session_id, session_id) AS session_id,
    coalesce(root_user_id, user_id) AS user_id,
    coalesce(tags, []) AS tags,
    coalesce(models, []) AS models,
    span_count + live_span_count AS span_count,
    live_span_count,
    task_count,
    llm_call_count,
    tool_call_count,
    error_count,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    cost_usd,
    unpriced_count,
    root_error_type AS error_type,
    root_error_message AS error_message,
    root_task_id AS task_id,
    root_attempt AS attempt
FROM summed;

CREATE OR REPLACE VIEW tasks AS
SELECT
    run_id, span_id, parent_span_id, name, status, start_time, end_time, duration_ms, agent, session_id, user_id, tags,
    model, provider, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
    cost_usd, cost_source, error_type, error_message, reason, input, output, attributes
FROM all_spans
WHERE kind = 'task';

-- Calls of models, each once: a task that recorded usage made the call itself, an agent's totals are not a call.
CREATE OR REPLACE VIEW llm_calls AS
SELECT
    run_id, span_id, parent_span_id, name, status, start_time, end_time, duration_ms, agent, session_id, user_id,
    model, request_model, provider, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    reasoning_tokens, cost_usd, cost_source, time_to_first_token_ms, error_type, error_message, input, output,
    attributes
FROM all_spans ANTI JOIN uncounted USING (run_id, span_id)
WHERE kind = 'llm' OR (kind = 'task' AND model IS NOT NULL);

-- The messages of every span that has any, in order. When two spans recorded one call, the one that is counted has them
-- even if only the other recorded them.
CREATE OR REPLACE VIEW llm_messages AS
WITH told AS (
    SELECT * FROM conversations
    UNION ALL
    SELECT * FROM (
        SELECT run_id, of_span_id AS span_id, any_value(input_ids) AS input_ids, any_value(output_ids) AS output_ids
        FROM uncounted JOIN conversations USING (run_id, span_id)
        WHERE of_span_id IS NOT NULL
        GROUP BY run_id, of_span_id
    ) ANTI JOIN span_messages USING (run_id, span_id)
), placed AS (
    SELECT run_id, span_id, 'input' AS direction, unnest(input_ids) AS message_id,
        generate_subscripts(input_ids, 1) AS position
    FROM told
    UNION ALL
    SELECT run_id, span_id, 'output' AS direction, unnest(output_ids) AS message_id,
        generate_subscripts(output_ids, 1) AS position
    FROM told
)
SELECT run_id, span_id, direction, position, message_id, role, text, parts
FROM placed JOIN messages USING (message_id);

CREATE OR REPLACE VIEW tool_calls AS
SELECT
    run_id, span_id, parent_span_id, name, tool, status, start_time, end_time, duration_ms, agent, session_id, user_id,
    error_type, error_message, input, output, attributes
FROM all_spans
WHERE kind = 'tool';

-- Calls of models that the price table does not know, by model; their cost is missing from every sum.
CREATE OR REPLACE VIEW unpriced_models AS
SELECT
    model, provider, count(*) AS call_count,
    sum(input_tokens)::BIGINT AS input_tokens, sum(output_tokens)::BIGINT AS output_tokens,
    min(start_time) AS first_time, max(start_time) AS last_time
FROM spans ANTI JOIN uncounted USING (run_id, span_id)
WHERE cost_source = 'unpriced'
GROUP BY model, provider;

CREATE OR REPLACE VIEW checkpoints AS
SELECT run_id, span_id, time, name, body AS state, attributes
FROM events
WHERE kind = 'checkpoint';

-- Judgements by measures, from the SDK, the API and OpenTelemetry's `gen_ai.evaluation.result`.
CREATE OR REPLACE VIEW scores AS
SELECT
    coalesce(event_id, concat_ws('-', producer_id, sequence, batch_index, epoch_ns(time))) AS score_id,
    run_id, span_id, attributes->>'$."milepost.task_id"' AS task_id, time, name,
    try_cast(attributes->>'$."gen_ai.evaluation.score.value"' AS DOUBLE) AS value,
    attributes->>'$."gen_ai.evaluation.score.label"' AS label,
    message AS explanation,
    coalesce(attributes->>'$."milepost.score.source"', 'code') AS source,
    attributes->>'$."milepost.by"' AS "by",
    attributes
FROM events
WHERE kind = 'score';

CREATE OR REPLACE VIEW feedback AS
SELECT
    coalesce(event_id, concat_ws('-', producer_id, sequence, batch_index, epoch_ns(time))) AS feedback_id,
    run_id, span_id, attributes->>'$."milepost.task_id"' AS task_id, time,
    try_cast(attributes->>'$."milepost.feedback.rating"' AS INTEGER) AS rating,
    message AS text,
    coalesce(from_json(attributes->'$."milepost.feedback.issues"', '["VARCHAR"]'), []) AS issues,
    attributes->>'$."milepost.by"' AS "by"
FROM events
WHERE kind = 'feedback';

CREATE OR REPLACE VIEW errors AS
SELECT
    run_id, span_id, parent_span_id, name, kind, end_time AS time, agent,
    error_type, error_message, error_stack, attributes
FROM spans
WHERE status = 'failed';

-- Tasks and attempts as they were told last, with what their runs used.
CREATE OR REPLACE VIEW managed_tasks AS
WITH newest AS (
    SELECT * FROM task_versions QUALIFY row_number() OVER (PARTITION BY task_id ORDER BY version DESC) = 1
), used AS (
    SELECT
        task_id,
        sum(input_tokens)::BIGINT AS input_tokens, sum(output_tokens)::BIGINT AS output_tokens,
        sum(cost_usd) AS cost_usd
    FROM runs
    WHERE task_id IS NOT NULL
    GROUP BY task_id
)
SELECT
    task_id, name, type, status, priority, agent, team, app, key, coalesce(tags, []) AS tags, attempt, failures, losses,
    created_at, created_by, run_at, started_at, finished_at,
    (epoch_ns(finished_at) - epoch_ns(started_at)) / 1e6 AS duration_ms,
    -- Started by hand before its time, it did not wait.
    CASE WHEN started_at IS NOT NULL THEN
        greatest(epoch_ns(started_at) - epoch_ns(greatest(created_at, run_at)), 0) / 1e6
    END AS waiting_ms,
    deadline, error_type, error_message, reason, schedule_id, scheduled_for, origin_run_id,
    input_tokens, output_tokens, cost_usd
FROM newest LEFT JOIN used USING (task_id);

CREATE OR REPLACE VIEW attempts AS
WITH newest AS (
    SELECT * FROM attempt_versions QUALIFY row_number() OVER (PARTITION BY task_id, attempt ORDER BY version DESC) = 1
), used AS (
    SELECT
        task_id, attempt,
        sum(input_tokens)::BIGINT AS input_tokens, sum(output_tokens)::BIGINT AS output_tokens,
        sum(cost_usd) AS cost_usd
    FROM runs
    WHERE task_id IS NOT NULL
    GROUP BY task_id, attempt
)
SELECT
    task_id, attempt, run_id, agent, worker_id, status, leased_at, started_at, ended_at,
    (epoch_ns(ended_at) - epoch_ns(coalesce(started_at, leased_at))) / 1e6 AS duration_ms,
    retry_at, steps_reused, checkpoint_count, error_type, error_message, reason,
    summary, coalesce(insights, []) AS insights, coalesce(recommendations, []) AS recommendations,
    input_tokens, output_tokens, cost_usd
FROM newest LEFT JOIN used USING (task_id, attempt);

CREATE OR REPLACE VIEW schedule_instants AS
SELECT * EXCLUDE (version)
FROM instant_versions
QUALIFY row_number() OVER (PARTITION BY schedule_id, nominal ORDER BY version DESC) = 1;

-- Every version that was attached. Told again, it is the same.
CREATE OR REPLACE VIEW deliverables AS
SELECT
    task_id, run_id, attempt, span_id, name, deliverable_version AS version, type, content_type, size_bytes, sha256,
    created_at, agent, "by"
FROM attached_versions
QUALIFY row_number() OVER (
    PARTITION BY coalesce(task_id, run_id), task_id IS NULL, name, deliverable_version, created_at
    ORDER BY attached_versions.version DESC
) = 1;
