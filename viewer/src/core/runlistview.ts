/** What an address says about the run list beside its filters: columns, grouping and the run that is peeked at. */

import { DEFAULT_COLUMNS, readColumns, writeColumns } from './runcolumns';
import { formatRunFilters, parseRunFilters, type RunFilters } from './runfilters';

export interface RunListView {
  readonly filters: RunFilters;
  readonly columns: readonly string[];
  readonly group: 'session' | null;
  /** The run whose summary is open beside the list. */
  readonly peek: string | null;
}

export function parseRunListView(search: string): RunListView {
  const params = new URLSearchParams(search);
  return {
    filters: parseRunFilters(search),
    columns: readColumns(params.get('cols') ?? '').map((column) => column.id),
    group: params.get('group') === 'session' ? 'session' : null,
    peek: params.get('peek') || null,
  };
}

export function formatRunListView(view: RunListView): string {
  const params = new URLSearchParams(formatRunFilters(view.filters));
  const columns = writeColumns(view.columns);
  if (view.group) params.set('group', view.group);
  if (columns) params.set('cols', columns);
  if (view.peek) params.set('peek', view.peek);
  // Commas may stand as they are in a query, and read better.
  const text = params.toString().replaceAll('%2C', ',');
  return text && `?${text}`;
}

export function plainView(filters: RunFilters): RunListView {
  return { filters, columns: DEFAULT_COLUMNS, group: null, peek: null };
}
