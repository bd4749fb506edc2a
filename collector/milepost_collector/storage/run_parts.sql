-- Sums per run over the spans of {source}; `milepost` adds parts up the same way wherever they come from.
-- Keys order spans by (start, span id), so that "first" means the same however spans are spread over parts.
SELECT
    run_id,
    min(start_time) AS first_start,
    max(end_time) AS last_end,
    min(span_key) AS first_key,
    arg_min_null(name, span_key) AS first_name,
    arg_min_null(status, span_key) AS first_status,
    min(span_key) FILTER (is_root) AS root_key,
    arg_min_null(name, span_key) FILTER (is_root) AS root_name,
    arg_min_null(status, span_key) FILTER (is_root) AS root_status,
    arg_min_null(start_time, span_key) FILTER (is_root) AS root_start_time,
    arg_min_null(end_time, span_key) FILTER (is_root) AS root_end_time,
    arg_min_null(agent, span_key) FILTER (is_root) AS root_agent,
    arg_min_null(service, span_key) FILTER (is_root) AS root_service,
    arg_min_null(session_id, span_key) FILTER (is_root) AS root_session_id,
    arg_min_null(user_id, span_key) FILTER (is_root) AS root_user_id,
    arg_min_null(task_id, span_key) FILTER (is_root) AS root_task_id,
    arg_min_null(attempt, span_key) FILTER (is_root) AS root_attempt,
    arg_min_null(error_type, span_key) FILTER (is_root) AS root_error_type,
    arg_min_null(error_message, span_key) FILTER (is_root) AS root_error_message,
    min(agent) AS agent,
    min(service) AS service,
    min(session_id) AS session_id,
    min(user_id) AS user_id,
    flatten(list(tags) FILTER (tags IS NOT NULL)) AS tags,
    -- Agents that OpenTelemetry tells of name the model they ask for; their calls name the one that answered.
    list(DISTINCT model) FILTER (model IS NOT NULL AND (scope IS NULL OR kind NOT IN ('agent', 'chain'))) AS models,
    count(*) FILTER (status <> 'running') AS span_count,
    count(*) FILTER (status = 'running') AS live_span_count,
    count(*) FILTER (kind = 'task') AS task_count,
    count(*) FILTER (kind = 'llm' OR (kind = 'task' AND model IS NOT NULL)) AS llm_call_count,
    count(*) FILTER (kind = 'tool') AS tool_call_count,
    count(*) FILTER (status = 'failed') AS error_count,
    sum(input_tokens)::BIGINT AS input_tokens,
    sum(output_tokens)::BIGINT AS output_tokens,
    sum(cache_read_tokens)::BIGINT AS cache_read_tokens,
    sum(cache_write_tokens)::BIGINT AS cache_write_tokens,
    sum(reasoning_tokens)::BIGINT AS reasoning_tokens,
    sum(cost_usd::DECIMAL(24, 12)) AS cost_usd,
    count(*) FILTER (cost_source = 'unpriced') AS unpriced_count
FROM (
    SELECT *,
        parent_span_id IS NULL AS is_root,
        epoch_ns(start_time)::HUGEINT * 18446744073709551616 + ('0x' || span_id)::UBIGINT AS span_key
    FROM {source}
)
GROUP BY run_id
