/** Insights: what a board shows of a stretch of time, how its address reads, and how its figures read. */

import { formatChange } from './delta';
import type { FlameMetric } from './flame';
import { isoToMs } from './time';

export const BOARDS = ['overview', 'cost', 'tokens', 'latency', 'success', 'errors', 'steps'] as const;
export type Board = (typeof BOARDS)[number];
export const BYS = ['agent', 'name', 'model', 'task', 'kind'] as const;
const FLAME_OF: Partial<Record<Board, FlameMetric>> = { cost: 'cost', tokens: 'tokens', errors: 'errors' };
export type By = (typeof BYS)[number];
export type Part = 'totals' | 'groups' | 'series' | 'group_series' | 'errors' | 'expensive' | 'slowest';

/** What the address carries. Times are as the API takes them. */
export interface InsightsView {
  readonly board: Board;
  readonly from: string;
  readonly to: string;
  readonly by: By;
  readonly q: string;
}

export interface Figures {
  readonly count: number;
  readonly ended: number;
  readonly succeeded: number;
  readonly cost_usd?: number;
  readonly uncached_input_tokens?: number;
  readonly cache_read_tokens?: number;
  readonly cache_write_tokens?: number;
  readonly plain_output_tokens?: number;
  readonly reasoning_tokens?: number;
  readonly p50_ms?: number;
  readonly p95_ms?: number;
  readonly p99_ms?: number;
}

export interface InsightGroup extends Figures {
  readonly key: string | null;
  readonly query: string;
}

export interface InsightBucket extends Figures {
  readonly time: string;
  readonly query: string;
  readonly key?: string;
}

export interface ErrorGroup {
  readonly error_type: string | null;
  readonly message: string | null;
  readonly count: number;
  readonly run_count: number;
  readonly names: readonly string[];
  readonly first_time: string;
  readonly last_time: string;
  readonly over_time: readonly number[];
  readonly example: string | null;
  readonly example_run_id: string;
  readonly example_span_id: string;
  readonly query: string;
}

export interface StepGroup {
  readonly name: string;
  readonly kind: string;
  readonly count: number;
  readonly cost_usd: number | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly total_ms: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly max_ms: number;
  readonly example_run_id: string;
  readonly example_span_id: string;
  readonly query: string;
}

export interface InsightsAnswer {
  readonly since: string;
  readonly until: string;
  readonly by: By;
  readonly bucket_ms: number;
  readonly query: string;
  readonly totals: Figures | null;
  readonly groups: readonly InsightGroup[];
  readonly series: readonly InsightBucket[];
  readonly group_series: readonly InsightBucket[];
  readonly errors: readonly ErrorGroup[];
  readonly expensive: readonly StepGroup[];
  readonly slowest: readonly StepGroup[];
  readonly sql: Readonly<Partial<Record<Part, string>>>;
}

/** What a board asks for: the parts it shows, and whether durations are among them. */
export const NEEDS: Readonly<Record<Board, { parts: readonly Part[]; percentiles: boolean }>> = {
  overview: { parts: ['totals', 'series'], percentiles: true },
  cost: { parts: ['totals', 'groups', 'series', 'group_series'], percentiles: false },
  tokens: { parts: ['totals', 'groups', 'series'], percentiles: false },
  latency: { parts: ['totals', 'groups', 'series'], percentiles: true },
  success: { parts: ['totals', 'groups', 'series'], percentiles: false },
  errors: { parts: ['errors'], percentiles: false },
  steps: { parts: ['expensive', 'slowest'], percentiles: false },
};

/** Boards whose figures are told apart by something; the others are of runs, or of all spans. */
export const BOARDS_BY: readonly Board[] = ['cost', 'tokens', 'latency', 'success'];

export function countedBy(view: InsightsView): By {
  return BOARDS_BY.includes(view.board) ? view.by : 'agent';
}

/** What is counted, in words: runs, calls of models, tasks or spans. */
export function counted(by: By): string {
  return { agent: 'run', name: 'run', model: 'call', task: 'task', kind: 'span' }[by];
}

export const BOARD_TITLES: Readonly<Record<Board, string>> = {
  overview: 'Overview', cost: 'Cost', tokens: 'Tokens', latency: 'Latency', success: 'Success', errors: 'Errors', steps: 'Steps',
};
export const BY_TITLES: Readonly<Record<By, string>> = {
  agent: 'Agent', name: 'Run name', model: 'Model', task: 'Task name', kind: 'Span kind',
};

