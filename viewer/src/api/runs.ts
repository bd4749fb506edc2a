/** What the run list asks beside its rows: when runs started, which values they have, sessions, completions. */

import type { Histogram } from '../core/histogram';
import { runFilterParams, type RunFilters } from '../core/runfilters';
import type { RunSummary } from '../core/runlist';
import type { SessionSummary } from '../core/runsessions';
import { sessionsAddress } from './addresses';
import { fetchRuns, getJson } from './client';

export interface FacetAnswer {
  field: string;
  values: { value: string; runs: number }[];
  sql: string;
}

export interface Offer {
  text: string;
  sort: 'field' | 'operator' | 'value';
  description?: string;
  runs?: number | null;
}

/** start, end: the characters of the search that an offer replaces. */
export interface OffersAnswer {
  start: number;
  end: number;
  offers: Offer[];
}

export interface SessionListAnswer {
  sessions: SessionSummary[];
  next_cursor: string | null;
  sql: string;
}

/** The collector takes searches of this many characters. */
const LONGEST_SEARCH = 2000;
const ID_LENGTH = 33;

export function fetchHistogram(filters: RunFilters, buckets: number, signal: AbortSignal): Promise<Histogram> {
  const params = runFilterParams(filters);
  params.set('buckets', String(buckets));
  return getJson(`api/runs/histogram?${params}`, signal);
}

/** The most frequent values of a field, as if the filters said nothing of it. */
export async function fetchFacet(filters: RunFilters, field: string, limit: number, signal?: AbortSignal): Promise<FacetAnswer> {
  const params = runFilterParams(filters);
  params.set('field', field);
  params.set('limit', String(limit));
  const { facets } = await getJson<{ facets: FacetAnswer[] }>(`api/runs/facets?${params}`, signal);
  return facets[0];
}

export function fetchOffers(query: string, at: number, signal: AbortSignal): Promise<OffersAnswer> {
  const params = new URLSearchParams({ q: query, at: String(at) });
  return getJson(`api/search/complete?${params}`, signal);
}

export function fetchSessions(filters: RunFilters, sort: string, cursor: string | null, signal: AbortSignal): Promise<SessionListAnswer> {
  return getJson(sessionsAddress(filters, sort, cursor), signal);
}

/** How many runs can be asked about at once beside a search. */
export function mostAskedAbout(filters: RunFilters): number {
  return Math.max(0, Math.min(50, Math.floor((LONGEST_SEARCH - filters.q.length - 10) / ID_LENGTH)));
}

/** Those of some runs that fulfil the filters. */
export async function fetchAmong(filters: RunFilters, runIds: readonly string[], signal: AbortSignal): Promise<RunSummary[]> {
  const among = `run:${runIds.join(',')}`;
  const q = filters.q ? `(${filters.q}) ${among}` : among;
  return (await fetchRuns({ ...filters, q }, null, signal, runIds.length)).runs;
}
