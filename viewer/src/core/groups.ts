/**
 * Siblings that are one row until they are opened: equal ones in a row ("read_file ×14"), and the tries of one step.
 *
 * Which they are follows from the spans alone, so that the same groups come out however the spans arrived. A group is
 * named after its first member, which stays first while more arrive.
 */

import { FAILED } from './kinds';
import type { SpanStore } from './spans';

/** A node of the tree that is no span. Its members are its children. */
export type Synthetic =
  /** A parent that has not arrived; id: the parent's own. */
  | { readonly type: 'missing'; readonly id: string }
  /** Equal leaf spans, one after the other. */
  | { readonly type: 'repeat'; readonly id: string; readonly count: number; readonly name: string }
  /** Tries of one step. */
  | { readonly type: 'attempts'; readonly id: string; readonly count: number };

export interface Group {
  readonly synthetic: Synthetic;
  /** In the order of siblings. */
  readonly members: readonly number[];
}

/** The tree without groups, as far as finding them needs it. */
interface Siblings {
  readonly spanCount: number;
  readonly parent: Int32Array;
  readonly preorder: Int32Array;
  readonly size: Int32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
}

/** Fewer equal siblings than this are read at a glance. */
export const FEWEST_REPEATS = 5;

export function findGroups(store: SpanStore, tree: Siblings): Group[] {
  const taken = new Set<number>();
  const groups = findAttempts(store, tree);
  for (const group of groups) for (const member of group.members) taken.add(member);
  return [...groups, ...findRepeats(store, tree, taken)];
}

/** Leaf siblings are neighbours in preorder, so one pass finds them. */
function findRepeats(store: SpanStore, tree: Siblings, taken: ReadonlySet<number>): Group[] {
  const { preorder } = tree;
  const groups: Group[] = [];
  let from = 0;
  for (let i = 1; i <= preorder.length; i++) {
    if (i < preorder.length && continues(store, tree, taken, preorder[from], preorder[i])) continue;
    if (i - from >= FEWEST_REPEATS) groups.push(repeatOf(store, preorder.subarray(from, i)));
    from = i;
  }
  return groups;
}

function continues(store: SpanStore, tree: Siblings, taken: ReadonlySet<number>, first: number, node: number): boolean {
  if (tree.parent[node] !== tree.parent[first] || !isLeaf(tree, first) || !isLeaf(tree, node)) return false;
  return areEqual(store, first, node) && !taken.has(first) && !taken.has(node);
}

function isLeaf(tree: Siblings, node: number): boolean {
  return node < tree.spanCount && tree.size[node] === 1;
}

function areEqual(store: SpanStore, a: number, b: number): boolean {
  return store.name[a] === store.name[b] && store.kind[a] === store.kind[b];
}

function repeatOf(store: SpanStore, members: Int32Array): Group {
  const [first] = members;
  const synthetic = { type: 'repeat', id: `repeat:${store.ids[first]}`, count: members.length, name: store.nameOf(first) } as const;
  return { synthetic, members: [...members] };
}

/** Spans that say which try they are, and model calls made again at once after they failed. */
function findAttempts(store: SpanStore, tree: Siblings): Group[] {
  const chains = new Map<number, number[]>(); // by their last member
  const numbered = new NumberedTries(store);
  const sibling = new Int32Array(tree.preorder.length + 1).fill(-1); // the last one seen below each parent
  for (const node of tree.preorder) {
    if (node >= tree.spanCount) continue;
    const parent = tree.parent[node];
    const slot = parent < 0 ? tree.preorder.length : parent;
    const before = Number.isNaN(store.attempt[node]) ? failedCall(store, tree, sibling[slot], node) : numbered.before(parent, node);
    sibling[slot] = node;
    if (before < 0) continue;
    chains.set(node, [...(chains.get(before) ?? [before]), node]);
    chains.delete(before);
  }
  return Array.from(chains.values(), (members) => attemptsOf(store, members));
}

/** Spans that carry a number, waiting for the next try of the same step. */
class NumberedTries {
  private readonly waiting = new Map<string, number[]>();

  constructor(private readonly store: SpanStore) {}

  /** The try before this one, which then waits no longer; -1 when there is none. */
  before(parent: number, node: number): number {
    const { attempt, taskId, name, kind } = this.store;
    const step = taskId[node] === 0 ? `${parent} ${name[node]} ${kind[node]}` : `${parent} of ${taskId[node]}`;
    const found = this.waiting.get(`${step} ${attempt[node] - 1}`)?.shift() ?? -1;
    const key = `${step} ${attempt[node]}`;
    const known = this.waiting.get(key);
    if (known) known.push(node);
    else this.waiting.set(key, [node]);
    return found;
  }
}

/** The sibling before a model call when it is the same call, failed: its caller can only have tried again. */
function failedCall(store: SpanStore, tree: Siblings, before: number, node: number): number {
  if (before < 0 || store.status[before] !== FAILED || store.kindOf(node) !== 'llm') return -1;
  // A call that failed may not say which model it was for.
  const [called, callsNow] = [store.model[before], store.model[node]];
  const isSame = areEqual(store, before, node) && (called === callsNow || called === 0 || callsNow === 0);
  return isSame && Number.isNaN(store.attempt[before]) && tree.end[before] <= tree.start[node] ? before : -1;
}

function attemptsOf(store: SpanStore, members: readonly number[]): Group {
  return { synthetic: { type: 'attempts', id: `attempts:${store.ids[members[0]]}`, count: members.length }, members };
}
