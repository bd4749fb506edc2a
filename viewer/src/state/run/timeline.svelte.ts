/** The time on screen: the window and its limits, what is folded and framed, and what is inside folded bars. */

import { makeAxis, type Axis } from '../../core/axis';
import { makeLane, type Lane } from '../../core/bars';
import { colourScale, legendOf, type ColourScale } from '../../core/colouring';
import type { Stretch } from '../../core/foldedaxis';
import { easeWindow, frameOf, needsFrame } from '../../core/frame';
import { idlenessOf, mostlyIdle, NOT_IDLE } from '../../core/idle';
import type { LeadIn } from '../../core/leadin';
import { buildOverview, type Overview } from '../../core/overview';
import type { Choice, Colouring, RunViewState } from '../../core/runview';
import type { Tick } from '../../core/ticks';
import type { Tree } from '../../core/tree';
import { clampViewport, fitTo, isWhole, type Viewport } from '../../core/viewport';
import { before, follow, type Trail } from '../../core/zoomtrail';
import { Critical } from './critical.svelte';
import { EventDotsModel } from './eventdots.svelte';
import { Measure } from './measure.svelte';
import type { RunModel } from './model.svelte';

const EASE_MS = 150;
/** A wait before the run that is longer than this part of it is folded. */
const LONG_LEAD_IN = 0.05;
/** Turns of the wheel and steps of keys that follow each other this fast are one zoom to go back from. */
const SAME_MOVE_MS = 700;

/** Which rows a frame shows. */
interface RowsShown {
  readonly rows: Int32Array;
  readonly first: number;
  readonly count: number;
}

export class Timeline {
  readonly critical: Critical;
  readonly measure: Measure;
  readonly dots: EventDotsModel;

  /** What the colour of a bar means. */
  colouring = $state<Colouring>('kind');
  frameRows = $state<Choice>('auto');
  foldIdle = $state<Choice>('auto');
  /** The windows that were zoomed through, the last of them on screen. */
  trail = $state.raw<Trail>([]);
  /** What the ruler shows: the axis and marks that were painted last. */
  ruler = $state.raw<{ axis: Axis; marks: readonly Tick[] }>({ axis: makeAxis({ start: 0, end: 1 }, 0), marks: [] });

  readonly scale = $derived.by(() => this.freshScale(this.model.tree));
  readonly legend = $derived.by(() => (this.model.tree ? legendOf(this.scale, this.model.tree.spanCount) : []));
  readonly idleness = $derived.by(() => (this.model.tree ? idlenessOf(this.model.tree, this.model.runEnd) : NOT_IDLE));

  /** What came before the run, when it is an attempt of a managed task; nanoseconds, before the first start. */
  leadIn = $state.raw<readonly LeadIn[]>([]);
  /** The node under the pointer, -1 for none. */
  hovered = $state(-1);
  /** Spans that the selected one links to, or that link to it. */
  linkedIds = $state.raw<readonly string[]>([]);

  /** The rows that were painted last; the frame is around them. */
  private onRows = $state.raw<RowsShown | null>(null);
  /** The window that the reader chose; null shows the whole run and follows it as it grows, or frames the rows. */
  private chosen = $state.raw<Viewport | null>(null);
  /** On its way here from another window. */
  private moving = $state.raw<{ from: Viewport; k: number } | null>(null);
  /** Framing was found to suit the first picture; null before there was one. */
  private suggested = $state<boolean | null>(null);
  private movedAt = 0;
  private glides = 0;
  private painted: Viewport | null = null;
  private pendingWindow: RunViewState['window'];
  private readonly lanes = new Map<number, Lane>();
  private lanesScale: unknown = null;

  constructor(
    private readonly model: RunModel,
    state: RunViewState,
  ) {
    this.pendingWindow = state.window;
    this.colouring = state.colouring;
    this.frameRows = state.frameRows;
    this.foldIdle = state.foldIdle;
    this.critical = new Critical(model, state);
    this.measure = new Measure(model, state);
    this.dots = new EventDotsModel(model);
  }

  /** The tree has changed. A link names its window in milliseconds after the run's start, known once spans are here. */
  rebuild(): void {
    this.measure.rebuild();
    const { pendingWindow, model } = this;
    if (!pendingWindow || !model.tree || model.tree.nodeCount === 0) return;
    this.pendingWindow = null;
    const zero = model.tree.firstStart;
    this.setView({ start: zero + pendingWindow.fromMs * 1e6, end: zero + pendingWindow.toMs * 1e6 });
  }

