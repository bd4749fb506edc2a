/** An area of the timeline: what the spans in it took, by name; and the gap between two spans. */

import { tokensOf } from './colouring';
import type { SpanStore } from './spans';
import type { Tree } from './tree';
import type { Axis } from './axis';

/** A stretch of time over some rows. */
export interface Area {
  readonly start: number;
  readonly end: number;
  /** First and last node, in the order of rows; null: all rows. What a folded row holds belongs to it. */
  readonly nodes: readonly [first: number, last: number] | null;
}

/** Spans of one name in an area. Times are nanoseconds inside the area; cost and tokens are of spans that ended in it. */
export interface NameSums {
  readonly name: string;
  readonly kind: string;
  count: number;
  sum: number;
  least: number;
  most: number;
  /** NaN: not known of any of them. */
  cost: number;
  tokens: number;
}

/** endOf: where a span ends; for one that runs, now. Most time first. */
export function sumsOf(area: Area, tree: Tree, store: SpanStore, endOf: (row: number) => number): NameSums[] {
  const sums = new Map<number, NameSums>();
  for (const row of spansIn(area, tree)) {
    const end = endOf(row);
    if (tree.start[row] >= area.end || (end <= area.start && end > tree.start[row]) || end < area.start) continue;
    let entry = sums.get(store.name[row]);
    if (!entry) sums.set(store.name[row], (entry = emptySums(store.nameOf(row), store.kindOf(row))));
    const inside = Math.min(end, area.end) - Math.max(tree.start[row], area.start);
    entry.count++;
    entry.sum += inside;
    entry.least = Math.min(entry.least, inside);
    entry.most = Math.max(entry.most, inside);
    if (end > area.end) continue;
    entry.cost = plus(entry.cost, store.cost[row]);
    entry.tokens = plus(entry.tokens, tokensOf(store, row));
  }
  return [...sums.values()].sort((a, b) => b.sum - a.sum || (a.name < b.name ? -1 : 1));
}

function emptySums(name: string, kind: string): NameSums {
  return { name, kind, count: 0, sum: 0, least: Infinity, most: 0, cost: NaN, tokens: NaN };
}

function plus(sum: number, value: number): number {
  if (Number.isNaN(value)) return sum;
  return Number.isNaN(sum) ? value : sum + value;
}

/** Rows of the store that belong to an area's rows. */
function spansIn({ nodes }: Area, tree: Tree): Int32Array {
  if (nodes === null) return tree.preorder.filter((node) => node < tree.spanCount);
  const from = Math.min(tree.place[nodes[0]], tree.place[nodes[1]]);
  const last = nodes[tree.place[nodes[0]] > tree.place[nodes[1]] ? 0 : 1];
  return tree.preorder.subarray(from, tree.place[last] + tree.size[last]).filter((node) => node < tree.spanCount);
}

/** The nearest of the given times, when it is within `reach` pixels; else the time itself. */
export function snapTo(time: number, edges: Iterable<number>, axis: Axis, reach: number): number {
  const x = axis.toX(time);
  let [best, distance] = [time, reach];
  for (const edge of edges) {
    const away = Math.abs(axis.toX(edge) - x);
    if (away < distance) [best, distance] = [edge, away];
  }
  return best;
}

/** How two spans lie to each other. from, to: the time between them, or the time they share. */
export interface Gap {
  readonly kind: 'gap' | 'overlap';
  readonly from: number;
  readonly to: number;
  /** From the start of the one to the start of the other. */
  readonly startToStart: number;
  /** The other began first. */
  readonly reversed: boolean;
}

type Extent = readonly [start: number, end: number];

export function gapBetween(one: Extent, other: Extent): Gap {
  const reversed = other[0] < one[0] || (other[0] === one[0] && other[1] < one[1]);
  const [early, late] = reversed ? [other, one] : [one, other];
  const startToStart = late[0] - early[0];
  if (early[1] <= late[0]) return { kind: 'gap', from: early[1], to: late[0], startToStart, reversed };
  return { kind: 'overlap', from: late[0], to: Math.min(early[1], late[1]), startToStart, reversed };
}

/** The sums as tab-separated text with a heading, for spreadsheets; seconds and dollars. */
export function sumsAsText(sums: readonly NameSums[]): string {
  const seconds = (ns: number) => (ns / 1e9).toFixed(6);
  const known = (value: number) => (Number.isNaN(value) ? '' : String(value));
  const lines = sums.map((entry) =>
    [entry.name, entry.count, seconds(entry.sum), seconds(entry.sum / entry.count), seconds(entry.least), seconds(entry.most), known(entry.cost), known(entry.tokens)].join('\t'),
  );
  return [['name', 'count', 'sum_s', 'avg_s', 'min_s', 'max_s', 'cost_usd', 'tokens'].join('\t'), ...lines].join('\n');
}
