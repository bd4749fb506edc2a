/** One run beside the last ones of its name: where each step lies among theirs, in the order of the tree. */

import type { RunSummary } from './runlist';
import type { HistorySort } from './compareview';

/** value: this run's; the others are of the runs before it. rank: the part of them that has less. */
export interface Spread {
  value?: number;
  low?: number;
  median?: number;
  p90?: number;
  p99?: number;
  high?: number;
  rank?: number;
}

/** The steps at one path of names. run_id, span_id: of a step there, in this run or, if it has none, the newest that has. */
export interface PathHistory {
  path: string[];
  kind: string;
  run_id: string;
  span_id: string;
  count: number;
  run_count: number;
  is_new?: boolean;
  is_missing?: boolean;
  duration_ms?: Spread;
  cost_usd?: Spread;
}

export interface History {
  run: RunSummary;
  /** The newest first. */
  others: RunSummary[];
  rows: PathHistory[];
  truncated: boolean;
}

export type Place = 'above all' | 'above p99' | 'above p90' | 'usual' | 'below all' | 'unknown';

/** Values this close count as equal: no run takes the same time twice. */
const SLACK = 0.01;
/** Fewer runs have no tail worth naming. */
const LEAST_FOR_TAIL = 5;

/** Where a value lies among those before. */
export function placeOf(spread: Spread | undefined, runCount: number): Place {
  const { value, low, p90, p99, high } = spread ?? {};
  if (value === undefined || low === undefined || p90 === undefined || p99 === undefined || high === undefined) return 'unknown';
  if (value > high * (1 + SLACK)) return 'above all';
  if (value < low * (1 - SLACK)) return 'below all';
  if (runCount < LEAST_FOR_TAIL || high <= low * (1 + SLACK)) return 'usual';
  if (value > p99) return 'above p99';
  return value > p90 ? 'above p90' : 'usual';
}

/** New, missing, or with a time or cost outside of what is usual. */
export function isUnusual(row: PathHistory): boolean {
  if (row.is_new || row.is_missing) return true;
  return [row.duration_ms, row.cost_usd].some((spread) => !['usual', 'unknown'].includes(placeOf(spread, row.run_count)));
}

/** How many times the median a value is; NaN when nothing is known, infinite when others had none. */
export function excess(spread: Spread | undefined): number {
  if (spread?.value === undefined || spread.median === undefined) return NaN;
  return spread.median === 0 ? (spread.value > 0 ? Infinity : 1) : spread.value / spread.median;
}

/** Rows as the reader wants them: below their parents in the order of first steps, or by what is over the median. */
export function historyRows(rows: readonly PathHistory[], { sort, onlyUnusual }: { sort: HistorySort; onlyUnusual: boolean }): PathHistory[] {
  const wanted = onlyUnusual ? rows.filter(isUnusual) : [...rows];
  if (sort === 'order') return inTreeOrder(wanted);
  const spread = (row: PathHistory) => (sort === 'time' ? row.duration_ms : row.cost_usd);
  const over = (row: PathHistory) => (spread(row)?.value ?? 0) - (spread(row)?.median ?? 0);
  return wanted.sort((one, other) => over(other) - over(one));
}

interface TreePlace {
  row: PathHistory | null;
  below: Map<string, TreePlace>;
}

/** Missing steps come last in the answer; here they stand among the steps below the same parent. */
function inTreeOrder(rows: readonly PathHistory[]): PathHistory[] {
  const top: TreePlace = { row: null, below: new Map() };
  for (const row of rows) placeAt(top, row.path).row = row;
  const ordered: PathHistory[] = [];
  const waiting = [top];
  for (let place = waiting.pop(); place; place = waiting.pop()) {
    if (place.row) ordered.push(place.row);
    waiting.push(...[...place.below.values()].reverse());
  }
  return ordered;
}

function placeAt(top: TreePlace, path: readonly string[]): TreePlace {
  let place = top;
  for (const name of path) {
    let below = place.below.get(name);
    if (!below) place.below.set(name, (below = { row: null, below: new Map() }));
    place = below;
  }
  return place;
}

/** Marks of a distribution strip, as parts of its width. */
export interface Strip {
  readonly low: number;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
  readonly high: number;
  /** null: this run has no such step. */
  readonly value: number | null;
}

/** Strips begin at 0, so that a wide one means a wide spread; null where nothing came before. */
export function stripOf({ value, low, median, p90, p99, high }: Spread): Strip | null {
  if (low === undefined || median === undefined || p90 === undefined || p99 === undefined || high === undefined) return null;
  const most = Math.max(value ?? 0, high);
  const part = (amount: number) => (most > 0 ? amount / most : 0);
  return {
    low: part(low),
    median: part(median),
    p90: part(p90),
    p99: part(p99),
    high: part(high),
    value: value === undefined ? null : part(value),
  };
}
