/** Loads the spans of a run: Arrow columns when the collector has them, JSON otherwise. */

import { tableFromIPC } from '@uwdata/flechette';
import type { SpanSkeleton } from '../core/spans';
import { request } from './client';
import type { RunSpans } from './types';

const ARROW = 'application/vnd.apache.arrow.stream';

export async function fetchSpans(runId: string, signal?: AbortSignal): Promise<RunSpans> {
  const response = await request(`api/runs/${encodeURIComponent(runId)}/spans`, {
    signal,
    headers: { accept: `${ARROW}, application/json;q=0.5` },
  });
  if (!response.headers.get('content-type')?.startsWith(ARROW)) return response.json() as Promise<RunSpans>;
  return decodeSpans(new Uint8Array(await response.arrayBuffer()));
}

type Columns = { [field in keyof Required<SpanSkeleton>]: ArrayLike<never> };

const FIELDS: readonly (keyof SpanSkeleton)[] = [
  'span_id', 'name', 'kind', 'status', 'start_ns', 'end_ns', 'parent_span_id',
  'agent', 'model', 'input_tokens', 'output_tokens', 'cost_usd', 'error_type',
];

export function decodeSpans(bytes: Uint8Array): RunSpans {
  const table = tableFromIPC(bytes);
  const metadata = table.schema.metadata;
  const [runId, origin] = [metadata?.get('run_id'), metadata?.get('origin')];
  if (runId === undefined || origin === undefined) throw new TypeError('the Arrow stream names no run_id or origin');
  const columns = {} as Columns;
  for (const field of FIELDS) columns[field] = table.getChild(field).toArray() as unknown as ArrayLike<never>;
  return { run_id: runId, origin, spans: rowsOf(columns, table.numRows) };
}

/** Yields one object over and over, with each row's values: 100,000 short-lived objects would be waste. */
function* rowsOf(columns: Columns, count: number): Generator<SpanSkeleton> {
  const row: SpanSkeleton = { span_id: '', name: '', kind: '', status: '', start_ns: 0 };
  for (let i = 0; i < count; i++) {
    for (const field of FIELDS) row[field] = columns[field][i];
    yield row;
  }
}
