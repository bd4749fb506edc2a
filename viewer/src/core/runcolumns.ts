/** Columns of the run list: what they are called, how wide they are, what they sort by, and what a cell says. */

import { formatCount, formatTokens, totalTokens } from './format';
import type { RunSummary } from './runlist';

export interface Column {
  readonly id: string;
  readonly title: string;
  /** A track of a CSS grid. */
  readonly width: string;
  /** The same, in pixels at least. */
  readonly least: number;
  readonly sort?: string;
  readonly right?: boolean;
  /** A click on the heading first sorts from small to large. */
  readonly ascending?: boolean;
  /** What the column says beyond its title. */
  readonly about?: string;
}

const fixed = (least: number) => ({ width: `${least}px`, least });
const growing = (least: number, share: number) => ({ width: `minmax(${least}px, ${share}fr)`, least });
const figure = (least: number, sort?: string) => ({ ...fixed(least), right: true, sort });

export const COLUMNS: readonly Column[] = [
  { id: 'status', title: 'Status', ...fixed(104) },
  { id: 'name', title: 'Name', ...growing(180, 2), sort: 'name', ascending: true },
  { id: 'agent', title: 'Agent or service', ...growing(90, 1) },
  { id: 'started', title: 'Started', ...figure(88, 'start_time') },
  { id: 'ended', title: 'Ended', ...figure(88) },
  { id: 'duration', title: 'Duration', ...figure(142, 'duration_ms') },
  { id: 'spans', title: 'Spans', ...figure(64, 'span_count') },
  { id: 'llm', title: 'LLM calls', ...figure(72, 'llm_call_count') },
  { id: 'tools', title: 'Tool calls', ...figure(72, 'tool_call_count') },
  { id: 'errors', title: 'Errors', ...figure(58, 'error_count') },
  { id: 'tokens', title: 'Tokens', ...figure(132, 'total_tokens'), about: 'Input not from a cache, input from a cache, output' },
  { id: 'input', title: 'Input', ...figure(72, 'input_tokens'), about: 'Input tokens, those from a cache included' },
  { id: 'cached', title: 'Cached', ...figure(72), about: 'Input tokens read from a cache' },
  { id: 'written', title: 'Cache writes', ...figure(84), about: 'Input tokens written to a cache' },
  { id: 'output', title: 'Output', ...figure(72, 'output_tokens'), about: 'Output tokens, reasoning included' },
  { id: 'reasoning', title: 'Reasoning', ...figure(80), about: 'Output tokens spent on reasoning' },
  { id: 'cost', title: 'Cost', ...figure(132, 'cost_usd') },
  { id: 'models', title: 'Models', ...growing(120, 1.2) },
  { id: 'session', title: 'Session', ...growing(100, 0.8) },
  { id: 'user', title: 'User', ...growing(90, 0.8) },
  { id: 'tags', title: 'Tags', ...growing(110, 1) },
  { id: 'error', title: 'Error', ...growing(160, 1.4), about: "The root's error" },
  { id: 'task', title: 'Task', ...fixed(110), about: 'The managed task it is an attempt of' },
  { id: 'id', title: 'Run id', ...fixed(92) },
];

export const DEFAULT_COLUMNS: readonly string[] = [
  'status', 'name', 'agent', 'started', 'duration', 'spans', 'errors', 'tokens', 'cost', 'models',
];

const BY_ID = new Map(COLUMNS.map((column) => [column.id, column]));

/** The columns that an address names, in its order; those of everyone when it names none. */
export function readColumns(text: string): Column[] {
  const named = [...new Set(text.split(','))].flatMap((id) => BY_ID.get(id) ?? []);
  return named.length > 0 ? named : DEFAULT_COLUMNS.flatMap((id) => BY_ID.get(id) ?? []);
}

/** As an address names them; "" for those of everyone. */
export function writeColumns(ids: readonly string[]): string {
  const text = ids.join(',');
  return text === DEFAULT_COLUMNS.join(',') ? '' : text;
}

/** Shown or no longer; a column that is added goes where it stands among all columns. The last one stays. */
export function toggledColumn(ids: readonly string[], id: string): string[] {
  if (ids.includes(id)) return ids.length > 1 ? ids.filter((one) => one !== id) : [...ids];
  const place = (one: string) => COLUMNS.findIndex((column) => column.id === one);
  const before = ids.findLastIndex((one) => place(one) < place(id));
  return ids.toSpliced(before + 1, 0, id);
}

