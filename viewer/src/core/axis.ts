/**
 * Where times lie on screen, and which time a place means.
 *
 * Linear, except that folded stretches - idle time, mostly - take a break of fixed width each. The window stays real
 * time; only the way to pixels bends. Beyond the window the axis goes on in the same way, so that it can be panned.
 */

import type { Stretch } from './foldedaxis';
import { clampViewport, zoomAt, type Viewport } from './viewport';

/** What a folded stretch takes of the screen, and what all of them may take together. */
export const BREAK_PX = 24;
const MOST_BROKEN = 0.4;
/** A window this much inside a fold shows the fold's own time. */
const LEAST_OPEN = 1e-6;

export interface Axis {
  readonly view: Viewport;
  readonly width: number;
  /** Stretches that are folded on this axis, in order; also those outside the window. */
  readonly folds: readonly Stretch[];
  toX(time: number): number;
  toTime(x: number): number;
}

/** folds: in order and apart from each other. */
export function makeAxis(view: Viewport, width: number, folds: readonly Stretch[] = []): Axis {
  if (folds.length === 0) return linearAxis(view, width);
  const whole = scaleOf(view, width, folds);
  // A stretch that would take less room than its break is better left as it is.
  const worth = whole && folds.filter((fold) => (fold.end - fold.start) * whole.scale > whole.gap);
  const found = worth && scaleOf(view, width, worth);
  return found && worth.length > 0 ? foldedAxis(view, width, worth, found) : linearAxis(view, width);
}

interface Scale {
  /** Pixels of a break. */
  readonly gap: number;
  /** Pixels of a nanosecond outside breaks. */
  readonly scale: number;
}

/** Null for a window that lies inside a fold. */
function scaleOf(view: Viewport, width: number, folds: readonly Stretch[]): Scale | null {
  const { open, breaks } = measure(view, folds);
  if (open <= (view.end - view.start) * LEAST_OPEN) return null;
  const gap = Math.min(BREAK_PX, (MOST_BROKEN * width) / Math.max(breaks, 1e-9));
  return { gap, scale: (width - gap * breaks) / open };
}

function linearAxis(view: Viewport, width: number): Axis {
  const scale = width / Math.max(view.end - view.start, Number.MIN_VALUE);
  return {
    view,
    width,
    folds: [],
    toX: (time) => (time - view.start) * scale,
    toTime: (x) => view.start + x / scale,
  };
}

/** Time of the window outside folds, and how many folds are in it; one that is half inside counts half. */
function measure(view: Viewport, folds: readonly Stretch[]): { open: number; breaks: number } {
  let open = view.end - view.start;
  let breaks = 0;
  for (const fold of folds) {
    const inside = Math.min(fold.end, view.end) - Math.max(fold.start, view.start);
    if (inside <= 0) continue;
    open -= inside;
    breaks += inside / (fold.end - fold.start);
  }
  return { open, breaks };
}

function foldedAxis(view: Viewport, width: number, folds: readonly Stretch[], { gap, scale }: Scale): Axis {
  const times = Float64Array.from(folds.flatMap((fold) => [fold.start, fold.end]));
  const places = placesOf(times, gap, scale);
  const shift = -between(times, places, view.start, scale);
  for (let i = 0; i < places.length; i++) places[i] += shift;
  return {
    view,
    width,
    folds,
    toX: (time) => between(times, places, time, scale),
    toTime: (x) => between(places, times, x, 1 / scale),
  };
}

/** Places of the folds' ends, the first of them at 0. */
function placesOf(times: Float64Array, gap: number, scale: number): Float64Array {
  const places = new Float64Array(times.length);
  for (let i = 1; i < times.length; i++) places[i] = places[i - 1] + (i % 2 === 1 ? gap : (times[i] - times[i - 1]) * scale);
  return places;
}

/** Reads a piecewise linear function given by knots; beyond them it goes on with `slope`. */
function between(from: Float64Array, to: Float64Array, at: number, slope: number): number {
  const last = from.length - 1;
  if (at <= from[0]) return to[0] + (at - from[0]) * slope;
  if (at >= from[last]) return to[last] + (at - from[last]) * slope;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (from[middle] <= at) low = middle;
    else high = middle;
  }
  return to[low] + ((at - from[low]) * (to[high] - to[low])) / (from[high] - from[low]);
}

/** A folded stretch on screen. */
export interface Break extends Stretch {
  readonly x: number;
  readonly width: number;
}

export function breaksOf(axis: Axis): Break[] {
  const seen = axis.folds.filter((fold) => fold.end > axis.view.start && fold.start < axis.view.end);
  return seen.map((fold) => {
    const x = axis.toX(fold.start);
    return { ...fold, x, width: axis.toX(fold.end) - x };
  });
}

/** Moves the window by pixels, as far as the limits allow. */
export function panAxis(axis: Axis, by: number, limits: Viewport): Viewport {
  const [least, most] = [axis.toX(limits.start), axis.toX(limits.end) - axis.width];
  if (most <= least) return limits;
  const dx = Math.min(Math.max(by, least), most);
  return clampViewport({ start: axis.toTime(dx), end: axis.toTime(axis.width + dx) }, limits);
}

/** Zooms so that the time at x stays at x. factor < 1 shows less, > 1 shows more. */
export function zoomAxis(axis: Axis, factor: number, x: number, limits: Viewport): Viewport {
  const at = axis.toTime(x);
  if (axis.folds.length === 0) return zoomAt(axis.view, factor, at, limits);
  const wanted = { start: axis.toTime(x * (1 - factor)), end: axis.toTime(x + (axis.width - x) * factor) };
  let view = clampViewport(wanted, limits);
  // Breaks keep their width, so the time under the pointer has moved a little; it is brought back.
  for (let step = 0; step < 3; step++) {
    const moved = makeAxis(view, axis.width, axis.folds);
    view = panAxis(moved, moved.toX(at) - x, limits);
  }
  return view;
}
