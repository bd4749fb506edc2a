/** Where pages that ask ahead get their data: written once, for they ask before their scripts are there. */

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

export function sessionsAddress(filters: RunFilters, sort: string, cursor: string | null): string {
  const params = runFilterParams(filters);
  params.set('sort', sort);
  params.set('limit', String(PAGE_SIZE));
  if (cursor) params.set('cursor', cursor);
  return `api/runs/sessions?${params}`;
}

/** filters: as the API names them. */
export function tasksAddress(filters: URLSearchParams, sort = '', cursor: string | null = null, limit = PAGE_SIZE): string {
  const params = new URLSearchParams(filters);
  if (sort) params.set('sort', sort);
  if (cursor) params.set('cursor', cursor);
  params.set('limit', String(limit));
  return `api/tasks?${params}`;
}

export function countsAddress(filters: URLSearchParams, groupBy: string): string {
  const params = new URLSearchParams(filters);
  params.set('group_by', groupBy);
  return `api/tasks/counts?${params}`;
}

export function schedulesAddress(text: string, cursor: string | null): string {
  const params = new URLSearchParams({ limit: String(PAGE_SIZE) });
  if (text) params.set('text', text);
  if (cursor) params.set('cursor', cursor);
  return `api/schedules?${params}`;
}

export const AGENTS_ADDRESSES = { agents: 'api/agents', limits: 'api/limits', teams: 'api/teams' } as const;

export const comparisonAddress = (a: string, b: string): string => `api/compare?${new URLSearchParams({ a, b })}`;
