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
  /** By span, where the path enters it and what is below it, and where it leaves; NaN off the path. */
  readonly entered: Float64Array;
  readonly left: Float64Array;
  /** By span its first segment, by segment the next one of the same span; -1 when there is none. */
  readonly firstOf: Int32Array;
  readonly nextOf: Int32Array;
}

export type Passage = readonly [start: number, end: number];

export const NO_PATH: CriticalPath = noPath(0);

function noPath(spanCount: number): CriticalPath {
  const [nodes, starts] = [new Int32Array(0), new Float64Array(0)];
  const nowhere = new Float64Array(spanCount).fill(NaN);
  return { nodes, starts, ends: starts, entered: nowhere, left: nowhere, firstOf: new Int32Array(spanCount).fill(-1), nextOf: nodes };
}

/** Where the path passes through a span and what is below it; null off the path. */
export function passageOf({ entered, left }: CriticalPath, row: number): Passage | null {
  return row < entered.length && !Number.isNaN(entered[row]) ? [entered[row], left[row]] : null;
}

/** A span's own segments, as indices, in order of time. */
export function* segmentsOf({ firstOf, nextOf }: CriticalPath, row: number): Generator<number> {
  for (let i = row < firstOf.length ? firstOf[row] : -1; i >= 0; i = nextOf[i]) yield i;
}

interface Frame {
  readonly node: number;
  readonly from: number;
  readonly until: number;
  /** Places of its children in `Children.order`, the one that ended last first; those before `next` are done. */
  next: number;
  readonly last: number;
  /** What lies behind it is known. */
  open: number;
}

/** openEnd: when spans end that run. */
export function criticalPath(tree: Tree, root: number, openEnd = Infinity): CriticalPath {
  if (root < 0) return noPath(tree.spanCount);
  const { start } = tree;
  const ends = tree.end.slice(0, tree.spanCount);
  for (let row = 0; row < ends.length; row++) if (Number.isNaN(ends[row])) ends[row] = openEnd;
  const children = new Children(tree, ends);
  const path = new PathWriter(tree.spanCount);
  const enter = (node: number, from: number, until: number): Frame => {
    path.pass(node, from, until);
    const [next, last] = children.sorted(node);
    return { node, from, until, next, last, open: until };
  };
  const stack = [enter(root, start[root], Math.max(ends[root], start[root]))];
  for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
    const child = nextChild(frame, children.order, start, ends);
    const reached = child < 0 ? frame.from : Math.min(ends[child], frame.open);
    if (frame.open > reached) path.add(frame.node, reached, frame.open);
    if (child < 0) {
      stack.pop();
      continue;
    }
    frame.open = Math.max(start[child], frame.from);
    frame.next++;
    stack.push(enter(child, frame.open, reached));
  }
  return path.done();
}

/** The child that was waited for last. One that reaches over its parent's end was cut off by it. */
function nextChild(frame: Frame, order: Int32Array, starts: Float64Array, ends: Float64Array): number {
  for (; frame.next < frame.last; frame.next++) {
    const child = order[frame.next];
    const end = frame.open === frame.until ? Math.min(ends[child], frame.open) : ends[child];
    if (end <= frame.open && end > Math.max(starts[child], frame.from)) return child;
  }
  return -1;
}

/** Children that are spans; those in a group of spans are its parent's. */
class Children {
  /** The children of one span after those of another. */
  readonly order: Int32Array;
  /** Where each span's children begin in `order`. */
  private readonly begin: Int32Array;

  private readonly starts: Float64Array;

  constructor(
    { parent, spanCount, start }: Tree,
    private readonly ends: Float64Array,
  ) {
    const above = new Int32Array(spanCount);
    const from = new Int32Array(spanCount + 2);
    for (let row = 0; row < spanCount; row++) {
      let node = parent[row];
      while (node >= spanCount) node = parent[node];
      above[row] = node;
      if (node >= 0) from[node + 2]++;
    }
    for (let i = 2; i < from.length; i++) from[i] += from[i - 1];
    this.order = new Int32Array(from[spanCount + 1]);
    for (let row = 0; row < spanCount; row++) if (above[row] >= 0) this.order[from[above[row] + 1]++] = row;
    this.begin = from;
    this.starts = start;
  }

  /** Brings a span's children into order, the one that ended last first; answers where in `order` they are. */
  sorted(node: number): [from: number, until: number] {
    const [from, until] = [this.begin[node], this.begin[node + 1]];
    // Most work is done one step after the other: reversed, it is in order already.
    const own = this.order.subarray(from, until).reverse();
    for (let i = 1; i < own.length; i++) {
      if (this.compare(own[i - 1], own[i]) <= 0) continue;
      own.sort((a, b) => this.compare(a, b));
      break;
    }
    return [from, until];
  }

  private compare(a: number, b: number): number {
    const [one, other] = [this.ends[a], this.ends[b]];
    return one === other ? this.starts[a] - this.starts[b] : other - one; // ends of running spans are infinite
  }
}

/** Takes segments from the last to the first. */
class PathWriter {
  private readonly nodes: number[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly entered: Float64Array;
  private readonly left: Float64Array;

  constructor(private readonly spanCount: number) {
    this.entered = new Float64Array(spanCount).fill(NaN);
    this.left = new Float64Array(spanCount).fill(NaN);
  }

  pass(node: number, from: number, until: number): void {
    this.entered[node] = from;
    this.left[node] = until;
  }

  add(node: number, start: number, end: number): void {
    this.nodes.push(node);
    this.starts.push(start);
    this.ends.push(end);
  }

  done(): CriticalPath {
    const nodes = Int32Array.from(this.nodes).reverse();
    const firstOf = new Int32Array(this.spanCount).fill(-1);
    const nextOf = new Int32Array(nodes.length);
    for (let i = nodes.length - 1; i >= 0; i--) {
      nextOf[i] = firstOf[nodes[i]];
      firstOf[nodes[i]] = i;
    }
    const [starts, ends] = [this.starts, this.ends].map((times) => Float64Array.from(times).reverse());
    return { nodes, starts, ends, entered: this.entered, left: this.left, firstOf, nextOf };
  }
}

/** The segment to go to from `time`: the next that starts after it, or the last before it; -1 when there is none. */
export function segmentFrom({ starts }: CriticalPath, time: number, backwards: boolean): number {
  if (!backwards) return starts.findIndex((start) => start > time);
  for (let i = starts.length - 1; i >= 0; i--) if (starts[i] < time) return i;
  return -1;
}