  // The window --------------------------------------------------------------------------------------------------------

  /** The whole run, with room ahead of a live one so that its bars do not touch the edge. */
  limits(): Viewport {
    const { tree, runEnd, isLive } = this.model;
    const start = Math.min(tree?.firstStart ?? 0, this.leadIn[0]?.start ?? Infinity);
    const last = Math.max(tree?.lastTime ?? 0, runEnd ?? 0);
    const end = isLive ? Math.max(last, this.model.nowNs()) : last;
    const length = Math.max(end - start, 1000);
    const drawn = Math.max(length - this.folds.reduce((sum, fold) => sum + fold.end - fold.start, 0), 1000);
    return { start, end: start + length + drawn * (isLive ? 0.04 : 0.012) };
  }

  get view(): Viewport | null {
    return this.chosen;
  }

  set view(view: Viewport | null) {
    if (view === null) this.showWhole();
    else this.setView(view);
  }

  /** The window as it is now, perhaps on its way. */
  shownView(): Viewport {
    const target = this.target();
    return this.moving ? easeWindow(this.moving.from, target, this.moving.k) : target;
  }

  private target(): Viewport {
    const limits = this.limits();
    if (this.chosen) return clampViewport(this.chosen, limits);
    const { tree, outline, extentOf } = this.model;
    const frame = this.framing && tree && this.onRows ? frameOf(tree, this.onRows, outline.isCollapsed, extentOf, limits) : null;
    return frame ?? limits;
  }

  /** step: a zoom of its own, to which the window glides and from which there is a way back. */
  setView(view: Viewport, step = false): void {
    const limits = this.limits();
    const next = isWhole(view, limits) ? null : clampViewport(view, limits);
    const now = performance.now();
    const sameMove = !step && now - this.movedAt < SAME_MOVE_MS;
    this.movedAt = step ? -Infinity : now;
    this.stopFraming();
    if (step) this.glide();
    else this.stopGliding();
    this.chosen = next;
    this.trail = follow(this.trail, next, sameMove);
  }

  showWhole(): void {
    this.stopFraming();
    this.glide();
    this.chosen = null;
    this.trail = [];
  }

  /** Back to the window before the last zoom. */
  zoomBack(): void {
    const view = before(this.trail);
    if (view) this.setView(view, true);
    else this.showWhole();
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
    this.setView(fitTo(start, end, this.limits()), true);
  }

  /** Pans, if need be, so that a time is on screen. */
  bringTime(time: number): void {
    const view = this.target();
    if (time >= view.start && time <= view.end) return;
    const length = view.end - view.start;
    this.setView({ start: time - length * 0.3, end: time + length * 0.7 });
  }

  // Framing -----------------------------------------------------------------------------------------------------------

  /** The window follows the rows on screen. */
  get framing(): boolean {
    if (this.chosen || this.pendingWindow) return false;
    return this.frameRows === 'on' || (this.frameRows === 'auto' && this.suggested === true);
  }

  setFraming(on: boolean): void {
    this.glide();
    this.chosen = null;
    this.trail = [];
    this.frameRows = on ? 'on' : 'off';
  }

  /** A window chosen by hand ends framing, and a link must say so where it would begin by itself. */
  private stopFraming(): void {
    if (this.framing) this.frameRows = 'off';
  }

  /** Before each frame: decides on framing once there is something to frame, and glides when the rows have changed. */
  settle(width: number, shown: RowsShown): void {
    const { tree, loading, isLive, extentOf } = this.model;
    if (!tree || loading || shown.count === 0 || width < 1) return;
    const old = this.onRows;
    // Rows that open may turn out to be slivers; a live run's rows come and go, and must not take the window along.
    const opened = old !== null && old.rows !== shown.rows && this.suggested === false && !isLive;
    if (this.suggested === null || opened) this.suggested = needsFrame(this.wholeAxis(width), shown, extentOf);
    if (old?.rows !== shown.rows || old.first !== shown.first || old.count !== shown.count) {
      this.onRows = shown;
      if (old && this.framing) this.glide();
    }
    this.painted = this.shownView();
  }

