/** Asks over HTTP: what is put to people, and what they say to it. */

import { askQuery, type AskFilters } from '../core/askfilters';
import type { Ask, AskMove } from '../core/asks';
import { formatJson, parseJson } from '../core/json';
import { request } from './client';

export const MOST_ASKS = 500;

export interface AskListAnswer {
  asks: Ask[];
  open_count: number;
  next_cursor: string | null;
}

const at = (id: string, verb = ''): string => `api/asks/${encodeURIComponent(id)}${verb && `/${verb}`}`;

/** Actions and answers hold values of agents: integers too large for a double arrive as bigint. */
async function getExactly<T>(path: string, signal?: AbortSignal): Promise<T> {
  return parseJson(await (await request(path, { signal, headers: { accept: 'application/json' } })).text()) as T;
}

async function post(path: string, body: unknown): Promise<Ask> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  return parseJson(await (await request(path, { method: 'POST', headers, body: formatJson(body) })).text()) as Ask;
}

export function fetchAsks(filters: AskFilters, limit: number, cursor: string | null, signal?: AbortSignal): Promise<AskListAnswer> {
  const params = askQuery(filters);
  params.set('limit', String(limit));
  if (cursor) params.set('cursor', cursor);
  return getExactly(`api/asks?${params}`, signal);
}

/** Asks of a task, or of a run, whatever became of them. */
export async function fetchAsksOf(of: { task_id: string } | { run_id: string }, signal?: AbortSignal): Promise<Ask[]> {
  const params = new URLSearchParams({ ...of, limit: '100' });
  return (await getExactly<AskListAnswer>(`api/asks?${params}`, signal)).asks;
}

export const fetchAsk = (id: string, signal?: AbortSignal): Promise<Ask> => getExactly(at(id), signal);

/** Does what a reader said. body: the fields of the request but for the decision and the way it came. */
export function sayTo(id: string, move: AskMove, body: Record<string, unknown>): Promise<Ask> {
  if (move === 'delegate') return post(at(id, 'delegate'), { ...body, via: 'viewer' });
  return post(at(id, 'decide'), { ...body, decision: move, via: 'viewer' });
}

export const markReceived = (id: string, by: string): Promise<Ask> => post(at(id, 'received'), by ? { by } : {});
