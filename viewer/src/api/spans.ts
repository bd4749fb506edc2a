/** Loads the spans of a run: Arrow columns when the collector has them, JSON otherwise. */

import { tableFromIPC, type Column, type Table } from '@uwdata/flechette';
import { NO_TEXT, type FigureField, type SpanColumns, type TextField, type TextPiece } from '../core/spancolumns';
import { ARROW, SPANS_ACCEPT, spansAddress } from './addresses';
import { getJson, notePosition, request, type Positions } from './client';
import type { FirstArguments, FoundSpans, RunSpans } from './types';

export async function fetchSpans(runId: string, signal?: AbortSignal, positions?: Positions): Promise<RunSpans> {
  const address = spansAddress(runId, positions !== undefined);
  const response = await request(address, { signal, headers: { accept: SPANS_ACCEPT } });
  notePosition(response, positions);
  if (!response.headers.get('content-type')?.startsWith(ARROW)) return response.json() as Promise<RunSpans>;
  return decodeSpans(new Uint8Array(await response.arrayBuffer()));
}

/** As many as the collector gives at once. */
const MOST_FOUND = 100_000;

/** The ids of a run's spans that a search finds. */
export function searchRun(runId: string, query: string, signal?: AbortSignal): Promise<FoundSpans> {
  const params = new URLSearchParams({ q: query, limit: String(MOST_FOUND) });
  return getJson(`api/runs/${encodeURIComponent(runId)}/search?${params}`, signal);
}

/** By span id, the first arguments of some of a run's spans. */
export async function fetchArguments(runId: string, spanIds: readonly string[], signal?: AbortSignal): Promise<Record<string, string>> {
  const params = new URLSearchParams(spanIds.map((id) => ['span_id', id]));
  return (await getJson<FirstArguments>(`api/runs/${encodeURIComponent(runId)}/arguments?${params}`, signal)).arguments;
}

/** Turns an Arrow stream into columns; its schema's metadata names the run and the origin of its times. */
export function decodeSpans(bytes: Uint8Array): RunSpans {
  const table = tableFromIPC(bytes);
  const metadata = table.schema.metadata;
  const [runId, origin] = [metadata?.get('run_id'), metadata?.get('origin')];
  if (runId === undefined || origin === undefined) throw new TypeError('the Arrow stream names no run_id or origin');
  return { run_id: runId, origin, spans: new ArrowSpans(table) };
}

class ArrowSpans implements SpanColumns {
  readonly count: number;

  constructor(private readonly table: Table) {
    this.count = table.numRows;
  }

  texts(field: TextField): TextPiece[] {
    return this.table.names.includes(field) ? this.table.getChild(field).data.map(textPiece) : [];
  }

  figures(field: FigureField): Float64Array | null {
    return this.table.names.includes(field) ? figuresOf(this.table.getChild(field), this.count) : null;
  }
}

type Batch = Column<unknown>['data'][number];

const decoder = new TextDecoder();
const dictionaries = new WeakMap<object, readonly string[]>();

/** A batch with a dictionary is numbers already; of any other each text has a number of its own. */
function textPiece(batch: Batch): TextPiece {
  const { dictionary } = batch as { dictionary?: Column<string> };
  if (!dictionary) return { codes: withoutNulls(Int32Array.from({ length: batch.length }, (_, i) => i), batch), texts: textsOf(batch) };
  let texts = dictionaries.get(dictionary);
  if (!texts) dictionaries.set(dictionary, (texts = dictionary.data.flatMap(textsOf)));
  return { codes: withoutNulls(batch.values as TextPiece['codes'], batch), texts };
}

function withoutNulls(codes: TextPiece['codes'], batch: Batch): TextPiece['codes'] {
  if (batch.nullCount === 0) return codes;
  const known = codes.slice();
  for (let i = 0; i < batch.length; i++) if (isNull(batch, i)) known[i] = NO_TEXT;
  return known;
}

function isNull({ nullCount, validity }: Batch, i: number): boolean {
  return nullCount > 0 && !(validity[i >> 3] & (1 << (i & 7)));
}

/**
 * The texts of a batch, '' where there is none. It is decoded at once and cut into pieces, a fifth of the time that
 * decoding text by text takes; that works while every character is one byte, and the library does the others.
 */
function textsOf(batch: Batch): string[] {
  const { offsets, values, length } = batch;
  const whole = offsets?.length > 0 && values instanceof Uint8Array ? decodeOneByte(batch) : null;
  if (whole === null) return Array.from({ length }, (_, i) => (batch.at(i) as string | null) ?? '');
  const first = Number(offsets[0]);
  return Array.from({ length }, (_, i) => whole.slice(Number(offsets[i]) - first, Number(offsets[i + 1]) - first));
}

function decodeOneByte({ offsets, values, length }: Batch): string | null {
  const bytes = (values as Uint8Array).subarray(Number(offsets[0]), Number(offsets[length]));
  const text = decoder.decode(bytes);
  return text.length === bytes.length ? text : null;
}

/** The numbers of a column, NaN where there is none. */
function figuresOf(column: Column<unknown>, count: number): Float64Array {
  const figures = new Float64Array(count);
  let begin = 0;
  for (const batch of column.data) {
    const part = figures.subarray(begin, (begin += batch.length));
    if (batch.values instanceof BigInt64Array) readIntegers(batch.values, part);
    else if (batch.values instanceof Float64Array) part.set(batch.values.subarray(0, batch.length));
    else for (let i = 0; i < part.length; i++) part[i] = (batch.at(i) as number | null) ?? NaN;
    if (batch.validity) for (let i = 0; i < part.length; i++) if (isNull(batch, i)) part[i] = NaN;
  }
  return figures;
}

/** 64-bit integers as doubles, from their halves: a tenth of the time that asking for each BigInt takes. */
function readIntegers({ buffer, byteOffset }: BigInt64Array, into: Float64Array): void {
  const halves = new Int32Array(buffer, byteOffset, into.length * 2);
  for (let i = 0; i < into.length; i++) into[i] = halves[2 * i + 1] * 2 ** 32 + (halves[2 * i] >>> 0);
}
