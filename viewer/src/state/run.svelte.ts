/**
 * The open run: its spans and events, what is collapsed, selected, searched and in view.
 *
 * Loads and live messages flow into the stores of core/; derived data is rebuilt at most once per frame, and less often
 * when a rebuild is expensive, so that a large live run never takes more than about a fifth of the time.
 */

import { fetchEvents, fetchRun, ApiError } from '../api/client';
import { fetchSpans } from '../api/spans';
import type { NotCounted, RunDetail } from '../api/types';
import { makeLane, type Lane } from '../core/bars';
import { EventStore, type EventItem } from '../core/events';
import { FAILED, KIND_GROUPS, kindGroup, RUNNING, SKIPPED } from '../core/kinds';
import { buildOverview, type Overview } from '../core/overview';
import { ancestors, deepestLevelWithin, rowOfNode, visibleRows } from '../core/rows';
import type { RunSummary } from '../core/runlist';
import { searchSpans } from '../core/search';
import { correctClocks, type Correction } from '../core/skew';
import { SpanStore } from '../core/spans';
import { isoToMs, parseIsoNs } from '../core/time';
import { buildTree, nodeId, type Tree } from '../core/tree';
import type { RunViewState } from '../core/urlstate';
import { clampViewport, fitTo, isWhole, type Viewport } from '../core/viewport';
import { live } from './live.svelte';

/** Finished runs with more spans than this open folded to the levels that fit ... */
const FOLD_ABOVE_SPANS = 2000;
/** ... into this many rows; what a folded row contains shows as a strip in its bar. */
const FOLDED_ROWS = 120;
const DETAIL_PAUSE_MS = 600;

export class RunModel {
  readonly store = new SpanStore();
  readonly events = new EventStore();

  detail = $state.raw<RunDetail | null>(null);
  tree = $state.raw<Tree | null>(null);
  /** Times corrected for clocks that disagree; null when none do. */
  correction = $state.raw<Correction | null>(null);
  /** Draw recorded times all the same. */
  rawClocks = $state(false);
  rows = $state.raw<Int32Array>(new Int32Array(0));
  checkpoints = $state.raw<ReadonlyMap<number, readonly number[]>>(new Map());
  matches = $state.raw<Uint8Array | null>(null);
  matchCount = $state(0);
  loading = $state(true);
  failure = $state.raw<ApiError | null>(null);

  selectedId = $state<string | null>(null);
  query = $state('');
  tab = $state<string | null>(null);
  /** The window of time; null shows the whole run and follows it as it grows. */
  view = $state.raw<Viewport | null>(null);
  /** Grows when something about the selected span arrived. */
  selectedVersion = $state(0);
  /** Grows when the selection is to be brought on screen. */
  bringVersion = $state(0);
  readonly notCounted = $derived(new Map<string, NotCounted>((this.detail?.not_counted ?? []).map((item) => [item.span_id, item])));

