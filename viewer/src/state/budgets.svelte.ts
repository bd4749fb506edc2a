/** All budgets but those of single tasks, while attempts draw on them. */

import { fetchBudgets } from '../api/budgets';
import type { Budget } from '../core/budget';
import { Following } from './following.svelte';

export class BudgetsModel extends Following {
  budgets = $state.raw<Budget[]>([]);

  /** Usage is counted between transitions, too. */
  protected override idleMs(): number {
    return 2_000;
  }

  protected override async ask(signal: AbortSignal): Promise<void> {
    this.budgets = await fetchBudgets(signal);
  }
}
