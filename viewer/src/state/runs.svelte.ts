/** The run list on screen: pages, live arrivals, the selection and where the reader is in it. */

import { SvelteSet } from 'svelte/reactivity';
import { PAGE_SIZE } from '../api/addresses';
import { ApiError, fetchRuns, type Positions } from '../api/client';
import { fetchAmong, mostAskedAbout } from '../api/runs';
import { DEFAULT_SORT, formatRunFilters, parseRunFilters, type RunFilters } from '../core/runfilters';
import { RunList, type RunSummary } from '../core/runlist';
import { earliestPosition } from '../core/sse';
import { announcer } from './announcer.svelte';
import { live } from './live.svelte';

const JUDGE_AFTER_MS = 300;
const JUDGE_AGAIN_MS = 3000;
/** The first page is small, so that rows are there at once; later ones are for readers who scroll. */
const FURTHER_PAGE = 300;
const LONGEST_PAGE = 500;
const AT_TOP_PX = 4;

export class RunsModel {
  readonly filters: RunFilters;
  rows = $state.raw<RunSummary[]>([]);
  waiting = $state(0);
  more = $state(false);
  loading = $state(true);
  failure = $state.raw<ApiError | null>(null);
  sql = $state('');
  selectedId = $state<string | null>(null);
  /** Runs that are marked for an action. */
  readonly marked = new SvelteSet<string>();
  scrollTop = 0;
  /** Called when runs have changed, for figures beside the list. */
  onchanged: () => void = () => {};

  private readonly list: RunList;
  private anchorId: string | null = null;
  private stop: (() => void) | null = null;
  private aborter = new AbortController();
  private fetchingMore = false;
  private loads = 0;
  private judgeTimer: ReturnType<typeof setTimeout> | undefined;
  private judging = false;
  private loadedOnce = false;

  constructor(readonly search: string) {
    this.filters = parseRunFilters(search);
    this.list = new RunList(this.filters);
  }

  async open(): Promise<void> {
    this.aborter = new AbortController();
    const { signal } = this.aborter;
    const positions: Positions = [];
    await this.load(positions);
    if (signal.aborted) return;
    this.stop = live.stream.follow(
      { runs: true },
      { hello: live.greet, runs: (runs) => this.takeLive(runs), gap: () => this.load() },
      earliestPosition(positions),
    );
  }

  close(): void {
    this.stop?.();
    this.aborter.abort();
    clearTimeout(this.judgeTimer);
    this.judgeTimer = undefined;
  }

  /** Asks for the first page, as long as what is shown; what is on screen stays until the answer is here. */
  async load(positions?: Positions): Promise<void> {
    const { signal } = this.aborter;
    this.loading = !this.loadedOnce;
    const load = ++this.loads;
    const flight = this.list.ask();
    const shown = this.loadedOnce ? this.rows.length : 0;
    try {
      const page = await fetchRuns(this.filters, null, signal, Math.min(Math.max(shown, PAGE_SIZE), LONGEST_PAGE), positions);
      if (load !== this.loads) return this.list.abandon(flight); // asked again since
      this.list.landFirst(flight, page.runs, page.next_cursor, live.nowMs());
      this.sql = page.sql;
      this.loadedOnce = true;
      this.failure = null;
    } catch (cause) {
      this.list.abandon(flight);
      if (signal.aborted || load !== this.loads) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
    this.show();
    this.askVerdicts(JUDGE_AFTER_MS);
    this.onchanged();
  }

  async loadMore(): Promise<void> {
    if (this.fetchingMore || this.list.nextCursor === null) return;
    this.fetchingMore = true;
    const { signal } = this.aborter;
    const flight = this.list.ask();
    try {
      const page = await fetchRuns(this.filters, this.list.nextCursor, signal, FURTHER_PAGE);
      this.list.landMore(flight, page.runs, page.next_cursor, live.nowMs());
      this.failure = null;
    } catch (cause) {
      this.list.abandon(flight);
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

  /** Lets go of what a range such as the last hour has left behind. */
  expire(): void {
    if (this.list.expire(live.nowMs())) this.show();
  }

  get selectedIndex(): number {
    return this.rows.findIndex((run) => run.run_id === this.selectedId);
  }

  /** Marks a run, or no longer; upTo: with all between it and the one marked before. */
  mark(runId: string, upTo = false): void {
    if (upTo) for (const id of this.between(this.anchorId ?? runId, runId)) this.marked.add(id);
    else if (!this.marked.delete(runId)) this.marked.add(runId);
    this.anchorId = runId;
  }

  clearMarks(): void {
    this.marked.clear();
    this.anchorId = null;
  }

  private between(one: string, other: string): string[] {
    const [a, b] = [one, other].map((id) => this.rows.findIndex((run) => run.run_id === id));
    if (a < 0 || b < 0) return [other];
    return this.rows.slice(Math.min(a, b), Math.max(a, b) + 1).map((run) => run.run_id);
  }

  private takeLive(runs: RunSummary[]): void {
    const before = this.list.rows.length + this.list.waitingCount;
    // New rows push others only where the reader sees them come: at the top of the newest.
    const hold = this.scrollTop > AT_TOP_PX || this.filters.sort !== DEFAULT_SORT;
    this.list.applyLive(runs, hold, live.nowMs());
    this.announce(before);
    this.show();
    this.askVerdicts(JUDGE_AFTER_MS);
    this.onchanged();
  }

  private announce(before: number): void {
    const added = this.list.rows.length + this.list.waitingCount - before;
    if (added > 0) announcer.say(`${added} new ${added === 1 ? 'run' : 'runs'}`);
  }

  /** Searches are the collector's to judge: changed runs are asked about, several at once. */
  private askVerdicts(afterMs: number): void {
    if (this.judging || this.judgeTimer !== undefined || this.list.questions.size === 0) return;
    this.judgeTimer = setTimeout(() => {
      this.judgeTimer = undefined;
      void this.judge();
    }, afterMs);
  }

  private async judge(): Promise<void> {
    const most = mostAskedAbout(this.filters);
    if (most === 0) return this.load(); // the search is too long to ask about some runs alone
    const asked = new Map([...this.list.questions].slice(0, most));
    const { signal } = this.aborter;
    const before = this.list.rows.length + this.list.waitingCount;
    this.judging = true;
    let again = JUDGE_AFTER_MS;
    try {
      const belonging = await fetchAmong(this.filters, [...asked.keys()], signal);
      this.list.judge(asked, belonging, this.scrollTop > AT_TOP_PX || this.filters.sort !== DEFAULT_SORT);
      this.announce(before);
      this.show();
    } catch (cause) {
      if (signal.aborted || (cause instanceof ApiError && cause.status === 400)) return; // a refused search: load() says why
      again = JUDGE_AGAIN_MS;
    } finally {
      this.judging = false;
    }
    this.askVerdicts(again);
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
