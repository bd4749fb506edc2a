/** Where the two pages that are opened most ask for their data: written once, for they ask before their scripts are there. */

import { runFilterParams, type RunFilters } from '../core/runfilters';

export const PAGE_SIZE = 100;
export const ARROW = 'application/vnd.apache.arrow.stream';
export const SPANS_ACCEPT = `${ARROW}, application/json;q=0.5`;
const EVENTS_A_PAGE = 2000;

/** live: the answer says where the live stream is to be followed from. */
export function runsAddress(filters: RunFilters, cursor: string | null, limit: number, live = false): string {
  const params = runFilterParams(filters);
  params.set('sort', filters.sort);
  params.set('limit', String(limit));
  if (cursor) params.set('cursor', cursor);
  if (live) params.set('live', '1');
  return `api/runs?${params}`;
}

export function runAddress(runId: string, live = false): string {
  return `api/runs/${encodeURIComponent(runId)}${live ? '?live=1' : ''}`;
}

export function spansAddress(runId: string, live = false): string {
  return `api/runs/${encodeURIComponent(runId)}/spans${live ? '?live=1' : ''}`;
}

/** kind: null for every kind. */
export function eventsAddress(runId: string, kind: string | null, cursor: string | null, live = false): string {
  const params = new URLSearchParams({ limit: String(EVENTS_A_PAGE) });
  if (kind) params.set('kind', kind);
  if (cursor) params.set('cursor', cursor);
  if (live) params.set('live', '1');
  return `api/runs/${encodeURIComponent(runId)}/events?${params}`;
}
