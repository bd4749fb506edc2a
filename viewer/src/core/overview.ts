/** The minimap's data: how much of each kind was at work over time, and where errors are. */

import type { Axis } from './axis';
import { FAILED } from './kinds';
import type { SpanStore } from './spans';
import type { Tree } from './tree';

export interface Overview {
  readonly buckets: number;
  readonly colours: number;
  /** active[colour * buckets + i]: mean number of leaf spans of a colour at work in bucket i. */
  readonly active: Float64Array;
  /** The tallest stack. */
  readonly peak: number;
  /** Failed spans that ended in each bucket. */
  readonly errors: Uint32Array;
  readonly errorPeak: number;
}

/**
 * Adds up leaf spans per bucket, which is a pixel of the axis. Only leaves count: a parent is at work through its
 * children, and would otherwise paint the whole map. Open spans reach until `now`. Two difference arrays per colour make
 * the cost independent of a span's length.
 */
export function buildOverview(
  store: SpanStore,
  tree: Tree,
  colourOf: (row: number) => number,
  colours: number,
  axis: Axis,
  now: number,
): Overview {
  const buckets = Math.floor(axis.width);
  const width = buckets + 2;
  const level = new Float64Array(colours * width); // spans that cover a bucket whole, as differences
  const part = new Float64Array(colours * width); // corrections at a span's first and last bucket
  const errors = new Uint32Array(buckets);
  for (let row = 0; row < tree.spanCount; row++) {
    const end = Number.isNaN(tree.end[row]) ? now : tree.end[row];
    const right = clampTo(axis.toX(end), buckets);
    if (store.status[row] === FAILED) errors[Math.min(Math.floor(right), buckets - 1)]++;
    if (tree.size[row] > 1) continue;
    const left = clampTo(axis.toX(tree.start[row]), buckets);
    addInterval(level, part, colourOf(row) * width, left, Math.max(right, left));
  }
  return { buckets, colours, errors, errorPeak: largest(errors), ...integrate(level, part, colours, buckets) };
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

function integrate(level: Float64Array, part: Float64Array, colours: number, buckets: number) {
  const width = buckets + 2;
  const active = new Float64Array(colours * buckets);
  const stack = new Float64Array(buckets);
  for (let group = 0; group < colours; group++) {
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
