/** The run list by sessions: pages of sessions, the runs of those that are open, and fresh figures when runs change. */

import { untrack } from 'svelte';
import { ApiError, fetchRuns } from '../api/client';
import { fetchSessions } from '../api/runs';
import { DEFAULT_SESSION_SORT, formatRunFilters, type RunFilters } from '../core/runfilters';
import { sessionRows, type OpenSession, type SessionSummary } from '../core/runsessions';
import { live } from './live.svelte';
import { Refresher } from './refresher';

const RUNS_OF_A_SESSION = 100;

export class SessionsModel {
  sessions = $state.raw<SessionSummary[]>([]);
  opened = $state.raw<ReadonlyMap<string, OpenSession | null>>(new Map());
  sort = $state(DEFAULT_SESSION_SORT);
  more = $state(false);
  loading = $state(true);
  failure = $state.raw<ApiError | null>(null);
  sql = $state('');
  readonly rows = $derived(sessionRows(this.sessions, this.opened));
  onchanged: () => void = () => {};

  private nextCursor: string | null = null;
  private aborter = new AbortController();
  private fetchingMore = false;
  private stop: (() => void) | null = null;
  private readonly refresher = new Refresher(() => this.load());

  constructor(readonly filters: RunFilters) {}

  async open(): Promise<void> {
    const changed = () => {
      this.refresher.ask();
      this.onchanged();
    };
    // What happens before the stream is open is asked for again once it is.
    this.stop = live.stream.follow({ runs: true }, { hello: live.greet, runs: changed, gap: changed }, null);
    await untrack(() => this.refresher.now()); // what it reads is not what opening depends on
  }

  close(): void {
    this.stop?.();
    this.refresher.close();
    this.aborter.abort();
  }

  sortBy(sort: string): void {
    if (sort === this.sort) return;
    this.sort = sort;
    void this.refresher.now();
  }

  /** Asks again for as many sessions as are shown, and for the runs of those that are open. */
  async load(): Promise<void> {
    const { signal } = this.aborter;
    try {
      const shown = this.sessions.length;
      const sessions: SessionSummary[] = [];
      let cursor: string | null = null;
      do {
        const page = await fetchSessions(this.filters, this.sort, cursor, signal);
        sessions.push(...page.sessions);
        if (cursor === null) this.sql = page.sql;
        cursor = page.next_cursor;
      } while (cursor !== null && sessions.length < shown);
      await Promise.all([...this.opened.keys()].map((id) => this.loadRuns(id)));
      this.take(sessions, cursor);
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
  }

  async loadMore(): Promise<void> {
    if (this.fetchingMore || this.nextCursor === null) return;
    this.fetchingMore = true;
    const { signal } = this.aborter;
    try {
      const page = await fetchSessions(this.filters, this.sort, this.nextCursor, signal);
      const known = new Set(this.sessions.map((one) => one.session_id)); // one may have moved between pages
      this.take([...this.sessions, ...page.sessions.filter((one) => !known.has(one.session_id))], page.next_cursor);
    } catch (cause) {
      if (!signal.aborted) this.failure = ApiError.of(cause);
    } finally {
      this.fetchingMore = false;
    }
  }

  async toggle(sessionId: string, open = !this.opened.has(sessionId)): Promise<void> {
    const next = new Map(this.opened);
    if (open) next.set(sessionId, next.get(sessionId) ?? null);
    else next.delete(sessionId);
    this.opened = next;
    if (!open) return;
    try {
      await this.loadRuns(sessionId);
    } catch (cause) {
      if (!this.aborter.signal.aborted) this.failure = ApiError.of(cause);
    }
  }

  private async loadRuns(sessionId: string): Promise<void> {
    const filters = { ...this.filters, session: sessionId, sort: '-start_time' };
    const page = await fetchRuns(filters, null, this.aborter.signal, RUNS_OF_A_SESSION);
    if (!this.opened.has(sessionId)) return; // closed meanwhile
    this.opened = new Map(this.opened).set(sessionId, { runs: page.runs, more: page.next_cursor !== null });
  }

  private take(sessions: SessionSummary[], cursor: string | null): void {
    this.sessions = sessions;
    this.nextCursor = cursor;
    this.more = cursor !== null;
    this.failure = null;
  }
}

let kept: SessionsModel | null = null;

/** The sessions of these filters in this order; what was open stays open when the reader comes back. */
export function sessionsModel(filters: RunFilters, sort: string): SessionsModel {
  const before = kept;
  if (before && formatRunFilters(before.filters) === formatRunFilters(filters)) {
    kept = new SessionsModel(filters);
    [kept.sessions, kept.opened, kept.loading] = [before.sessions, before.opened, before.loading];
  } else kept = new SessionsModel(filters);
  kept.sort = sort;
  return kept;
}
