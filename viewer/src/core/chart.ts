/** Charts as numbers: ticks, stacks, labels that keep apart, and what a place in a chart means. */

import { wallClock, zoneOffsetAt } from './time';

export type ChartKind = 'line' | 'bar' | 'scatter';
export type AxisKind = 'time' | 'number' | 'category';

export interface ChartSeries {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** A token of the style sheet, without the dashes: "accent", "error". */
  readonly colour: string;
  /** 0 to 1, of one hue in several strengths. */
  readonly strength?: number;
}

export interface ChartData {
  readonly kind: ChartKind;
  readonly axis: AxisKind;
  /** Unix milliseconds, numbers, or places of categories. */
  readonly xs: readonly number[];
  readonly categories?: readonly string[];
  readonly series: readonly ChartSeries[];
  /** Bars stand on each other, each from where the one before ends. */
  readonly stacked?: boolean;
  /** Of times: how long a bar stands for, ms. */
  readonly widthMs?: number;
  /** Ends of the axis where they are not those of the data. */
  readonly from?: number;
  readonly to?: number;
  /** The largest value the vertical axis must show, as of shares: 1. */
  readonly most?: number;
}

/** A distance of ticks that people count in: 1, 2 or 5 times a power of ten, at least `rough`. */
export function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((one) => one * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Three to five values from 0, or from `low` when it is below, up to `high`: where lines go. */
export function valueTicks(low: number, high: number): number[] {
  const bottom = Math.min(low, 0);
  const top = Math.max(high, 0);
  if (top === bottom) return [0];
  const step = niceStep((top - bottom) / 4);
  const first = Math.floor(bottom / step + 1e-9);
  const last = Math.ceil(top / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  1000, 5000, 15_000, 30_000, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY,
  2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 364 * DAY,
];

/** The distance of marks on an axis of times: at least `gap` ms. */
export function timeStep(gap: number): number {
  return TIME_STEPS.find((one) => one >= gap) ?? Math.ceil(gap / (364 * DAY)) * 364 * DAY;
}

/** Times for marks `step` ms apart, at whole multiples on the reader's clock. */
export function timeTicks(from: number, to: number, step: number, offsetMs: (at: number) => number = zoneOffsetAt): number[] {
  const found: number[] = [];
  const first = Math.ceil((from + offsetMs(from)) / step) * step;
  for (let local = first; ; local += step) {
    // The offset of the day itself, so that marks stay at midnight when clocks change.
    const at = local - offsetMs(local - offsetMs(from));
    if (at > to) return found;
    if (at >= from) found.push(at);
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "14:00", or "21 Nov" at midnight and when marks are days apart. */
export function timeTickText(at: number, step: number): string {
  const wall = wallClock(at);
  return step >= DAY || isMidnight(wall) ? dayText(wall) : clockText(wall, step < MINUTE);
}

/** "21 Nov 14:00 – 15:00": a bucket of time, with the date again only where it differs. */
export function bucketText(from: number, widthMs: number): string {
  const [begin, end, last] = [wallClock(from), wallClock(from + widthMs), wallClock(from + widthMs - 1)];
  if (widthMs >= DAY && isMidnight(begin)) {
    return dayText(begin) === dayText(last) ? dayText(begin) : `${dayText(begin)} – ${dayText(last)}`;
  }
  const sameDay = dayText(begin) === dayText(last);
  return `${dayText(begin)} ${clockText(begin)} – ${sameDay ? '' : `${dayText(end)} `}${clockText(end)}`;
}

/** "21 Nov 14:00:05". */
export function momentText(at: number): string {
  const wall = wallClock(at);
  return `${dayText(wall)} ${clockText(wall, wall.getUTCSeconds() !== 0)}`;
}

function isMidnight(wall: Date): boolean {
  return wall.getUTCHours() === 0 && wall.getUTCMinutes() === 0 && wall.getUTCSeconds() === 0;
}

function dayText(wall: Date): string {
  return `${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()]}`;
}

function clockText(wall: Date, seconds = false): string {
  return wall.toISOString().slice(11, seconds ? 19 : 16);
}

/** A formatted value less its idle zeros, for axes: "$0.5000" as "$0.5", "4.00 s" as "4 s"; nothing is "0" in any unit. */
export function tickText(value: number, format: (value: number) => string): string {
  const text = format(value);
  if (value === 0) return text.startsWith('$') ? '$0' : '0';
  return text.replace(/\.(\d*?)0+(?=\D*$)/, (_, digits: string) => (digits ? `.${digits}` : ''));
}

/** The place among the last few whose stack is highest: the last bucket has often just begun. */
export function labelPlace(sums: readonly (readonly number[])[]): number {
  const tops = sums[sums.length - 1] ?? [];
  let best = tops.length - 1;
  for (let i = Math.max(tops.length - 5, 0); i < tops.length; i++) if (tops[i] > tops[best]) best = i;
  return best;
}

/** For each series the height it reaches when series stand on each other; null counts as nothing. */
export function stacked(series: readonly ChartSeries[]): number[][] {
  const sums: number[][] = [];
  for (const { values } of series) {
    const below = sums[sums.length - 1];
    sums.push(values.map((value, i) => (value ?? 0) + (below?.[i] ?? 0)));
  }
  return sums;
}

/** The smallest and the largest value drawn; 0 and 0 when there is none. */
export function extentOf(data: ChartData): { low: number; high: number } {
  const drawn = data.stacked ? stacked(data.series) : data.series.map((one) => one.values);
  let [low, high] = [0, data.most ?? 0];
  for (const values of drawn) {
    for (const value of values) {
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return { low, high };
}

/** Places for labels as near as may be to where they should be, in their order, `gap` apart, between 0 and `end`. */
export function spreadLabels(wanted: readonly number[], gap: number, end: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
  const places = new Array<number>(wanted.length).fill(0);
  let low = -Infinity;
  for (const i of order) low = places[i] = Math.max(wanted[i], low + gap, 0);
  let high = Math.max(end, gap * (wanted.length - 1)) + gap;
  for (const i of order.toReversed()) high = places[i] = Math.min(places[i], high - gap);
  return places;
}

/** The place a step of the keyboard leads to from `here`, among `count`; -1 is nowhere yet. */
export function walked(key: string, here: number, count: number): number | null {
  if (count === 0) return null;
  const last = count - 1;
  if (key === 'ArrowRight') return here < 0 ? 0 : Math.min(here + 1, last);
  if (key === 'ArrowLeft') return here < 0 ? last : Math.max(here - 1, 0);
  if (key === 'Home') return 0;
  if (key === 'End') return last;
  if (key === 'PageDown') return Math.min(Math.max(here, 0) + 10, last);
  if (key === 'PageUp') return Math.max(here - 10, 0);
  return null;
}

/** The buckets that a brush from one place to another covers, as whole buckets; null when that is less than one. */
export function brushed(xs: readonly number[], widthMs: number, from: number, to: number): { from: number; to: number } | null {
  const covered = xs.filter((at) => at + widthMs > Math.min(from, to) && at < Math.max(from, to));
  return covered.length === 0 ? null : { from: covered[0], to: covered[covered.length - 1] + widthMs };
}
