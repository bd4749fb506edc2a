/** Budgets over the API. Loaded with what shows them. */

import type { Amounts, Budget } from '../core/budget';
import { getJson, request } from './client';

const BODY = { 'content-type': 'application/json' };

/** All budgets but those of single tasks. */
export async function fetchBudgets(signal?: AbortSignal): Promise<Budget[]> {
  const found: Budget[] = [];
  let cursor: string | null = null;
  do {
    const params = new URLSearchParams({ limit: '500', ...(cursor ? { cursor } : {}) });
    const page: { budgets: Budget[]; next_cursor: string | null } = await getJson(`api/budgets?${params}`, signal);
    found.push(...page.budgets);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

export async function fetchBudgetsOfTask(taskId: string, signal?: AbortSignal): Promise<Budget[]> {
  return (await getJson<{ budgets?: Budget[] }>(`api/tasks/${encodeURIComponent(taskId)}`, signal)).budgets ?? [];
}

export async function putBudget(budget: Record<string, unknown>): Promise<void> {
  await request('api/budgets', { method: 'PUT', headers: BODY, body: JSON.stringify(budget) });
}

export async function raiseBudget(id: string, amounts: Amounts): Promise<void> {
  await request(`api/budgets/${encodeURIComponent(id)}/raise`, { method: 'POST', headers: BODY, body: JSON.stringify(amounts) });
}

export async function deleteBudget(id: string): Promise<void> {
  await request(`api/budgets/${encodeURIComponent(id)}`, { method: 'DELETE' });
}
