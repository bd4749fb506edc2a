import { dictionary, float64, tableFromArrays, tableToIPC, utf8 } from '@uwdata/flechette';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spansOf, type SpanColumns } from '../core/spancolumns';
import { SpanStore, type SpanSkeleton } from '../core/spans';
import { decodeSpans } from './spans';

const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((some) => some.isWellFormed());
const count = fc.option(fc.integer({ min: 0, max: 2 ** 40 }));
const spans = fc.array(
  fc.record({
    span_id: fc.stringMatching(/^[0-9a-f]{16}$/),
    parent_span_id: fc.option(fc.stringMatching(/^[0-9a-f]{16}$/)),
    name: text,
    kind: fc.constantFrom('task', 'llm'),
    status: fc.constantFrom('completed', 'running'),
    agent: fc.option(text),
    model: fc.option(text),
    error_type: fc.option(text),
    service: fc.option(text),
    tool: fc.option(text),
    task_id: fc.option(text),
    attempt: fc.option(fc.nat(9)),
    time_to_first_token_ms: fc.option(fc.double({ noNaN: true })),
    cache_read_tokens: count,
    cache_write_tokens: count,
    start_ns: fc.integer({ min: 0, max: 2 ** 50 }),
    end_ns: count,
    input_tokens: count,
    output_tokens: count,
    cost_usd: fc.option(fc.double({ noNaN: true })),
  }),
  { minLength: 1, maxLength: 30 },
);
const TEXTS = ['span_id', 'parent_span_id', 'name', 'kind', 'status', 'agent', 'model', 'error_type', 'service', 'tool', 'task_id'] as const;
const FIGURES = [
  ...(['start_ns', 'end_ns', 'input_tokens', 'output_tokens', 'cost_usd'] as const),
  ...(['attempt', 'time_to_first_token_ms', 'cache_read_tokens', 'cache_write_tokens'] as const),
];

function arrow(rows: SpanSkeleton[], dictionaries = false): Uint8Array {
  const columns = Object.fromEntries([...TEXTS, ...FIGURES].map((field) => [field, rows.map((row) => row[field] ?? null)]));
  // The collector's types; left to be inferred, a column of whole numbers would be one of integers, which know no -0.
  const figures = { cost_usd: float64(), time_to_first_token_ms: float64() };
  const types = { ...Object.fromEntries(TEXTS.map((field) => [field, dictionaries && field !== 'span_id' ? dictionary(utf8()) : utf8()])), ...figures };
  const table = tableFromArrays(columns, { types });
  table.schema.metadata = new Map([['run_id', 'r'], ['origin', '2026-11-21T07:30:00Z']]);
  return tableToIPC(table, { format: 'stream' }) as Uint8Array;
}

function columns(stream: Uint8Array): SpanColumns {
  return decodeSpans(stream).spans as SpanColumns;
}

/** What a store holds, by span. */
function held(store: SpanStore) {
  const { strings, firstToken, attempt, inputTokens, outputTokens, cacheRead, cacheWrite, cost } = store;
  const rows = store.ids.map((id, row) => [
    id,
    store.parents[row],
    store.ids[store.parentRow[row]],
    [store.start, store.end, firstToken, attempt, inputTokens, outputTokens, cacheRead, cacheWrite, cost, store.status].map((column) => column[row]),
    [store.name, store.kind, store.agent, store.model, store.tool, store.error, store.service, store.taskId].map((column) => strings.text(column[row])),
  ]);
  return rows.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

const ORIGIN = '2026-11-21T07:30:00Z';

describe('spans in Arrow', () => {
  it('fill a store as span after span does, ids that come twice and parents that are missing included', () => {
    const some = fc.tuple(spans, fc.nat(40), fc.boolean(), fc.boolean());
    fc.assert(
      fc.property(some, ([rows, before, dictionaries, twice]) => {
        const sent = twice ? [...rows, ...rows] : rows;
        const [byColumn, bySpan] = [new SpanStore(), new SpanStore()];
        for (const store of [byColumn, bySpan]) store.apply('2026-11-21T07:29:59Z', sent.slice(0, before % (rows.length + 1)));
        byColumn.apply(ORIGIN, columns(arrow(sent, dictionaries)));
        bySpan.apply(ORIGIN, sent);
        expect(held(byColumn)).toEqual(held(bySpan));
        const late = { ...rows[0], span_id: 'f'.repeat(16), parent_span_id: rows[0].span_id }; // links go on from there
        for (const store of [byColumn, bySpan]) store.apply(ORIGIN, [late, ...rows.map((row) => ({ ...row, span_id: row.parent_span_id ?? row.span_id }))]);
        expect(held(byColumn)).toEqual(held(bySpan));
      }),
    );
  });

  it('come out as they went in, whatever the letters', () => {
    fc.assert(
      fc.property(spans, (rows) => {
        const found = [...spansOf(columns(arrow(rows)))].length;
        expect(found).toBe(rows.length);
        let i = 0;
        for (const span of spansOf(columns(arrow(rows)))) expect({ ...span }).toEqual(rows[i++]);
      }),
      { numRuns: 60 },
    );
  });

  it('come without the columns that no span has a value in', () => {
    const table = tableFromArrays({ span_id: ['a'], name: ['a'], kind: ['task'], status: ['completed'], start_ns: [0], end_ns: [1] });
    table.schema.metadata = new Map([['run_id', 'r'], ['origin', '2026-11-21T07:30:00Z']]);
    const [span] = spansOf(columns(tableToIPC(table, { format: 'stream' }) as Uint8Array));
    expect(span).toMatchObject({ span_id: 'a', start_ns: 0, end_ns: 1, tool: null, cost_usd: null });
  });

  it('are refused without an origin', () => {
    const table = tableToIPC(tableFromArrays({ span_id: ['a'] }), { format: 'stream' }) as Uint8Array;
    expect(() => decodeSpans(table)).toThrow('names no run_id or origin');
  });
});
