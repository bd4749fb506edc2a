/** A result of SQL as a grid: what kind of values a column has, how they read, in which order rows stand, what is copied. */

import { formatCost } from './format';
import { formatJson } from './json';
import { formatDuration, formatIsoNs } from './time';

export type CellKind = 'text' | 'number' | 'decimal' | 'time' | 'date' | 'boolean' | 'nested' | 'duration' | 'cost';

/** A column and its values: null, text, number, bigint (large integers, and times as Unix nanoseconds) or nested ones. */
export interface GridColumn {
  readonly name: string;
  /** DuckDB's type. */
  readonly type: string;
  readonly kind: CellKind;
  at(row: number): unknown;
}

export interface GridData {
  readonly rowCount: number;
  readonly columns: readonly GridColumn[];
}

/** Cells from one corner to the other, both included; places in the order on screen. */
export interface CellRange {
  readonly fromRow: number;
  readonly fromColumn: number;
  readonly toRow: number;
  readonly toColumn: number;
}

const NUMBERS = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|REAL)$/;

/** What a column holds, by its type, and by its name where the name says the unit. */
export function cellKind(name: string, type: string): CellKind {
  const numeric = NUMBERS.test(type);
  if (numeric || type.startsWith('DECIMAL(')) {
    if (/(?:^|_)ms$/.test(name)) return 'duration';
    if (/(?:^|_)usd$/.test(name)) return 'cost';
    return numeric ? 'number' : 'decimal';
  }
  if (type.endsWith(']') || type === 'JSON' || /^(?:STRUCT|MAP|UNION)\(/.test(type)) return 'nested';
  if (type.startsWith('TIMESTAMP')) return 'time';
  if (type === 'DATE') return 'date';
  return type === 'BOOLEAN' ? 'boolean' : 'text';
}

export function isFigure(kind: CellKind): boolean {
  return kind === 'number' || kind === 'decimal' || kind === 'duration' || kind === 'cost';
}

/** A value letter for letter, as SQL has it: for copying, and for titles. */
export function exactText(column: Pick<GridColumn, 'kind'>, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'bigint') return column.kind === 'time' ? formatIsoNs(value) : String(value);
  return typeof value === 'object' ? formatJson(value) : String(value);
}

/** A value as it reads in a cell. */
export function cellText(column: Pick<GridColumn, 'kind'>, value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (column.kind === 'duration') return formatDuration(Number(value));
  if (column.kind === 'cost') return formatCost(Number(value));
  if (column.kind === 'time') return exactText(column, value).replace('T', ' ').replace(/\.?0*Z$/, '');
  if (column.kind === 'number' && typeof value === 'number') return shortNumber(value);
  if (typeof value === 'object') return formatJson(value).replace(/\s+/g, ' ');
  return exactText(column, value).replace(/[\n\r\t]+/g, ' ');
}

/** Doubles carry noise in their last digits. */
function shortNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(10)));
}

/** Numbers that can be drawn; null for what is none. */
export function figureOf(value: unknown): number | null {
  if (value === null || value === undefined || value === '' || typeof value === 'object') return null;
  const figure = Number(value);
  return Number.isFinite(figure) ? figure : null;
}

/** Rows in the order of a column's values; equal ones stay as they were, null comes last either way. */
export function sortedRows(data: GridData, column: number, descending: boolean): Uint32Array {
  const keys = sortKeys(data, column);
  const rows = Uint32Array.from({ length: data.rowCount }, (_, row) => row);
  const sign = descending ? -1 : 1;
  return rows.sort((a, b) => {
    const [x, y] = [keys[a], keys[b]];
    if (x === null || y === null) return x === y ? a - b : x === null ? 1 : -1;
    return x < y ? -sign : x > y ? sign : a - b;
  });
}

