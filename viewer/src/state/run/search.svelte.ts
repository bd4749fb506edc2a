/** The search within a run: what is at hand is judged at once, the rest by the collector, which also says what it cannot read. */

import { ApiError } from '../../api/client';
import { searchRun } from '../../api/spans';
import { isEmptySearch, judgeSpans, ASK, YES } from '../../core/search';
import type { RunModel } from './model.svelte';

const TYPING_PAUSE_MS = 150;
/** A live run's answer is asked for again no sooner than this after the last one. */
const LIVE_PAUSE_MS = 1000;

export class RunSearch {
  query = $state('');
  /** 1 for each row that is found; null without a search that can be read. */
  matches = $state.raw<Uint8Array | null>(null);
  /** How many, within the focused subtree. */
  count = $state(0);
  /** The collector has not answered yet. */
  asking = $state(false);
  failure = $state.raw<ApiError | null>(null);

  private found: ReadonlySet<string> = new Set();
  private verdicts: Uint8Array | null = null;
  private askedVersion = -1;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private aborter = new AbortController();

  constructor(
    private readonly model: RunModel,
    query: string,
  ) {
    this.query = query;
  }

  set(query: string): void {
    if (query === this.query) return;
    this.query = query;
    this.found = new Set();
    this.askedVersion = -1;
    this.judge(TYPING_PAUSE_MS);
  }

  /** Spans have come or changed. */
  rebuild(): void {
    this.judge(this.askedVersion < 0 ? 0 : LIVE_PAUSE_MS);
  }

  close(): void {
    clearTimeout(this.timer);
    this.aborter.abort();
  }

  private judge(pauseMs: number): void {
    const { store, runEnd } = this.model;
    const isEmpty = isEmptySearch(this.query);
    const judgement = isEmpty ? null : judgeSpans(store, this.query, runEnd ?? this.model.nowNs());
    this.verdicts = judgement?.verdicts ?? null;
    const isOpen = !isEmpty && (judgement === null || judgement.open > 0);
    if (!isOpen) {
      this.stopAsking();
      this.failure = null;
    } else if (this.askedVersion !== store.version && store.count > 0) this.planToAsk(pauseMs);
    this.settle();
  }

  /** What is found by itself, and of the rest what the collector has found. */
  private settle(): void {
    const { verdicts, found } = this;
    const { ids } = this.model.store;
    this.matches = verdicts?.map((verdict, row) => (verdict === YES || (verdict === ASK && found.has(ids[row])) ? 1 : 0)) ?? null;
    this.model.outline.matchesChanged();
  }

  private stopAsking(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.aborter.abort();
    this.asking = false;
  }

  private planToAsk(pauseMs: number): void {
    if (pauseMs === LIVE_PAUSE_MS && this.timer !== undefined) return; // soon anyway
    this.stopAsking();
    this.asking = pauseMs !== LIVE_PAUSE_MS;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.ask();
    }, pauseMs);
  }

  private async ask(): Promise<void> {
    this.aborter = new AbortController();
    const { signal } = this.aborter;
    this.askedVersion = this.model.store.version;
    try {
      const answer = await searchRun(this.model.runId, this.query, signal);
      this.found = new Set(answer.span_ids);
      this.failure = null;
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.asking = false;
    this.settle();
  }
}
