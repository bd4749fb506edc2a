/** Where bars lie on screen, and how bars too small to see become one. */

import type { Axis } from './axis';

export const MIN_BAR_PX = 2;
/** Bars narrower than this are merged with their neighbours. */
export const MERGE_BELOW_PX = 1.5;
/** A merged strip ends here at the latest, so that a long one still shows what changed along it. */
export const LONGEST_STRIP_PX = 3;

export interface Bar {
  readonly x: number;
  readonly width: number;
}

/** The part of [start, end] on screen, at least MIN_BAR_PX wide; null when it lies outside. */
export function barAt(axis: Axis, start: number, end: number): Bar | null {
  if (end < axis.view.start || start > axis.view.end) return null;
  const left = Math.max(axis.toX(start), -MIN_BAR_PX);
  const right = Math.min(axis.toX(Math.max(start, end)), axis.width + MIN_BAR_PX);
  return { x: left, width: Math.max(right - left, MIN_BAR_PX) };
}

export type LabelPlace = 'right' | 'inside' | 'left' | 'none';

/** A bar's label stands to its right, else inside, else to its left; never clipped, never on both sides. */
export function labelPlace(bar: Bar, labelWidth: number, width: number, gap = 6): LabelPlace {
  if (bar.x + bar.width + gap + labelWidth <= width) return 'right';
  if (Math.min(bar.x + bar.width, width) - Math.max(bar.x, 0) >= labelWidth + 2 * gap) return 'inside';
  return bar.x - gap - labelWidth >= 0 ? 'left' : 'none';
}

/** Spans of one lane, sorted by start. `endsUpTo[i]` is the largest end among spans 0..i. */
export interface Lane {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly endsUpTo: Float64Array;
  /** The colour of each span. */
  readonly groups: Uint8Array;
  /** When failed spans of the lane started, in order. */
  readonly failed: Float64Array;
}

const NONE = new Float64Array(0);

export function makeLane(starts: Float64Array, ends: Float64Array, groups: Uint8Array, failed: Float64Array = NONE): Lane {
  const endsUpTo = new Float64Array(ends.length);
  let latest = -Infinity;
  for (let i = 0; i < ends.length; i++) {
    latest = Math.max(latest, ends[i]);
    endsUpTo[i] = latest;
  }
  return { starts, ends, endsUpTo, groups, failed };
}

/**
 * Pixels [from, to) painted as one. group: the kind that fills at least 60 % of the covered time, else -1.
 * shares: each kind's part of that time, for painters with room for more than one colour.
 */
export interface Strip {
  from: number;
  to: number;
  group: number;
  count: number;
  shares: readonly (readonly [group: number, share: number])[];
}

/** What to paint for a lane: wide spans alone, narrow neighbours as one strip. Costs only what is on screen. */
export function mergeLane(lane: Lane, axis: Axis): Strip[] {
  const { starts, ends, groups } = lane;
  const { view } = axis;
  const width = Math.floor(axis.width);
  const strips: Strip[] = [];
  const open = new OpenStrip();
  const last = upperBound(starts, view.end);
  for (let i = lowerBound(lane.endsUpTo, view.start); i < last; i++) {
    if (ends[i] < view.start) continue;
    const from = firstPixel(axis, starts[i], width);
    const to = lastPixel(axis, ends[i], width, from);
    if (to - from > MERGE_BELOW_PX) {
      strips.push({ from, to, group: groups[i], count: 1, shares: [[groups[i], 1]] });
      continue;
    }
    if (open.count > 0 && (from > open.to || open.to - open.from >= LONGEST_STRIP_PX)) strips.push(open.close());
    open.add(from, to, groups[i], ends[i] - starts[i]);
  }
  if (open.count > 0) strips.push(open.close());
  return strips;
}

/** The whole pixels a span touches; always at least one. */
export function pixelsOf(lane: Lane, i: number, axis: Axis): { from: number; to: number } {
  const width = Math.floor(axis.width);
  const from = firstPixel(axis, lane.starts[i], width);
  return { from, to: lastPixel(axis, lane.ends[i], width, from) };
}

function firstPixel(axis: Axis, time: number, width: number): number {
  const pixel = Math.floor(axis.toX(time));
  return pixel < 0 ? 0 : pixel > width - 1 ? width - 1 : pixel;
}

function lastPixel(axis: Axis, time: number, width: number, from: number): number {
  const pixel = Math.ceil(axis.toX(time));
  return pixel <= from ? from + 1 : pixel > width ? width : pixel;
}

/** Collects the narrow spans of one strip; used again for the next, since there may be a thousand in a frame. */
class OpenStrip {
  from = 0;
  to = 0;
  count = 0;
  private readonly time = new Float64Array(256);
  private readonly used: number[] = [];

  add(from: number, to: number, group: number, duration: number): void {
    if (this.count === 0) [this.from, this.to] = [from, to];
    if (to > this.to) this.to = to;
    this.count++;
    if (this.time[group] === 0) this.used.push(group);
    this.time[group] += duration > 1 ? duration : 1;
  }

  close(): Strip {
    let total = 0;
    for (const group of this.used) total += this.time[group];
    const shares = this.used.map((group) => [group, this.time[group] / total] as const).sort((a, b) => a[0] - b[0]);
    const leader = shares.find(([, share]) => share >= 0.6);
    const strip = { from: this.from, to: this.to, group: leader ? leader[0] : -1, count: this.count, shares };
    for (const group of this.used) this.time[group] = 0;
    this.used.length = this.count = 0;
    return strip;
  }
}

/** Ticks for failed spans closer than this are one: a lane full of errors is no wall of red. */
export const ERROR_TICK_GAP_PX = 3;

/** Where a lane's failed spans get a tick, from left to right. */
export function errorTicks(lane: Lane, axis: Axis): number[] {
  const ticks: number[] = [];
  for (let i = lowerBound(lane.failed, axis.view.start); i < lane.failed.length && lane.failed[i] <= axis.view.end; i++) {
    const x = axis.toX(lane.failed[i]);
    if (ticks.length === 0 || x - ticks[ticks.length - 1] >= ERROR_TICK_GAP_PX) ticks.push(x);
  }
  return ticks;
}

/** The first index whose value is at least `wanted`, in an ascending array. */
export function lowerBound(values: Float64Array, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first index whose value is above `wanted`, in an ascending array. */
export function upperBound(values: Float64Array, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
