/**
 * The tree of a run's spans.
 *
 * Nodes 0..n-1 are the store's rows. A span whose parent has not arrived hangs under a placeholder node that stands for
 * the missing parent, and keeps its place when the parent comes. Parent links that form a cycle are cut at the member
 * that started first. Siblings are ordered by (start, id), so they never jump when more of the run arrives. Repeats and
 * the tries of one step hang under a node of their own (groups.ts).
 */

import { findGroups, type Group, type Synthetic } from './groups';
import { FAILED } from './kinds';
import type { SpanStore, SpanTimes } from './spans';

export interface Tree {
  /** Spans plus what is no span. */
  readonly nodeCount: number;
  readonly spanCount: number;
  /** Missing parents, then groups; node spanCount + i stands for synthetic[i]. */
  readonly synthetic: readonly Synthetic[];
  /** The parent node, -1 for top-level nodes. */
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  /** All nodes, parents before children, siblings in order. */
  readonly preorder: Int32Array;
  /** A node's place in `preorder`. */
  readonly place: Int32Array;
  /** Nodes in the subtree, the node included. */
  readonly size: Int32Array;
  /** Failed spans strictly below the node. */
  readonly errorsBelow: Int32Array;
  readonly start: Float64Array;
  /** As `start`, NaN while a span runs. What is no span reaches from its first child's start to its last child's end. */
  readonly end: Float64Array;
  /** The first start of the run, nanoseconds after the store's origin. */
  readonly firstStart: number;
  /** The last known start or end. */
  readonly lastTime: number;
}

/** times: when spans are to be drawn, if that is not when they were recorded. */
export function buildTree(store: SpanStore, times: SpanTimes = store): Tree {
  const plain = linkTree(store, times);
  const groups = findGroups(store, plain);
  return groups.length === 0 ? plain : insertGroups(store, plain, groups);
}

/** The tree as spans link each other: without groups. */
export function linkTree(store: SpanStore, times: SpanTimes = store): Tree {
  const { waitingFor, parent } = linkParents(store);
  const spanCount = store.count;
  const synthetic = waitingFor.map((id) => ({ type: 'missing', id }) as const);
  const { start, end } = nodeTimes(times, parent, spanCount);
  const idOf = (node: number) => (node < spanCount ? store.ids[node] : waitingFor[node - spanCount]);
  const order = sortNodes(start, idOf);
  cutCycles(parent, order);
  return { spanCount, synthetic, start, end, ...extent(times, spanCount), ...walkTree(store, parent, order) };
}

/** Every group takes its first member's place among the siblings, and its members as children. */
function insertGroups(store: SpanStore, plain: Tree, groups: readonly Group[]): Tree {
  const nodeCount = plain.nodeCount + groups.length;
  const parent = extended(plain.parent, new Int32Array(nodeCount));
  const start = extended(plain.start, new Float64Array(nodeCount));
  const end = extended(plain.end, new Float64Array(nodeCount));
  const opens = new Int32Array(plain.nodeCount); // by its first member, the group; 0 for none
  groups.forEach(({ members }, i) => {
    const node = plain.nodeCount + i;
    parent[node] = plain.parent[members[0]];
    start[node] = plain.start[members[0]];
    end[node] = members.reduce((latest, member) => Math.max(latest, plain.end[member]), -Infinity);
    for (const member of members) parent[member] = node;
    opens[members[0]] = node;
  });
  const order = new Int32Array(nodeCount);
  let count = 0;
  for (const node of plain.preorder) {
    if (opens[node] > 0) order[count++] = opens[node];
    order[count++] = node;
  }
  const synthetic = [...plain.synthetic, ...groups.map((group) => group.synthetic)];
  return { ...plain, synthetic, start, end, ...walkTree(store, parent, order) };
}

function extended<T extends Int32Array | Float64Array>(values: T, longer: T): T {
  longer.set(values);
  return longer;
}

