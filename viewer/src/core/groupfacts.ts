/** What a group of siblings comes to: how many, how long, how many failed. */

import { FAILED } from './kinds';
import type { SpanStore } from './spans';
import type { Tree } from './tree';

export interface GroupFacts {
  /** The members that are spans, in order. */
  readonly members: readonly number[];
  /** Of the members that have ended, nanoseconds; null when none has. */
  readonly durations: { readonly least: number; readonly median: number; readonly most: number; readonly sum: number } | null;
  readonly failed: number;
  readonly running: number;
}

export function groupFacts(store: SpanStore, tree: Tree, group: number): GroupFacts {
  const members: number[] = [];
  const until = tree.place[group] + tree.size[group];
  for (let i = tree.place[group] + 1; i < until; i += tree.size[tree.preorder[i]]) members.push(tree.preorder[i]);
  const lengths = members.map((row) => tree.end[row] - tree.start[row]).filter((length) => !Number.isNaN(length));
  lengths.sort((a, b) => a - b);
  return {
    members,
    durations: lengths.length === 0 ? null : spread(lengths),
    failed: members.filter((row) => store.status[row] === FAILED).length,
    running: members.length - lengths.length,
  };
}

function spread(sorted: readonly number[]) {
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
  return { least: sorted[0], median, most: sorted[sorted.length - 1], sum: sorted.reduce((total, length) => total + length, 0) };
}
