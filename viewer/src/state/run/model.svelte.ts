/**
 * The open run: its spans and events, and what is selected. `outline` decides its rows, `timeline` its window of time.
 *
 * Loads and live messages flow into the stores of core/; derived data is rebuilt at most once per frame, and less often
 * when a rebuild is expensive, so that a large live run never takes more than about a fifth of the time.
 */

import { tick } from 'svelte';
import { ApiError, fetchEvents, fetchRun, type Positions } from '../../api/client';
import { fetchSpans } from '../../api/spans';
import type { NotCounted, RunDetail } from '../../api/types';
import { EventStore, type EventItem } from '../../core/events';
import { FAILED, KIND_GROUPS, kindGroup, RUNNING, SKIPPED } from '../../core/kinds';
import type { RunSummary } from '../../core/runlist';
import type { RunView, RunViewState } from '../../core/runview';
import type { ViewOptions } from '../../core/viewoptions';
import { correctClocks, type Correction } from '../../core/skew';
import { earliestPosition } from '../../core/sse';
import { SpanStore, type SpanSkeleton } from '../../core/spans';
import { isoToMs, parseIsoNs } from '../../core/time';
import { buildTree, nodeId, nodeOf, type Tree } from '../../core/tree';
import { live } from '../live.svelte';
import { Arguments } from './arguments.svelte';
import { Outline } from './outline.svelte';
import { Timeline } from './timeline.svelte';

const DETAIL_PAUSE_MS = 600;
/** Messages come twenty times a second; a picture that changes half as often is as live to the eye. */
const LEAST_REBUILD_MS = 80;

export class RunModel {
  readonly outline: Outline;
  readonly timeline: Timeline;
  readonly arguments = new Arguments(this);
  readonly store = new SpanStore();
  readonly events = new EventStore();

  detail = $state.raw<RunDetail | null>(null);
  tree = $state.raw<Tree | null>(null);
  /** Times corrected for clocks that disagree; null when none do. */
  correction = $state.raw<Correction | null>(null);
  /** Draw recorded times all the same. */
  rawClocks = $state(false);
  checkpoints = $state.raw<ReadonlyMap<number, readonly number[]>>(new Map());
  loading = $state(true);
  failure = $state.raw<ApiError | null>(null);

