/** What stands above the run list: when the runs started, and how many there are of each status. */

import { ApiError } from '../api/client';
import { fetchFacet, fetchHistogram } from '../api/runs';
import type { Histogram } from '../core/histogram';
import { formatRunFilters, type RunFilters } from '../core/runfilters';
import { Refresher } from './refresher';

const RELATIVE_IDLE_MS = 30_000;
const PIXELS_PER_BUCKET = 10;
const MOST_BUCKETS = 160;

export class RunOverview {
  histogram = $state.raw<Histogram | null>(null);
  /** Runs by status, as if no status were asked for. */
  statuses = $state.raw<ReadonlyMap<string, number>>(new Map());
  failure = $state.raw<ApiError | null>(null);
  width = 0;
  /** Settles when the list has its first rows, which come first. */
  rows: Promise<unknown> = Promise.resolve();
  /** Called after each answer, also when nothing has changed but the time. */
  onrefreshed: () => void = () => {};

  private aborter = new AbortController();
  private filters: RunFilters | null = null;
  private refresher: Refresher | null = null;

  /** Shows other runs; the old picture stays until the new one is here. */
  follow(filters: RunFilters): void {
    if (this.filters && this.refresher && formatRunFilters(this.filters) === formatRunFilters(filters)) return;
    this.close();
    this.filters = filters;
    this.aborter = new AbortController();
    // The last hour moves on though no run does.
    const idle = filters.from.startsWith('now-') ? RELATIVE_IDLE_MS : Infinity;
    this.refresher = new Refresher(() => this.load(), () => idle);
    this.ask();
  }

  /** Something has changed. */
  ask(): void {
    this.refresher?.ask();
  }

  close(): void {
    this.refresher?.close();
    this.refresher = null;
    this.aborter.abort();
  }

  resize(width: number): void {
    const grown = Math.abs(width - this.width) > 80;
    if (!grown) return;
    this.width = width;
    this.ask();
  }

  private async load(): Promise<void> {
    const { filters, aborter } = this;
    if (!filters || this.width === 0) return;
    await this.rows;
    if (aborter.signal.aborted) return;
    const buckets = Math.max(12, Math.min(MOST_BUCKETS, Math.floor(this.width / PIXELS_PER_BUCKET)));
    try {
      const [histogram, statuses] = await Promise.all([
        fetchHistogram(filters, buckets, aborter.signal),
        fetchFacet(filters, 'status', 10, aborter.signal),
      ]);
      this.histogram = histogram;
      this.statuses = new Map(statuses.values.map(({ value, runs }) => [value, runs]));
      this.failure = null;
    } catch (cause) {
      if (aborter.signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.onrefreshed();
  }
}
