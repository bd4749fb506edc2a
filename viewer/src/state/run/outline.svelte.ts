/** The rows of a run: what is folded, focused and searched, and which nodes of the tree are on screen for that. */

import { deepestLevelWithin, ancestors, rowOfNode, visibleRows } from '../../core/rows';
import type { RunViewState } from '../../core/runview';
import { searchSpans } from '../../core/search';
import { nodeId } from '../../core/tree';
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

  private readonly collapsed = new Set<string>();

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
    return this.collapsed.size > 0 && tree !== null && this.collapsed.has(nodeId(tree, store, node));
  };

  /** As isCollapsed, for markup: folding makes new rows, so naming them keeps the answer fresh. */
  foldState(node: number, _rows: Int32Array): boolean {
    return this.isCollapsed(node);
  }

  setCollapsed(nodes: Iterable<number>, closed: boolean): void {
    const { tree, store } = this.model;
    if (!tree) return;
    for (const node of nodes) {
      const id = nodeId(tree, store, node);
      if (closed && tree.size[node] > 1) this.collapsed.add(id);
      else this.collapsed.delete(id);
    }
    this.rebuildRows();
  }

  /** Opens what hides a node, so that it has a row; answers that row. */
  reveal(node: number): number {
    const { tree, store } = this.model;
    if (!tree || node < 0) return -1;
    let changed = false;
    for (const above of ancestors(tree, node)) changed = this.collapsed.delete(nodeId(tree, store, above)) || changed;
    if (changed) this.rebuildRows();
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
