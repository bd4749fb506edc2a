/**
 * The whole run in as few lanes as show its shape: every span lies below its parent, and what belongs to a span stays
 * together as one block that no other block cuts into.
 *
 * Children are packed in order of start, each block into the first rows under its parent that are free for as long as
 * the block lasts. So sequential work shares lanes and parallel work stacks, and no two spans of a lane overlap.
 */

import type { Tree } from './tree';

export interface LaneMap {
  readonly count: number;
  /** The lane of each node; -1 for nodes that are not drawn. */
  readonly laneOf: Int32Array;
  /** Nodes lane by lane, each lane in order of time; lane i is at [first[i], first[i + 1]). */
  readonly nodes: Int32Array;
  readonly first: Int32Array;
}

/** drawn: nodes that have a bar; what is below one that has none belongs to the node above it. */
export function packLanes(tree: Tree, drawn: (node: number) => boolean): LaneMap {
  const isDrawn = new Uint8Array(tree.nodeCount);
  for (let node = 0; node < tree.nodeCount; node++) isDrawn[node] = drawn(node) ? 1 : 0;
  const children = childLists(tree, isDrawn);
  const blocks = new Blocks(tree);
  for (let i = tree.preorder.length - 1; i >= 0; i--) {
    const node = tree.preorder[i];
    if (isDrawn[node]) blocks.close(node, children, children.firstOf[node], children.firstOf[node + 1]);
  }
  const count = blocks.place(children, children.firstOf[tree.nodeCount], children.firstOf[tree.nodeCount + 1], 0);
  return sortIntoLanes(tree, isDrawn, children, blocks, count);
}

interface Children {
  /** Drawn children of node i are list[firstOf[i]..firstOf[i + 1]]; those of the top level follow the last node's. */
  readonly firstOf: Int32Array;
  readonly list: Int32Array;
  /** The nearest drawn node above, or nodeCount for the top level. */
  readonly above: Int32Array;
}

function childLists(tree: Tree, isDrawn: Uint8Array): Children {
  const { nodeCount, parent, preorder } = tree;
  const above = new Int32Array(nodeCount);
  const firstOf = new Int32Array(nodeCount + 2);
  for (const node of preorder) {
    const direct = parent[node];
    above[node] = direct < 0 ? nodeCount : isDrawn[direct] ? direct : above[direct];
    if (isDrawn[node]) firstOf[above[node] + 1]++;
  }
  for (let i = 0; i <= nodeCount; i++) firstOf[i + 1] += firstOf[i];
  const next = firstOf.slice();
  const list = new Int32Array(firstOf[nodeCount + 1]);
  for (const node of preorder) if (isDrawn[node]) list[next[above[node]]++] = node;
  return { firstOf, list, above };
}

class Blocks {
  /** When a node's subtree begins and ends; infinitely late while any of it runs. */
  private readonly from: Float64Array;
  private readonly to: Float64Array;
  private readonly height: Int32Array;
  /** The row of a node within its parent's block. */
  readonly row: Int32Array;
  private readonly free = new FreeRows();

  constructor(tree: Tree) {
    this.from = tree.start.slice();
    // At least a nanosecond: instants of the same time must not share a row.
    this.to = tree.end.slice();
    for (let node = 0; node < tree.nodeCount; node++) {
      const end = this.to[node];
      this.to[node] = end !== end ? Infinity : Math.max(end, tree.start[node] + 1);
    }
    this.height = new Int32Array(tree.nodeCount).fill(1);
    this.row = new Int32Array(tree.nodeCount);
  }

  /** All blocks below a node are known: packs them under it. */
  close(node: number, children: Children, begin: number, end: number): void {
    if (begin === end) return; // most spans have no children
    for (let i = begin; i < end; i++) {
      const child = children.list[i];
      if (this.from[child] < this.from[node]) this.from[node] = this.from[child];
      if (this.to[child] > this.to[node]) this.to[node] = this.to[child];
    }
    this.height[node] = this.place(children, begin, end, 1);
  }

  /** Gives blocks their rows, from `top` on; answers the rows used, those above `top` included. */
  place(children: Children, begin: number, end: number, top: number): number {
    const { from, to, height, row, free } = this;
    const blocks = children.list.subarray(begin, end);
    sortBy(from, blocks);
    free.reset();
    for (const block of blocks) {
      const at = free.firstRun(height[block], from[block]);
      free.occupy(at, height[block], to[block]);
      row[block] = top + at;
    }
    return top + free.used;
  }
}

/** Rows and until when each is taken. A tree of minima finds the first free one without looking at all of them. */
class FreeRows {
  used = 0;
  private size = 8;
  private until = new Float64Array(16).fill(-Infinity);

  reset(): void {
    if (this.used > 0) this.until.fill(-Infinity);
    this.used = 0;
  }

  /** The first of `count` rows in a row that are free at `time`. */
  firstRun(count: number, time: number): number {
    let row = this.firstFrom(0, time);
    for (let length = 1; length < count; ) {
      const next = this.firstFrom(row + length, time);
      if (next === row + length) length++;
      else [row, length] = [next, 1];
    }
    return row;
  }

