/** The rows of a run: what is folded, focused and searched, and which nodes of the tree are on screen for that. */

import { deepestLevelWithin, ancestors, rowOfNode, visibleRows } from '../../core/rows';
import type { RunViewState } from '../../core/runview';
import { searchSpans } from '../../core/search';
import { nodeId, syntheticOf, type Tree } from '../../core/tree';
import type { RunModel } from './model.svelte';

/** Finished runs with more spans than this open folded to the levels that fit ... */
const FOLD_ABOVE_SPANS = 2000;
/** ... into this many rows; what a folded row contains shows as a strip in its bar. */
const FOLDED_ROWS = 120;

export class Outline {
  rows = $state.raw<Int32Array>(new Int32Array(0));
  query = $state('');
  matches = $state.raw<Uint8Array | null>(null);
  matchCount = $state(0);

  /** The rows on screen. */
  onScreen = $state.raw<{ readonly first: number; readonly count: number }>({ first: 0, count: 0 });

  /** What was opened or closed by hand; everything else is as it is by itself. */
  private readonly chosen = new Map<string, 'open' | 'closed'>();

  constructor(
    private readonly model: RunModel,
    state: RunViewState,
  ) {
    this.query = state.query;
  }

  /** The tree has changed. */
  rebuild(): void {
    this.rebuildRows();
    this.rebuildMatches();
  }

  /** Opens a large finished run folded. */
  foldLargeRun(): void {
    const { tree, isLive } = this.model;
    if (!tree || isLive || tree.spanCount <= FOLD_ABOVE_SPANS) return;
    const level = deepestLevelWithin(tree, FOLDED_ROWS);
    this.setCollapsed(tree.preorder.filter((node) => tree.depth[node] === level), true);
  }

  isCollapsed = (node: number): boolean => {
    const { tree, store } = this.model;
    if (!tree) return false;
    const choice = this.chosen.size > 0 ? this.chosen.get(nodeId(tree, store, node)) : undefined;
    return choice === undefined ? this.isClosedByItself(tree, node) : choice === 'closed';
  };

  /** Groups open by themselves for what must not be missed. That a try failed is what tries are there to show. */
  private isClosedByItself(tree: Tree, node: number): boolean {
    const group = syntheticOf(tree, node);
    if (group === null || group.type === 'missing') return false;
    return group.type === 'attempts' || tree.errorsBelow[node] === 0;
  }

  /** As isCollapsed, for markup: folding makes new rows, so naming them keeps the answer fresh. */
  foldState(node: number, _rows: Int32Array): boolean {
    return this.isCollapsed(node);
  }

  setCollapsed(nodes: Iterable<number>, closed: boolean): void {
    const { tree, store } = this.model;
    if (!tree) return;
    for (const node of nodes) {
      if (tree.size[node] > 1) this.chosen.set(nodeId(tree, store, node), closed ? 'closed' : 'open');
    }
    this.rebuildRows();
  }

  /** Opens what hides a node, so that it has a row; answers that row. */
  reveal(node: number): number {
    const { tree, store } = this.model;
    if (!tree || node < 0) return -1;
    const closed = ancestors(tree, node).filter(this.isCollapsed);
    for (const above of closed) this.chosen.set(nodeId(tree, store, above), 'open');
    if (closed.length > 0) this.rebuildRows();
    return rowOfNode(this.rows, tree, node);
  }

  search(query: string): void {
    this.query = query;
    this.rebuildMatches();
  }

  isMatch = (row: number): boolean => this.matches?.[row] === 1;

  private rebuildRows(): void {
    const { tree, timeline } = this.model;
    timeline.forgetLanes();
    if (tree) this.rows = visibleRows(tree, this.isCollapsed);
  }

  private rebuildMatches(): void {
    this.matches = searchSpans(this.model.store, this.query, this.model.runEnd ?? this.model.nowNs());
    this.matchCount = this.matches?.reduce((sum, match) => sum + match, 0) ?? 0;
  }
}
