/** The insights page: figures of a stretch of time, those of the stretch before, and when to ask for them again. */

import { fetchInsights } from '../api/analysis';
import { ApiError } from '../api/client';
import { NEEDS, countedBy, formatView, previousPeriod, type Figures, type InsightGroup, type InsightsAnswer, type InsightsView } from '../core/insights';
import { live } from './live.svelte';
import { Refresher } from './refresher';

/** Figures need not be of this instant; asking costs the collector a scan of the time that is shown. */
const LEAST_GAP_MS = 5000;
const IDLE_MS = 60_000;

export class InsightsModel {
  answer = $state.raw<InsightsAnswer | null>(null);
  /** The view that the answer is of; the page may be about to show another. */
  shown = $state.raw<InsightsView | null>(null);
  before = $state.raw<InsightsAnswer | null>(null);
  failure = $state.raw<ApiError | null>(null);
  loading = $state(true);

  private view: InsightsView | null = null;
  private aborter = new AbortController();
  private stop: (() => void) | null = null;
  private readonly refresher = new Refresher(() => this.load(), () => (this.slides ? IDLE_MS : Infinity), LEAST_GAP_MS);

  open(): void {
    this.stop = live.stream.follow({ runs: true }, { hello: live.greet, runs: () => this.changed(), gap: () => this.changed() });
  }

  close(): void {
    this.stop?.();
    this.refresher.close();
    this.aborter.abort();
  }

  /** Shows another view; the old picture stays until there is a new one. */
  show(view: InsightsView): void {
    if (this.view && formatView(this.view) === formatView(view)) return;
    this.view = view;
    void this.load();
  }

  retry(): void {
    void this.refresher.now();
  }

  /** The figures of a group in the stretch before; undefined when it had none. */
  groupBefore(key: string | null): InsightGroup | undefined {
    return this.before?.groups.find((group) => group.key === key);
  }

  get totalsBefore(): Figures | null {
    return this.before?.totals ?? null;
  }

  /** A stretch that ends now has other runs in it all the time, one in the past changes hardly. */
  private get slides(): boolean {
    return this.view?.to.startsWith('now') ?? false;
  }

  private changed(): void {
    if (this.slides) this.refresher.ask();
  }

  private async load(): Promise<void> {
    const view = this.view;
    if (!view) return;
    this.aborter.abort();
    const { signal } = (this.aborter = new AbortController());
    const needs = NEEDS[view.board];
    this.loading = true;
    try {
      const answer = await fetchInsights({ ...view, by: countedBy(view), ...needs }, signal);
      if (signal.aborted) return;
      const isOther = this.shown === null || formatView(this.shown) !== formatView(view);
      if (isOther) this.before = null; // what was before another stretch would be a wrong comparison
      [this.answer, this.shown, this.failure] = [answer, view, null];
      this.loading = false;
      await this.compare(view, answer, signal);
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
      this.loading = false;
    }
  }

  private async compare(view: InsightsView, answer: InsightsAnswer, signal: AbortSignal): Promise<void> {
    const { parts, percentiles } = NEEDS[view.board];
    const compared = parts.filter((part) => part === 'totals' || part === 'groups');
    if (compared.length === 0) return;
    const period = previousPeriod(answer.since, answer.until);
    const before = await fetchInsights({ ...view, ...period, by: countedBy(view), parts: compared, percentiles, limit: 200 }, signal);
    if (!signal.aborted) this.before = before;
  }
}
