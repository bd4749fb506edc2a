/** Queries to begin with; each runs as it is. */

export interface SqlExample {
  readonly title: string;
  readonly sql: string;
}

export const EXAMPLES: readonly SqlExample[] = [
  {
    title: 'Cost by model and day',
    sql: `select date_trunc('day', start_time) as day, model, sum(cost_usd) as cost_usd, count(*) as calls
from llm_calls
where start_time > now() - interval 30 days
group by all
order by day, cost_usd desc`,
  },
  {
    title: 'Slowest steps by name',
    sql: `select name, kind, count(*) as spans,
  quantile_cont(duration_ms, 0.5) as p50_ms, quantile_cont(duration_ms, 0.95) as p95_ms, max(duration_ms) as max_ms
from spans
group by name, kind
order by p95_ms desc
limit 50`,
  },
  {
    title: 'Newest errors, with the way to their runs',
    sql: `select time, run_id, span_id, name, error_type, error_message
from errors
order by time desc
limit 200`,
  },
  {
    title: 'Success rate by agent and hour',
    sql: `select date_trunc('hour', start_time) as hour, agent,
  count(*) filter (status = 'completed') / count(*) as success_rate, count(*) as runs
from runs
where status <> 'running'
group by all
order by hour, agent`,
  },
  {
    title: 'How much of the input was cached',
    sql: `select model, sum(input_tokens) as input_tokens, sum(cache_read_tokens) as cache_read_tokens,
  sum(cache_read_tokens) / sum(input_tokens) as cached_share
from llm_calls
group by model
order by input_tokens desc`,
  },
  {
    title: 'Tools that fail most',
    sql: `select coalesce(tool, name) as tool, count(*) as calls,
  count(*) filter (status = 'failed') as failed, count(*) filter (status = 'failed') / count(*) as failed_share
from tool_calls
group by 1
order by failed desc`,
  },
  {
    title: 'Runs by weekday and hour',
    sql: `select dayname(start_time) as weekday, hour(start_time) as hour, count(*) as runs
from runs
group by weekday, hour, isodow(start_time)
order by isodow(start_time), hour`,
  },
  {
    title: 'Time to the first token',
    sql: `select model, count(*) as calls, quantile_cont(time_to_first_token_ms, 0.5) as p50_ms,
  quantile_cont(time_to_first_token_ms, 0.95) as p95_ms
from llm_calls
where time_to_first_token_ms is not null
group by model
order by p95_ms desc`,
  },
  {
    title: 'Managed tasks that waited longest',
    sql: `select task_id, name, status, priority, waiting_ms, created_at, started_at
from managed_tasks
order by waiting_ms desc nulls last
limit 100`,
  },
];
