/** Triggers as the API tells of them, and what a page says about each. */

import type { Priority } from './task';

export const OUTCOMES = ['accepted', 'duplicate', 'filtered', 'refused', 'limited', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const SCHEMES = ['github', 'stripe', 'slack', 'standard-webhooks', 'hmac', 'bearer', 'basic'] as const;
export type Scheme = (typeof SCHEMES)[number];

/** Events a trigger can wait for, by what they are about. */
export const EVENTS: Readonly<Record<string, readonly string[]>> = {
  run: ['completed', 'failed', 'cancelled', 'lost', 'skipped'],
  task: [
    'created', 'leased', 'started', 'completed', 'failed', 'cancelled', 'requeued', 'yielded', 'paused', 'resumed', 'exhausted',
    'reopened', 'released', 'asked', 'answered', 'at_risk',
  ],
  ask: [
    'opened', 'received', 'delegated', 'decided', 'approved', 'rejected', 'answered', 'expired', 'cancelled', 'invalidated', 'alarmed',
  ],
  schedule: ['fired', 'late', 'skipped', 'missed', 'queued', 'backfilled'],
  budget: ['set', 'soft', 'hard', 'raised', 'reset', 'deleted'],
};
export const EVENT_NAMES: readonly string[] = Object.entries(EVENTS).flatMap(([source, names]) => [
  ...names.map((name) => `${source}.${name}`),
  `${source}.*`,
]);

/** Fields with a default are absent when they have it. */
export interface Signature {
  scheme: Scheme;
  tolerance_s?: number;
  header?: string;
  algorithm?: string;
  encoding?: string;
  prefix?: string;
  user?: string;
  delivery_header?: string | null;
}

export interface InputField {
  name: string;
  pointer?: string | null;
  header?: string | null;
  value?: unknown;
  default?: unknown;
  required?: boolean;
}

export interface Condition {
  pointer?: string | null;
  header?: string | null;
  equals?: unknown;
  one_of?: unknown[];
  exists?: boolean;
}

export interface TaskTemplate {
  name: string;
  agent?: string | null;
  team?: string | null;
  priority?: Priority;
  input?: unknown;
  [other: string]: unknown;
}

export interface Trigger {
  id: string;
  name: string;
  kind: 'webhook' | 'event';
  enabled: boolean;
  task: TaskTemplate;
  description: string;
  conditions: Condition[];
  mapping: InputField[] | null;
  key_from: string | null;
  description_from: string | null;
  rate_limit: number;
  keep_payload_days: number;
  created_at: string;
  updated_at: string;
  counts: Record<Outcome, number>;
  last_at: string | null;
  last_outcome: Outcome | null;
  signature: Signature | null;
  max_body_bytes: number | null;
  path: string | null;
  previous_path: string | null;
  previous_until: string | null;
  event: string | null;
  where: string | null;
  max_depth: number | null;
}

/** What became of one delivery or event. */
export interface TriggerEvent {
  id: string;
  trigger_id: string;
  at: string;
  outcome: Outcome;
  delivery_id?: string | null;
  reason?: string;
  task_id?: string | null;
  depth?: number;
  size_bytes?: number;
  has_payload?: boolean;
  replay_of?: string | null;
  by?: string | null;
}

export interface TriggerEventDetail extends TriggerEvent {
  headers?: Record<string, string>;
  payload?: string | null;
}

export interface TryAnswer {
  outcome: Outcome;
  reason?: string;
  task?: TaskTemplate | null;
}

const SCHEME_NAMES: Record<Scheme, string> = {
  github: 'GitHub', stripe: 'Stripe', slack: 'Slack', 'standard-webhooks': 'Standard Webhooks', hmac: 'an HMAC header',
  bearer: 'a bearer token', basic: 'user and password',
};

export const schemeName = (scheme: Scheme): string => SCHEME_NAMES[scheme];

/** Stripe and Slack make their own secrets. */
export const senderMakesSecret = (scheme: Scheme): boolean => scheme === 'stripe' || scheme === 'slack';

/** Where the address and the secret are to be put. */
export function whereToPut(scheme: Scheme): string {
  switch (scheme) {
    case 'github': return 'On GitHub: the repository’s or organisation’s Settings, Webhooks, Add webhook. Payload URL is the address, Secret the secret; either content type will do.';
    case 'stripe': return 'On Stripe: Developers, Webhooks, Add endpoint with this address. Then reveal the signing secret there and set it here with “Rotate”.';
    case 'slack': return 'On Slack: your app’s Event Subscriptions (or a slash command), Request URL. Set the app’s signing secret, from Basic Information, here with “Rotate” first: Slack checks the address at once.';
    case 'standard-webhooks': return 'Give the sender the address and the secret; it signs with webhook-id, webhook-timestamp and webhook-signature.';
    case 'hmac': return 'Give the sender the address and the secret; it puts the digest of each body into the header.';
    case 'bearer': return 'Give the sender the address; the secret is its token: “Authorization: Bearer …”.';
    case 'basic': return 'Give the sender the address, the user and the secret as its password.';
  }
}

const CALLED_FOR_A_SENDER: ReadonlySet<Scheme> = new Set(['github', 'stripe', 'slack']);

/** What makes a trigger fire, in a line. */
export function firesOn(trigger: Trigger): string {
  const scheme = trigger.signature?.scheme;
  if (scheme) return `webhook ${CALLED_FOR_A_SENDER.has(scheme) ? 'of' : 'with'} ${schemeName(scheme)}`;
  return trigger.where ? `${trigger.event} where ${trigger.where}` : (trigger.event ?? '');
}

/** How many deliveries want looking at. */
export function troubles(counts: Record<Outcome, number>): number {
  return counts.refused + counts.limited + counts.failed;
}

/** "12 accepted, 3 filtered"; "nothing yet" when nothing has come. */
export function countsText(counts: Record<Outcome, number>): string {
  const some = OUTCOMES.filter((outcome) => counts[outcome] > 0).map((outcome) => `${counts[outcome]} ${outcome}`);
  return some.length > 0 ? some.join(', ') : 'nothing yet';
}

/** The address of a webhook, for people to paste elsewhere. base: of the page. */
export function addressOf(trigger: Trigger, base: string): string {
  return trigger.path === null ? '' : new URL(trigger.path.replace(/^\//, ''), base).href;
}

const SAMPLES: Readonly<Record<Trigger['kind'], unknown>> = {
  webhook: { action: 'opened', issue: { number: 7, title: 'It fails', labels: ['bug'] } },
  event: {
    event: 'run.failed',
    time: '2026-01-01T00:00:00Z',
    run: { run_id: '0af7651916cd43dd8448eb211c80319c', status: 'failed', cost_usd: 1.5 },
  },
};

/** What a trigger may be tried with, to begin with. */
export const samplePayload = (kind: Trigger['kind']): unknown => SAMPLES[kind];

/** Headers as `Name: value`, one a line; lines without a colon are none. */
export function readHeaderLines(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.includes(':'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]));
}
