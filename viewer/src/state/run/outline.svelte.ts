/** The rows of a run: what is folded, focused and searched, and which nodes of the tree are on screen for that. */

import { NO_PATH, passageOf } from '../../core/criticalpath';
import { NOTHING_SPENT, rollUp, type Rollup, type Spent } from '../../core/rollup';
import { ancestors, deepestLevelWithin, focusRange, hasRowsBelow, rowOfNode, visibleRows, withAncestors } from '../../core/rows';
import type { RunViewState } from '../../core/runview';
import { nodeId, nodeOf, syntheticOf, type Tree } from '../../core/tree';
import { ROW_COLUMNS, type RowColumn } from '../settings.svelte';
import type { RunModel } from './model.svelte';
import { RunSearch } from './search.svelte';

/** Finished runs with more spans than this open folded to the levels that fit ... */
const FOLD_ABOVE_SPANS = 2000;
/** ... into this many rows; what a folded row contains shows as a strip in its bar. */
const FOLDED_ROWS = 120;

type Choice = 'open' | 'closed';

export class Outline {
  rows = $state.raw<Int32Array>(new Int32Array(0));
  /** The rows on screen. */
  onScreen = $state.raw<{ readonly first: number; readonly count: number }>({ first: 0, count: 0 });
  /** The node whose subtree alone is shown, as it is called in links; it may not have arrived. */
  focusId = $state<string | null>(null);
  /** The same as a node of the tree; -1 shows the whole run. */
  focus = $state(-1);
  onlyMatches = $state(false);
  /** Scroll along with the newest row of a live run. */
  follows = $state(false);
  readonly search: RunSearch;

  /** Nodes that may be rows while a filter leaves out others. */
  private kept = $state.raw<Uint8Array | null>(null);
  /** What was opened or closed by hand; everything else is as it is by itself. */
  private readonly chosen = new Map<string, Choice>();
  /** The same while a filter shows other rows than usual. */
  private readonly chosenFiltered = new Map<string, Choice>();

  private readonly cost = $derived.by(() => this.rollUp('cost'));
  private readonly tokens = $derived.by(() => this.rollUp('tokens'));

  constructor(
    private readonly model: RunModel,
    state: RunViewState,
  ) {
    this.search = new RunSearch(model, state.query);
    this.focusId = state.focus;
    this.onlyMatches = state.onlyMatches;
  }

  get query(): string {
    return this.search.query;
  }

  get matches(): Uint8Array | null {
    return this.search.matches;
  }

  isMatch = (row: number): boolean => this.search.matches?.[row] === 1;

  /** The tree has changed. */
  rebuild(): void {
    this.search.rebuild();
    this.rebuildRows();
  }

  /** The search has an answer, or another one. */
  matchesChanged(): void {
    if (this.onlyMatches) this.rebuildRows();
    else this.search.count = this.countMatches();
  }