/** Stretches of time that are one click away: what they are called, and where they begin. */
export const RANGES = [
  { title: '1 h', from: 'now-1h' },
  { title: '24 h', from: 'now-24h' },
  { title: '7 d', from: 'now-7d' },
  { title: '30 d', from: 'now-30d' },
] as const;

/** The address of the runs that a search finds. */
export function runsPath(query: string): string {
  return `runs?q=${encodeURIComponent(query)}`;
}

export const DEFAULT_VIEW: InsightsView = { board: 'overview', from: 'now-24h', to: 'now', by: 'agent', q: '' };

export function parseView(board: string | null, search: string): InsightsView {
  const params = new URLSearchParams(search);
  const by = params.get('by') as By;
  return {
    board: BOARDS.find((one) => one === board) ?? 'overview',
    from: params.get('from') || DEFAULT_VIEW.from,
    to: params.get('to') || DEFAULT_VIEW.to,
    by: BYS.includes(by) ? by : DEFAULT_VIEW.by,
    q: params.get('q') ?? '',
  };
}

/** The address relative to the base: "insights/cost?from=now-7d". */
/** Where the spans of these runs are folded into one picture, by the metric that the board is about. */
export function flameOf({ board, from, to, by, q }: InsightsView): string {
  const metric = FLAME_OF[board];
  const params = new URLSearchParams({ ...(q && { q }), from, to });
  if (metric) params.set('metric', metric);
  if (BOARDS_BY.includes(board) && (by === 'agent' || by === 'model')) params.set('by', by);
  return `flame?${params}`;
}

export function formatView(view: InsightsView): string {
  const params = new URLSearchParams();
  for (const name of ['from', 'to', 'by', 'q'] as const) if (view[name] !== DEFAULT_VIEW[name]) params.set(name, view[name]);
  const search = params.toString();
  return `insights${view.board === 'overview' ? '' : `/${view.board}`}${search && `?${search}`}`;
}

/** The stretch of time before this one, as long as it. */
export function previousPeriod(since: string, until: string): { from: string; to: string } {
  const [from, to] = [isoToMs(since), isoToMs(until)];
  return { from: new Date(from - (to - from)).toISOString(), to: since };
}

/** "+12 %", "−3.1 %", "new", "±0 %": how a figure stands beside the one before; null when either is not known. */
export function changeText(now: number | null | undefined, before: number | null | undefined): string | null {
  if (now == null || before == null) return null;
  if (before > 0) return formatChange(before, now);
  return now > 0 ? 'new' : '±0 %';
}

export function successRate(figures: Figures): number | null {
  return figures.ended > 0 ? figures.succeeded / figures.ended : null;
}

/** "99.2 %", "100 %": a share, never rounded up to all. */
export function formatShare(share: number | null | undefined): string {
  if (share == null) return '–';
  if (share === 1 || share === 0) return `${share * 100} %`;
  return `${Math.min(Math.max(share * 100, 0.1), 99.9).toFixed(1)} %`;
}

export const TOKEN_PARTS = [
  { field: 'uncached_input_tokens', label: 'uncached input', colour: 'accent', strength: 1 },
  { field: 'cache_read_tokens', label: 'cache read', colour: 'accent', strength: 0.5 },
  { field: 'cache_write_tokens', label: 'cache write', colour: 'accent', strength: 0.25 },
  { field: 'plain_output_tokens', label: 'output', colour: 'kind-llm', strength: 1 },
  { field: 'reasoning_tokens', label: 'reasoning', colour: 'kind-llm', strength: 0.5 },
] as const;

export const PERCENTILES = [
  { field: 'p99_ms', label: 'p99', strength: 0.4 },
  { field: 'p95_ms', label: 'p95', strength: 0.65 },
  { field: 'p50_ms', label: 'p50', strength: 1 },
] as const;

export function allTokens(figures: Figures): number | null {
  const known = TOKEN_PARTS.map(({ field }) => figures[field]).filter((value) => value !== undefined);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/** Whether a board has nothing to show. */
export function isEmptyAnswer(answer: InsightsAnswer, board: Board): boolean {
  if (board === 'errors') return answer.errors.length === 0;
  if (board === 'steps') return answer.expensive.length === 0 && answer.slowest.length === 0;
  return answer.totals === null || answer.totals.count === 0;
}
