/** The form that makes or changes a trigger. Mapping and conditions are lines of text, one for each field or condition. */

import { formatJson, parseJson } from './json';
import type { Priority } from './task';
import { FormReader, type Read } from './taskform';
import type { Condition, InputField, Scheme, Trigger } from './trigger';

export interface TriggerForm {
  name: string;
  description: string;
  kind: 'webhook' | 'event';
  scheme: Scheme;
  secret: string;
  header: string;
  algorithm: string;
  encoding: string;
  prefix: string;
  user: string;
  deliveryHeader: string;
  event: string;
  where: string;
  taskName: string;
  agent: string;
  priority: Priority;
  mapping: string;
  conditions: string;
  keyFrom: string;
  descriptionFrom: string;
  rateLimit: string;
  keepDays: string;
  maxDepth: string;
}

const UNNAMED = 'dry run';

export function emptyTriggerForm(): TriggerForm {
  return {
    name: '', description: '', kind: 'webhook', scheme: 'github', secret: '', header: 'X-Signature', algorithm: 'sha256', encoding: 'hex',
    prefix: '', user: '', deliveryHeader: '', event: 'run.failed', where: '', taskName: '', agent: '', priority: 'medium', mapping: '',
    conditions: '', keyFrom: '', descriptionFrom: '', rateLimit: '600', keepDays: '7', maxDepth: '3',
  };
}

/** The form as a trigger fills it. */
export function formOf(trigger: Trigger): TriggerForm {
  return {
    ...emptyTriggerForm(),
    name: trigger.name,
    description: trigger.description,
    kind: trigger.kind,
    scheme: trigger.signature?.scheme ?? 'github',
    event: trigger.event ?? 'run.failed',
    where: trigger.where ?? '',
    taskName: trigger.task.name,
    agent: trigger.task.agent ?? '',
    priority: trigger.task.priority ?? 'medium',
    mapping: (trigger.mapping ?? []).map(fieldLine).join('\n'),
    conditions: trigger.conditions.map(conditionLine).join('\n'),
    keyFrom: trigger.key_from ?? '',
    descriptionFrom: trigger.description_from ?? '',
    rateLimit: String(trigger.rate_limit),
    keepDays: String(trigger.keep_payload_days),
    maxDepth: String(trigger.max_depth ?? 3),
  };
}

const isPlace = (text: string): boolean => text === '' || text.startsWith('/');

/** `title = /issue/title`, with `!` when it is required and `?? value` for a default. */
export function fieldLine(field: InputField): string {
  if (field.pointer == null && field.header == null) return `${field.name} = ${formatJson(field.value, 0)}`;
  const origin = field.header == null ? (field.pointer || 'payload') : `header ${field.header}`;
  const rest = field.required ? ' !' : 'default' in field ? ` ?? ${formatJson(field.default, 0)}` : '';
  return `${field.name} = ${origin}${rest}`;
}

/** Throws SyntaxError whose message is for people. */
export function readFieldLine(line: string): InputField {
  const [, name, rest] = /^\s*([^=]+?)\s*=\s*(.+?)\s*$/.exec(line) ?? [];
  if (!name) throw new SyntaxError(`“${line.trim()}” is not FIELD = /place`);
  const [, origin, mark, fallback] = /^(\/.*?|payload|header\s+\S+?)(\s+!|\s+\?\?\s+(.+))?$/.exec(rest) ?? [];
  if (origin === undefined) return { name, value: json(rest, line) };
  const place = origin.startsWith('header') ? { header: origin.slice(6).trim() } : { pointer: origin === 'payload' ? '' : origin };
  if (mark === undefined) return { name, ...place };
  return fallback === undefined ? { name, ...place, required: true } : { name, ...place, default: json(fallback, line) };
}

/** `/action = "opened", "reopened"`, `X-GitHub-Event = "issues"`, `/issue exists`, `/draft missing`. */
export function conditionLine(condition: Condition): string {
  const place = condition.header ?? (condition.pointer || 'payload');
  if (condition.exists !== undefined) return `${place} ${condition.exists ? 'exists' : 'missing'}`;
  const values = condition.one_of ?? [condition.equals];
  return `${place} = ${values.map((value) => formatJson(value, 0)).join(', ')}`;
}

/** Throws SyntaxError whose message is for people. Values are JSON; what is not is a text. */
export function readConditionLine(line: string): Condition {
  const exists = /^\s*(\S+)\s+(exists|missing)\s*$/.exec(line);
  if (exists) return { ...placeOf(exists[1]), exists: exists[2] === 'exists' };
  const [, place, rest] = /^\s*(\S+)\s*=\s*(.+?)\s*$/.exec(line) ?? [];
  if (!place) throw new SyntaxError(`“${line.trim()}” is not /place = value, nor /place exists`);
  const values = splitValues(rest);
  return { ...placeOf(place), ...(values.length === 1 ? { equals: values[0] } : { one_of: values }) };
}

