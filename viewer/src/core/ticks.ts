/** Marks of the time ruler. */

import type { Axis } from './axis';
import type { Viewport } from './viewport';

const MINUTE = 60e9;
const HOUR = 3600e9;
const LONG_STEPS = [15e9, 30e9, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR];
const HOUR_STEPS = [2, 3, 6, 12, 24, 48, 96, 168].map((hours) => hours * HOUR);

/** The smallest round step, in nanoseconds, that is at least `least`. */
export function niceStep(least: number): number {
  if (least > 10e9) {
    return [...LONG_STEPS, ...HOUR_STEPS].find((step) => step >= least) ?? Math.ceil(least / (168 * HOUR)) * 168 * HOUR;
  }
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return ([1, 2, 5, 10].find((digit) => digit * power >= least) ?? 10) * power;
}

export interface Tick {
  /** Nanoseconds, in the viewport's coordinates. */
  readonly time: number;
  readonly label: string;
}

/** Ticks at least `gapPx` apart, labelled as time after `zero`; folded stretches get none. */
export function ticks(axis: Axis, zero: number, gapPx = 96): Tick[] {
  if (axis.width <= 0) return [];
  const open = openStretches(axis);
  const [time, room] = open.reduce(([ns, px], { start, end }) => [ns + end - start, px + axis.toX(end) - axis.toX(start)], [0, 0]);
  const step = niceStep((time * gapPx) / Math.max(room, 1));
  const marks: Tick[] = [];
  let last = -Infinity;
  for (const { start, end } of open) {
    for (let i = Math.ceil((start - zero) / step); zero + i * step <= end; i++) {
      const x = axis.toX(zero + i * step);
      if (x - last < gapPx * 0.99) continue;
      marks.push({ time: zero + i * step, label: tickLabel(i * step, step) });
      last = x;
    }
  }
  return marks;
}

/** The parts of the window between folds. */
function openStretches({ view, folds }: Axis): Viewport[] {
  const open: Viewport[] = [];
  let from = view.start;
  for (const fold of folds) {
    if (fold.end <= view.start || fold.start >= view.end) continue;
    if (fold.start > from) open.push({ start: from, end: fold.start });
    from = fold.end;
  }
  if (from < view.end) open.push({ start: from, end: view.end });
  return open;
}

/** A time after the start at the precision of the step: "1.5 s", "250 ms", "2:05", "1:02:00". */
export function tickLabel(ns: number, step: number): string {
  if (ns === 0) return '0';
  if (step >= 1e9 && Math.abs(ns) >= MINUTE) return clock(ns);
  const [unit, size] = Math.abs(ns) >= 1e9 ? ['s', 1e9] : Math.abs(ns) >= 1e6 ? ['ms', 1e6] : ['µs', 1e3];
  const decimals = Math.max(0, Math.min(9, -Math.floor(Math.log10(step / size) + 1e-9)));
  return `${(ns / size).toFixed(decimals)} ${unit}`;
}

function clock(ns: number): string {
  const seconds = Math.round(ns / 1e9);
  const pad = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${pad(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
}
