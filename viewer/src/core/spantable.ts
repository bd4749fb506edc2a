/** Spans as a table: what stands in its columns, in which order, what the figures of some add up to, and all of it as CSV. */

import { formatCost, formatCount } from './format';
import { STATUSES } from './kinds';
import type { SpanStore } from './spans';
import { formatDuration, formatIsoNs } from './time';
import type { Tree } from './tree';
import type { Sort, TableColumn } from './viewoptions';

export interface SpanTable {
  readonly store: SpanStore;
  readonly tree: Tree;
  /** Nanoseconds each span was at work itself. */
  readonly self: Float64Array;
  /** When spans that run end. */
  readonly now: number;
}

type Value = number | string | null;

interface Column {
  readonly title: string;
  readonly numeric?: boolean;
  /** What rows are ordered by, and what CSV carries; null when there is nothing. */
  readonly value: (table: SpanTable, row: number) => Value;
  readonly text?: (value: number, table: SpanTable) => string;
  /** The name of the column in CSV, with its unit. */
  readonly csv: string;
  /** For CSV, when that is not `value`. */
  readonly exact?: (table: SpanTable, row: number) => Value;
}

const known = (value: number): Value => (Number.isNaN(value) ? null : value);
const interned = (column: 'kind' | 'agent' | 'model' | 'tool' | 'error' | 'service') => (table: SpanTable, row: number) =>
  table.store.strings.texts[table.store[column][row]] || null;

export function durationOf({ tree, now }: SpanTable, row: number): number {
  return (Number.isNaN(tree.end[row]) ? Math.max(now, tree.start[row]) : tree.end[row]) - tree.start[row];
}

const ns = (value: number) => formatDuration(value / 1e6);
const inMs = (value: (table: SpanTable, row: number) => number) => (table: SpanTable, row: number) => value(table, row) / 1e6;

export const COLUMNS: Readonly<Record<TableColumn, Column>> = {
  name: { title: 'Name', csv: 'name', value: ({ store }, row) => store.nameOf(row) },
  kind: { title: 'Kind', csv: 'kind', value: interned('kind') },
  status: { title: 'Status', csv: 'status', value: ({ store }, row) => STATUSES[store.status[row]] },
  start: {
    title: 'Start', csv: 'start_time', numeric: true, value: ({ tree }, row) => tree.start[row],
    text: (value, { tree }) => ns(value - tree.firstStart),
    exact: ({ store }, row) => formatIsoNs((store.origin ?? 0n) + BigInt(Math.round(store.start[row]))),
  },
  duration: { title: 'Duration', csv: 'duration_ms', numeric: true, value: durationOf, text: ns, exact: inMs(durationOf) },
  self: { title: 'Self', csv: 'self_ms', numeric: true, value: ({ self }, row) => self[row], text: ns, exact: inMs(({ self }, row) => self[row]) },
  agent: { title: 'Agent', csv: 'agent', value: interned('agent') },
  model: { title: 'Model', csv: 'model', value: interned('model') },
  tool: { title: 'Tool', csv: 'tool', value: interned('tool') },
  input: { title: 'Tokens in', csv: 'input_tokens', numeric: true, value: ({ store }, row) => known(store.inputTokens[row]), text: formatCount },
  output: { title: 'Tokens out', csv: 'output_tokens', numeric: true, value: ({ store }, row) => known(store.outputTokens[row]), text: formatCount },
  cached: { title: 'Cached', csv: 'cache_read_tokens', numeric: true, value: ({ store }, row) => known(store.cacheRead[row]), text: formatCount },
  cost: { title: 'Cost', csv: 'cost_usd', numeric: true, value: ({ store }, row) => known(store.cost[row]), text: formatCost },
  error: { title: 'Error', csv: 'error_type', value: interned('error') },
  attempt: { title: 'Attempt', csv: 'attempt', numeric: true, value: ({ store }, row) => known(store.attempt[row]), text: formatCount },
  service: { title: 'Service', csv: 'service', value: interned('service') },
};

export function cellText(table: SpanTable, column: TableColumn, row: number): string {
  const { value, text } = COLUMNS[column];
  const here = value(table, row);
  if (here === null) return '';
  return typeof here === 'number' && text ? text(here, table) : String(here);
}

/** Rows in the order asked for; what is not known comes last in both directions, and equals keep the order they came in. */
export function sortRows(table: SpanTable, rows: Int32Array, { column, descending }: Sort): Int32Array {
  const values: Value[] = new Array(table.store.count);
  for (const row of rows) values[row] = COLUMNS[column].value(table, row);
  const sign = descending ? -1 : 1;
  const before = (a: number, b: number) => {
    const [left, right] = [values[a], values[b]];
    if (left === right) return a - b;
    if (left === null || right === null) return left === null ? 1 : -1;
    return left < right ? -sign : sign;
  };
  // Spans are loaded in the order they are mostly looked at.
  return rows.every((row, i) => i === 0 || before(rows[i - 1], row) < 0) ? rows : rows.slice().sort(before);
}

/** Spans at work at any time of a window, and found by the search if there is one. */
export function tableRows({ tree, now }: SpanTable, view: { start: number; end: number } | null, matches: Uint8Array | null): Int32Array {
  const rows = new Int32Array(tree.spanCount);
  let count = 0;
  for (let row = 0; row < tree.spanCount; row++) {
    if (matches !== null && matches[row] !== 1) continue;
    const end = Number.isNaN(tree.end[row]) ? Math.max(now, tree.start[row]) : tree.end[row];
    if (view === null || (tree.start[row] <= view.end && end >= view.start)) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

export interface Sums {
  count: number;
  durationNs: number;
  selfNs: number;
  inputTokens: number;
  outputTokens: number;
  cost: number;
  errors: number;
}

/** What figures of spans add up to; unknown ones add nothing. */
export function sumRows(table: SpanTable, rows: Iterable<number>, isError: (row: number) => boolean): Sums {
  const sums = { count: 0, durationNs: 0, selfNs: 0, inputTokens: 0, outputTokens: 0, cost: 0, errors: 0 };
  const { store, self } = table;
  for (const row of rows) {
    sums.count++;
    sums.durationNs += durationOf(table, row);
    sums.selfNs += self[row];
    sums.inputTokens += store.inputTokens[row] || 0;
    sums.outputTokens += store.outputTokens[row] || 0;
    sums.cost += store.cost[row] || 0;
    if (isError(row)) sums.errors++;
  }
  return sums;
}

/** RFC 4180, with the span's id first and exact figures. */
export function tableCsv(table: SpanTable, rows: Iterable<number>, columns: readonly TableColumn[]): string {
  const lines = [['span_id', 'parent_span_id', ...columns.map((column) => COLUMNS[column].csv)].join(',')];
  for (const row of rows) {
    const values = columns.map((column) => (COLUMNS[column].exact ?? COLUMNS[column].value)(table, row));
    lines.push([table.store.ids[row], table.store.parents[row], ...values].map(csvField).join(','));
  }
  return `${lines.join('\r\n')}\r\n`;
}

/** A text that a spreadsheet would take for a formula is kept one. */
function csvField(value: Value): string {
  if (value === null) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
