/** Loads the spans of a run: Arrow columns when the collector has them, JSON otherwise. */

import { tableFromIPC, type Column, type Table } from '@uwdata/flechette';
import type { SpanSkeleton } from '../core/spans';
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

/** Turns an Arrow stream into rows; its schema's metadata names the run and the origin of its times. */
export function decodeSpans(bytes: Uint8Array): RunSpans {
  const table = tableFromIPC(bytes);
  const metadata = table.schema.metadata;
  const [runId, origin] = [metadata?.get('run_id'), metadata?.get('origin')];
  if (runId === undefined || origin === undefined) throw new TypeError('the Arrow stream names no run_id or origin');
  return { run_id: runId, origin, spans: rowsOf(table) };
}

/** Yields one object over and over, with each row's values: 100,000 short-lived objects would be waste. */
function* rowsOf(table: Table): Generator<SpanSkeleton> {
  // A column in which no span has a value is not sent.
  const texts = (name: string) => (table.names.includes(name) ? textColumn(table.getChild(name)) : []);
  const figures = (name: string) => (table.names.includes(name) ? table.getChild(name).toArray() : []) as ArrayLike<number | null>;
  const [ids, parents, names, kinds, statuses] = ['span_id', 'parent_span_id', 'name', 'kind', 'status'].map(texts);
  const [agents, models, tools, errors, services, tasks] = ['agent', 'model', 'tool', 'error_type', 'service', 'task_id'].map(texts);
  const [starts, ends, firsts, attempts] = ['start_ns', 'end_ns', 'time_to_first_token_ms', 'attempt'].map(figures);
  const [inputs, outputs, reads, writes] = ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens'].map(figures);
  const costs = figures('cost_usd');
  const row = {} as SpanSkeleton;
  for (let i = 0; i < table.numRows; i++) {
    row.span_id = ids[i] as string;
    row.parent_span_id = parents[i];
    row.name = names[i] as string;
    row.kind = kinds[i] as string;
    row.status = statuses[i] as string;
    row.start_ns = starts[i] as number;
    row.end_ns = ends[i];
    row.agent = agents[i];
    row.model = models[i];
    row.tool = tools[i];
    row.error_type = errors[i];
    row.service = services[i];
    row.task_id = tasks[i];
    row.attempt = attempts[i];
    row.time_to_first_token_ms = firsts[i];
    row.input_tokens = inputs[i];
    row.output_tokens = outputs[i];
    row.cache_read_tokens = reads[i];
    row.cache_write_tokens = writes[i];
    row.cost_usd = costs[i];
    yield row;
  }
}

type Texts = ArrayLike<string | null>;
type TextBatch = Column<string>['data'][number];

const decoder = new TextDecoder();

/**
 * The texts of a column. Each batch is decoded at once and cut into pieces, a fifth of the time that decoding text by
 * text takes; that works while every character is one byte, and the library does the batches where it is not.
 */
export function textColumn(column: Column<string>): Texts {
  const texts: (string | null)[] = new Array(column.length);
  let row = 0;
  for (const batch of column.data) {
    const { offsets, values } = batch;
    const whole = offsets?.length > 0 && values instanceof Uint8Array ? decodeOneByte(batch) : null;
    if (whole === null) {
      for (let i = 0; i < batch.length; i++) texts[row++] = batch.at(i);
      continue;
    }
    const first = Number(offsets[0]);
    for (let i = 0; i < batch.length; i++) {
      const empty = batch.nullCount > 0 && !(batch.validity[i >> 3] & (1 << (i & 7)));
      texts[row++] = empty ? null : whole.slice(Number(offsets[i]) - first, Number(offsets[i + 1]) - first);
    }
  }
  return texts;
}

function decodeOneByte({ offsets, values, length }: TextBatch): string | null {
  const bytes = (values as Uint8Array).subarray(Number(offsets[0]), Number(offsets[length]));
  const text = decoder.decode(bytes);
  return text.length === bytes.length ? text : null;
}
