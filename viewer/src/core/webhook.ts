/** Webhooks and their deliveries, as the collector tells of them; a form's texts as what is asked of it. */

import { isoToMs } from './time';

export interface Webhook {
  id: string;
  name: string;
  url: string;
  format: 'standard' | 'slack';
  events: string[];
  description: string;
  agents: string[];
  names: string[];
  tags: string[];
  status: 'active' | 'paused' | 'disabled';
  reason: string;
  created_at: string;
  updated_at: string;
  waiting_count: number;
  delivered_count: number;
  failed_count: number;
  changed_by: string | null;
  old_secret_until: string | null;
  failing_since: string | null;
  throttled_until: string | null;
  last_success_at: string | null;
  last_failure_at: string | null;
  last_error: string | null;
}

export type DeliveryStatus = 'waiting' | 'delivered' | 'failed';
export const DELIVERY_STATUSES: readonly DeliveryStatus[] = ['waiting', 'delivered', 'failed'];

export interface Delivery {
  id: string;
  webhook_id: string;
  event_id: string;
  type: string;
  status: DeliveryStatus;
  subject: string;
  time: string;
  created_at: string;
  tries: number;
  next_at: string | null;
  finished_at: string | null;
  last_status: number | null;
  last_error: string | null;
}

/** When a delivery is tried next, in Unix milliseconds: not before its webhook is sent anything again. null: it is over. */
export function nextTryMs(delivery: Delivery, webhook: Webhook): number | null {
  if (delivery.next_at === null) return null;
  return Math.max(isoToMs(delivery.next_at), webhook.throttled_until === null ? 0 : isoToMs(webhook.throttled_until));
}

export interface DeliveryTry {
  number: number;
  at: string;
  duration_ms: number;
  status: number | null;
  error: string | null;
}

export interface DeliveryDetail {
  delivery: Delivery;
  event: { type: string; timestamp: string; data: Record<string, unknown> };
  tries: DeliveryTry[];
}

export interface WebhookForm {
  name: string;
  url: string;
  format: 'standard' | 'slack';
  events: string;
  agents: string;
  names: string;
  tags: string;
  description: string;
  paused: boolean;
}

export type WebhookErrors = Partial<Record<keyof WebhookForm, string>>;

const PATTERN = /^(\*|[a-z_]+\.\*|[a-z_]+\.[a-z_]+)$/;
const LISTS = ['events', 'agents', 'names', 'tags'] as const;

export function webhookForm(of?: Webhook): WebhookForm {
  if (!of) return { name: '', url: '', format: 'standard', events: 'task.failed, run.failed', agents: '', names: '', tags: '', description: '', paused: false };
  const lists = Object.fromEntries(LISTS.map((list) => [list, of[list].join(', ')])) as Record<(typeof LISTS)[number], string>;
  // What is shown of the address is not the address: what it hides would be lost.
  return { name: of.name, url: '', format: of.format, description: of.description, paused: of.status !== 'active', ...lists };
}

/** What is asked for; of a webhook that is there, its address only when another one is given. */
export function readWebhookForm(form: WebhookForm, isNew: boolean): { value: Record<string, unknown> | null; errors: WebhookErrors } {
  const errors: WebhookErrors = {};
  if (form.name.trim() === '') errors.name = 'It needs a name.';
  if (form.url.trim() === '' && isNew) errors.url = 'It needs an address.';
  else if (form.url.trim() !== '' && !/^https?:\/\/[^\s/]+/i.test(form.url.trim())) errors.url = 'An address begins with https://';
  const events = listed(form.events);
  const odd = events.find((event) => !PATTERN.test(event));
  if (events.length === 0) errors.events = 'Name one type of event at least, or *.';
  else if (odd !== undefined) errors.events = `“${odd}” is no type such as task.failed, task.* or *.`;
  if (Object.keys(errors).length > 0) return { value: null, errors };
  const value: Record<string, unknown> = {
    name: form.name.trim(), format: form.format, events, agents: listed(form.agents), names: listed(form.names), tags: listed(form.tags), description: form.description,
  };
  if (form.url.trim() !== '') value.url = form.url.trim();
  if (isNew) value.paused = form.paused;
  return { value, errors };
}

/** Texts between commas, each once. */
export function listed(text: string): string[] {
  return [...new Set(text.split(',').map((part) => part.trim()).filter((part) => part !== ''))];
}

/** How a webhook does, in one line; the empty text: nothing is wrong. */
export function trouble(webhook: Webhook): string {
  if (webhook.status !== 'active') return webhook.reason;
  return webhook.failing_since ? (webhook.last_error ?? '') : '';
}

/** What became of a try or of a delivery's newest one. */
export function outcome(status: number | null, error: string | null): string {
  return error ?? (status === null ? '' : `answered ${status}`);
}

/** The page of what a delivery is about; null when there is none. */
export function subjectPath(delivery: Delivery): string | null {
  const [family] = delivery.type.split('.');
  const folder = { task: 'tasks', run: 'runs', ask: 'approvals', schedule: 'schedules' }[family];
  return folder ? `${folder}/${encodeURIComponent(delivery.subject)}` : null;
}
