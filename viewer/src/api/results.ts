/** Results of SQL: Arrow columns as a grid, without loss; and the same results as files. */

import { Type, tableFromIPC, type Column, type DataType } from '@uwdata/flechette';
import { cellKind, type GridColumn, type GridData } from '../core/grid';
import { formatIsoNs } from '../core/time';
import type { Answer } from './ahead';
import { request } from './client';

const ARROW = 'application/vnd.apache.arrow.stream';

/** Formats a result can be saved in, by the ending of the file. */
export const FORMATS = {
  csv: { title: 'CSV', type: 'text/csv' },
  parquet: { title: 'Parquet', type: 'application/vnd.apache.parquet' },
  arrow: { title: 'Arrow', type: ARROW },
  json: { title: 'JSON', type: 'application/json' },
} as const;
export type FormatName = keyof typeof FORMATS;

export interface SqlResult {
  readonly data: GridData;
  readonly truncated: boolean;
  readonly elapsedMs: number;
}

/** Runs one statement. Closing the connection, by the signal, stops it in the collector too. */
export async function runQuery(sql: string, limit: number, signal?: AbortSignal): Promise<SqlResult> {
  const response = await post(sql, limit, ARROW, signal);
  const data = readGrid(new Uint8Array(await response.arrayBuffer()));
  return { data, ...factsOf(response) };
}

/** The rows of a small result as plain values. */
export async function queryRows(sql: string, limit: number, signal?: AbortSignal): Promise<unknown[][]> {
  const { data } = await runQuery(sql, limit, signal);
  return Array.from({ length: data.rowCount }, (_, row) => data.columns.map((column) => column.at(row)));
}

/** The result as a file. */
export async function downloadQuery(sql: string, limit: number, format: FormatName, signal?: AbortSignal) {
  const response = await post(sql, limit, FORMATS[format].type, signal);
  return { blob: await response.blob(), ...factsOf(response) };
}

function post(sql: string, limit: number, accept: string, signal?: AbortSignal): Promise<Answer> {
  const headers = { 'content-type': 'application/json', accept };
  return request('api/sql', { method: 'POST', signal, headers, body: JSON.stringify({ sql, limit }) });
}

function factsOf(response: Answer): { truncated: boolean; elapsedMs: number } {
  return {
    truncated: response.headers.get('milepost-truncated') === 'true',
    elapsedMs: Number(response.headers.get('milepost-elapsed-ms')),
  };
}

/** An Arrow stream as a grid. */
export function readGrid(bytes: Uint8Array): GridData {
  const table = tableFromIPC(bytes, { useBigInt: true, useBigIntTimestamp: true, useDecimalInt: true });
  const columns = table.schema.fields.map((field, place): GridColumn => {
    const type = field.metadata?.get('duckdb_type') ?? '';
    const kind = cellKind(field.name, type);
    const column: Column<unknown> = table.getChildAt(place);
    const convert = converter(field.type);
    return {
      name: field.name,
      type,
      kind,
      at(row) {
        const value = column.at(row);
        return value === null || value === undefined ? null : convert(value);
      },
    };
  });
  return { rowCount: table.numRows, columns };
}

type Convert = (value: unknown) => unknown;
type Fields = DataType & { children: { name: string; type: DataType }[] };

const PER_UNIT = [1_000_000_000n, 1_000_000n, 1000n, 1n]; // nanoseconds, by Arrow's units of time
const FOREVER = 9_223_372_036_854_775_807n; // DuckDB's infinity

const asIs: Convert = (value) => value;

/** How a value of an Arrow type becomes one of the grid. */
function converter(type: DataType): Convert {
  switch (type.typeId) {
    case Type.Int:
      return (value) => (typeof value === 'bigint' ? smallest(value) : value);
    case Type.Decimal:
      return type.scale === 0 ? (value) => smallest(BigInt(value as bigint)) : (value) => scaled(value as bigint, type.scale);
    case Type.Timestamp:
      return (value) => instant(value as bigint, PER_UNIT[type.unit]);
    case Type.Date:
      return (value) => day(value as number);
    case Type.Time:
      return (value) => clock(BigInt(value as bigint) * PER_UNIT[type.unit]);
    case Type.Interval:
      return (value) => interval(value as number[]);
    case Type.Binary:
    case Type.LargeBinary:
    case Type.FixedSizeBinary:
      return (value) => Array.from(value as Uint8Array, (byte) => byte.toString(16).padStart(2, '0')).join('');
    case Type.Dictionary:
      return converter(type.dictionary);
    case Type.List:
    case Type.LargeList:
    case Type.FixedSizeList:
      return list(nested(type.children[0].type));
    case Type.Struct:
      return struct(type as Fields);
    case Type.Map:
      return map(type as unknown as Fields);
    default:
      return asIs;
  }
}

/** Inside of other values times are text: there is no column to tell that they are times. */
function nested(type: DataType): Convert {
  const convert = converter(type);
  return (value) => {
    if (value === null || value === undefined) return null;
    const plain = convert(value);
    return type.typeId === Type.Timestamp && typeof plain === 'bigint' ? formatIsoNs(plain) : plain;
  };
}

function list(convert: Convert): Convert {
  return (value) => Array.from(value as ArrayLike<unknown>, convert);
}

function struct(type: Fields): Convert {
  const fields = type.children.map(({ name, type: of }) => [name, nested(of)] as const);
  return (value) => Object.fromEntries(fields.map(([name, convert]) => [name, convert((value as Record<string, unknown>)[name])]));
}

function map(type: Fields): Convert {
  const [key, of] = (type.children[0].type as Fields).children.map((field) => nested(field.type));
  return (value) => Object.fromEntries(Array.from(value as Iterable<[unknown, unknown]>, ([k, v]) => [String(key(k)), of(v)]));
}

/** Integers are numbers while a number holds them. */
function smallest(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** "-0.05": a decimal as its digits, which a double would not keep. */
function scaled(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function instant(value: bigint, perUnit: bigint): unknown {
  if (value === FOREVER) return 'infinity';
  if (value === -FOREVER) return '-infinity';
  return value * perUnit;
}

function day(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? 'infinity' : date.toISOString().slice(0, -14);
}

function clock(ns: bigint): string {
  return formatIsoNs(ns).slice(11, -1).replace(/\.?0+$/, '');
}

function interval([months, days, ns]: number[]): string {
  const parts = [months && `${months} months`, days && `${days} days`, ns && `${ns / 1e9} s`];
  return parts.filter(Boolean).join(' ') || '0 s';
}
