/**
 * The critical path: what a run's wall time was spent on, one span at a time.
 *
 * Walks back from the root's end. Of the children that had ended by then the one that ended last was waited for, and
 * what lies between its end and here was the parent's own work; then the same inside that child, and on from its start.
 * Children that were still at work then ran beside the path. The segments follow each other without gaps and sum to the
 * root's wall time.
 */

import type { Tree } from './tree';

export interface CriticalPath {
  /** The span of each segment, in order of time. */
  readonly nodes: Int32Array;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  /** Where the path passes through a span and what is below it. Holds every span on the path. */
  readonly through: ReadonlyMap<number, Passage>;
}

export type Passage = readonly [start: number, end: number];

export const NO_PATH: CriticalPath = { nodes: new Int32Array(0), starts: new Float64Array(0), ends: new Float64Array(0), through: new Map() };

interface Frame {
  readonly node: number;
  readonly from: number;
  readonly until: number;
  /** Children, the one that ended last first; those before `next` are done. */
  readonly children: readonly number[];
  next: number;
  /** What lies behind it is known. */
  open: number;
}

/** endOf: where a span ends; Infinity for one that runs. */
export function criticalPath(tree: Tree, root: number, endOf: (row: number) => number): CriticalPath {
  if (root < 0) return NO_PATH;
  const ends = Float64Array.from({ length: tree.spanCount }, (_, row) => endOf(row));
  const childrenOf = childLists(tree);
  const found: Segment[] = [];
  const through = new Map<number, Passage>();
  const enter = (node: number, from: number, until: number): Frame => {
    through.set(node, [from, until]);
    // Most work is done one step after the other: reversed, it is in order already.
    const children = Array.from(childrenOf(node)).reverse().sort((a, b) => ends[b] - ends[a] || tree.start[a] - tree.start[b]);
    return { node, from, until, children, next: 0, open: until };
  };
  const stack = [enter(root, tree.start[root], Math.max(ends[root], tree.start[root]))];
  for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
    const child = nextChild(frame, tree.start, ends);
    const reached = child < 0 ? frame.from : Math.min(ends[child], frame.open);
    if (frame.open > reached) found.push([frame.node, reached, frame.open]);
    if (child < 0) {
      stack.pop();
      continue;
    }
    frame.open = Math.max(tree.start[child], frame.from);
    frame.next++;
    stack.push(enter(child, frame.open, reached));
  }
  return columns(found.reverse(), through);
}

type Segment = readonly [node: number, start: number, end: number];

/** The child that was waited for last. One that reaches over its parent's end was cut off by it. */
function nextChild(frame: Frame, starts: Float64Array, ends: Float64Array): number {
  for (; frame.next < frame.children.length; frame.next++) {
    const child = frame.children[frame.next];
    const end = frame.open === frame.until ? Math.min(ends[child], frame.open) : ends[child];
    if (end <= frame.open && end > Math.max(starts[child], frame.from)) return child;
  }
  return -1;
}

/** Children that are spans; those in a group of spans are its parent's. */
function childLists({ parent, spanCount }: Tree): (node: number) => Int32Array {
  const above = new Int32Array(spanCount);
  const from = new Int32Array(spanCount + 2);
  for (let row = 0; row < spanCount; row++) {
    let node = parent[row];
    while (node >= spanCount) node = parent[node];
    above[row] = node;
    if (node >= 0) from[node + 2]++;
  }
  for (let i = 2; i < from.length; i++) from[i] += from[i - 1];
  const children = new Int32Array(from[spanCount + 1]);
  for (let row = 0; row < spanCount; row++) if (above[row] >= 0) children[from[above[row] + 1]++] = row;
  return (node) => children.slice(from[node], from[node + 1]);
}

function columns(segments: readonly Segment[], through: ReadonlyMap<number, Passage>): CriticalPath {
  return {
    nodes: Int32Array.from(segments, ([node]) => node),
    starts: Float64Array.from(segments, ([, start]) => start),
    ends: Float64Array.from(segments, ([, , end]) => end),
    through,
  };
}

/** The segments of each span, as indices, in order of time. */
export function segmentsByNode({ nodes }: CriticalPath): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>();
  nodes.forEach((node, i) => {
    const known = found.get(node);
    if (known) known.push(i);
    else found.set(node, [i]);
  });
  return found;
}

/** The segment to go to from `time`: the next that starts after it, or the last before it; -1 when there is none. */
export function segmentFrom({ starts }: CriticalPath, time: number, backwards: boolean): number {
  if (!backwards) return starts.findIndex((start) => start > time);
  for (let i = starts.length - 1; i >= 0; i--) if (starts[i] < time) return i;
  return -1;
}
