/** Answers of the collector's API that are not already a type of core/. Field names are the wire's. */

import type { Turn } from '../core/dialogue';
import type { EventItem } from '../core/events';
import type { RunSummary } from '../core/runlist';
import type { SpanColumns } from '../core/spancolumns';
import type { SpanSkeleton } from '../core/spans';

export interface RunListAnswer {
  runs: RunSummary[];
  next_cursor: string | null;
  sql: string;
}

export interface ProducerInfo {
  producer_id: string;
  service_name: string | null;
  host_name: string | null;
  process_id: number | null;
  sdk_name: string | null;
  sdk_version: string | null;
  runtime: string | null;
  last_seen: string;
  dropped: number;
}

/** A span whose usage is not in its run's sums. of_span_id: the span that is counted in its place. */
export interface NotCounted {
  span_id: string;
  reason: string;
  of_span_id?: string | null;
}

/** parts: runs that links join to this one, by start; the run's sums contain theirs. */
export interface RunDetail {
  run: RunSummary;
  producers: ProducerInfo[];
  event_count: number;
  checkpoint_count: number;
  not_counted?: NotCounted[];
  parts?: RunSummary[];
}

export interface RunSpans {
  run_id: string;
  origin: string;
  spans: Iterable<SpanSkeleton> | SpanColumns;
}

/** count: of all, also beyond the limit of the ids. */
export interface FoundSpans {
  run_id: string;
  span_ids: string[];
  count: number;
  sql: string;
}

export interface FirstArguments {
  run_id: string;
  arguments: Record<string, string>;
}

export interface EventListAnswer {
  run_id: string;
  events: EventItem[];
  next_cursor: string | null;
}

/** Columns of equal length, in time order; offset_ns counts from origin. truncated: there are more. */
export interface EventMarks {
  run_id: string;
  origin: string | null;
  offset_ns: number[];
  span_id: (string | null)[];
  kind: string[];
  severity: (string | null)[];
  truncated: boolean;
}

export interface RunMessagesAnswer {
  run_id: string;
  turns: Turn[];
  next_cursor: string | null;
}

/** A captured value: whole, or the first characters of its JSON text when it is larger than was asked for. */
export interface Payload {
  bytes: number;
  value?: unknown;
  head?: string | null;
}

/** A message of a conversation. parts: absent when they are larger than was asked for; bytes: their size as JSON. */
export interface MessageItem {
  message_id: string;
  role: string;
  bytes: number;
  parts?: unknown;
}

export interface Conversation {
  input: MessageItem[];
  output: MessageItem[];
}

export interface UsageItem {
  cost_source: string;
  model?: string | null;
  provider?: string | null;
  input_tokens?: number | null;
  output_tokens?: number | null;
  cache_read_tokens?: number | null;
  cache_write_tokens?: number | null;
  reasoning_tokens?: number | null;
  cost_usd?: number | null;
  price_id?: string | null;
  price_date?: string | null;
  /** What the price table says, beside a reported cost. */
  computed_cost_usd?: number | null;
}

export interface SpanDetail {
  run_id: string;
  span_id: string;
  parent_span_id: string | null;
  name: string;
  kind: string;
  status: string;
  start_time: string;
  end_time: string | null;
  duration_ms: number | null;
  agent: string | null;
  session_id: string | null;
  user_id: string | null;
  tags: string[];
  model: string | null;
  provider: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost_usd: number | null;
  cost_source: string | null;
  error_type: string | null;
  error_message: string | null;
  error_stack: string | null;
  reason: string | null;
  task_id: string | null;
  attempt: number | null;
  service: string | null;
  scope: string | null;
  producer_id: string | null;
  input: Payload | null;
  output: Payload | null;
  attributes: Record<string, unknown> | null;
  usage: UsageItem[];
  links: unknown;
  events: EventItem[];
  tool?: string | null;
  request_model?: string | null;
  response_id?: string | null;
  time_to_first_token_ms?: number | null;
  messages?: Conversation | null;
  not_counted?: NotCounted | null;
  /** What was wrong with the span as it was sent, and what was done about it. */
  problems?: string[];
}

export interface SqlAnswer {
  columns: { name: string; type: string }[];
  rows: unknown[][];
  truncated: boolean;
  elapsed_ms: number;
}

export interface SchemaAnswer {
  tables: {
    name: string;
    description: string;
    columns: { name: string; type: string; unit: string | null; description: string }[];
  }[];
}

/** A function of SQL. parameters: their names, with commas between. */
export interface SqlFunction {
  readonly name: string;
  readonly parameters: string;
  readonly description: string;
}

/** An error answer, RFC 9457. */
export interface Problem {
  title: string;
  status: number;
  detail: string;
  field?: string | null;
  value?: unknown;
  limit?: unknown;
  remedy?: string | null;
  /** Of a conflict: what could be asked instead. */
  legal?: string[] | null;
  /** Of a search: where the mistake begins and ends, in characters. */
  position?: number | null;
  end?: number | null;
}
