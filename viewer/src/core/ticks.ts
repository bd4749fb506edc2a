/** Marks of the time ruler. */

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

/** Ticks at least `gapPx` apart, labelled as time after `zero`. */
export function ticks(view: Viewport, width: number, zero: number, gapPx = 96): Tick[] {
  if (width <= 0) return [];
  const step = niceStep(((view.end - view.start) * gapPx) / width);
  const marks: Tick[] = [];
  for (let i = Math.ceil((view.start - zero) / step); zero + i * step <= view.end; i++) {
    marks.push({ time: zero + i * step, label: tickLabel(i * step, step) });
  }
  return marks;
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