  selectedId = $state<string | null>(null);
  tab = $state<string | null>(null);
  shown = $state<RunView>('waterfall');
  /** How the log and the table are narrowed and ordered. */
  options = $state.raw<ViewOptions>() as ViewOptions;
  /** Told of all events that arrive, of which the run itself keeps the checkpoints; null: some may have been missed. */
  readonly eventTaps = new Set<(events: EventItem[] | null) => void>();
  /** Grows when something about the selected span arrived. */
  selectedVersion = $state(0);
  /** Grows when the selection is to be brought on screen. */
  bringVersion = $state(0);
  readonly notCounted = $derived(new Map<string, NotCounted>((this.detail?.not_counted ?? []).map((item) => [item.span_id, item])));

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
    this.tab = state.tab;
    this.shown = state.view;
    this.options = state.options;
    this.rawClocks = state.rawClocks;
    this.outline = new Outline(this, state);
    this.timeline = new Timeline(this, state);
  }

  /** Loads, and follows from where the answers end. */
  async open(): Promise<void> {
    const positions: Positions = [];
    await this.load(positions);
    if (this.aborter.signal.aborted) return;
    this.stop = live.stream.follow(
      { runs: true, runId: this.runId },
      {
        hello: live.greet,
        runs: (runs) => this.takeSummary(runs),
        spans: (message) => this.takeSpans(message.origin, message.spans),
        events: (events) => this.takeEvents(events),
        gap: () => {
          for (const tap of this.eventTaps) tap(null);
          return this.load();
        },
      },
      this.failure ? null : earliestPosition(positions),
    );
  }

  close(): void {
    this.stop?.();
    this.aborter.abort();
    clearTimeout(this.detailTimer);
    this.outline.search.close();
    this.arguments.close();
  }

  async load(positions?: Positions): Promise<void> {
    const { signal } = this.aborter;
    try {
      const spans = fetchSpans(this.runId, signal, positions);
      const checkpoints = fetchEvents(this.runId, 'checkpoint', signal, positions);
      checkpoints.catch(() => undefined); // reported by the await below, unless the run itself is not found first
      spans.catch(() => undefined);
      this.detail = await fetchRun(this.runId, signal, positions);
      const answer = await spans;
      this.store.apply(answer.origin, answer.spans);
      this.events.apply(await checkpoints);
      this.failure = null;
      this.rebuild();
      if (this.loading) this.outline.foldLargeRun();
      this.loading = false;
      void this.timeline.dots.load(signal);
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

  /** The correction that the picture has, if any. */
  get drawnCorrection(): Correction | null {
    return this.rawClocks ? null : this.correction;
  }

  /** Draws times as they were recorded, or corrected. */
  showRawClocks(raw: boolean): void {
    this.rawClocks = raw;
    this.timeline.view = null;
    this.rebuild();
  }

  groupOf = (row: number): number => this.groups[this.store.kind[row]] ?? KIND_GROUPS.length - 1;

  // Selection ---------------------------------------------------------------------------------------------------------

  /** The selected node, or -1. */
  selectedNode = (): number => {
    const { tree, selectedId } = this;
    if (!tree || selectedId === null) return -1;
    return nodeOf(tree, this.store, selectedId);
  };

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
    const row = this.store.rowOf(spanId);
    if (row < 0) return false;
    this.outline.makeRoomFor(row);
    this.selectedId = spanId;
    this.bringVersion++;
    return true;
  }

  extentOf = (node: number): [number, number] => {
    if (!this.tree) return [0, 0];
    const end = this.tree.end[node];
    const start = this.tree.start[node];
    return [start, Number.isNaN(end) ? Math.max(this.runEnd ?? this.nowNs(), start) : end];
  };

  /** The next node after the selected one, in tree order, that passes and may have a row; wraps around; -1 when none does. */
  findFrom(passes: (row: number) => boolean, backwards: boolean): number {
    const { tree } = this;
    if (!tree) return -1;
    const selected = this.selectedNode();
    const from = selected < 0 ? (backwards ? 0 : -1) : tree.place[selected];
    for (let step = 1; step <= tree.nodeCount; step++) {
      const place = (from + (backwards ? -step : step) + 2 * tree.nodeCount) % tree.nodeCount;
      const node = tree.preorder[place];
      if (node < tree.spanCount && passes(node) && this.outline.mayShow(node)) return node;
    }
    return -1;
  }

  isError = (row: number): boolean => this.store.status[row] === FAILED;

  /** A span of a finished run that nobody ended. */
  isLeftOpen(row: number): boolean {
    return this.store.status[row] === RUNNING && this.summary !== null && !this.isLive;
  }

  isSkipped(row: number): boolean {
    return this.store.status[row] === SKIPPED;
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

  private takeSpans(origin: string, spans: Iterable<SpanSkeleton>): void {
    const batch = [...spans];
    if (this.store.apply(origin, batch) === 0) return;
    const selected = this.selectedId ?? this.rootId();
    if (batch.some((span) => span.span_id === selected)) this.selectedVersion++;
    this.planRebuild();
  }

  private takeEvents(events: EventItem[]): void {
    for (const tap of this.eventTaps) tap(events);
    const selected = this.selectedId ?? this.rootId();
    if (events.some((event) => event.span_id === selected)) this.selectedVersion++;
    this.timeline.dots.take(events);
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
    const wait = Math.max(0, this.rebuiltAt + Math.max(LEAST_REBUILD_MS, this.rebuildCostMs * 4) - performance.now());
    setTimeout(() => {
      this.rebuildPlanned = false;
      if (!this.aborter.signal.aborted) this.rebuild();
    }, wait);
  }

  private rebuild(): void {
    const started = (this.rebuiltAt = performance.now());
    this.groups = Uint8Array.from(this.store.strings.texts, (kind) => KIND_GROUPS.indexOf(kindGroup(kind)));
    this.buildTree();
    this.timeline.rebuild();
    this.placeCheckpoints();
    this.outline.rebuild();
    // What is derived and drawn from it comes with the flush.
    void tick().then(() => {
      this.rebuiltAt = performance.now();
      this.rebuildCostMs = this.rebuiltAt - started;
    });
  }

  private buildTree(): void {
    this.correction = correctClocks(this.store);
    this.tree = buildTree(this.store, this.drawnCorrection ?? this.store);
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

  /** What a link to this picture carries. */
  viewState(): RunViewState {
    return {
      view: this.shown,
      span: this.selectedId,
      window: this.timeline.linkedWindow(),
      ...this.timeline.measure.linked(),
      focus: this.outline.focusId,
      query: this.outline.query,
      onlyMatches: this.outline.onlyMatches,
      onlyCritical: this.timeline.onlyCritical,
      colouring: this.timeline.colouring,
      frameRows: this.timeline.frameRows,
      foldIdle: this.timeline.foldIdle,
      tab: this.tab,
      rawClocks: this.rawClocks,
      options: this.options,
    };
  }

  /** The run's length so far, in milliseconds. */
  wallMs(nowMs: number): number | null {
    const run = this.summary;
    if (!run) return null;
    return run.duration_ms ?? (this.isLive ? nowMs - isoToMs(run.start_time) : null);
  }
}
