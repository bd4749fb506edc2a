/** Which tasks a page shows: filters as a link, as a request and as a bulk action names them. */

import { PRIORITIES, TASK_STATUSES } from './task';

const LIST_FIELDS = ['agent', 'name', 'tag', 'app', 'team', 'batch'] as const;
const TEXT_FIELDS = ['text', 'from', 'to', 'schedule_id', 'origin_run_id'] as const;
type ListField = (typeof LIST_FIELDS)[number];
type TextField = (typeof TEXT_FIELDS)[number];

export type TaskFilters = { status: string[]; priority: string[] } & Record<ListField, string[]> & Record<TextField, string>;

export const GROUPINGS = ['agent', 'name', 'priority', 'tag', 'app', 'team'] as const;
export type Grouping = (typeof GROUPINGS)[number];
export const DEFAULT_TASK_SORT = '-created_at';

/** What the address of the tasks' page says. group: by what numbers are counted beside the list. */
export interface TaskView {
  filters: TaskFilters;
  layout: 'table' | 'board';
  sort: string;
  group: Grouping | null;
}

export function noTaskFilters(): TaskFilters {
  return {
    status: [], priority: [], agent: [], name: [], tag: [], app: [], team: [], batch: [],
    text: '', from: '', to: '', schedule_id: '', origin_run_id: '',
  };
}

export function parseTaskView(search: string): TaskView {
  const params = new URLSearchParams(search);
  const filters = noTaskFilters();
  filters.status = TASK_STATUSES.filter((status) => params.getAll('status').includes(status));
  filters.priority = PRIORITIES.filter((priority) => params.getAll('priority').includes(priority));
  for (const field of LIST_FIELDS) filters[field] = [...new Set(params.getAll(field).filter(Boolean))];
  for (const field of TEXT_FIELDS) filters[field] = params.get(field) ?? '';
  return {
    filters,
    layout: params.get('view') === 'board' ? 'board' : 'table',
    sort: params.get('sort') || DEFAULT_TASK_SORT,
    group: GROUPINGS.find((group) => group === params.get('group')) ?? null,
  };
}

/** "" or "?status=failed&agent=x&view=board": what differs from the defaults, in a fixed order. */
export function formatTaskView(view: TaskView): string {
  const params = taskQuery(view.filters);
  if (view.layout === 'board') params.set('view', 'board');
  if (view.sort !== DEFAULT_TASK_SORT) params.set('sort', view.sort);
  if (view.group) params.set('group', view.group);
  const text = params.toString();
  return text && `?${text}`;
}

/** The filters under the names of the API. */
export function taskQuery(filters: TaskFilters): URLSearchParams {
  const params = new URLSearchParams();
  for (const status of TASK_STATUSES) if (filters.status.includes(status)) params.append('status', status);
  for (const priority of PRIORITIES) if (filters.priority.includes(priority)) params.append('priority', priority);
  for (const field of LIST_FIELDS) for (const value of filters[field]) params.append(field, value);
  for (const field of TEXT_FIELDS) if (filters[field]) params.set(field, filters[field]);
  return params;
}

export function hasTaskFilters(filters: TaskFilters): boolean {
  return taskQuery(filters).size > 0;
}

const RELATIVE = /^now(?:-(\d+)([smhdw]))?$/;
const UNIT_MS: Record<string, number> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3, w: 604_800e3 };

/** "now-24h" as the instant it means; what is not of that form stays as it is, for the collector to judge. */
export function resolveTime(text: string, nowMs: number): string {
  const match = RELATIVE.exec(text);
  if (!match) return text;
  return new Date(nowMs - (match[1] ? Number(match[1]) * UNIT_MS[match[2]] : 0)).toISOString();
}

/** The filters as the filter of a bulk action: absolute times, and nothing that does not narrow. */
export function bulkFilter(filters: TaskFilters, nowMs: number): Record<string, unknown> {
  const { from, to, ...same } = filters;
  const named = { ...same, created_from: from && resolveTime(from, nowMs), created_to: to && resolveTime(to, nowMs) };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value.length > 0));
}

/** The filters with one value of a list put in or taken out. */
export function toggled(filters: TaskFilters, field: 'status' | 'priority' | ListField, value: string): TaskFilters {
  const held = filters[field];
  return { ...filters, [field]: held.includes(value) ? held.filter((other) => other !== value) : [...held, value] };
}

/** An address of the tasks' page with these filters. */
export function tasksPath(some: Partial<TaskFilters> = {}): string {
  return `tasks${formatTaskView({ filters: { ...noTaskFilters(), ...some }, layout: 'table', sort: DEFAULT_TASK_SORT, group: null })}`;
}
