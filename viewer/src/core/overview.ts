/** The minimap's data: how much of each kind was at work over time, and where errors are. */

import { FAILED, KIND_GROUPS } from './kinds';
import type { SpanStore } from './spans';
import type { Tree } from './tree';
import type { Viewport } from './viewport';

export interface Overview {
  readonly buckets: number;
  /** active[group * buckets + i]: mean number of leaf spans of a group at work in bucket i. */
  readonly active: Float64Array;
  /** The tallest stack. */
  readonly peak: number;
  /** Failed spans that ended in each bucket. */
  readonly errors: Uint32Array;
  readonly errorPeak: number;
}

/**
 * Adds up leaf spans per bucket of time. Only leaves count: a parent is at work through its children, and would
 * otherwise paint the whole map. Open spans reach until `now`. Two difference arrays per group make the cost independent of a span's length.
 */
export function buildOverview(
  store: SpanStore,
  tree: Tree,
  groupOf: (row: number) => number,
  limits: Viewport,
  now: number,
  buckets: number,
): Overview {
  const width = buckets + 2;
  const level = new Float64Array(KIND_GROUPS.length * width); // spans that cover a bucket whole, as differences
  const part = new Float64Array(KIND_GROUPS.length * width); // corrections at a span's first and last bucket
  const errors = new Uint32Array(buckets);
  const scale = buckets / Math.max(limits.end - limits.start, 1);
  for (let row = 0; row < store.count; row++) {
    const end = Number.isNaN(tree.end[row]) ? now : tree.end[row];
    const right = clampTo((end - limits.start) * scale, buckets);
    if (store.status[row] === FAILED) errors[Math.min(Math.floor(right), buckets - 1)]++;
    if (tree.size[row] > 1) continue;
    const left = clampTo((tree.start[row] - limits.start) * scale, buckets);
    addInterval(level, part, groupOf(row) * width, left, Math.max(right, left));
  }
  return { buckets, errors, errorPeak: largest(errors), ...integrate(level, part, buckets) };
}

function clampTo(value: number, most: number): number {
  return value < 0 ? 0 : value > most ? most : value;
}

function addInterval(level: Float64Array, part: Float64Array, base: number, left: number, right: number): void {
  const first = Math.floor(left);
  const last = Math.floor(right);
  level[base + first] += 1;
  level[base + last] -= 1;
  part[base + first] -= left - first;
  part[base + last] += right - last;
}

function integrate(level: Float64Array, part: Float64Array, buckets: number) {
  const width = buckets + 2;
  const active = new Float64Array(KIND_GROUPS.length * buckets);
  const stack = new Float64Array(buckets);
  for (let group = 0; group < KIND_GROUPS.length; group++) {
    let running = 0;
    for (let i = 0; i < buckets; i++) {
      running += level[group * width + i];
      const value = Math.max(0, running + part[group * width + i]);
      active[group * buckets + i] = value;
      stack[i] += value;
    }
  }
  return { active, peak: largest(stack) };
}

function largest(values: Float64Array | Uint32Array): number {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}
