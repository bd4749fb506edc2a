/** Webhooks over HTTP. Loaded with their pages. */

import type { Delivery, DeliveryDetail, Webhook } from '../core/webhook';
import { getJson, request } from './client';

export interface DeliveryListAnswer {
  deliveries: Delivery[];
  next_cursor: string | null;
}

export interface SecretAnswer {
  webhook: Webhook;
  secret: string;
}

const at = (id: string, ...more: string[]): string => ['api/webhooks', id, ...more].map((part, i) => (i === 0 ? part : encodeURIComponent(part))).join('/');

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const response = await request(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  return (response.status === 204 ? null : await response.json()) as T;
}

export const fetchWebhooks = async (signal?: AbortSignal): Promise<Webhook[]> => (await getJson<{ webhooks: Webhook[] }>('api/webhooks', signal)).webhooks;

export const fetchEventTypes = async (): Promise<{ type: string; text: string }[]> => (await getJson<{ types: { type: string; text: string }[] }>('api/webhooks/events')).types;

export const fetchWebhook = (id: string, signal?: AbortSignal): Promise<Webhook> => getJson(at(id), signal);

export function fetchDeliveries(id: string, statuses: readonly string[], cursor: string | null, limit: number, signal?: AbortSignal): Promise<DeliveryListAnswer> {
  const params = new URLSearchParams([...statuses.map((status) => ['status', status]), ['limit', String(limit)]]);
  if (cursor) params.set('cursor', cursor);
  return getJson(`${at(id, 'deliveries')}?${params}`, signal);
}

export const fetchDelivery = (id: string, deliveryId: string, signal?: AbortSignal): Promise<DeliveryDetail> => getJson(at(id, 'deliveries', deliveryId), signal);

export const createWebhook = (body: unknown): Promise<SecretAnswer> => send('POST', 'api/webhooks', body);
export const updateWebhook = (id: string, body: unknown): Promise<Webhook> => send('PATCH', at(id), body);
export const deleteWebhook = (id: string): Promise<null> => send('DELETE', at(id));
export const holdWebhook = (id: string, verb: 'pause' | 'resume', reason: string): Promise<Webhook> => send('POST', at(id, verb), { reason });
export const rotateSecret = (id: string, overlapMs: number): Promise<SecretAnswer> => send('POST', at(id, 'rotate'), { overlap_ms: overlapMs });
export const testWebhook = (id: string): Promise<DeliveryDetail> => send('POST', at(id, 'test'));
export const replayDelivery = (id: string, deliveryId: string): Promise<DeliveryDetail> => send('POST', at(id, 'deliveries', deliveryId, 'replay'));
export const replayFailed = (id: string, since: string): Promise<{ replayed: number }> => send('POST', at(id, 'replay'), { since });
