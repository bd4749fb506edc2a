/** The run list's filters, as its address carries them. */

export const STATUS_FILTERS = ['running', 'completed', 'failed', 'skipped', 'cancelled', 'lost'] as const;

/** The run list's filters under the names of the API, so that a page's address reads like its request. */
export interface RunFilters {
  status: string[];
  name: string;
  agent: string;
  session: string;
  user: string;
  tag: string;
  from: string;
  to: string;
  min_duration_ms: string;
  min_cost_usd: string;
  text: string;
  sort: string;
}

export const DEFAULT_SORT = '-start_time';
const TEXT_FIELDS = [
  'name',
  'agent',
  'session',
  'user',
  'tag',
  'from',
  'to',
  'min_duration_ms',
  'min_cost_usd',
  'text',
] as const;

export function noFilters(): RunFilters {
  const empty = Object.fromEntries(TEXT_FIELDS.map((field) => [field, ''])) as Record<(typeof TEXT_FIELDS)[number], string>;
  return { status: [], ...empty, sort: DEFAULT_SORT };
}

export function parseRunFilters(search: string): RunFilters {
  const params = new URLSearchParams(search);
  const filters = noFilters();
  filters.status = STATUS_FILTERS.filter((status) => params.getAll('status').includes(status));
  for (const field of TEXT_FIELDS) filters[field] = params.get(field) ?? '';
  filters.sort = params.get('sort') || DEFAULT_SORT;
  return filters;
}

/** "" or "?status=failed&agent=x": what differs from the defaults, in a fixed order. */
export function formatRunFilters(filters: RunFilters): string {
  const params = new URLSearchParams();
  for (const status of STATUS_FILTERS) if (filters.status.includes(status)) params.append('status', status);
  for (const field of TEXT_FIELDS) if (filters[field]) params.set(field, filters[field]);
  if (filters.sort !== DEFAULT_SORT) params.set('sort', filters.sort);
  const text = params.toString();
  return text && `?${text}`;
}

export function hasFilters(filters: RunFilters): boolean {
  return formatRunFilters({ ...filters, sort: DEFAULT_SORT }) !== '';
}
