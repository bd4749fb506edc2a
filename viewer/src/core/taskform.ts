/** The form that makes a task: texts of fields to what the API takes, or what is wrong with each. */

import { parseJson } from './json';
import type { Priority } from './task';
import { parseWallTime } from './time';

export interface TaskForm {
  name: string;
  agent: string;
  description: string;
  input: string;
  context: string;
  priority: Priority;
  tags: string;
  app: string;
  key: string;
  /** Local times of the browser, as its field gives them; "" for none. */
  deadline: string;
  runAt: string;
  dependencies: string;
  maxRetries: string;
  retryDelayS: string;
  backoff: string;
  timeoutS: string;
  heartbeatS: string;
  memory: boolean;
  onExhausted: string;
}

export const DEFAULT_SETTINGS = {
  max_retries: 3, max_losses: 10, retry_delay_ms: 1_000, backoff: 'exponential', max_retry_delay_ms: 300_000, jitter: 0.2,
  timeout_ms: null, heartbeat_ms: 12_000, memory: true, non_retryable_errors: [], on_exhausted: 'fail', cancel_grace_ms: 10_000,
  on_upstream_failure: 'block', completion: 'all',
} as const;

export function emptyTaskForm(): TaskForm {
  return {
    name: '', agent: '', description: '', input: '', context: '', priority: 'medium', tags: '', app: '', key: '', deadline: '',
    runAt: '', dependencies: '', maxRetries: '3', retryDelayS: '1', backoff: 'exponential', timeoutS: '', heartbeatS: '12',
    memory: true, onExhausted: 'fail',
  };
}

export type FieldErrors<Form> = Partial<Record<keyof Form, string>>;

export type Read<Form> = { value: Record<string, unknown>; errors: null } | { value: null; errors: FieldErrors<Form> };

/** The value of a field that holds JSON. Throws SyntaxError whose message is for people. */
export function parseJsonField(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new SyntaxError(`this is not JSON: ${(cause as Error).message}`);
  }
}

/** Collects the fields of a request and what is wrong with those that cannot be read. */
export class FormReader<Form> {
  readonly value: Record<string, unknown> = {};
  readonly errors: FieldErrors<Form> = {};

  constructor(private readonly form: Form) {}

  private text(field: keyof Form): string {
    return String(this.form[field]).trim();
  }

  required(field: keyof Form, name: string, what: string): this {
    if (!this.text(field)) this.errors[field] = `give ${what}`;
    else this.value[name] = this.text(field);
    return this;
  }

  optional(field: keyof Form, name: string): this {
    if (this.text(field)) this.value[name] = this.text(field);
    return this;
  }

  json(field: keyof Form, name: string): this {
    if (!this.text(field)) return this;
    try {
      this.value[name] = parseJsonField(this.text(field));
    } catch (cause) {
      this.errors[field] = (cause as Error).message;
    }
    return this;
  }

  list(field: keyof Form, name: string): this {
    const items = this.text(field).split(/[\s,]+/).filter(Boolean);
    if (items.length > 0) this.value[name] = [...new Set(items)];
    return this;
  }

  time(field: keyof Form, name: string): this {
    if (!this.text(field)) return this;
    const ms = parseWallTime(this.text(field));
    if (Number.isNaN(ms)) this.errors[field] = 'this is not a time';
    else this.value[name] = new Date(ms).toISOString();
    return this;
  }

  /** A number times `factor` as a whole number; left out when it is the default. */
  number(field: keyof Form, name: string, { factor = 1, least = 0, unless }: { factor?: number; least?: number; unless?: number }): this {
    if (!this.text(field)) return this;
    const number = Number(this.text(field));
    if (!Number.isFinite(number) || number < least) this.errors[field] = `give a number of at least ${least}`;
    else if (Math.round(number * factor) !== unless) this.value[name] = Math.round(number * factor);
    return this;
  }

  set(name: string, value: unknown, unless?: unknown): this {
    if (value !== unless) this.value[name] = value;
    return this;
  }

  result(): Read<Form> {
    if (Object.keys(this.errors).length > 0) return { value: null, errors: this.errors };
    return { value: this.value, errors: null };
  }
}

/** What `POST /api/tasks` takes, without what is a default anyway. */
export function readTaskForm(form: TaskForm): Read<TaskForm> {
  const settings = new FormReader(form)
    .number('maxRetries', 'max_retries', { unless: DEFAULT_SETTINGS.max_retries })
    .number('retryDelayS', 'retry_delay_ms', { factor: 1000, unless: DEFAULT_SETTINGS.retry_delay_ms })
    .number('timeoutS', 'timeout_ms', { factor: 1000, least: 0.001 })
    .number('heartbeatS', 'heartbeat_ms', { factor: 1000, least: 1, unless: DEFAULT_SETTINGS.heartbeat_ms })
    .set('backoff', form.backoff, DEFAULT_SETTINGS.backoff)
    .set('memory', form.memory, true)
    .set('on_exhausted', form.onExhausted, DEFAULT_SETTINGS.on_exhausted);
  const task = new FormReader(form)
    .required('name', 'name', 'the name that agents handle it by')
    .optional('agent', 'agent')
    .optional('description', 'description')
    .json('input', 'input')
    .json('context', 'context')
    .set('priority', form.priority, 'medium')
    .list('tags', 'tags')
    .optional('app', 'app')
    .optional('key', 'key')
    .time('deadline', 'deadline')
    .time('runAt', 'run_at')
    .list('dependencies', 'dependencies');
  Object.assign(task.errors, settings.errors);
  if (Object.keys(settings.value).length > 0) task.value.settings = settings.value;
  return task.result();
}