function placeOf(text: string): { pointer: string } | { header: string } {
  if (text === 'payload') return { pointer: '' };
  return isPlace(text) ? { pointer: text } : { header: text };
}

/** Values with commas between: all as one JSON list, or each by itself as JSON or text. */
function splitValues(text: string): unknown[] {
  try {
    return parseJson(`[${text}]`) as unknown[];
  } catch {
    return text.split(',').map((part) => {
      try {
        return parseJson(part.trim());
      } catch {
        return part.trim();
      }
    });
  }
}

function json(text: string, line: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw new SyntaxError(`in “${line.trim()}”, ${text} is neither a /place, a header, nor JSON; texts stand in quotes`);
  }
}

class TriggerReader extends FormReader<TriggerForm> {
  lines<T>(text: string, field: 'mapping' | 'conditions', read: (line: string) => T): T[] {
    const found: T[] = [];
    for (const line of text.split('\n').filter((one) => one.trim())) {
      try {
        found.push(read(line));
      } catch (cause) {
        this.errors[field] ??= (cause as Error).message;
      }
    }
    return found;
  }
}

/** What `POST /api/triggers` takes; with `before`, what `PATCH` takes. */
export function readTriggerForm(form: TriggerForm, before: Trigger | null = null): Read<TriggerForm> {
  const reader = new TriggerReader(form).required('name', 'name', 'a name of its own') as TriggerReader;
  const task = new FormReader(form).required('taskName', 'name', 'the name that agents handle it by').set('priority', form.priority, before ? undefined : 'medium');
  if (form.agent.trim() || before?.task.agent) task.set('agent', form.agent.trim() || null);
  const mapping = reader.lines(form.mapping, 'mapping', readFieldLine);
  reader.set('mapping', mapping.length > 0 ? mapping : null, before ? undefined : null);
  reader.set('conditions', reader.lines(form.conditions, 'conditions', readConditionLine));
  reader.set('description', form.description.trim(), before ? undefined : '');
  for (const [field, name] of [['keyFrom', 'key_from'], ['descriptionFrom', 'description_from']] as const) {
    if (!isPlace(form[field].trim())) reader.errors[field] = 'a place begins with /';
    reader.set(name, form[field].trim() || null, before ? undefined : null);
  }
  reader.number('rateLimit', 'rate_limit', { least: 1 }).number('keepDays', 'keep_payload_days', { least: 0 });
  if (form.kind === 'event') {
    reader.required('event', 'event', 'an event, such as run.failed').set('where', form.where.trim()).number('maxDepth', 'max_depth', { least: 1 });
  }
  if (before === null) {
    reader.set('kind', form.kind);
    if (form.kind === 'webhook') Object.assign(reader.value, webhookOf(form));
  }
  Object.assign(reader.errors, task.errors);
  reader.value.task = before ? { ...before.task, ...task.value } : task.value;
  return reader.result();
}

/** What `POST /api/triggers/dry-run` takes but for payload and headers; with `before`, of the trigger as it would be changed. */
export function readDryRun(form: TriggerForm, before: Trigger | null = null): Read<TriggerForm> {
  const { value, errors } = readTriggerForm({ ...form, name: form.name.trim() || UNNAMED }, before);
  if (value === null) return { value, errors };
  const { name, kind = before?.kind, secret: _, ...changed } = value;
  return { value: { name, kind, definition: { ...(before && unseenOf(before)), ...changed } }, errors };
}

/** What a trigger is that its form does not show. */
function unseenOf({ signature, max_body_bytes }: Trigger): Record<string, unknown> {
  return { ...(signature && { signature }), ...(max_body_bytes != null && { max_body_bytes }) };
}

function webhookOf(form: TriggerForm): Record<string, unknown> {
  const fields = new FormReader(form).set('scheme', form.scheme);
  if (form.scheme === 'hmac') {
    fields.optional('header', 'header').set('algorithm', form.algorithm, 'sha256').set('encoding', form.encoding, 'hex').optional('prefix', 'prefix');
  }
  if (form.scheme === 'basic') fields.optional('user', 'user');
  if (['hmac', 'bearer', 'basic'].includes(form.scheme)) fields.optional('deliveryHeader', 'delivery_header');
  return { signature: fields.value, ...(form.secret.trim() && { secret: form.secret.trim() }) };
}
