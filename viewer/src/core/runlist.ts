/**
 * The rows of the run list: pages from the API and live summaries, merged.
 *
 * Rows are replaced under the same run_id, re-sorted, and dropped when they no longer pass the filters, so that the
 * list is what a reload would show.
 */

import { isoToMs } from './time';
import { DEFAULT_SORT, type RunFilters } from './runfilters';

export interface RunSummary {
  run_id: string;
  name: string;
  status: string;
  start_time: string;
  end_time: string | null;
  duration_ms: number | null;
  agent: string | null;
  session_id: string | null;
  user_id: string | null;
  tags: string[];
  models: string[];
  span_count: number;
  live_span_count: number;
  task_count: number;
  llm_call_count: number;
  tool_call_count: number;
  error_count: number;
  input_tokens: number | null;
  output_tokens: number | null;
  cache_read_tokens: number | null;
  cache_write_tokens: number | null;
  reasoning_tokens: number | null;
  cost_usd: number | null;
  unpriced_count: number;
  error_type: string | null;
  error_message: string | null;
  service?: string | null;
  /** The run this one is a part of. */
  part_of?: string | null;
  /** Runs that are parts of this one; its sums contain theirs. */
  part_count?: number;
}

type Key = number | string | null;

const KEYS: Record<string, (run: RunSummary) => Key> = {
  start_time: (run) => isoToMs(run.start_time),
  duration_ms: (run) => run.duration_ms,
  cost_usd: (run) => run.cost_usd,
  span_count: (run) => run.span_count,
  error_count: (run) => run.error_count,
  input_tokens: (run) => run.input_tokens,
  output_tokens: (run) => run.output_tokens,
  name: (run) => run.name,
};

export type Compare = (a: RunSummary, b: RunSummary) => number;

/** The order of a sort parameter such as "-cost_usd"; unknown figures come last in both directions. */
export function compareBy(sort: string): Compare {
  const descending = sort.startsWith('-');
  const key = KEYS[sort.replace(/^-/, '')] ?? KEYS.start_time;
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const [left, right] = [key(a), key(b)];
    if (left === null || right === null) return left === right ? tie(a, b) : left === null ? 1 : -1;
    return left === right ? tie(a, b) : left < right ? -sign : sign;
  };
}

function tie(a: RunSummary, b: RunSummary): number {
  return a.run_id < b.run_id ? -1 : a.run_id > b.run_id ? 1 : 0;
}

/** What the browser can judge of the filters. `text` and unusual times are the server's to judge: null. */
export function passes(run: RunSummary, filters: RunFilters): boolean | null {
  if (filters.status.length > 0 && !filters.status.includes(run.status)) return false;
  if (filters.name && run.name !== filters.name) return null;
  if (filters.agent && run.agent !== filters.agent) return false;
  if (filters.session && run.session_id !== filters.session) return false;
  if (filters.user && run.user_id !== filters.user) return false;
  if (filters.tag && !run.tags.includes(filters.tag)) return false;
  if (filters.min_duration_ms && (run.duration_ms ?? 0) < Number(filters.min_duration_ms)) return false;
  if (filters.min_cost_usd && (run.cost_usd ?? 0) < Number(filters.min_cost_usd)) return false;
  return filters.text || filters.to || (filters.from && !filters.from.startsWith('now-')) ? null : true;
}

export class RunList {
  /** In order; a new array after every change. */
  rows: RunSummary[] = [];
  nextCursor: string | null = null;
  /** Runs that arrived live and wait until the reader wants them. */
  private readonly waiting = new Map<string, RunSummary>();
  private readonly held = new Map<string, RunSummary>();
  /** What arrived live since a first page was asked for: the answer may be older. */
  private meanwhile: RunSummary[] | null = null;
  private readonly compare: Compare;

  constructor(readonly filters: RunFilters) {
    this.compare = compareBy(filters.sort || DEFAULT_SORT);
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  /** A first page is being asked for; what arrives live from now on outlives its answer. */
  expectFirst(): void {
    this.meanwhile = [];
  }

  /** A first page replaces everything; what it does not contain is gone, on a later page, or newer than the answer. */
  loadFirst(runs: readonly RunSummary[], nextCursor: string | null): void {
    const newer = this.meanwhile ?? [];
    const held = new Set(this.waiting.keys());
    this.meanwhile = null;
    this.held.clear();
    this.waiting.clear();
    this.loadMore(runs, nextCursor);
    for (const run of newer) this.applyLive([run], held.has(run.run_id));
  }

  loadMore(runs: readonly RunSummary[], nextCursor: string | null): void {
    for (const run of runs) this.held.set(run.run_id, run);
    this.nextCursor = nextCursor;
    this.sort();
  }

  /**
   * Takes live summaries. hold: keep new rows back instead of pushing what is being read.
   * Returns true when the server has to be asked because a filter is beyond the browser.
   */
  applyLive(runs: readonly RunSummary[], hold: boolean): boolean {
    let ask = false;
    this.meanwhile?.push(...runs);
    for (const run of runs) {
      const verdict = passes(run, this.filters);
      if (verdict === null && !this.held.has(run.run_id)) ask = true;
      else this.takeLive(run, verdict !== false, hold);
    }
    this.sort();
    return ask;
  }

  /** Shows the runs that were held back. */
  release(): void {
    for (const [id, run] of this.waiting) this.held.set(id, run);
    this.waiting.clear();
    this.sort();
  }

  private takeLive(run: RunSummary, wanted: boolean, hold: boolean): void {
    const known = this.held.has(run.run_id);
    if (!wanted) {
      this.held.delete(run.run_id);
      this.waiting.delete(run.run_id);
    } else if (known) this.held.set(run.run_id, run);
    else if (this.liesBeyondLoaded(run)) return;
    else if (hold) this.waiting.set(run.run_id, run);
    else this.held.set(run.run_id, run);
  }

  /** True when the row belongs to a page that has not been asked for yet. */
  private liesBeyondLoaded(run: RunSummary): boolean {
    const last = this.rows.at(-1);
    return this.nextCursor !== null && last !== undefined && this.compare(run, last) > 0;
  }

  private sort(): void {
    this.rows = [...this.held.values()].sort(this.compare);
  }
}