  private readonly collapsed = new Set<string>();
  private pendingWindow: RunViewState['window'] = null;
  private readonly lanes = new Map<number, Lane>();
  private groups = new Uint8Array(0);
  private stop: (() => void) | null = null;
  private readonly aborter = new AbortController();
  private rebuildPlanned = false;
  private rebuildCostMs = 0;
  private rebuiltAt = 0;
  private detailTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly runId: string,
    state: RunViewState,
  ) {
    this.selectedId = state.span;
    this.query = state.query;
    this.tab = state.tab;
    this.pendingWindow = state.window;
    this.rawClocks = state.rawClocks;
  }

  /** Starts following and loads. */
  async open(): Promise<void> {
    this.stop = live.stream.follow(
      { runs: true, runId: this.runId },
      {
        hello: live.greet,
        runs: (runs) => this.takeSummary(runs),
        spans: (message) => this.takeSpans(message.origin, message.spans),
        events: (events) => this.takeEvents(events),
        gap: () => void this.load(),
      },
    );
    await live.stream.opened(400);
    await this.load();
  }

  close(): void {
    this.stop?.();
    this.aborter.abort();
    clearTimeout(this.detailTimer);
  }

  async load(): Promise<void> {
    const { signal } = this.aborter;
    try {
      const spans = fetchSpans(this.runId, signal);
      const checkpoints = fetchEvents(this.runId, 'checkpoint', signal);
      checkpoints.catch(() => undefined); // reported by the await below, unless the run itself is not found first
      spans.catch(() => undefined);
      this.detail = await fetchRun(this.runId, signal);
      const answer = await spans;
      this.store.apply(answer.origin, answer.spans);
      this.events.apply(await checkpoints);
      this.failure = null;
      this.rebuild();
      if (this.loading) this.foldLargeRun();
      this.loading = false;
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
      this.loading = false;
    }
  }

  get summary(): RunSummary | null {
    return this.detail?.run ?? null;
  }

  get isLive(): boolean {
    return this.summary?.status === 'running';
  }

  /** When the run ended, in the store's nanoseconds; null while it runs. */
  get runEnd(): number | null {
    const end = this.summary?.end_time;
    if (this.isLive || this.store.origin === null) return null;
    if (this.drawnCorrection) return this.tree?.lastTime ?? 0; // the recorded end may be by a clock that is off
    return end ? Number(parseIsoNs(end) - this.store.origin) : (this.tree?.lastTime ?? 0);
  }

  /** The collector's clock, in the store's nanoseconds. */
  nowNs(): number {
    if (this.store.origin === null) return 0;
    return live.nowMs() * 1e6 - Number(this.store.origin);
  }

  /** The whole run, with room ahead of a live one so that its bars do not touch the edge. */
  limits(): Viewport {
    const start = this.tree?.firstStart ?? 0;
    const last = Math.max(this.tree?.lastTime ?? 0, this.runEnd ?? 0);
    const end = this.isLive ? Math.max(last, this.nowNs()) : last;
    const length = Math.max(end - start, 1000);
    return { start, end: start + length * (this.isLive ? 1.04 : 1.012) };
  }

  shownView(): Viewport {
    return this.view === null ? this.limits() : clampViewport(this.view, this.limits());
  }

  setView(view: Viewport): void {
    const limits = this.limits();
    this.view = isWhole(view, limits) ? null : clampViewport(view, limits);
  }

  /** The correction that the picture has, if any. */
  get drawnCorrection(): Correction | null {
    return this.rawClocks ? null : this.correction;
  }

  /** Draws times as they were recorded, or corrected. */
  showRawClocks(raw: boolean): void {
    this.rawClocks = raw;
    this.view = null;
    this.rebuild();
  }

  groupOf = (row: number): number => this.groups[this.store.kind[row]] ?? KIND_GROUPS.length - 1;

  overview(buckets: number): Overview | null {
    if (!this.tree || buckets < 1) return null;
    return buildOverview(this.store, this.tree, this.groupOf, this.limits(), this.runEnd ?? this.nowNs(), buckets);
  }

  // Selection ---------------------------------------------------------------------------------------------------------

  /** The selected node, or -1. */
  selectedNode(): number {
    const { tree, selectedId } = this;
    if (!tree || selectedId === null) return -1;
    const row = this.store.rowOf(selectedId);
    if (row >= 0) return row < tree.spanCount ? row : -1;
    const waiting = tree.waitingFor.indexOf(selectedId);
    return waiting < 0 ? -1 : tree.spanCount + waiting;
  }

  select(node: number): void {
    if (!this.tree || node < 0) return;
    this.selectedId = nodeId(this.tree, this.store, node);
  }

  /** Spans that report the same call as this one and are not counted for that. */
  repeatsOf(spanId: string): string[] {
    return [...this.notCounted.values()].filter((item) => item.of_span_id === spanId).map((item) => item.span_id);
  }

  /** Selects a span and brings it on screen; false when the run has no such span. */
  goTo(spanId: string): boolean {
    if (this.store.rowOf(spanId) < 0) return false;
    this.selectedId = spanId;
    this.bringVersion++;
    return true;
  }

  /** Opens what hides a node, so that it has a row; answers that row. */
  reveal(node: number): number {
    if (!this.tree || node < 0) return -1;
    let changed = false;
    for (const above of ancestors(this.tree, node)) changed = this.collapsed.delete(nodeId(this.tree, this.store, above)) || changed;
    if (changed) this.rebuildRows();
    return rowOfNode(this.rows, this.tree, node);
  }

  isCollapsed = (node: number): boolean =>
    this.collapsed.size > 0 && this.tree !== null && this.collapsed.has(nodeId(this.tree, this.store, node));

  /** As isCollapsed, for markup: folding makes new rows, so naming them keeps the answer fresh. */
  foldState(node: number, _rows: Int32Array): boolean {
    return this.isCollapsed(node);
  }

  setCollapsed(nodes: Iterable<number>, closed: boolean): void {
    if (!this.tree) return;
    for (const node of nodes) {
      const id = nodeId(this.tree, this.store, node);
      if (closed && this.tree.size[node] > 1) this.collapsed.add(id);
      else this.collapsed.delete(id);
    }
    this.rebuildRows();
  }

  /** Fits the window to a span, or to its subtree. */
  fit(node: number, subtree: boolean): void {
    if (!this.tree || node < 0) return;
    let [start, end] = this.extentOf(node);
    const from = this.tree.place[node];
    const until = subtree || node >= this.tree.spanCount ? from + this.tree.size[node] : from;
    for (let i = from; i < until; i++) {
      const [a, b] = this.extentOf(this.tree.preorder[i]);
      start = Math.min(start, a);
      end = Math.max(end, b);
    }
    this.setView(fitTo(start, end, this.limits()));
  }

  extentOf(node: number): [number, number] {
    if (!this.tree) return [0, 0];
    const end = this.tree.end[node];
    const start = this.tree.start[node];
    return [start, Number.isNaN(end) ? Math.max(this.runEnd ?? this.nowNs(), start) : end];
  }

  /** The next node after the selected one, in tree order, that passes; wraps around; -1 when none does. */
  findFrom(passes: (row: number) => boolean, backwards: boolean): number {
    const { tree } = this;
    if (!tree) return -1;
    const selected = this.selectedNode();
    const from = selected < 0 ? (backwards ? 0 : -1) : tree.place[selected];
    for (let step = 1; step <= tree.nodeCount; step++) {
      const place = (from + (backwards ? -step : step) + 2 * tree.nodeCount) % tree.nodeCount;
      const node = tree.preorder[place];
      if (node < tree.spanCount && passes(node)) return node;
    }
    return -1;
  }

  isError = (row: number): boolean => this.store.status[row] === FAILED;
  isMatch = (row: number): boolean => this.matches?.[row] === 1;

  /** A span of a finished run that nobody ended. */
  isLeftOpen(row: number): boolean {
    return this.store.status[row] === RUNNING && this.summary !== null && !this.isLive;
  }

  isSkipped(row: number): boolean {
    return this.store.status[row] === SKIPPED;
  }

  search(query: string): void {
    this.query = query;
    this.rebuildMatches();
  }

  /** The leaf spans inside a collapsed node, for the strip its bar carries; null when it is open or a leaf. */
  laneOf = (node: number): Lane | null => {
    if (!this.tree || this.tree.size[node] < 2 || !this.isCollapsed(node)) return null;
    const known = this.lanes.get(node);
    if (known) return known;
    const lane = this.buildLane(node);
    this.lanes.set(node, lane);
    return lane;
  };

  private buildLane(node: number): Lane {
    const tree = this.tree as Tree;
    const from = tree.place[node];
    const inside = tree.preorder.subarray(from + 1, from + tree.size[node]);
    const leaves = inside.filter((row) => row < tree.spanCount && tree.size[row] === 1);
    const { start } = tree;
    // Work done one step after the other is in order already.
    if (leaves.some((row, i) => i > 0 && start[row] < start[leaves[i - 1]])) leaves.sort((a, b) => start[a] - start[b]);
    return makeLane(
      Float64Array.from(leaves, (row) => start[row]),
      Float64Array.from(leaves, (row) => this.extentOf(row)[1]),
      Uint8Array.from(leaves, this.groupOf),
    );
  }

  // What arrives ------------------------------------------------------------------------------------------------------

  private takeSummary(runs: RunSummary[]): void {
    const run = runs.find((candidate) => candidate.run_id === this.runId);
    if (!run) return;
    if (this.detail) this.detail = { ...this.detail, run };
    else void this.load(); // the run was not known before
    this.planDetail();
  }

  /** What a summary does not say - parts, what is not counted, drops - follows soon after it. */
  private planDetail(): void {
    this.detailTimer ??= setTimeout(() => {
      this.detailTimer = undefined;
      void this.refreshDetail();
    }, DETAIL_PAUSE_MS);
  }

  private async refreshDetail(): Promise<void> {
    try {
      this.detail = await fetchRun(this.runId, this.aborter.signal);
    } catch {
      return; // the summary just received stands; a lost connection shows in the live chip
    }
  }

  private takeSpans(origin: string, spans: Parameters<SpanStore['apply']>[1]): void {
    const batch = [...spans];
    if (this.store.apply(origin, batch) === 0) return;
    const selected = this.selectedId ?? this.rootId();
    if (batch.some((span) => span.span_id === selected)) this.selectedVersion++;
    this.planRebuild();
  }

  private takeEvents(events: EventItem[]): void {
    const selected = this.selectedId ?? this.rootId();
    if (events.some((event) => event.span_id === selected)) this.selectedVersion++;
    if (this.events.apply(events.filter((event) => event.kind === 'checkpoint')) > 0) this.planRebuild();
  }

  /** The first top-level span: what the detail panel shows until something is selected. */
  rootId(): string | null {
    const { tree } = this;
    if (!tree || tree.nodeCount === 0) return null;
    const root = tree.preorder.find((node) => node < tree.spanCount);
    return root === undefined ? null : this.store.ids[root];
  }

  private planRebuild(): void {
    if (this.rebuildPlanned) return;
    this.rebuildPlanned = true;
    const wait = Math.max(0, this.rebuiltAt + this.rebuildCostMs * 4 - performance.now());
    setTimeout(() => {
      this.rebuildPlanned = false;
      if (!this.aborter.signal.aborted) this.rebuild();
    }, wait);
  }

  private rebuild(): void {
    const started = performance.now();
    this.groups = Uint8Array.from(this.store.strings.texts, (kind) => KIND_GROUPS.indexOf(kindGroup(kind)));
    this.buildTree();
    this.applyPendingWindow();
    this.placeCheckpoints();
    this.rebuildRows();
    this.rebuildMatches();
    this.rebuiltAt = performance.now();
    this.rebuildCostMs = this.rebuiltAt - started;
  }

  private buildTree(): void {
    const recorded = buildTree(this.store);
    this.correction = correctClocks(this.store, recorded);
    this.tree = this.drawnCorrection ? buildTree(this.store, this.drawnCorrection) : recorded;
  }

  private foldLargeRun(): void {
    const { tree } = this;
    if (!tree || this.isLive || tree.spanCount <= FOLD_ABOVE_SPANS) return;
    const level = deepestLevelWithin(tree, FOLDED_ROWS);
    this.setCollapsed(tree.preorder.filter((node) => tree.depth[node] === level), true);
  }

  private rebuildRows(): void {
    this.lanes.clear();
    if (this.tree) this.rows = visibleRows(this.tree, this.isCollapsed);
  }

  private rebuildMatches(): void {
    this.matches = searchSpans(this.store, this.query, this.runEnd ?? this.nowNs());
    this.matchCount = this.matches?.reduce((sum, match) => sum + match, 0) ?? 0;
  }

  private placeCheckpoints(): void {
    const places = new Map<number, number[]>();
    for (const { event, time } of this.events.all()) {
      const row = this.store.rowOf(event.span_id ?? this.rootId());
      if (row < 0 || this.store.origin === null) continue;
      const times = places.get(row);
      const at = Number(time - this.store.origin) + (this.drawnCorrection?.shift[row] ?? 0);
      if (times) times.push(at);
      else places.set(row, [at]);
    }
    this.checkpoints = places;
  }

  // A link names its window in milliseconds after the run's start, which is known once spans are here.
  private applyPendingWindow(): void {
    const window = this.pendingWindow;
    if (!window || !this.tree || this.tree.nodeCount === 0) return;
    this.pendingWindow = null;
    const zero = this.tree.firstStart;
    this.setView({ start: zero + window.fromMs * 1e6, end: zero + window.toMs * 1e6 });
  }

  /** What a link to this picture carries. */
  viewState(): RunViewState {
    const zero = this.tree?.firstStart ?? 0;
    const window = this.view && { fromMs: (this.view.start - zero) / 1e6, toMs: (this.view.end - zero) / 1e6 };
    return { span: this.selectedId, window: window ?? this.pendingWindow, query: this.query, tab: this.tab, rawClocks: this.rawClocks };
  }

  /** The run's length so far, in milliseconds. */
  wallMs(nowMs: number): number | null {
    const run = this.summary;
    if (!run) return null;
    return run.duration_ms ?? (this.isLive ? nowMs - isoToMs(run.start_time) : null);
  }
}