/** One place further to the left (-1) or the right (1), as far as there is one. */
export function movedColumn(ids: readonly string[], id: string, by: -1 | 1): string[] {
  const from = ids.indexOf(id);
  const to = from + by;
  if (from < 0 || to < 0 || to >= ids.length) return [...ids];
  return ids.toSpliced(from, 1).toSpliced(to, 0, id);
}

/** Before another column, or last. */
export function droppedColumn(ids: readonly string[], id: string, before: string | null): string[] {
  if (id === before || !ids.includes(id)) return [...ids];
  const rest = ids.filter((one) => one !== id);
  const place = before === null ? rest.length : rest.indexOf(before);
  return rest.toSpliced(place < 0 ? rest.length : place, 0, id);
}

/** The order after a click on a heading: of figures the largest first, then the other way round. */
export function sortedBy(column: Column, sort: string): string {
  const { sort: key = '', ascending = false } = column;
  const first = ascending ? key : `-${key}`;
  const second = ascending ? `-${key}` : key;
  return sort === first ? second : first;
}

/** A run's tokens where they differ in price; they sum up to all of it. */
export interface TokenBuckets {
  readonly fresh: number;
  readonly cached: number;
  readonly output: number;
}

export function tokenBuckets(run: Pick<RunSummary, 'input_tokens' | 'cache_read_tokens' | 'output_tokens'>): TokenBuckets | null {
  if (totalTokens(run.input_tokens, run.output_tokens) === null) return null;
  const input = run.input_tokens ?? 0;
  const cached = Math.min(run.cache_read_tokens ?? 0, input);
  return { fresh: input - cached, cached, output: run.output_tokens ?? 0 };
}

export function tokenWords(run: Parameters<typeof tokenBuckets>[0] & { reasoning_tokens?: number | null }): string {
  const buckets = tokenBuckets(run);
  if (!buckets) return '';
  const reasoning = run.reasoning_tokens ? ` (${formatCount(run.reasoning_tokens)} of them reasoning)` : '';
  const cached = buckets.cached ? ` (${formatCount(buckets.cached)} of them cached)` : '';
  return `${formatCount(buckets.fresh + buckets.cached)} in${cached} · ${formatCount(buckets.output)} out${reasoning}`;
}

export interface Cell {
  readonly text: string;
  readonly title?: string;
}

const count = (value: number): Cell => ({ text: value === 0 ? '' : formatCount(value) });
const tokens = (value: number | null): Cell =>
  value === null ? { text: '' } : { text: formatTokens(value), title: `${formatCount(value)} tokens` };
const plain = (text: string | null | undefined): Cell => ({ text: text ?? '', title: text ?? undefined });

const CELLS: Record<string, (run: RunSummary) => Cell> = {
  agent: (run) => ({ text: run.agent ?? run.service ?? '', title: run.agent ?? (run.service ? `service ${run.service}` : undefined) }),
  spans: (run) => ({ text: formatCount(run.span_count) }),
  llm: (run) => count(run.llm_call_count),
  tools: (run) => count(run.tool_call_count),
  errors: (run) => count(run.error_count),
  input: (run) => tokens(run.input_tokens),
  cached: (run) => tokens(run.cache_read_tokens),
  written: (run) => tokens(run.cache_write_tokens),
  output: (run) => tokens(run.output_tokens),
  reasoning: (run) => tokens(run.reasoning_tokens),
  models: (run) => plain(run.models.join(', ')),
  user: (run) => plain(run.user_id),
  error: (run) => ({ text: [run.error_type, run.error_message].filter(Boolean).join(': '), title: run.error_message ?? undefined }),
  id: (run) => ({ text: run.run_id.slice(0, 8), title: run.run_id }),
};

/** What a plain cell says; columns that are more than text are drawn by the row. */
export function cellOf(run: RunSummary, id: string): Cell | null {
  return CELLS[id]?.(run) ?? null;
}

/** A share of the largest, for micro-bars, by its root: a run of cents stays visible beside one of dollars. */
export function magnitude(value: number | null, largest: number): number {
  if (value === null || value <= 0 || largest <= 0) return 0;
  return Math.min(1, Math.sqrt(value / largest));
}