  // Folding -----------------------------------------------------------------------------------------------------------

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
    const { choices } = this;
    const choice = choices.size > 0 ? choices.get(nodeId(tree, store, node)) : undefined;
    return choice === undefined ? this.kept === null && this.isClosedByItself(tree, node) : choice === 'closed';
  };

  /** Whether a row can be folded at all. */
  isParent(node: number): boolean {
    const { tree } = this.model;
    return tree !== null && tree.size[node] > 1 && hasRowsBelow(tree, this.kept, node);
  }

  /** For markup: null for a row without children. Folding makes new rows, so naming them keeps the answer fresh. */
  foldState(node: number, _rows: Int32Array): Choice | null {
    if (!this.isParent(node)) return null;
    return this.isCollapsed(node) ? 'closed' : 'open';
  }

  setCollapsed(nodes: Iterable<number>, closed: boolean): void {
    const { tree, store } = this.model;
    if (!tree) return;
    for (const node of nodes) {
      if (tree.size[node] > 1) this.choices.set(nodeId(tree, store, node), closed ? 'closed' : 'open');
    }
    this.rebuildRows();
  }

  /** Folds or opens every row on the level of this one. */
  foldLevel(node: number, closed: boolean): void {
    const { tree } = this.model;
    if (!tree) return;
    const [from, until] = focusRange(tree, this.focus);
    this.setCollapsed(tree.preorder.subarray(from, until).filter((other) => tree.depth[other] === tree.depth[node]), closed);
  }

  /** Opens what hides a node, so that it has a row; answers that row, or the nearest one above. */
  reveal(node: number): number {
    const { tree, store } = this.model;
    if (!tree || node < 0) return -1;
    const closed = ancestors(tree, node).filter(this.isCollapsed);
    for (const above of closed) this.choices.set(nodeId(tree, store, above), 'open');
    if (closed.length > 0) this.rebuildRows();
    return rowOfNode(this.rows, tree, node);
  }

  private get choices(): Map<string, Choice> {
    return this.kept === null ? this.chosen : this.chosenFiltered;
  }

  /** Groups open by themselves for what must not be missed. That a try failed is what tries are there to show. */
  private isClosedByItself(tree: Tree, node: number): boolean {
    const group = syntheticOf(tree, node);
    if (group === null || group.type === 'missing') return false;
    return group.type === 'attempts' || (tree.errorsBelow[node] === 0 && !this.model.timeline.critical.isHeavy(tree, node));
  }

  // Focus and filters -------------------------------------------------------------------------------------------------

  /** Shows a node's subtree alone, or the whole run for -1; the window of time goes along. */
  focusOn(node: number): void {
    const { tree, store, timeline } = this.model;
    if (!tree) return;
    this.focusId = node < 0 ? null : nodeId(tree, store, node);
    this.rebuildRows();
    if (node < 0) timeline.view = null;
    else timeline.fit(node, true);
  }

  /** Focuses what a link names, and leaves the window of time to it. */
  followLink(focusId: string | null): void {
    this.focusId = focusId;
    this.rebuildRows();
  }

  setOnlyMatches(only: boolean): void {
    this.onlyMatches = only;
    this.rebuildRows();
  }

  /** Another filter leaves out rows now, or none does. */
  filterChanged(): void {
    this.rebuildRows();
  }

  /** Drops what keeps a node from having a row. */
  makeRoomFor(node: number): void {
    if (this.mayShow(node)) return;
    if (this.kept !== null && this.kept[node] !== 1) this.onlyMatches = this.model.timeline.critical.only = false;
    const { tree } = this.model;
    const [from, until] = tree ? focusRange(tree, this.focus) : [0, 0];
    if (tree && (tree.place[node] < from || tree.place[node] >= until)) this.focusId = null;
    this.rebuildRows();
  }

  /** Whether a node belongs to the focused subtree and passes the filter. */
  mayShow = (node: number): boolean => {
    const { tree } = this.model;
    if (!tree || (this.kept !== null && this.kept[node] !== 1)) return false;
    const [from, until] = focusRange(tree, this.focus);
    return tree.place[node] >= from && tree.place[node] < until;
  };

  /** The row of the span that started last, -1 without rows. */
  newestRow(): number {
    const { tree } = this.model;
    if (!tree) return -1;
    let newest = -1;
    for (let row = 0; row < tree.spanCount; row++) {
      if ((newest < 0 || tree.start[row] >= tree.start[newest]) && this.mayShow(row)) newest = row;
    }
    return newest < 0 ? -1 : rowOfNode(this.rows, tree, newest);
  }

  /** What nodes spent, added up only where somebody looks at it. */
  rollup(spent: Spent): Rollup {
    return spent === 'cost' ? this.cost : this.tokens;
  }

  /** Of the wanted columns those that the run has figures for; tokens stand in for costs that nobody knows. */
  columns(wanted: readonly RowColumn[]): RowColumn[] {
    // Sums are made of what is asked about only: each takes milliseconds in a large run, at every change of a live one.
    const has = (column: RowColumn) => column === 'duration' || this.rollup(column).most > 0;
    const replaced = wanted.includes('cost') && !has('cost') ? [...wanted, 'tokens' as const] : wanted;
    return ROW_COLUMNS.filter((column) => replaced.includes(column) && has(column));
  }

  private rollUp(spent: Spent): Rollup {
    const { tree, store, notCounted } = this.model;
    if (!tree) return NOTHING_SPENT;
    const isCounted = notCounted.size === 0 ? () => true : (row: number) => !notCounted.has(store.ids[row]);
    return rollUp(store, tree, spent, isCounted);
  }

  private rebuildRows(): void {
    const { tree, store, timeline } = this.model;
    timeline.forgetLanes();
    if (!tree) return;
    this.focus = this.focusId === null ? -1 : nodeOf(tree, store, this.focusId);
    const kept = this.keptBy(tree);
    if ((kept === null) !== (this.kept === null)) this.chosenFiltered.clear();
    this.kept = kept;
    this.rows = visibleRows(tree, { isCollapsed: this.isCollapsed, focus: this.focus, kept });
    this.search.count = this.countMatches();
  }

  private keptBy(tree: Tree): Uint8Array | null {
    const { onlyCritical, critical } = this.model.timeline;
    const onlyMatches = this.onlyMatches && this.matches !== null;
    if (!onlyMatches && !onlyCritical) return null;
    const path = onlyCritical ? critical.path : NO_PATH;
    return withAncestors(tree, (row) => (!onlyMatches || this.isMatch(row)) && (!onlyCritical || passageOf(path, row) !== null));
  }

  private countMatches(): number {
    const { tree } = this.model;
    if (!tree || !this.matches) return 0;
    const [from, until] = focusRange(tree, this.focus);
    let count = 0;
    for (let i = from; i < until; i++) count += this.matches[tree.preorder[i]] ?? 0;
    return count;
  }
}