  occupy(row: number, count: number, until: number): void {
    while (row + count > this.size) this.grow();
    for (let i = row; i < row + count; i++) this.set(i, until);
    this.used = Math.max(this.used, row + count);
  }

  /** The first row from `from` on that is free; rows never used are. */
  private firstFrom(from: number, time: number): number {
    const { until, size } = this;
    if (from >= this.used) return from;
    let place = from + size;
    while (until[place] > time) {
      while (place & 1) place >>= 1; // up, as long as this is a right half
      if (place === 0) return this.used;
      place++;
    }
    while (place < size) {
      place <<= 1;
      if (until[place] > time) place++;
    }
    return place - size;
  }

  private set(row: number, until: number): void {
    let place = row + this.size;
    this.until[place] = until;
    for (place >>= 1; place > 0; place >>= 1) {
      this.until[place] = Math.min(this.until[2 * place], this.until[2 * place + 1]);
    }
  }

  private grow(): void {
    const rows = this.until.slice(this.size, 2 * this.size);
    this.size *= 2;
    this.until = new Float64Array(2 * this.size).fill(-Infinity);
    this.until.set(rows, this.size);
    for (let place = this.size - 1; place > 0; place--) {
      this.until[place] = Math.min(this.until[2 * place], this.until[2 * place + 1]);
    }
  }
}

function sortIntoLanes(tree: Tree, isDrawn: Uint8Array, { above }: Children, blocks: Blocks, count: number): LaneMap {
  const laneOf = new Int32Array(tree.nodeCount).fill(-1);
  const first = new Int32Array(count + 1);
  for (const node of tree.preorder) {
    if (!isDrawn[node]) continue;
    laneOf[node] = blocks.row[node] + (above[node] === tree.nodeCount ? 0 : laneOf[above[node]]);
    first[laneOf[node] + 1]++;
  }
  for (let lane = 0; lane < count; lane++) first[lane + 1] += first[lane];
  const next = first.slice();
  const nodes = new Int32Array(first[count]);
  for (const node of tree.preorder) if (isDrawn[node]) nodes[next[laneOf[node]]++] = node;
  for (let lane = 0; lane < count; lane++) {
    const inLane = nodes.subarray(first[lane], first[lane + 1]);
    sortBy(tree.start, inLane);
  }
  return { count, laneOf, nodes, first };
}

/** Sorts nodes, which mostly are in order already. */
function sortBy(times: Float64Array, nodes: Int32Array): void {
  for (let i = 1; i < nodes.length; i++) {
    if (times[nodes[i]] < times[nodes[i - 1]]) return void nodes.sort((a, b) => times[a] - times[b]);
  }
}

/** The place in `nodes` of a lane's last node that starts at or before a time; one before the lane's first if none does. */
export function lastStartedIn(map: LaneMap, tree: Tree, lane: number, time: number): number {
  let low = map.first[lane];
  let high = map.first[lane + 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tree.start[map.nodes[middle]] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The node of a lane nearest to a time, -1 for an empty lane. slack: how far away it may be, in nanoseconds. */
export function nearestIn(map: LaneMap, tree: Tree, lane: number, time: number, slack = Infinity): number {
  const before = lastStartedIn(map, tree, lane, time);
  let best = -1;
  let least = slack;
  for (let i = Math.max(before, map.first[lane]); i <= Math.min(before + 1, map.first[lane + 1] - 1); i++) {
    const node = map.nodes[i];
    const end = Number.isNaN(tree.end[node]) ? Infinity : tree.end[node];
    const away = Math.max(tree.start[node] - time, time - end, 0);
    if (away <= least && (away < least || best < 0)) [best, least] = [node, away];
  }
  return best;
}

export type Step = 'previous' | 'next' | 'up' | 'down' | 'first' | 'last';

/** Where a step leads from a node: along its lane, or to the next lane that has something at its time. */
export function stepFrom(map: LaneMap, tree: Tree, node: number, step: Step): number {
  const lane = map.laneOf[node];
  if (lane === undefined || lane < 0) return map.nodes[0] ?? -1;
  const [begin, end] = [map.first[lane], map.first[lane + 1]];
  const place = lastStartedIn(map, tree, lane, tree.start[node]);
  if (step === 'previous') return map.nodes[Math.max(place - 1, begin)];
  if (step === 'next') return map.nodes[Math.min(place + 1, end - 1)];
  if (step === 'first') return map.nodes[begin];
  if (step === 'last') return map.nodes[end - 1];
  return acrossFrom(map, tree, node, step === 'up' ? -1 : 1);
}

function acrossFrom(map: LaneMap, tree: Tree, node: number, by: number): number {
  const from = tree.start[node];
  const until = Number.isNaN(tree.end[node]) ? Infinity : tree.end[node];
  for (let lane = map.laneOf[node] + by; lane >= 0 && lane < map.count; lane += by) {
    const found = nearestIn(map, tree, lane, from, until - from);
    if (found >= 0) return found;
  }
  return node;
}
