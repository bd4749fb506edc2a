/** What an address says about the run list beside its filters: columns, grouping, the order of groups and the run that is peeked at. */

import { DEFAULT_COLUMNS, readColumns, writeColumns } from './runcolumns';
import { DEFAULT_SESSION_SORT, formatRunFilters, parseRunFilters, type RunFilters } from './runfilters';

export const SESSION_SORTS = ['session_id', 'run_count', 'last_time', 'error_count', 'total_tokens', 'cost_usd'] as const;

export interface RunListView {
  readonly filters: RunFilters;
  readonly columns: readonly string[];
  readonly group: 'session' | null;
  /** What sessions are sorted by, descending after a minus. */
  readonly sessionSort: string;
  /** The run whose summary is open beside the list. */
  readonly peek: string | null;
}

export function parseRunListView(search: string): RunListView {
  const params = new URLSearchParams(search);
  const sort = params.get('session_sort') ?? '';
  return {
    filters: parseRunFilters(search),
    columns: readColumns(params.get('cols') ?? '').map((column) => column.id),
    group: params.get('group') === 'session' ? 'session' : null,
    sessionSort: SESSION_SORTS.some((one) => one === sort.replace(/^-/, '')) ? sort : DEFAULT_SESSION_SORT,
    peek: params.get('peek') || null,
  };
}

export function formatRunListView(view: RunListView): string {
  const params = new URLSearchParams(formatRunFilters(view.filters));
  const columns = writeColumns(view.columns);
  if (view.group) params.set('group', view.group);
  if (view.sessionSort !== DEFAULT_SESSION_SORT) params.set('session_sort', view.sessionSort);
  if (columns) params.set('cols', columns);
  if (view.peek) params.set('peek', view.peek);
  // Commas may stand as they are in a query, and read better.
  const text = params.toString().replaceAll('%2C', ',');
  return text && `?${text}`;
}

export function plainView(filters: RunFilters): RunListView {
  return { filters, columns: DEFAULT_COLUMNS, group: null, sessionSort: DEFAULT_SESSION_SORT, peek: null };
}
