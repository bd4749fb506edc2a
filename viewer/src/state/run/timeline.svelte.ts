/** The time on screen: the window and its limits, what is inside folded bars, and the minimap's sums. */

import { makeLane, type Lane } from '../../core/bars';
import { buildOverview, type Overview } from '../../core/overview';
import type { RunViewState } from '../../core/runview';
import type { Tick } from '../../core/ticks';
import type { Tree } from '../../core/tree';
import { clampViewport, fitTo, isWhole, type Viewport } from '../../core/viewport';
import type { RunModel } from './model.svelte';

export class Timeline {
  /** The window of time; null shows the whole run and follows it as it grows. */
  view = $state.raw<Viewport | null>(null);

  /** What the ruler shows: the window and marks that were painted last. */
  ruler = $state.raw<{ view: Viewport; marks: readonly Tick[] }>({ view: { start: 0, end: 1 }, marks: [] });

  private pendingWindow: RunViewState['window'];
  private readonly lanes = new Map<number, Lane>();

  constructor(
    private readonly model: RunModel,
    state: RunViewState,
  ) {
    this.pendingWindow = state.window;
  }

  /** The tree has changed. A link names its window in milliseconds after the run's start, known once spans are here. */
  rebuild(): void {
    const { pendingWindow, model } = this;
    if (!pendingWindow || !model.tree || model.tree.nodeCount === 0) return;
    this.pendingWindow = null;
    const zero = model.tree.firstStart;
    this.setView({ start: zero + pendingWindow.fromMs * 1e6, end: zero + pendingWindow.toMs * 1e6 });
  }

  /** The whole run, with room ahead of a live one so that its bars do not touch the edge. */
  limits(): Viewport {
    const { tree, runEnd, isLive } = this.model;
    const start = tree?.firstStart ?? 0;
    const last = Math.max(tree?.lastTime ?? 0, runEnd ?? 0);
    const end = isLive ? Math.max(last, this.model.nowNs()) : last;
    const length = Math.max(end - start, 1000);
    return { start, end: start + length * (isLive ? 1.04 : 1.012) };
  }

  shownView(): Viewport {
    return this.view === null ? this.limits() : clampViewport(this.view, this.limits());
  }

  setView(view: Viewport): void {
    const limits = this.limits();
    this.view = isWhole(view, limits) ? null : clampViewport(view, limits);
  }

  showOnRuler(view: Viewport, marks: readonly Tick[]): void {
    const { ruler } = this;
    const same = view.start === ruler.view.start && view.end === ruler.view.end && marks.length === ruler.marks.length;
    if (!same || marks.some((mark, i) => mark.time !== ruler.marks[i].time)) this.ruler = { view, marks };
  }

  /** Fits the window to a span, or to its subtree. */
  fit(node: number, subtree: boolean): void {
    const { tree } = this.model;
    if (!tree || node < 0) return;
    let [start, end] = this.model.extentOf(node);
    const from = tree.place[node];
    const until = subtree || node >= tree.spanCount ? from + tree.size[node] : from;
    for (let i = from; i < until; i++) {
      const [a, b] = this.model.extentOf(tree.preorder[i]);
      start = Math.min(start, a);
      end = Math.max(end, b);
    }
    this.setView(fitTo(start, end, this.limits()));
  }

  overview(buckets: number): Overview | null {
    const { tree, store, groupOf, runEnd } = this.model;
    if (!tree || buckets < 1) return null;
    return buildOverview(store, tree, groupOf, this.limits(), runEnd ?? this.model.nowNs(), buckets);
  }

  /** What a link carries of the window. */
  linkedWindow(): RunViewState['window'] {
    const zero = this.model.tree?.firstStart ?? 0;
    const window = this.view && { fromMs: (this.view.start - zero) / 1e6, toMs: (this.view.end - zero) / 1e6 };
    return window ?? this.pendingWindow;
  }

  /** The leaf spans inside a collapsed node, for the strip its bar carries; null when it is open or a leaf. */
  laneOf = (node: number): Lane | null => {
    const { tree, outline } = this.model;
    if (!tree || tree.size[node] < 2 || !outline.isCollapsed(node)) return null;
    const known = this.lanes.get(node);
    if (known) return known;
    const lane = this.buildLane(tree, node);
    this.lanes.set(node, lane);
    return lane;
  };

  forgetLanes(): void {
    this.lanes.clear();
  }

  private buildLane(tree: Tree, node: number): Lane {
    const from = tree.place[node];
    const inside = tree.preorder.subarray(from + 1, from + tree.size[node]);
    const leaves = inside.filter((row) => row < tree.spanCount && tree.size[row] === 1);
    const { start } = tree;
    // Work done one step after the other is in order already.
    if (leaves.some((row, i) => i > 0 && start[row] < start[leaves[i - 1]])) leaves.sort((a, b) => start[a] - start[b]);
    return makeLane(
      Float64Array.from(leaves, (row) => start[row]),
      Float64Array.from(leaves, (row) => this.model.extentOf(row)[1]),
      Uint8Array.from(leaves, this.model.groupOf),
    );
  }
}