/** order: all nodes, siblings as they are to stand. */
function walkTree(store: SpanStore, parent: Int32Array, order: Int32Array) {
  const walk = walkInOrder(parent, order);
  return { nodeCount: parent.length, parent, errorsBelow: countErrors(store, parent, walk.preorder), ...walk };
}

/** What a node stands for when it is no span. */
export function syntheticOf(tree: Tree, node: number): Synthetic | null {
  return node < tree.spanCount ? null : tree.synthetic[node - tree.spanCount];
}

/** True for a node that holds spans together and is none itself, not even a missing one. */
export function isGroup(tree: Tree, node: number): boolean {
  return node >= tree.spanCount && tree.synthetic[node - tree.spanCount].type !== 'missing';
}

/** The span above a node, or the placeholder of a missing one; groups are passed over. -1 at the top. */
export function spanAbove(tree: Tree, node: number): number {
  let above = tree.parent[node];
  while (above >= 0 && isGroup(tree, above)) above = tree.parent[above];
  return above;
}

/** The id that collapse state, selection and links use for a node: its own, the missing parent's, or the group's. */
export function nodeId(tree: Tree, store: SpanStore, node: number): string {
  return node < tree.spanCount ? store.ids[node] : tree.synthetic[node - tree.spanCount].id;
}

/** The node of such an id; -1 when the tree has none. */
export function nodeOf(tree: Tree, store: SpanStore, id: string): number {
  const row = store.rowOf(id);
  if (row >= 0) return row < tree.spanCount ? row : -1;
  const place = tree.synthetic.findIndex((known) => known.id === id);
  return place < 0 ? -1 : tree.spanCount + place;
}

function linkParents(store: SpanStore): { waitingFor: string[]; parent: Int32Array } {
  const { count, parents } = store;
  const links = store.parentRow.slice(0, count);
  const waitingFor: string[] = [];
  const placeholders = new Map<string, number>();
  for (let row = 0; row < count; row++) {
    if (links[row] >= 0) continue;
    const id = parents[row];
    if (id === null) continue;
    links[row] = placeholders.get(id) ?? count + waitingFor.push(id) - 1;
    placeholders.set(id, links[row]);
  }
  if (waitingFor.length === 0) return { waitingFor, parent: links };
  const parent = new Int32Array(count + waitingFor.length).fill(-1);
  parent.set(links);
  return { waitingFor, parent };
}

/**
 * All nodes by (start, id). Loads arrive in order and live spans come last, so that there are few ascending runs: they
 * are found and merged, which takes a tenth of the time of a sort that asks a function about every pair.
 */
function sortNodes(start: Float64Array, idOf: (node: number) => string): Int32Array {
  const isBefore = (a: number, b: number) => start[a] < start[b] || (start[a] === start[b] && idOf(a) < idOf(b));
  let order = new Int32Array(start.length);
  let runs = [0];
  for (let node = 0; node < order.length; node++) {
    order[node] = node;
    if (node > 0 && !isBefore(node - 1, node)) runs.push(node);
  }
  let other = runs.length > 1 ? new Int32Array(order.length) : order;
  while (runs.length > 1) {
    const merged: number[] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(runs[i]);
      mergeRuns(order, other, [runs[i], runs[i + 1] ?? order.length, runs[i + 2] ?? order.length], isBefore);
    }
    [order, other, runs] = [other, order, merged];
  }
  return order;
}

/** Merges two neighbouring ascending runs into the same places of another array. */
function mergeRuns(
  from: Int32Array,
  to: Int32Array,
  [first, second, end]: readonly [number, number, number],
  isBefore: (a: number, b: number) => boolean,
): void {
  let [a, b] = [first, second];
  for (let i = first; i < end; i++) {
    if (b >= end || (a < second && isBefore(from[a], from[b]))) to[i] = from[a++];
    else to[i] = from[b++];
  }
}

