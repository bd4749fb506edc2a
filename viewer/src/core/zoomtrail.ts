/** The windows a reader zoomed through, each inside the one before, as a trail to go back on. */

import type { Viewport } from './viewport';

/** Below this many steps a trail is read at a glance; older ones give way in the middle. */
export const LONGEST_TRAIL = 6;
/** A window that is hardly smaller than the last one is the same step. */
const SMALLER = 0.8;

export type Trail = readonly Viewport[];

/** The trail after the window became `view`; null: the whole run. sameMove: it is still the same turn of the wheel. */
export function follow(trail: Trail, view: Viewport | null, sameMove: boolean): Trail {
  if (view === null) return [];
  const kept = sameMove ? trail.slice(0, -1) : trail;
  const around = kept.filter((step) => contains(step, view));
  while (around.length > 0 && lengthOf(view) > SMALLER * lengthOf(around[around.length - 1])) around.pop();
  const next = [...around, view];
  return next.length > LONGEST_TRAIL ? [next[0], ...next.slice(next.length - LONGEST_TRAIL + 1)] : next;
}

/** The window before the last one; null: the whole run. */
export function before(trail: Trail): Viewport | null {
  return trail.at(-2) ?? null;
}

function contains(outer: Viewport, inner: Viewport): boolean {
  const slack = lengthOf(outer) * 1e-6;
  return inner.start >= outer.start - slack && inner.end <= outer.end + slack;
}

function lengthOf(view: Viewport): number {
  return view.end - view.start;
}
