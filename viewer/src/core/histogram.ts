/** Geometry of the run histogram: stacks by status, marks of both axes, and what a brush means. */

import { wallClock, zoneOffsetAt } from './time';
import { boundAt, type TimeRange } from './timerange';

export interface Bucket {
  readonly start: string;
  readonly runs: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly cost_usd: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
}

export interface Histogram {
  readonly bucket_ms: number;
  readonly buckets: readonly Bucket[];
  readonly sql: string;
}

/** From the baseline up: what failed stands on it, so that failures compare along time. */
export const STACK = ['failed', 'lost', 'running', 'cancelled', 'skipped', 'completed'] as const;

export interface Segment {
  readonly status: string;
  readonly y: number;
  readonly height: number;
}

/** The segments of a bucket in `height` pixels that stand for `most` runs. A segment that is there is seen: one pixel at least. */
export function stackOf(bucket: Bucket, most: number, height: number): Segment[] {
  const segments: Segment[] = [];
  let top = height;
  for (const status of STACK) {
    const runs = bucket.statuses[status] ?? 0;
    if (runs === 0) continue;
    const tall = Math.max(1, (runs / most) * height);
    top -= tall;
    segments.push({ status, y: top, height: tall });
  }
  return segments;
}

/** The end of the axis: an even number of few digits, at least `largest`, so that its half is whole too. */
export function niceMost(largest: number): number {
  if (largest <= 10) return Math.max(2, 2 * Math.ceil(largest / 2));
  const power = 10 ** Math.floor(Math.log10(largest));
  return ([1, 1.2, 1.6, 2, 3, 4, 6, 8].find((digit) => digit * power >= largest) ?? 10) * power;
}

export function totals(buckets: readonly Bucket[]): Bucket {
  const statuses: Record<string, number> = {};
  for (const bucket of buckets) {
    for (const [status, runs] of Object.entries(bucket.statuses)) statuses[status] = (statuses[status] ?? 0) + runs;
  }
  const sum = (key: 'runs' | 'cost_usd' | 'input_tokens' | 'output_tokens') => buckets.reduce((all, one) => all + one[key], 0);
  return {
    start: buckets[0]?.start ?? '',
    statuses,
    runs: sum('runs'),
    cost_usd: sum('cost_usd'),
    input_tokens: sum('input_tokens'),
    output_tokens: sum('output_tokens'),
  };
}

/** "3 failed, 12 completed", worst first. */
export function statusesInWords(statuses: Readonly<Record<string, number>>): string {
  return STACK.filter((status) => statuses[status]).map((status) => `${statuses[status].toLocaleString('en-US')} ${status}`).join(', ');
}

/** The range of buckets `first` to `last`, both included, whichever is the earlier. */
export function rangeOf(startMs: number, bucketMs: number, first: number, last: number): TimeRange {
  const [low, high] = first <= last ? [first, last] : [last, first];
  return { from: boundAt(startMs + low * bucketMs), to: boundAt(startMs + (high + 1) * bucketMs) };
}

/** The bucket at a place of the chart. */
export function bucketAt(x: number, width: number, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor((x / Math.max(width, 1)) * count)));
}

export interface TimeMark {
  /** From the left, 0 to 1. */
  readonly at: number;
  readonly label: string;
}

const STEPS_MS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600,
  2_419_200, 7_862_400, 31_449_600,
].map((seconds) => seconds * 1000);

/** Marks at round local times, at most `most`. */
export function timeMarks(startMs: number, endMs: number, most: number): TimeMark[] {
  const span = endMs - startMs;
  if (span <= 0 || most < 1) return [];
  const step = STEPS_MS.find((candidate) => span / candidate <= most) ?? span;
  const zone = -zoneOffsetAt(startMs); // round times of the reader's clock, not of UTC's
  const marks: TimeMark[] = [];
  for (let at = Math.ceil((startMs - zone) / step) * step + zone; at <= endMs; at += step) {
    marks.push({ at: (at - startMs) / span, label: markLabel(at, step) });
  }
  return marks;
}

function markLabel(atMs: number, stepMs: number): string {
  const text = wallClock(atMs).toISOString();
  if (stepMs >= 86_400_000 || text.includes('T00:00:00')) return text.slice(0, 10);
  return text.slice(11, stepMs < 60_000 ? 19 : 16);
}
