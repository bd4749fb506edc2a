/** Where bars lie on screen, and how bars too small to see become one. */

import { toX, type Viewport } from './viewport';

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
export function barAt(view: Viewport, width: number, start: number, end: number): Bar | null {
  if (end < view.start || start > view.end) return null;
  const left = Math.max(toX(view, width, start), -MIN_BAR_PX);
  const right = Math.min(toX(view, width, Math.max(start, end)), width + MIN_BAR_PX);
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
  readonly groups: Uint8Array;
}

export function makeLane(starts: Float64Array, ends: Float64Array, groups: Uint8Array): Lane {
  const endsUpTo = new Float64Array(ends.length);
  let latest = -Infinity;
  for (let i = 0; i < ends.length; i++) {
    latest = Math.max(latest, ends[i]);
    endsUpTo[i] = latest;
  }
  return { starts, ends, endsUpTo, groups };
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
export function mergeLane(lane: Lane, view: Viewport, width: number): Strip[] {
  const strips: Strip[] = [];
  let open: OpenStrip | null = null;
  const last = upperBound(lane.starts, view.end);
  for (let i = lowerBound(lane.endsUpTo, view.start); i < last; i++) {
    if (lane.ends[i] < view.start) continue;
    const pixels = pixelsOf(lane, i, view, width);
    if (pixels.to - pixels.from > MERGE_BELOW_PX) {
      strips.push({ ...pixels, group: lane.groups[i], count: 1, shares: [[lane.groups[i], 1]] });
      continue;
    }
    if (open === null || pixels.from > open.to || open.to - open.from >= LONGEST_STRIP_PX) {
      if (open) strips.push(open.close());
      open = new OpenStrip(pixels.from, pixels.to);
    }
    open.add(pixels.to, lane.groups[i], lane.ends[i] - lane.starts[i]);
  }
  if (open) strips.push(open.close());
  return strips;
}

/** The whole pixels a span touches; always at least one. */
export function pixelsOf(lane: Lane, i: number, view: Viewport, width: number): { from: number; to: number } {
  const from = Math.min(Math.max(Math.floor(toX(view, width, lane.starts[i])), 0), width - 1);
  const to = Math.min(Math.ceil(toX(view, width, lane.ends[i])), width);
  return { from, to: Math.max(to, from + 1) };
}

class OpenStrip {
  private readonly time = new Map<number, number>();
  private count = 0;

  constructor(
    readonly from: number,
    public to: number,
  ) {}

  add(to: number, group: number, duration: number): void {
    this.to = Math.max(this.to, to);
    this.count++;
    this.time.set(group, (this.time.get(group) ?? 0) + Math.max(duration, 1));
  }

  close(): Strip {
    let total = 0;
    for (const time of this.time.values()) total += time;
    const shares = [...this.time].map(([group, time]) => [group, time / total] as const).sort((a, b) => a[0] - b[0]);
    const leader = shares.find(([, share]) => share >= 0.6);
    return { from: this.from, to: this.to, group: leader ? leader[0] : -1, count: this.count, shares };
  }
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