/** Cuts every cycle of parent links at its first member in order. */
function cutCycles(parent: Int32Array, order: Int32Array): void {
  const rank = new Int32Array(parent.length);
  for (let i = 0; i < order.length; i++) rank[order[i]] = i;
  if (isDownward(parent, rank)) return;
  const UNSEEN = -1;
  const seenFrom = new Int32Array(parent.length).fill(UNSEEN);
  for (const origin of order) {
    let node = origin;
    while (node >= 0 && seenFrom[node] === UNSEEN) {
      seenFrom[node] = origin;
      node = parent[node];
    }
    if (node >= 0 && seenFrom[node] === origin) parent[firstOfCycle(parent, rank, node)] = -1;
  }
}

/** Every parent comes before its children, as nearly always: then nothing goes round. */
function isDownward(parent: Int32Array, rank: Int32Array): boolean {
  for (let node = 0; node < parent.length; node++) if (parent[node] >= 0 && rank[parent[node]] >= rank[node]) return false;
  return true;
}

function firstOfCycle(parent: Int32Array, rank: Int32Array, member: number): number {
  let first = member;
  for (let node = parent[member]; node !== member; node = parent[node]) {
    if (rank[node] < rank[first]) first = node;
  }
  return first;
}

function walkInOrder(parent: Int32Array, order: Int32Array) {
  const count = parent.length;
  const firstChild = new Int32Array(count + 1).fill(-1); // the last slot holds the top level
  const next = new Int32Array(count).fill(-1);
  for (let i = count - 1; i >= 0; i--) {
    const node = order[i];
    const slot = parent[node] < 0 ? count : parent[node];
    next[node] = firstChild[slot];
    firstChild[slot] = node;
  }
  const preorder = new Int32Array(count);
  const place = new Int32Array(count);
  const depth = new Int32Array(count);
  const size = new Int32Array(count).fill(1);
  let node = firstChild[count];
  for (let i = 0; i < count; i++) {
    preorder[i] = node;
    place[node] = i;
    if (parent[node] >= 0) depth[node] = depth[parent[node]] + 1;
    if (firstChild[node] >= 0) node = firstChild[node];
    else {
      while (node >= 0 && next[node] < 0) node = parent[node];
      if (node >= 0) node = next[node];
    }
  }
  for (let i = count - 1; i >= 0; i--) {
    const above = parent[preorder[i]];
    if (above >= 0) size[above] += size[preorder[i]];
  }
  return { preorder, place, depth, size };
}

function countErrors(store: SpanStore, parent: Int32Array, preorder: Int32Array): Int32Array {
  const below = new Int32Array(parent.length);
  for (let i = preorder.length - 1; i >= 0; i--) {
    const node = preorder[i];
    const own = node < store.count && store.status[node] === FAILED ? 1 : 0;
    if (parent[node] >= 0) below[parent[node]] += below[node] + own;
  }
  return below;
}

function nodeTimes(times: SpanTimes, parent: Int32Array, spanCount: number) {
  const start = new Float64Array(parent.length).fill(Infinity);
  const end = new Float64Array(parent.length).fill(-Infinity);
  start.set(times.start.subarray(0, spanCount));
  end.set(times.end.subarray(0, spanCount));
  for (let row = 0; row < spanCount; row++) {
    const above = parent[row];
    if (above < spanCount) continue; // only what is missing gets its times from its children
    start[above] = Math.min(start[above], start[row]);
    end[above] = Math.max(end[above], end[row]); // stays NaN once a child still runs
  }
  return { start, end };
}

function extent({ start, end }: SpanTimes, count: number): { firstStart: number; lastTime: number } {
  let firstStart = Infinity;
  let lastTime = -Infinity;
  for (let row = 0; row < count; row++) {
    if (start[row] < firstStart) firstStart = start[row];
    if (start[row] > lastTime) lastTime = start[row];
    if (end[row] > lastTime) lastTime = end[row];
  }
  return count === 0 ? { firstStart: 0, lastTime: 0 } : { firstStart, lastTime };
}
