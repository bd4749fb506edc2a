/** Which asks the inbox shows: its address, and the request behind it. */

import { ASK_KINDS, ASK_STATUSES, type AskKind, type AskStatus } from './asks';

export interface AskFilters {
  status: AskStatus[];
  kind: AskKind[];
  agent: string[];
  approver: string[];
  text: string;
  taskId: string;
  runId: string;
}

/** Nothing chosen means what waits for somebody. */
export const defaultStatus: readonly AskStatus[] = ['open'];

export function noAskFilters(): AskFilters {
  return { status: [], kind: [], agent: [], approver: [], text: '', taskId: '', runId: '' };
}

export function parseAskFilters(search: string): AskFilters {
  const params = new URLSearchParams(search);
  const names = (field: string) => [...new Set(params.getAll(field).filter(Boolean))];
  return {
    status: ASK_STATUSES.filter((status) => params.getAll('status').includes(status)),
    kind: ASK_KINDS.filter((kind) => params.getAll('kind').includes(kind)),
    agent: names('agent'),
    approver: names('approver'),
    text: params.get('text') ?? '',
    taskId: params.get('task_id') ?? '',
    runId: params.get('run_id') ?? '',
  };
}

/** "" or "?status=approved&text=x": what narrows, in a fixed order. */
export function formatAskFilters(filters: AskFilters): string {
  const text = askParams(filters).toString();
  return text && `?${text}`;
}

/** The filters under the names of the API. */
export function askParams(filters: AskFilters): URLSearchParams {
  const params = new URLSearchParams();
  for (const field of ['status', 'kind', 'agent', 'approver'] as const) for (const value of filters[field]) params.append(field, value);
  if (filters.text) params.set('text', filters.text);
  if (filters.taskId) params.set('task_id', filters.taskId);
  if (filters.runId) params.set('run_id', filters.runId);
  return params;
}

/** What the list asks for: what is open, when no status is chosen. */
export function askQuery(filters: AskFilters): URLSearchParams {
  return askParams(filters.status.length > 0 ? filters : { ...filters, status: [...defaultStatus] });
}

export const hasAskFilters = (filters: AskFilters): boolean => askParams(filters).size > 0;
