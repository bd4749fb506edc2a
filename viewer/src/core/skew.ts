/**
 * Clocks that disagree, corrected for drawing.
 *
 * Services run on machines whose clocks differ, so that a child can seem to work before its parent called it. Where
 * children of another service lie outside their parent's time they are shifted into it, in the middle, as if the way
 * there and the way back took equally long; what is below them in their own service moves along. Recorded times stay
 * as they are: the answer holds the times to draw.
 */

import type { SpanStore, SpanTimes } from './spans';
import { linkTree, spanAbove, type Tree } from './tree';

/** Clocks that agree to a millisecond count as equal: some exporters know starts no finer. */
export const SAME_CLOCK_NS = 1e6;

export interface Correction extends SpanTimes {
  /** What was added to a row's times, nanoseconds. */
  readonly shift: Float64Array;
  /** The services that were shifted. */
  readonly services: readonly string[];
}

interface Range {
  start: number;
  /** NaN when not known yet. */
  end: number;
}

/** Times to draw, or null when every recorded time can be drawn as it is. */
export function correctClocks(store: SpanStore): Correction | null {
  if (!hasSeveralServices(store)) return null;
  const shift = shifts(store, linkTree(store));
  const moved = new Set<number>();
  for (let row = 0; row < store.count; row++) if (shift[row] !== 0) moved.add(store.service[row]);
  if (moved.size === 0) return null;
  const services = [...moved].map((code) => store.strings.text(code) ?? 'unnamed').sort();
  return { shift, services, start: shifted(store.start, shift), end: shifted(store.end, shift) };
}

/** What a row was shifted by where that differs from its parent: the top of a shifted part of the tree; else 0. */
export function ownShift({ shift }: Correction, tree: Tree, row: number): number {
  const above = spanAbove(tree, row);
  const inherited = above >= 0 && above < tree.spanCount ? shift[above] : 0;
  return shift[row] === inherited ? 0 : shift[row];
}

function hasSeveralServices(store: SpanStore): boolean {
  let first = 0;
  for (let row = 0; row < store.count; row++) {
    const service = store.service[row];
    if (service === 0 || service === first) continue;
    if (first !== 0) return true;
    first = service;
  }
  return false;
}

/** Walks from parents to children: those on the same clock follow, those on another are placed once per parent. */
function shifts(store: SpanStore, tree: Tree): Float64Array {
  const shift = new Float64Array(store.count);
  const placed = new Uint8Array(store.count);
  for (const node of tree.preorder) {
    const above = node < store.count ? tree.parent[node] : -1;
    if (above < 0 || above >= store.count) continue;
    if (isSameClock(store, above, node)) shift[node] = shift[above];
    else if (placed[above] === 0) {
      placed[above] = 1;
      placeForeign(store, tree, above, shift);
    }
  }
  return shift;
}

function placeForeign(store: SpanStore, tree: Tree, node: number, shift: Float64Array): void {
  const room = { start: store.start[node] + shift[node], end: store.end[node] + shift[node] };
  const groups = gatherForeign(store, tree, node);
  for (const child of childrenOf(tree, node)) {
    if (isSameClock(store, node, child)) continue;
    const alone = { start: store.start[child], end: store.end[child] };
    const group = groups.get(store.service[child]);
    if (worksLater(store, node, child)) shift[child] = shiftInto(alone, { start: room.start, end: NaN });
    else shift[child] = shiftInto(group && fits(group, room) ? group : alone, room);
  }
}

/** The time that children on another clock cover together, by service: moved as one, siblings keep their order. */
function gatherForeign(store: SpanStore, tree: Tree, node: number): Map<number, Range> {
  const groups = new Map<number, Range>();
  for (const child of childrenOf(tree, node)) {
    if (isSameClock(store, node, child) || worksLater(store, node, child)) continue;
    const group = groups.get(store.service[child]) ?? { start: Infinity, end: -Infinity };
    group.start = Math.min(group.start, store.start[child]);
    group.end = Math.max(group.end, store.end[child]);
    groups.set(store.service[child], group);
  }
  return groups;
}

function* childrenOf(tree: Tree, node: number): Generator<number> {
  const until = tree.place[node] + tree.size[node];
  for (let i = tree.place[node] + 1; i < until; i += tree.size[tree.preorder[i]]) yield tree.preorder[i];
}

function isSameClock(store: SpanStore, parent: number, child: number): boolean {
  const [above, below] = [store.service[parent], store.service[child]];
  return above === below || above === 0 || below === 0;
}

/** A consumer works when it gets to a message, and that may be long after its producer ended. */
function worksLater(store: SpanStore, parent: number, child: number): boolean {
  return store.kindOf(parent) === 'messaging' || store.kindOf(child) === 'messaging';
}

function fits(range: Range, room: Range): boolean {
  return !(range.end - range.start > room.end - room.start); // an end that is not known yet may fit
}

/** How far a range has to move to lie within the room; 0 when it does. What does not fit at least starts there. */
function shiftInto(range: Range, room: Range): number {
  const early = range.start < room.start - SAME_CLOCK_NS;
  const late = range.end > room.end + SAME_CLOCK_NS;
  if (!early && !late) return 0;
  const spare = room.end - room.start - (range.end - range.start);
  if (spare >= 0) return room.start - range.start + Math.floor(spare / 2);
  return early ? room.start - range.start : 0;
}

function shifted(times: Float64Array, shift: Float64Array): Float64Array {
  return shift.map((by, row) => times[row] + by);
}
