/** The API of triggers. Loaded with the pages that show them. */

import { formatJson } from '../core/json';
import type { Trigger, TriggerEvent, TriggerEventDetail, TryAnswer } from '../core/trigger';
import { getJson, request } from './client';

export interface TriggerListAnswer {
  triggers: Trigger[];
  next_cursor: string | null;
}

export interface TriggerEventListAnswer {
  events: TriggerEvent[];
  next_cursor: string | null;
}

/** secret: shown this once; null when it was given, or is made by the sender. */
export interface TriggerSecret {
  trigger: Trigger;
  secret: string | null;
}

const at = (...parts: string[]): string => `api/triggers${parts.map((part) => `/${encodeURIComponent(part)}`).join('')}`;

async function send<T>(method: string, path: string, body: unknown = {}): Promise<T> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const response = await request(path, { method, headers, body: formatJson(body) });
  return (response.status === 204 ? null : await response.json()) as T;
}

export function fetchTriggers(text: string, cursor: string | null, signal?: AbortSignal): Promise<TriggerListAnswer> {
  const params = new URLSearchParams({ limit: '100' });
  if (text) params.set('text', text);
  if (cursor) params.set('cursor', cursor);
  return getJson(`${at()}?${params}`, signal);
}

export const fetchTrigger = (id: string, signal?: AbortSignal): Promise<Trigger> => getJson(at(id), signal);

export const createTrigger = (body: Record<string, unknown>): Promise<TriggerSecret> => send('POST', at(), body);

export const changeTrigger = (id: string, body: Record<string, unknown>): Promise<Trigger> => send('PATCH', at(id), body);

export const switchTrigger = (id: string, on: boolean): Promise<Trigger> => send('POST', at(id, on ? 'enable' : 'disable'));

export const deleteTrigger = (id: string): Promise<void> => send('DELETE', at(id));

export const rotateTrigger = (id: string, body: Record<string, unknown>): Promise<TriggerSecret> => send('POST', at(id, 'rotate'), body);

export const tryTrigger = (id: string, payload: unknown, headers: Record<string, string>): Promise<TryAnswer> =>
  send('POST', at(id, 'try'), { payload, headers });

/** What a trigger that is not made, or not changed yet, would make. */
export const dryRunTrigger = (body: Record<string, unknown>): Promise<TryAnswer> => send('POST', at('dry-run'), body);

export function fetchTriggerEvents(
  id: string,
  outcomes: readonly string[],
  cursor: string | null,
  limit: number,
  signal?: AbortSignal,
): Promise<TriggerEventListAnswer> {
  const params = new URLSearchParams({ limit: String(limit) });
  for (const outcome of outcomes) params.append('outcome', outcome);
  if (cursor) params.set('cursor', cursor);
  return getJson(`${at(id, 'events')}?${params}`, signal);
}

export const fetchTriggerEvent = (id: string, eventId: string, signal?: AbortSignal): Promise<TriggerEventDetail> =>
  getJson(at(id, 'events', eventId), signal);

export const replayTriggerEvent = (id: string, eventId: string): Promise<TriggerEvent> => send('POST', at(id, 'events', eventId, 'replay'));
