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

/** openEnd: when spans end that run. */
export function criticalPath(tree: Tree, root: number, openEnd = Infinity): CriticalPath {
  return root < 0 ? noPath(tree.spanCount) : new Walk(tree, openEnd).from(root);
}

/** Looks for the path. In arrays and without recursion: runs have 100,000 spans, and chains of them. */
class Walk {
  private readonly ends: Float64Array;
  private readonly children: Children;
  private readonly path: PathWriter;
  // The spans from the root down to where the walk is. Of each: where the path enters it (`floor`) and leaves it
  // (`until`), from where on it is known (`open`), and the child to look at next, as a place in `Children.order`.
  private nodes = new Int32Array(64);
  private next = new Int32Array(64);
  private floor = new Float64Array(64);
  private until = new Float64Array(64);
  private open = new Float64Array(64);
  private depth = 0;

  constructor(
    private readonly tree: Tree,
    openEnd: number,
  ) {
    this.ends = tree.end.slice(0, tree.spanCount);
    for (let row = 0; row < this.ends.length; row++) if (Number.isNaN(this.ends[row])) this.ends[row] = openEnd;
    this.children = new Children(tree, this.ends);
    this.path = new PathWriter(tree.spanCount);
  }

  from(root: number): CriticalPath {
    const { ends, path } = this;
    const { start } = this.tree;
    this.enter(root, start[root], Math.max(ends[root], start[root]));
    while (this.depth > 0) {
      const top = this.depth - 1;
      const child = this.nextChild(top);
      const reached = child < 0 ? this.floor[top] : Math.min(ends[child], this.open[top]);
      if (this.open[top] > reached) path.add(this.nodes[top], reached, this.open[top]);
      if (child < 0) {
        this.depth--;
        continue;
      }
      this.open[top] = Math.max(start[child], this.floor[top]);
      this.next[top]++;
      this.enter(child, this.open[top], reached);
    }
    return path.done();
  }

  private enter(node: number, from: number, until: number): void {
    this.path.pass(node, from, until);
    if (!this.children.sort(node)) {
      if (until > from) this.path.add(node, from, until); // nearly all spans have no children
      return;
    }
    if (this.depth === this.nodes.length) this.grow();
    const top = this.depth++;
    this.nodes[top] = node;
    this.next[top] = this.children.begin[node];
    this.floor[top] = from;
    this.until[top] = this.open[top] = until;
  }

  /** The child that was waited for last. One that reaches over its parent's end was cut off by it. */
  private nextChild(top: number): number {
    const { ends, children } = this;
    const { start } = this.tree;
    const [open, from, last] = [this.open[top], this.floor[top], children.begin[this.nodes[top] + 1]];
    for (; this.next[top] < last; this.next[top]++) {
      const child = children.order[this.next[top]];
      const end = open === this.until[top] ? Math.min(ends[child], open) : ends[child];
      if (end <= open && end > Math.max(start[child], from)) return child;
    }
    return -1;
  }

  private grow(): void {
    const longer = <T extends Int32Array | Float64Array>(held: T, empty: T): T => (empty.set(held), empty);
    const size = this.nodes.length * 2;
    this.nodes = longer(this.nodes, new Int32Array(size));
    this.next = longer(this.next, new Int32Array(size));
    this.floor = longer(this.floor, new Float64Array(size));
    this.until = longer(this.until, new Float64Array(size));
    this.open = longer(this.open, new Float64Array(size));
  }
}

/** Children that are spans; those in a group of spans are its parent's. */
class Children {
  /** The children of one span after those of another. */
  readonly order: Int32Array;
  /** Where each span's children begin in `order`. */
  readonly begin: Int32Array;

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

  /** Brings a span's children into order, the one that ended last first; answers whether it has any. */
  sort(node: number): boolean {
    const [from, until] = [this.begin[node], this.begin[node + 1]];
    if (until - from < 2) return until > from;
    // Most work is done one step after the other: reversed, it is in order already.
    const own = this.order.subarray(from, until).reverse();
    for (let i = 1; i < own.length; i++) {
      if (this.compare(own[i - 1], own[i]) <= 0) continue;
      own.sort((a, b) => this.compare(a, b));
      break;
    }
    return true;
  }

  private compare(a: number, b: number): number {
    const [one, other] = [this.ends[a], this.ends[b]];
    return one === other ? this.starts[a] - this.starts[b] : other - one; // ends of running spans are infinite
  }
}

/** Takes segments from the last to the first. */
class PathWriter {
  // Filled from their ends. No walk adds more: a span is left once for good, and once for each child that is entered.
  private readonly nodes: Int32Array;
  private readonly starts: Float64Array;
  private readonly ends: Float64Array;
  private readonly entered: Float64Array;
  private readonly left: Float64Array;
  private first: number;

  constructor(private readonly spanCount: number) {
    this.first = 2 * spanCount;
    this.nodes = new Int32Array(this.first);
    this.starts = new Float64Array(this.first);
    this.ends = new Float64Array(this.first);
    this.entered = new Float64Array(spanCount).fill(NaN);
    this.left = new Float64Array(spanCount).fill(NaN);
  }

  pass(node: number, from: number, until: number): void {
    this.entered[node] = from;
    this.left[node] = until;
  }

  add(node: number, start: number, end: number): void {
    const at = --this.first;
    this.nodes[at] = node;
    this.starts[at] = start;
    this.ends[at] = end;
  }

  done(): CriticalPath {
    const nodes = this.nodes.slice(this.first);
    const firstOf = new Int32Array(this.spanCount).fill(-1);
    const nextOf = new Int32Array(nodes.length);
    for (let i = nodes.length - 1; i >= 0; i--) {
      nextOf[i] = firstOf[nodes[i]];
      firstOf[nodes[i]] = i;
    }
    const { entered, left } = this;
    return { nodes, starts: this.starts.slice(this.first), ends: this.ends.slice(this.first), entered, left, firstOf, nextOf };
  }
}

/** The segment to go to from `time`: the next that starts after it, or the last before it; -1 when there is none. */
export function segmentFrom({ starts }: CriticalPath, time: number, backwards: boolean): number {
  if (!backwards) return starts.findIndex((start) => start > time);
  for (let i = starts.length - 1; i >= 0; i--) if (starts[i] < time) return i;
  return -1;
}
