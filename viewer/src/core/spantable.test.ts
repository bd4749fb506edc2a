import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { FAILED } from './kinds';
import { selfTimes } from './selftime';
import { cellText, COLUMNS, sortRows, sumRows, tableCsv, tableRows, type SpanTable } from './spantable';
import type { SpanSkeleton } from './spans';
import { buildTree } from './tree';
import { TABLE_COLUMNS } from './viewoptions';

function tableOf(spans: readonly SpanSkeleton[]): SpanTable {
  const store = storeOf(spans);
  const tree = buildTree(store);
  return { store, tree, self: selfTimes(tree, 9000), now: 9000 };
}

const sorts = fc.record({ column: fc.constantFrom(...TABLE_COLUMNS), descending: fc.boolean() });

test('sorting keeps all rows, orders them, and puts what is not known last', () => {
  fc.assert(
    fc.property(runs, sorts, (spans, sort) => {
      const table = tableOf(spans);
      const rows = tableRows(table, null, null);
      const sorted = sortRows(table, rows, sort);
      expect([...sorted].sort()).toEqual([...rows].sort());
      const values = [...sorted].map((row) => COLUMNS[sort.column].value(table, row));
      values.slice(1).forEach((value, i) => {
        const before = values[i];
        if (before === null) expect(value).toBeNull();
        else if (value !== null) expect(sort.descending ? before >= value : before <= value).toBe(true);
      });
    }),
  );
});

test('a window leaves spans that are at work in it, a search those it found', () => {
  fc.assert(
    fc.property(runs, fc.nat(5000), fc.nat(1000), (spans, start, length) => {
      const table = tableOf(spans);
      const view = { start, end: start + length };
      const matches = Uint8Array.from({ length: spans.length }, (_, i) => i % 2);
      const rows = [...tableRows(table, view, matches)];
      table.store.ids.forEach((_, row) => {
        const wanted = matches[row] === 1 && table.tree.start[row] <= view.end && table.tree.end[row] >= view.start;
        expect(rows.includes(row)).toBe(wanted);
      });
    }),
  );
});

test('sums are those of single spans added', () => {
  fc.assert(
    fc.property(runs, (spans) => {
      const table = tableOf(spans);
      const isError = (row: number) => table.store.status[row] === FAILED;
      const rows = [...tableRows(table, null, null)];
      const half = rows.length >> 1;
      const [all, a, b] = [rows, rows.slice(0, half), rows.slice(half)].map((some) => sumRows(table, some, isError));
      expect(all.count).toBe(spans.length);
      expect(all.cost).toBeCloseTo(a.cost + b.cost, 9);
      expect(all.durationNs).toBe(a.durationNs + b.durationNs);
      expect(all.errors).toBe(a.errors + b.errors);
    }),
  );
});

test('cells have the formats of the rest, and CSV exact figures with odd texts made safe', () => {
  const table = tableOf([
    { span_id: 'a', name: '=cmd|"x",', kind: 'llm', status: 'completed', start_ns: 0, end_ns: 1_240_000_000, cost_usd: 0.0773, input_tokens: 1200 },
  ]);
  expect(TABLE_COLUMNS.map((column) => cellText(table, column, 0)).filter(Boolean)).toEqual([
    '=cmd|"x",', 'llm', 'completed', '0 ns', '1.24 s', '1.24 s', '1,200', '$0.0773',
  ]);
  expect(tableCsv(table, [0], ['name', 'start', 'duration', 'cost', 'error'])).toBe(
    'span_id,parent_span_id,name,start_time,duration_ms,cost_usd,error_type\r\n' +
      'a,,"\'=cmd|""x"",",2026-11-21T07:30:00.000000000Z,1240,0.0773,\r\n',
  );
});
