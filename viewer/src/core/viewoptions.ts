/** What the address carries of the log and the table: what they leave out, and how they are ordered. */

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

export const TABLE_COLUMNS = [
  'name', 'kind', 'status', 'start', 'duration', 'self', 'agent', 'model', 'tool', 'input', 'output', 'cached', 'cost', 'error', 'attempt', 'service',
] as const;
export type TableColumn = (typeof TABLE_COLUMNS)[number];

export const DEFAULT_COLUMNS: readonly TableColumn[] = ['name', 'kind', 'status', 'start', 'duration', 'self', 'model', 'input', 'output', 'cost'];

export interface Sort {
  readonly column: TableColumn;
  readonly descending: boolean;
}

export const BY_START: Sort = { column: 'start', descending: false };

export interface ViewOptions {
  /** Lines below this level are left out of the log. */
  readonly level: Level;
  /** Starts and ends of spans stand in the log, too. */
  readonly spanLines: boolean;
  readonly sort: Sort;
  /** In the table's order; the name is always there. */
  readonly columns: readonly TableColumn[];
}

export function parseViewOptions(params: URLSearchParams): ViewOptions {
  return {
    level: LEVELS.find((level) => level === params.get('level')) ?? 'debug',
    spanLines: params.get('lines') === 'spans',
    sort: parseSort(params.get('sort') ?? ''),
    columns: parseColumns(params.get('cols')),
  };
}

export function writeViewOptions(params: URLSearchParams, { level, spanLines, sort, columns }: ViewOptions): void {
  if (level !== 'debug') params.set('level', level);
  if (spanLines) params.set('lines', 'spans');
  if (sort.column !== BY_START.column || sort.descending) params.set('sort', `${sort.descending ? '-' : ''}${sort.column}`);
  if (columns.join() !== DEFAULT_COLUMNS.join()) params.set('cols', columns.join());
}

function parseSort(text: string): Sort {
  const column = TABLE_COLUMNS.find((known) => known === text.replace(/^-/, ''));
  return column ? { column, descending: text.startsWith('-') } : BY_START;
}

function parseColumns(text: string | null): readonly TableColumn[] {
  if (text === null) return DEFAULT_COLUMNS;
  const wanted = text.split(',');
  return TABLE_COLUMNS.filter((column) => column === 'name' || wanted.includes(column));
}