function sortKeys(data: GridData, column: number): (string | number | bigint | null)[] {
  const { at, kind } = { at: (row: number) => data.columns[column].at(row), kind: data.columns[column].kind };
  return Array.from({ length: data.rowCount }, (_, row) => {
    const value = at(row);
    if (value === null || value === undefined) return null;
    if (typeof value === 'number') return Number.isNaN(value) ? null : value;
    if (typeof value === 'bigint') return value;
    return isFigure(kind) ? Number(value) : exactText({ kind }, value);
  });
}

const CHARACTER_PX = 7.3;
const PADDING_PX = 26;
const SAMPLE_ROWS = 200;
export const MIN_WIDTH = 48;
const MAX_WIDTH = 420;

/** How wide a column is at first: what its name and first values need. */
export function fittingWidth(data: GridData, column: number): number {
  const { name } = data.columns[column];
  let longest = name.length + 2;
  for (let row = 0; row < Math.min(data.rowCount, SAMPLE_ROWS); row++) {
    longest = Math.max(longest, cellText(data.columns[column], data.columns[column].at(row)).length);
  }
  return Math.round(Math.min(Math.max(longest * CHARACTER_PX + PADDING_PX, 64), MAX_WIDTH));
}

/** Where columns of these widths begin, and, as the last item, where they end. */
export function leftsOf(widths: readonly number[]): number[] {
  const lefts = [0];
  for (const width of widths) lefts.push(lefts[lefts.length - 1] + width);
  return lefts;
}

/** Columns that are in view: the first one and how many. */
export function windowColumns(lefts: readonly number[], scrollLeft: number, width: number) {
  const count = lefts.length - 1;
  let first = 0;
  while (first < count - 1 && lefts[first + 1] <= scrollLeft) first++;
  let last = first;
  while (last < count - 1 && lefts[last + 1] < scrollLeft + width) last++;
  return { first, count: Math.min(count, last - first + 1) };
}

/** The range with its corners in reading order. */
export function normalised(range: CellRange): CellRange {
  return {
    fromRow: Math.min(range.fromRow, range.toRow),
    toRow: Math.max(range.fromRow, range.toRow),
    fromColumn: Math.min(range.fromColumn, range.toColumn),
    toColumn: Math.max(range.fromColumn, range.toColumn),
  };
}

export function contains(range: CellRange, row: number, column: number): boolean {
  const { fromRow, toRow, fromColumn, toColumn } = normalised(range);
  return row >= fromRow && row <= toRow && column >= fromColumn && column <= toColumn;
}

/** Cells as tab-separated text, with the names above when there are several; tabs and breaks within a value go in quotes. */
export function toTsv(columns: readonly GridColumn[], rows: ArrayLike<number>, range: CellRange): string {
  const { fromRow, toRow, fromColumn, toColumn } = normalised(range);
  const wanted = columns.slice(fromColumn, toColumn + 1);
  const lines: string[] = [];
  if (fromRow !== toRow || fromColumn !== toColumn) lines.push(wanted.map((column) => tsvCell(column.name)).join('\t'));
  for (let row = fromRow; row <= toRow; row++) {
    lines.push(wanted.map((column) => tsvCell(exactText(column, column.at(rows[row])))).join('\t'));
  }
  return lines.join('\n');
}

function tsvCell(text: string): string {
  return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Where a cell leads: a run, a span of the run in the same row, or a task. */
export function cellTarget(columns: readonly GridColumn[], column: number, row: number): string | null {
  const { name } = columns[column];
  const value = columns[column].at(row);
  if (typeof value !== 'string' || value === '') return null;
  if (/(?:^|_)run_id$/.test(name)) return `runs/${encodeURIComponent(value)}`;
  if (name === 'task_id') return `tasks/${encodeURIComponent(value)}`;
  if (name !== 'span_id' && name !== 'parent_span_id') return null;
  const run = columns.find((one) => one.name === 'run_id')?.at(row);
  return typeof run === 'string' ? `runs/${encodeURIComponent(run)}?span=${encodeURIComponent(value)}` : null;
}

/** What is inside a cell that holds JSON as text; the value itself otherwise. */
export function opened(value: unknown, parse: (text: string) => unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return parse(value);
  } catch {
    return value; // looks like JSON and is none
  }
}
