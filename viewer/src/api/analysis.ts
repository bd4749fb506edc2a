/** What the collector tells about runs together: two compared, one beside its past, many folded or summed up over time. */

import type { Comparison, SpanComparison } from '../core/compare';
import type { Flame, FlameAround, FlameQuestion } from '../core/flame';
import type { History } from '../core/history';
import type { By, InsightsAnswer, Part } from '../core/insights';
import { parseJson } from '../core/json';
import { comparisonAddress } from './addresses';
import { getJson, request } from './client';
import type { RunListAnswer } from './types';

export function fetchComparison(a: string, b: string, signal?: AbortSignal): Promise<Comparison> {
  return getJson(comparisonAddress(a, b), signal);
}

/** a, b: a run's id and a span's with a slash between them; null where a row has none. limit: bytes of a value. */
export async function fetchSpanComparison(
  a: string | null,
  b: string | null,
  limit: number,
  signal?: AbortSignal,
): Promise<SpanComparison> {
  const params = new URLSearchParams({ limit: String(limit) });
  if (a) params.set('a', a);
  if (b) params.set('b', b);
  const response = await request(`api/compare/span?${params}`, { signal });
  return parseJson(await response.text()) as SpanComparison;
}

export function fetchHistory(run: string, last: number, signal?: AbortSignal): Promise<History> {
  return getJson(`api/compare/history?${new URLSearchParams({ run, last: String(last) })}`, signal);
}

/** The newest runs that a search finds. */
export function findRuns(query: string, limit: number, signal?: AbortSignal): Promise<RunListAnswer> {
  return getJson(`api/runs?${new URLSearchParams({ q: query, limit: String(limit) })}`, signal);
}

export function fetchFlame(question: FlameQuestion, signal?: AbortSignal): Promise<Flame> {
  return getJson(`api/flame?${flameParams(question)}`, signal);
}

export function fetchFlameAround(question: FlameQuestion, key: string, signal?: AbortSignal): Promise<FlameAround> {
  const params = flameParams(question);
  params.set('key', key);
  return getJson(`api/flame/around?${params}`, signal);
}

function flameParams({ q, from, to, metric, by, runs }: FlameQuestion): URLSearchParams {
  const params = new URLSearchParams({ metric, by, runs: String(runs) });
  for (const [name, value] of Object.entries({ q, from, to })) if (value) params.set(name, value);
  return params;
}

export interface InsightsQuestion {
  readonly from: string;
  readonly to: string;
  readonly by: By;
  readonly q: string;
  readonly parts: readonly Part[];
  readonly percentiles: boolean;
  readonly limit?: number;
}

export function fetchInsights(question: InsightsQuestion, signal?: AbortSignal): Promise<InsightsAnswer> {
  const params = new URLSearchParams({ from: question.from, to: question.to, by: question.by });
  for (const part of question.parts) params.append('part', part);
  if (question.q) params.set('q', question.q);
  if (!question.percentiles) params.set('percentiles', '0');
  if (question.limit !== undefined) params.set('limit', String(question.limit));
  return getJson(`api/insights?${params}`, signal);
}
