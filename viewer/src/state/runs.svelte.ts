/** The run list on screen: pages, live arrivals and where the reader is in it. */

import { ApiError, fetchRuns } from '../api/client';
import { RunList, type RunSummary } from '../core/runlist';
import { formatRunFilters, parseRunFilters, type RunFilters } from '../core/runfilters';
import { announcer } from './announcer.svelte';
import { live } from './live.svelte';

const ASK_AGAIN_MS = 800;

export class RunsModel {
  readonly filters: RunFilters;
  rows = $state.raw<RunSummary[]>([]);
  waiting = $state(0);
  more = $state(false);
  loading = $state(true);
  failure = $state.raw<ApiError | null>(null);
  selectedId = $state<string | null>(null);
  scrollTop = 0;

  private readonly list: RunList;
  private stop: (() => void) | null = null;
  private aborter = new AbortController();
  private fetchingMore = false;
  private loads = 0;
  private askTimer: ReturnType<typeof setTimeout> | undefined;
  private loadedOnce = false;

  constructor(readonly search: string) {
    this.filters = parseRunFilters(search);
    this.list = new RunList(this.filters);
  }

  async open(): Promise<void> {
    this.aborter = new AbortController();
    this.stop = live.stream.follow(
      { runs: true },
      { hello: live.greet, runs: (runs) => this.takeLive(runs), gap: () => void this.load() },
    );
    await live.stream.opened(400);
    await this.load();
  }

  close(): void {
    this.stop?.();
    this.aborter.abort();
    clearTimeout(this.askTimer);
  }

  /** Asks for the first page; what is on screen stays until the answer is here. */
  async load(): Promise<void> {
    const { signal } = this.aborter;
    this.loading = !this.loadedOnce;
    const load = ++this.loads;
    this.list.expectFirst();
    try {
      const page = await fetchRuns(this.filters, null, signal);
      if (load !== this.loads) return; // asked again since
      this.list.loadFirst(page.runs, page.next_cursor);
      this.loadedOnce = true;
      this.failure = null;
    } catch (cause) {
      if (signal.aborted || load !== this.loads) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
    this.show();
  }

  async loadMore(): Promise<void> {
    if (this.fetchingMore || this.list.nextCursor === null) return;
    this.fetchingMore = true;
    const { signal } = this.aborter;
    try {
      const page = await fetchRuns(this.filters, this.list.nextCursor, signal);
      this.list.loadMore(page.runs, page.next_cursor);
      this.failure = null;
    } catch (cause) {
      if (!signal.aborted) this.failure = ApiError.of(cause);
    } finally {
      this.fetchingMore = false;
    }
    this.show();
  }

  /** Shows the runs that arrived while the reader was further down. */
  release(): void {
    this.list.release();
    this.show();
  }

  get selectedIndex(): number {
    return this.rows.findIndex((run) => run.run_id === this.selectedId);
  }

  private takeLive(runs: RunSummary[]): void {
    const before = this.list.rows.length + this.list.waitingCount;
    const ask = this.list.applyLive(runs, this.scrollTop > 4);
    if (ask) {
      clearTimeout(this.askTimer);
      this.askTimer = setTimeout(() => void this.load(), ASK_AGAIN_MS);
    }
    const added = this.list.rows.length + this.list.waitingCount - before;
    if (added > 0) announcer.say(`${added} new ${added === 1 ? 'run' : 'runs'}`);
    this.show();
  }

  private show(): void {
    if (!this.loadedOnce) return;
    this.rows = this.list.rows;
    this.waiting = this.list.waitingCount;
    this.more = this.list.nextCursor !== null;
  }
}

let kept: RunsModel | null = null;

/** The list for these filters: the one left behind when there is one, so that Back restores rows and position. */
export function runsModel(search: string): RunsModel {
  const canonical = formatRunFilters(parseRunFilters(search));
  if (kept?.search === canonical) return kept;
  const before = kept?.rows ?? [];
  kept = new RunsModel(canonical);
  kept.rows = before; // the old picture stays until there is a new one
  return kept;
}
