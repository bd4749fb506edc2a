/**
 * The rows of the run list: pages from the API and live summaries, merged.
 *
 * Rows are replaced under the same run_id, re-sorted, and dropped when they no longer pass the filters, so that the
 * list is what a reload would show.
 */

import { totalTokens } from './format';
import { DEFAULT_SORT, isNarrowed, type RunFilters } from './runfilters';
import { isoToMs } from './time';
import { boundMs } from './timerange';

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
  /** The managed task it is an attempt of, and which attempt. */
  task_id?: string | null;
  attempt?: number | null;
}

type Key = number | string | null;

const KEYS: Record<string, (run: RunSummary) => Key> = {
  // The collector writes all times alike, in UTC with nine digits, so that they compare as texts, to the nanosecond.
  start_time: (run) => run.start_time,
  duration_ms: (run) => run.duration_ms,
  cost_usd: (run) => run.cost_usd,
  span_count: (run) => run.span_count,
  error_count: (run) => run.error_count,
  llm_call_count: (run) => run.llm_call_count,
  tool_call_count: (run) => run.tool_call_count,
  input_tokens: (run) => run.input_tokens,
  output_tokens: (run) => run.output_tokens,
  total_tokens: (run) => totalTokens(run.input_tokens, run.output_tokens),
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

/** What the browser can judge of the filters; null: the collector has to be asked. */
export function passes(run: RunSummary, filters: RunFilters, nowMs: number): boolean | null {
  const narrowed = isNarrowed(filters);
  if (!narrowed && run.part_of) return false; // its figures are in the row of the run it is a part of
  if (filters.status.length > 0 && !filters.status.includes(run.status)) return false;
  if (filters.agent && run.agent !== filters.agent) return false;
  if (filters.session && run.session_id !== filters.session) return false;
  if (filters.user && run.user_id !== filters.user) return false;
  if (filters.tag && !run.tags.includes(filters.tag)) return false;
  if (filters.q || filters.text || filters.name) return null;
  // A run that stands for others shows the sums of all, but is judged by its own.
  if ((filters.min_duration_ms || filters.min_cost_usd) && run.part_count) return null;
  if (filters.min_duration_ms && (run.duration_ms ?? -1) < Number(filters.min_duration_ms)) return false;
  if (filters.min_cost_usd && (run.cost_usd ?? -1) < Number(filters.min_cost_usd)) return false;
  return startedWithin(run, filters, nowMs);
}

function startedWithin(run: RunSummary, { from, to }: RunFilters, nowMs: number): boolean | null {
  if (!from && !to) return true;
  const low = from ? boundMs(from, nowMs) : -Infinity;
  const high = to ? boundMs(to, nowMs) : Infinity;
  if (low === null || high === null) return null;
  const start = isoToMs(run.start_time);
  return start >= low && start < high;
}

/** A page that was asked for. newer: what arrived live since, of which the answer may know less. */
export interface Flight {
  readonly newer: Map<string, RunSummary>;
  readonly generation: number;
}

export class RunList {
  /** In order; a new array after every change. */
  rows: RunSummary[] = [];
  nextCursor: string | null = null;
  /** Runs that arrived live and wait until the reader wants them. */
  private readonly waiting = new Map<string, RunSummary>();
  private readonly held = new Map<string, RunSummary>();
  /** Runs that changed and of which only the collector can say whether they belong here. */
  private readonly unjudged = new Map<string, RunSummary>();
  private readonly flights = new Set<Flight>();
  /** The last row of the last page: what comes after it is on pages not asked for yet. */
  private edge: RunSummary | null = null;
  private generation = 0;
  private readonly compare: Compare;

  constructor(readonly filters: RunFilters) {
    this.compare = compareBy(filters.sort || DEFAULT_SORT);
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  /** Changed runs to ask the collector about, as they were when they changed. */
  get questions(): Map<string, RunSummary> {
    return new Map(this.unjudged);
  }

  /** A page is being asked for; what arrives live from now on outlives its answer. */
  ask(): Flight {
    const flight = { newer: new Map<string, RunSummary>(), generation: this.generation };
    this.flights.add(flight);
    return flight;
  }

  /** The page will not come. */
  abandon(flight: Flight): void {
    this.flights.delete(flight);
  }

  /** A first page replaces everything; what it does not contain is gone, on a later page, or newer than the answer. */
  landFirst(flight: Flight, runs: readonly RunSummary[], nextCursor: string | null, nowMs: number): void {
    const waited = new Set(this.waiting.keys());
    this.generation++;
    for (const map of [this.held, this.waiting, this.unjudged]) map.clear();
    this.land(flight, runs, nextCursor, nowMs, (id) => waited.has(id));
  }

  /** A page after the last one. One that was asked for before a new first page came is of another list. */
  landMore(flight: Flight, runs: readonly RunSummary[], nextCursor: string | null, nowMs: number): void {
    if (flight.generation !== this.generation) return this.abandon(flight);
    for (const run of runs) this.waiting.delete(run.run_id);
    this.land(flight, runs, nextCursor, nowMs, (id) => this.waiting.has(id));
  }

  private land(
    flight: Flight,
    runs: readonly RunSummary[],
    nextCursor: string | null,
    nowMs: number,
    holds: (id: string) => boolean,
  ): void {
    this.flights.delete(flight);
    for (const run of runs) this.held.set(run.run_id, run);
    this.nextCursor = nextCursor;
    this.edge = nextCursor === null ? null : (runs.at(-1) ?? this.edge);
    for (const run of flight.newer.values()) this.takeLive(run, holds(run.run_id), nowMs);
    this.sort();
  }

  /** Takes live summaries. hold: keep new rows back instead of pushing what is being read. */
  applyLive(runs: readonly RunSummary[], hold: boolean, nowMs: number): void {
    for (const run of runs) {
      for (const flight of this.flights) flight.newer.set(run.run_id, run);
      this.takeLive(run, hold, nowMs);
    }
    this.sort();
  }

  /** Takes the collector's answer about runs that were asked about: those of them that belong here. */
  judge(asked: ReadonlyMap<string, RunSummary>, belonging: readonly RunSummary[], hold: boolean): void {
    const answers = new Map(belonging.map((run) => [run.run_id, run]));
    for (const [id, before] of asked) {
      const latest = this.unjudged.get(id);
      if (!latest) continue; // a newer page has settled it
      const answer = answers.get(id);
      if (latest === before) this.unjudged.delete(id);
      // One that changed again is shown as it is now; the next answer says whether it still belongs here.
      this.place(latest === before && answer ? answer : latest, answer !== undefined, hold);
    }
    this.sort();
  }

  /** Shows the runs that were held back. */
  release(): void {
    for (const [id, run] of this.waiting) this.held.set(id, run);
    this.waiting.clear();
    this.sort();
  }

  /** Lets go of runs that a range such as the last hour has left behind. Returns whether there were any. */
  expire(nowMs: number): boolean {
    if (!this.filters.from.startsWith('now')) return false;
    const before = this.held.size + this.waiting.size;
    for (const map of [this.held, this.waiting]) {
      for (const [id, run] of map) if (startedWithin(run, this.filters, nowMs) === false) map.delete(id);
    }
    if (this.held.size + this.waiting.size === before) return false;
    this.sort();
    return true;
  }

  private takeLive(run: RunSummary, hold: boolean, nowMs: number): void {
    const verdict = passes(run, this.filters, nowMs);
    if (verdict !== null) {
      this.unjudged.delete(run.run_id);
      return this.place(run, verdict, hold);
    }
    this.unjudged.set(run.run_id, run);
    for (const map of [this.held, this.waiting]) if (map.has(run.run_id)) map.set(run.run_id, run);
  }

  private place(run: RunSummary, wanted: boolean, hold: boolean): void {
    const id = run.run_id;
    const known = this.held.has(id);
    this.held.delete(id);
    this.waiting.delete(id);
    if (!wanted || this.liesBeyondLoaded(run)) return;
    (known || !hold ? this.held : this.waiting).set(id, run);
  }

  /** True when the row belongs to a page that has not been asked for yet. */
  private liesBeyondLoaded(run: RunSummary): boolean {
    return this.edge !== null && this.compare(run, this.edge) > 0;
  }

  // From the rows as they were: nearly sorted already, which costs a fraction of sorting anew.
  private sort(): void {
    const rest = new Map(this.held);
    const rows: RunSummary[] = [];
    for (const { run_id: id } of this.rows) {
      const run = rest.get(id);
      if (run) rows.push(run);
      rest.delete(id);
    }
    rows.push(...rest.values());
    this.rows = rows.sort(this.compare);
  }
}
