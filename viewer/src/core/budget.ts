/** Budgets: their figures as meters, in words, and the form that sets one. */

import { formatCost, formatTokens, plural } from './format';
import { exactDuration } from './schedule';
import { FormReader, type Read } from './taskform';
import { formatDuration } from './time';

export const MEASURES = ['usd', 'tokens', 'wall_ms', 'tool_calls'] as const;
export type Measure = (typeof MEASURES)[number];
export type Amounts = Partial<Record<Measure, number>>;

export const BUDGET_SCOPES = ['project', 'agent', 'team', 'name', 'task'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

/** As the API tells it; measures that are 0, or not limited, are absent. */
export interface Budget {
  id: string;
  scope: BudgetScope;
  value: string;
  per: 'total' | 'day';
  zone: string;
  limits: Amounts;
  soft_limits: Amounts;
  raised: Amounts;
  used: Amounts;
  reserved: Amounts;
  state: 'open' | 'soft' | 'hard';
  grace_ms: number;
  finish: number;
  created_at: string;
  updated_at: string;
  period: string;
  reached: Measure | null;
  resets_at: string | null;
  running: number;
  waiting: number;
  set_by: string | null;
}

/** One measure of a budget. Parts are of the limit, from 0 to 1: what is used, and what is reserved beyond it. */
export interface Meter {
  measure: Measure;
  name: string;
  used: string;
  reserved: string | null;
  limit: string;
  usedPart: number;
  reservedPart: number;
  softPart: number | null;
  percent: number;
  state: 'open' | 'soft' | 'hard';
}

const NAMES: Record<Measure, string> = { usd: 'Cost', tokens: 'Tokens', wall_ms: 'Running time', tool_calls: 'Tool calls' };

export function metersOf(budget: Budget): Meter[] {
  return MEASURES.filter((measure) => budget.limits[measure] != null).map((measure) => meterOf(budget, measure));
}

function meterOf(budget: Budget, measure: Measure): Meter {
  const limit = budget.limits[measure] ?? 0;
  const used = budget.used[measure] ?? 0;
  const reserved = budget.reserved[measure] ?? 0;
  const soft = budget.soft_limits[measure];
  const part = (amount: number) => (limit > 0 ? Math.min(Math.max(amount / limit, 0), 1) : 1);
  return {
    measure,
    name: NAMES[measure],
    used: amountText(measure, used),
    reserved: reserved > 0 ? amountText(measure, reserved) : null,
    limit: amountText(measure, limit),
    usedPart: part(used),
    reservedPart: part(used + reserved) - part(used),
    softPart: soft == null || soft >= limit ? null : part(soft),
    percent: limit > 0 ? Math.floor((used / limit) * 100) : 100,
    state: used >= limit ? 'hard' : soft != null && used >= soft ? 'soft' : 'open',
  };
}

/** The measure that is nearest to its limit: what a small place shows. */
export function fullest(meters: readonly Meter[]): Meter | null {
  return meters.reduce<Meter | null>((found, meter) => (found === null || meter.percent > found.percent ? meter : found), null);
}

/** Of several budgets the one that is nearest to a limit. */
export function tightest(budgets: readonly Budget[]): { budget: Budget; meter: Meter } | null {
  let found: { budget: Budget; meter: Meter } | null = null;
  for (const budget of budgets) {
    const meter = fullest(metersOf(budget));
    if (meter && (found === null || meter.percent > found.meter.percent)) found = { budget, meter };
  }
  return found;
}

export function amountText(measure: Measure, amount: number): string {
  if (measure === 'usd') return formatCost(amount);
  if (measure === 'wall_ms') return amount === 0 ? '0 s' : formatDuration(amount);
  return measure === 'tokens' ? formatTokens(amount) : String(amount);
}

const SCOPE_NAMES: Record<BudgetScope, string> = { project: 'Project', agent: 'Agent', team: 'Team', name: 'Tasks named', task: 'Task' };

export const scopeName = (scope: BudgetScope): string => SCOPE_NAMES[scope];

/** "Agent amy, per day"; of a task that is being looked at: "This task". */
export function budgetTitle(budget: Budget, taskId?: string): string {
  const per = budget.per === 'day' ? ', per day' : '';
  if (budget.scope === 'task' && budget.value === taskId) return `This task${per}`;
  if (budget.scope === 'project') return `Project${per}`;
  return `${scopeName(budget.scope)} ${budget.value}${per}`;
}

export const STATE_WORDS = { open: 'within', soft: 'soft limit reached', hard: 'used up' } as const;

/** "3 attempts draw on it, 2 tasks wait". */
export function drawing(budget: Budget): string {
  const parts = [
    budget.running > 0 ? `${plural(budget.running, 'attempt')} ${budget.running === 1 ? 'draws' : 'draw'} on it` : null,
    budget.waiting > 0 ? `${plural(budget.waiting, 'task')} ${budget.waiting === 1 ? 'waits' : 'wait'}` : null,
  ];
  return parts.filter(Boolean).join(', ');
}

export interface BudgetForm {
  scope: BudgetScope;
  value: string;
  per: 'total' | 'day';
  zone: string;
  usd: string;
  tokens: string;
  minutes: string;
  toolCalls: string;
}

export type AmountField = 'usd' | 'tokens' | 'minutes' | 'toolCalls';

/** The field of each measure, and what it is called with its unit. */
const FIELDS: Record<Measure, readonly [AmountField, string]> = {
  usd: ['usd', 'Cost, $'], tokens: ['tokens', 'Tokens'], wall_ms: ['minutes', 'Running, min'], tool_calls: ['toolCalls', 'Tool calls'],
};
export const AMOUNTS = MEASURES.map((measure) => ({ measure, field: FIELDS[measure][0], label: FIELDS[measure][1] }));
const AMOUNT_FIELDS = AMOUNTS.map(({ field }) => field);

export function emptyBudgetForm(zone = 'UTC'): BudgetForm {
  return { scope: 'agent', value: '', per: 'day', zone, usd: '', tokens: '', minutes: '', toolCalls: '' };
}

/** A budget in the form's words, to be changed. */
export function formOf(budget: Budget): BudgetForm {
  const text = (figure: number | undefined, by = 1) => (figure == null ? '' : String(figure / by));
  const plain = (measure: Measure) => (budget.limits[measure] == null ? undefined : budget.limits[measure]! - (budget.raised[measure] ?? 0));
  return {
    scope: budget.scope, value: budget.scope === 'project' ? '' : budget.value, per: budget.per, zone: budget.zone,
    usd: text(plain('usd')), tokens: text(plain('tokens')), minutes: text(plain('wall_ms'), 60_000), toolCalls: text(plain('tool_calls')),
  };
}

export function readBudgetForm(form: BudgetForm): Read<BudgetForm> {
  const reader = new FormReader(form).set('scope', form.scope).set('per', form.per);
  if (form.scope !== 'project') reader.required('value', 'value', form.scope === 'task' ? "the task's id" : `the ${form.scope} it is for`);
  if (form.per === 'day') reader.optional('zone', 'zone');
  readAmounts(reader, form);
  if (!AMOUNT_FIELDS.some((field) => form[field].trim())) reader.errors.usd = 'give at least one limit';
  return reader.result();
}

/** What a budget could be raised by: half of what was set, as much as the ask of a waiting task proposes. */
export function raiseForm(budget: Budget): BudgetForm {
  const half = (measure: Measure) => ((budget.limits[measure] ?? 0) - (budget.raised[measure] ?? 0)) / 2;
  const whole = (measure: Measure) => (budget.limits[measure] == null ? '' : String(Math.max(1, Math.floor(half(measure)))));
  return {
    ...emptyBudgetForm(),
    usd: budget.limits.usd == null ? '' : half('usd') < 0.01 ? String(half('usd') || 0.01) : half('usd').toFixed(2),
    tokens: whole('tokens'),
    minutes: budget.limits.wall_ms == null ? '' : String(Math.max(half('wall_ms'), 1) / 60_000),
    toolCalls: whole('tool_calls'),
  };
}

/** The amounts to raise a budget by; fields that are empty or 0 raise nothing. */
export function readRaise(form: BudgetForm): Read<BudgetForm> {
  const reader = new FormReader(form);
  readAmounts(reader, form);
  for (const [measure, amount] of Object.entries(reader.value)) if (amount === 0) delete reader.value[measure];
  if (Object.keys({ ...reader.value, ...reader.errors }).length === 0) reader.errors[firstAmount(form)] = 'give an amount above 0';
  return reader.result();
}

const firstAmount = (form: BudgetForm): AmountField => AMOUNT_FIELDS.find((field) => form[field].trim()) ?? 'usd';

function readAmounts(reader: FormReader<BudgetForm>, form: BudgetForm): void {
  money(reader, form);
  reader.number('tokens', 'tokens', {}).number('minutes', 'wall_ms', { factor: 60_000 }).number('toolCalls', 'tool_calls', {});
}

function money(reader: FormReader<BudgetForm>, form: BudgetForm): void {
  if (!form.usd.trim()) return;
  const usd = Number(form.usd.trim().replace(/^\$/, ''));
  if (!Number.isFinite(usd) || usd < 0) reader.errors.usd = 'give an amount of at least 0';
  else reader.set('usd', usd);
}

/** What stopping takes, in words. */
export const graceText = (budget: Budget): string => exactDuration(budget.grace_ms);
