/** What a node's whole subtree spent: costs and tokens of its spans added up, each call counted once. */

import type { SpanStore } from './spans';
import type { Tree } from './tree';

export interface Rollup {
  /** A node's own figure; NaN when it has none. */
  readonly own: Float64Array;
  /** With everything below it; NaN when nothing of it has one. */
  readonly whole: Float64Array;
  /** What a full bar stands for: the largest `whole`, of roots only when nothing below them has a figure. */
  readonly most: number;
}

export type Spent = 'cost' | 'tokens';

export const NOTHING_SPENT: Rollup = { own: new Float64Array(0), whole: new Float64Array(0), most: 0 };

/** isCounted: false for spans that report what another reports, too. */
export function rollUp(store: SpanStore, tree: Tree, spent: Spent, isCounted: (row: number) => boolean): Rollup {
  const own = new Float64Array(tree.nodeCount).fill(NaN);
  const whole = new Float64Array(tree.nodeCount).fill(NaN);
  const figure = spent === 'cost' ? (row: number) => store.cost[row] : (row: number) => tokensOf(store, row);
  let most = 0; // a root has the run's sum: beside it everything else would be a dot
  let mostOfRoots = 0;
  for (let i = tree.nodeCount - 1; i >= 0; i--) {
    const node = tree.preorder[i];
    if (node < tree.spanCount && isCounted(node)) own[node] = figure(node);
    whole[node] = added(whole[node], own[node]);
    const above = tree.parent[node];
    if (above < 0) {
      if (whole[node] > mostOfRoots) mostOfRoots = whole[node];
      continue;
    }
    whole[above] = added(whole[above], whole[node]);
    if (whole[node] > most) most = whole[node];
  }
  return { own, whole, most: most || mostOfRoots };
}

/** Input and output; NaN when neither is known. */
export function tokensOf(store: SpanStore, row: number): number {
  return added(store.inputTokens[row], store.outputTokens[row]);
}

function added(a: number, b: number): number {
  return Number.isNaN(a) ? b : Number.isNaN(b) ? a : a + b;
}
