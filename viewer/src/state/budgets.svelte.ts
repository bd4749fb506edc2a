/** All budgets but those of single tasks, while attempts draw on them. */

import { fetchBudgets } from '../api/budgets';
import { ApiError } from '../api/client';
import type { Budget } from '../core/budget';
import { live } from './live.svelte';
import { Refresher } from './refresher';

/** Usage is counted between transitions, too. */
const IDLE_MS = 2_000;

export class BudgetsModel {
  budgets = $state.raw<Budget[]>([]);
  failure = $state.raw<ApiError | null>(null);
  loading = $state(true);

  private readonly refresher = new Refresher(() => this.refresh(), () => IDLE_MS);
  private readonly aborter = new AbortController();
  private stop: (() => void) | null = null;

  async open(): Promise<void> {
    const ask = () => this.refresher.ask();
    this.stop = live.stream.follow({ tasks: true }, { hello: live.greet, tasks: ask, gap: ask });
    await live.stream.opened(400);
    await this.refresher.now();
  }

  close(): void {
    this.stop?.();
    this.refresher.close();
    this.aborter.abort();
  }

  load(): void {
    this.refresher.ask();
  }

  private async refresh(): Promise<void> {
    const { signal } = this.aborter;
    try {
      this.budgets = await fetchBudgets(signal);
      this.failure = null;
    } catch (cause) {
      if (signal.aborted) return;
      this.failure = ApiError.of(cause);
    }
    this.loading = false;
  }
}
