/** The form of a limit, and limits in words. */

import { exactDuration } from './schedule';
import { FormReader, type Read } from './taskform';

export const LIMIT_SCOPES = ['agent', 'name', 'key'] as const;

export interface LimitForm {
  scope: (typeof LIMIT_SCOPES)[number];
  value: string;
  concurrency: string;
  rate: string;
  perS: string;
}

export function emptyLimitForm(): LimitForm {
  return { scope: 'agent', value: '', concurrency: '', rate: '', perS: '60' };
}

export function readLimitForm(form: LimitForm): Read<LimitForm> {
  const reader = new FormReader(form)
    .set('scope', form.scope)
    .required('value', 'value', `the ${form.scope} it is for, or * for each without a limit of its own`)
    .number('concurrency', 'concurrency', {})
    .number('rate', 'rate', { least: 1 });
  if (form.rate.trim()) reader.required('perS', 'per_ms', 'the time it is for').number('perS', 'per_ms', { factor: 1000, least: 0.001 });
  if (!form.concurrency.trim() && !form.rate.trim()) reader.errors.concurrency = 'give a number at once, a rate, or both';
  return reader.result();
}

/** "4 at once, 100 in 1 min". */
export function limitText(limit: { concurrency?: number | null; rate?: number | null; per_ms?: number | null }): string {
  const parts = [
    limit.concurrency != null ? `${limit.concurrency} at once` : null,
    limit.rate != null ? `${limit.rate} in ${exactDuration(limit.per_ms ?? 0)}` : null,
  ];
  return parts.filter(Boolean).join(', ') || 'none';
}
