/** Framing: the window of time that suits the rows on screen. */

import type { Axis } from './axis';
import { barAt, MIN_BAR_PX } from './bars';
import type { Tree } from './tree';
import { fitTo, type Viewport } from './viewport';

/** Bars narrower than this in the middle tell nothing about when and how long. */
const TOO_NARROW_PX = 4;

export interface Shown {
  readonly rows: Int32Array;
  readonly first: number;
  readonly count: number;
}

type ExtentOf = (node: number) => readonly [start: number, end: number];

/**
 * The time that rows on screen take. Those that are open above their children cover everything and would make the frame
 * the whole run again, so they count only where there is nothing else.
 */
export function frameOf(tree: Tree, shown: Shown, isCollapsed: (node: number) => boolean, extentOf: ExtentOf, limits: Viewport): Viewport | null {
  const nodes = shown.rows.subarray(shown.first, shown.first + shown.count);
  const told = nodes.filter((node) => tree.size[node] === 1 || isCollapsed(node));
  const wanted = told.length > 0 ? told : nodes;
  if (wanted.length === 0) return null;
  let [start, end] = [Infinity, -Infinity];
  for (const node of wanted) {
    const [from, to] = extentOf(node);
    if (from < start) start = from;
    if (to > end) end = to;
  }
  return fitTo(start, end, limits);
}

/** True when most bars of the rows on screen are slivers. */
export function needsFrame(axis: Axis, shown: Shown, extentOf: ExtentOf): boolean {
  const widths: number[] = [];
  for (const node of shown.rows.subarray(shown.first, shown.first + shown.count)) {
    const [start, end] = extentOf(node);
    widths.push(barAt(axis, start, end)?.width ?? MIN_BAR_PX);
  }
  if (widths.length === 0) return false;
  widths.sort((a, b) => a - b);
  return widths[Math.floor(widths.length / 2)] < TOO_NARROW_PX;
}

/** A window on its way from one to another; k from 0 to 1, fast at first. */
export function easeWindow(from: Viewport, to: Viewport, k: number): Viewport {
  const done = 1 - (1 - Math.min(Math.max(k, 0), 1)) ** 3;
  return { start: from.start + (to.start - from.start) * done, end: from.end + (to.end - from.end) * done };
}
