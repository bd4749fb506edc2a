/** The critical path of the open run, and walking along it. */

import { criticalPath, NO_PATH, passageOf, segmentFrom } from '../../core/criticalpath';
import type { RunViewState } from '../../core/runview';
import type { Tree } from '../../core/tree';
import type { RunModel } from './model.svelte';

/** Part of the wall time from which one span of many equal ones is worth a row of its own. */
const HEAVY_SHARE = 0.1;

export class Critical {
  /** Rows off the path are left out. */
  only = $state(false);

  readonly path = $derived.by(() => {
    const { tree, store, runEnd } = this.model;
    if (!tree) return NO_PATH;
    const root = store.rowOf(this.model.rootId());
    return criticalPath(tree, root, runEnd ?? Infinity);
  });

  /** The segment that was walked to last; the selection may have left it since. */
  private at = -1;

  constructor(
    private readonly model: RunModel,
    state: RunViewState,
  ) {
    this.only = state.onlyCritical;
  }

  setOnly(only: boolean): void {
    this.only = only;
    this.model.outline.filterChanged();
  }

  /** How long the path is in a span and below it, as a part of the run's wall time so far; null off the path. */
  shareOf(node: number): number | null {
    const passage = passageOf(this.path, node);
    const first = this.path.starts[0];
    if (!passage || first === undefined) return null;
    const now = this.model.runEnd ?? this.model.nowNs();
    const whole = Math.min(this.path.ends[this.path.ends.length - 1], now) - first;
    return whole > 0 ? (Math.min(passage[1], now) - passage[0]) / whole : null;
  }

  /** Among what is folded into a row is a span that the run waited for noticeably long. */
  isHeavy(tree: Tree, node: number): boolean {
    const members = tree.preorder.subarray(tree.place[node] + 1, tree.place[node] + tree.size[node]);
    return members.some((member) => (this.shareOf(member) ?? 0) >= HEAVY_SHARE);
  }

  /** The next segment after the selected span's start; answers its span, -1 at the end. */
  step(backwards: boolean): number {
    const { path, model } = this;
    const selected = model.selectedNode();
    const here = this.at >= 0 && path.nodes[this.at] === selected ? this.at : -1;
    if (here >= 0) this.at = here + (backwards ? -1 : 1);
    else this.at = segmentFrom(path, selected < 0 ? -Infinity : model.extentOf(selected)[0] - 1, backwards);
    if (this.at < 0 || this.at >= path.nodes.length) this.at = -1;
    if (this.at >= 0) model.timeline.bringTime(path.starts[this.at]);
    return this.at < 0 ? -1 : path.nodes[this.at];
  }
}
