/** Both runs of a comparison on one axis of time, in nanoseconds after b's start. */

import type { ComparedRow, Outline, Side } from './compare';
import { SHORTEST_NS, type Viewport } from './viewport';

export type Alignment = 'start' | 'path';

/** Where spans that have not ended end on screen, in nanoseconds after their run's start. */
export interface OpenEnds {
  readonly a: number;
  readonly b: number;
}

/** NaN where a row has no span. */
export interface RowTimes {
  readonly startA: Float64Array;
  readonly endA: Float64Array;
  readonly startB: Float64Array;
  readonly endB: Float64Array;
}

/**
 * start: both runs begin at 0. path: each span of a begins where b's does; what b has not follows what stands before it,
 * so that a step's length shows whatever came earlier.
 */
export function rowTimes(rows: readonly ComparedRow[], outline: Outline, alignment: Alignment, open: OpenEnds): RowTimes {
  const make = () => new Float64Array(rows.length).fill(NaN);
  const times = { startA: make(), endA: make(), startB: make(), endB: make() };
  const shifts = alignment === 'path' ? pathShifts(rows, outline) : null;
  rows.forEach(({ a, b }, i) => {
    if (b) [times.startB[i], times.endB[i]] = [b.start_ns, endOf(b, open.b)];
    if (!a) return;
    const shift = shifts ? shifts[i] : 0;
    [times.startA[i], times.endA[i]] = [a.start_ns + shift, endOf(a, open.a) + shift];
  });
  return times;
}

function endOf(side: Side, open: number): number {
  return side.duration_ms === undefined ? Math.max(open, side.start_ns) : side.start_ns + side.duration_ms * 1e6;
}

/** By how much a's span of each row is moved: as its pair, or as the sibling or parent before it. */
function pathShifts(rows: readonly ComparedRow[], outline: Outline): Float64Array {
  const shifts = new Float64Array(rows.length);
  /** Of each row, the shift of its children that were met last. */
  const inside = new Float64Array(rows.length);
  let top = 0;
  rows.forEach(({ a, b }, i) => {
    const parent = outline.parent[i];
    const before = parent < 0 ? top : inside[parent];
    shifts[i] = a && b ? b.start_ns - a.start_ns : before;
    inside[i] = shifts[i];
    if (parent < 0) top = shifts[i];
    else inside[parent] = shifts[i];
  });
  return shifts;
}

/** All the time there is to show. */
export function wholeTime(times: RowTimes): Viewport {
  let [start, end] = [0, SHORTEST_NS];
  for (const column of [times.startA, times.startB]) for (const time of column) if (time < start) start = time;
  for (const column of [times.endA, times.endB]) for (const time of column) if (time > end) end = time;
  return { start, end };
}

/** The time of a row's spans together; null when it has none. */
export function timeOfRow(times: RowTimes, row: number): Viewport | null {
  const start = least(times.startA[row], times.startB[row]);
  const end = -least(-times.endA[row], -times.endB[row]);
  return Number.isNaN(start) ? null : { start, end };
}

function least(one: number, other: number): number {
  if (Number.isNaN(one)) return other;
  return other < one ? other : one;
}

/** The time of the rows on screen, without those that others on screen are in: they would cover everything. */
export function frameOf(times: RowTimes, outline: Outline, visible: readonly number[]): Viewport | null {
  let [start, end] = [Infinity, -Infinity];
  visible.forEach((row, i) => {
    if (i + 1 < visible.length && visible[i + 1] < outline.end[row]) return;
    const time = timeOfRow(times, row);
    if (!time) return;
    [start, end] = [Math.min(start, time.start), Math.max(end, time.end)];
  });
  return start <= end ? { start, end } : null;
}

/** True when most bars would be slivers if everything were shown at once. */
export function needsFrame(times: RowTimes, whole: Viewport, width: number): boolean {
  if (width <= 0) return false;
  const sliver = ((whole.end - whole.start) / width) * 4;
  let [thin, count] = [0, 0];
  for (let i = 0; i < times.startA.length; i++) {
    const time = timeOfRow(times, i);
    if (!time) continue;
    count++;
    if (time.end - time.start < sliver) thin++;
  }
  return thin * 2 > count;
}
