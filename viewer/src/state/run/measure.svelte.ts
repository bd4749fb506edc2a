/** What the reader measures: an area with its sums, or the gap between two spans. */

import { gapBetween, sumsOf, type Area, type Gap } from '../../core/area';
import type { RunViewState } from '../../core/runview';
import { nodeId, nodeOf } from '../../core/tree';
import type { RunModel } from './model.svelte';

/** An area whose rows are named by ids, so that it stays where it is while a run grows. */
export interface MarkedArea {
  readonly start: number;
  readonly end: number;
  readonly ids: readonly [first: string, last: string] | null;
}

export class Measure {
  marked = $state.raw<MarkedArea | null>(null);
  /** The area is being drawn. */
  drawing = $state(false);
  /** The span from which a gap is measured to the selected one. */
  private anchorId = $state<string | null>(null);
  /** What a link marks, until the run's start is known. */
  private pending = $state.raw<RunViewState['area']>(null);

  constructor(
    private readonly model: RunModel,
    state: RunViewState,
  ) {
    this.pending = state.area;
    if (!state.area) this.anchorId = state.gap;
  }

  /** The tree has changed: a link's times count from its start. */
  rebuild(): void {
    const { pending } = this;
    if (!pending || !this.model.tree?.nodeCount) return;
    const zero = this.model.tree.firstStart;
    this.marked = { start: zero + pending.fromMs * 1e6, end: zero + pending.toMs * 1e6, ids: pending.rows };
    this.pending = null;
  }

  /** What a link says of it. */
  linked(): Pick<RunViewState, 'area' | 'gap'> {
    const { marked, pending, model } = this;
    if (!marked || this.drawing) return { area: pending, gap: this.anchorId };
    const zero = model.tree?.firstStart ?? 0;
    return { area: { fromMs: (marked.start - zero) / 1e6, toMs: (marked.end - zero) / 1e6, rows: marked.ids }, gap: null };
  }

  readonly area: Area | null = $derived.by(() => {
    const { marked, model } = this;
    if (!marked || !model.tree) return null;
    if (!marked.ids) return { ...marked, nodes: null };
    const [first, last] = marked.ids.map((id) => this.nodeOf(id));
    return first < 0 || last < 0 ? null : { ...marked, nodes: [first, last] };
  });

  readonly sums = $derived.by(() => {
    const { tree, store } = this.model;
    return this.area && tree && !this.drawing ? sumsOf(this.area, tree, store, (row) => this.model.extentOf(row)[1]) : [];
  });

  /** nodes: the first and the last row; null: all rows. */
  markArea(start: number, end: number, nodes: readonly [number, number] | null): void {
    const { tree, store } = this.model;
    if (!tree) return;
    this.anchorId = null;
    const ids = nodes && ([nodeId(tree, store, nodes[0]), nodeId(tree, store, nodes[1])] as const);
    this.marked = { start: Math.min(start, end), end: Math.max(start, end), ids };
  }

  /** The selected span's time, over its own rows or over all rows. */
  markSelection(allRows: boolean): void {
    const node = this.model.selectedNode();
    if (node < 0) return;
    const [start, end] = this.model.extentOf(node);
    this.markArea(start, end, allRows ? null : [node, this.lastInside(node)]);
  }

  private lastInside(node: number): number {
    const { tree } = this.model;
    return tree ? tree.preorder[tree.place[node] + tree.size[node] - 1] : node;
  }

  /** From now on the gap from this span to the selected one is shown. */
  pin(node: number): void {
    const { tree, store } = this.model;
    if (!tree || node < 0) return;
    this.marked = null;
    this.anchorId = nodeId(tree, store, node);
  }

  private nodeOf(id: string): number {
    return this.model.tree ? nodeOf(this.model.tree, this.model.store, id) : -1;
  }

  get anchor(): number {
    return this.anchorId === null ? -1 : this.nodeOf(this.anchorId);
  }

  /** The gap from the pinned span to the selected one; null while they are the same. */
  gap(): { readonly gap: Gap; readonly from: number; readonly to: number } | null {
    const [from, to] = [this.anchor, this.model.selectedNode()];
    if (from < 0 || to < 0 || from === to) return null;
    return { gap: gapBetween(this.model.extentOf(from), this.model.extentOf(to)), from, to };
  }

  /** Something is measured. */
  get active(): boolean {
    return this.marked !== null || this.anchorId !== null;
  }

  clear(): void {
    this.pending = null;
    this.marked = null;
    this.anchorId = null;
    this.drawing = false;
  }
}