  /** Lets the window glide from where it is to where it is about to be; readers who asked for calm see it jump. */
  private glide(): void {
    if (!this.painted || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const [from, began, glide] = [this.painted, performance.now(), ++this.glides];
    const step = (now: number) => {
      if (this.glides !== glide) return;
      const k = (now - began) / EASE_MS;
      this.moving = k < 1 ? { from, k } : null;
      if (k < 1) requestAnimationFrame(step);
    };
    this.moving = { from, k: 0 };
    requestAnimationFrame(step);
  }

  private stopGliding(): void {
    this.glides++;
    this.moving = null;
  }

  // The axis ----------------------------------------------------------------------------------------------------------

  /** Long idle stretches are folded. */
  get folding(): boolean {
    return this.idleness.folds.length > 0 && (this.foldIdle === 'on' || (this.foldIdle === 'auto' && mostlyIdle(this.idleness)));
  }

  /** Stretches that are breaks on the axis: idle ones, and a long wait before the run, which would dwarf it. */
  get folds(): readonly Stretch[] {
    const { tree } = this.model;
    const idle = this.folding ? this.idleness.folds : [];
    const [first] = this.leadIn;
    if (!tree || !first || tree.firstStart - first.start < (tree.lastTime - tree.firstStart) * LONG_LEAD_IN) return idle;
    return [{ start: first.start, end: tree.firstStart }, ...idle];
  }

  /** waits: milliseconds since the epoch. */
  showLeadIn(waits: readonly LeadIn[]): void {
    const { tree, store } = this.model;
    if (!tree || store.origin === null) return;
    const origin = Number(store.origin) / 1e6;
    const placed = waits.map(({ kind, start, end }) => ({ kind, start: (start - origin) * 1e6, end: Math.min((end - origin) * 1e6, tree.firstStart) }));
    this.leadIn = placed.filter(({ start, end }) => end > start);
  }

  toggleFolding(): void {
    this.foldIdle = this.folding ? 'off' : 'on';
  }

  /** The window on `width` pixels. */
  axis(width: number): Axis {
    return makeAxis(this.shownView(), width, this.folds);
  }

  /** The whole run on `width` pixels. */
  wholeAxis(width: number): Axis {
    return makeAxis(this.limits(), width, this.folds);
  }

  showOnRuler(axis: Axis, marks: readonly Tick[]): void {
    const old = this.ruler;
    const same = axis.view.start === old.axis.view.start && axis.view.end === old.axis.view.end && axis.width === old.axis.width;
    if (!same || axis.folds.length !== old.axis.folds.length || marks.length !== old.marks.length) this.ruler = { axis, marks };
  }

  overview(axis: Axis): Overview | null {
    const { tree, store, runEnd } = this.model;
    if (!tree || axis.width < 1) return null;
    return buildOverview(store, tree, this.scale.of, this.scale.colours.length, axis, runEnd ?? this.model.nowNs());
  }

  /** What a link carries of the window. */
  linkedWindow(): RunViewState['window'] {
    const zero = this.model.tree?.firstStart ?? 0;
    const window = this.chosen && { fromMs: (this.chosen.start - zero) / 1e6, toMs: (this.chosen.end - zero) / 1e6 };
    return window ?? this.pendingWindow;
  }

  /** Shows the window of a link. */
  followLink(window: RunViewState['window']): void {
    this.showWhole();
    this.pendingWindow = window;
    this.rebuild();
  }

  /** tree: made anew whenever a span changes, so that naming it keeps the scale fresh. */
  private freshScale(_tree: Tree | null): ColourScale {
    return colourScale(this.colouring, this.model.store, this.model.groupOf);
  }

  // The critical path -------------------------------------------------------------------------------------------------

  /** Rows off the critical path are left out. */
  get onlyCritical(): boolean {
    return this.critical.only;
  }

  // What is inside folded bars ----------------------------------------------------------------------------------------

  /** The leaf spans inside a collapsed node, for the strip its bar carries; null when it is open or a leaf. */
  laneOf = (node: number): Lane | null => {
    const { tree, outline } = this.model;
    if (!tree || tree.size[node] < 2 || !outline.isCollapsed(node)) return null;
    if (this.lanesScale !== this.scale) this.forgetLanes();
    this.lanesScale = this.scale;
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
      Uint8Array.from(leaves, this.scale.of),
      Float64Array.from(inside.filter((row) => row < tree.spanCount && this.model.isError(row)), (row) => start[row]).sort(),
    );
  }
}
