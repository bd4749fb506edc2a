/** What a link carries: the list's filters and the run page's selection, window of time and search. */

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

export interface RunViewState {
  span: string | null;
  /** Window of time in milliseconds after the run's start; null shows the whole run. */
  window: { fromMs: number; toMs: number } | null;
  query: string;
  tab: string | null;
  /** Times as they were recorded, also where clocks of services disagree. */
  rawClocks: boolean;
}

export function parseRunView(search: string): RunViewState {
  const params = new URLSearchParams(search);
  return {
    span: params.get('span') || null,
    window: parseWindow(params.get('t')),
    query: params.get('q') ?? '',
    tab: params.get('tab') || null,
    rawClocks: params.get('clocks') === 'raw',
  };
}

export function formatRunView(state: RunViewState): string {
  const params = new URLSearchParams();
  if (state.span) params.set('span', state.span);
  if (state.window) params.set('t', `${shortMs(state.window.fromMs)}-${shortMs(state.window.toMs)}`);
  if (state.query) params.set('q', state.query);
  if (state.tab) params.set('tab', state.tab);
  if (state.rawClocks) params.set('clocks', 'raw');
  const text = params.toString();
  return text && `?${text}`;
}

function parseWindow(text: string | null): RunViewState['window'] {
  const match = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text ?? '');
  if (!match) return null;
  const [fromMs, toMs] = [Number(match[1]), Number(match[2])];
  return toMs > fromMs ? { fromMs, toMs } : null;
}

// Nanoseconds are the finest the viewport knows: six decimals of a millisecond say all of it.
function shortMs(ms: number): string {
  return String(Number(Math.max(0, ms).toFixed(6)));
}
