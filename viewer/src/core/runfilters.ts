/** The run list's filters, as its address carries them. */

export const STATUS_FILTERS = ['running', 'completed', 'failed', 'skipped', 'cancelled', 'lost'] as const;

/** The run list's filters under the names of the API, so that a page's address reads like its request. */
export interface RunFilters {
  /** A search in the collector's language. */
  q: string;
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
export const DEFAULT_SESSION_SORT = '-last_time';
const TEXT_FIELDS = ['q', 'name', 'agent', 'session', 'user', 'tag', 'from', 'to', 'min_duration_ms', 'min_cost_usd', 'text'] as const;

/** Filters beside the search that links may carry; the page shows them as removable facts. */
export const CHIP_FIELDS = ['name', 'agent', 'session', 'user', 'tag', 'text', 'min_duration_ms', 'min_cost_usd'] as const;

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

/** "" or "?q=dur>2s&status=failed": what differs from the defaults, in a fixed order. */
export function formatRunFilters(filters: RunFilters): string {
  const params = runFilterParams(filters);
  if (filters.sort !== DEFAULT_SORT) params.set('sort', filters.sort);
  const text = params.toString();
  return text && `?${text}`;
}

/** The filters without the order: what every request about the same runs carries. */
export function runFilterParams(filters: RunFilters): URLSearchParams {
  const params = new URLSearchParams();
  if (filters.q) params.set('q', filters.q);
  for (const status of STATUS_FILTERS) if (filters.status.includes(status)) params.append('status', status);
  for (const field of TEXT_FIELDS) if (field !== 'q' && filters[field]) params.set(field, filters[field]);
  return params;
}

export function hasFilters(filters: RunFilters): boolean {
  return runFilterParams(filters).size > 0;
}

/** Whether anything but the time is asked for. Then runs that are parts of others are rows of their own. */
export function isNarrowed(filters: RunFilters): boolean {
  return hasFilters({ ...filters, from: '', to: '' });
}

/** A filter that may be the reason why nothing is found, and the filters without it. */
export interface Relaxation {
  readonly title: string;
  readonly filters: RunFilters;
}

/** What may be taken away, one at a time, when nothing is found. */
export function relaxations(filters: RunFilters): Relaxation[] {
  const found: Relaxation[] = [];
  if (filters.q) found.push({ title: `the search ${filters.q}`, filters: { ...filters, q: '' } });
  if (filters.status.length > 0) found.push({ title: `the status ${filters.status.join(' or ')}`, filters: { ...filters, status: [] } });
  if (filters.from || filters.to) found.push({ title: 'the time range', filters: { ...filters, from: '', to: '' } });
  for (const field of CHIP_FIELDS) {
    if (filters[field]) found.push({ title: `${chipTitle(field)} ${filters[field]}`, filters: { ...filters, [field]: '' } });
  }
  return found;
}

export function chipTitle(field: (typeof CHIP_FIELDS)[number]): string {
  if (field === 'min_duration_ms') return 'duration of at least, ms:';
  return field === 'min_cost_usd' ? 'cost of at least, $:' : field;
}
