import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellKind, cellTarget, cellText, contains, exactText, leftsOf, normalised, opened, sortedRows, toTsv, windowColumns, type GridColumn } from './grid';
import { parseJson } from './json';

function column(name: string, type: string, values: unknown[]): GridColumn {
  return { name, type, kind: cellKind(name, type), at: (row) => values[row] ?? null };
}

const rows = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('cells', () => {
  it.each([
    ['duration_ms', 'DOUBLE', 1240, '1.24 s', '1240'],
    ['cost_usd', 'DOUBLE', 0.0773, '$0.0773', '0.0773'],
    ['n', 'BIGINT', 12_345_678_901_234_567n, '12345678901234567', '12345678901234567'],
    ['x', 'DOUBLE', 0.1 + 0.2, '0.3', '0.30000000000000004'],
    ['t', 'TIMESTAMP_NS', 1_795_246_200_123_456_789n, '2026-11-21 07:30:00.123456789', '2026-11-21T07:30:00.123456789Z'],
    ['t', 'TIMESTAMP', 1_795_246_200_000_000_000n, '2026-11-21 07:30:00', '2026-11-21T07:30:00.000000000Z'],
    ['s', 'VARCHAR', 'two\nlines', 'two lines', 'two\nlines'],
    ['l', 'INTEGER[]', [1, 2], '[ 1, 2 ]', '[\n  1,\n  2\n]'],
    ['d', 'DECIMAL(9,2)', '1.50', '1.50', '1.50'],
    ['b', 'BOOLEAN', false, 'false', 'false'],
    ['n', 'VARCHAR', null, 'null', ''],
  ])('%s %s reads', (name, type, value, text, exact) => {
    const kind = { kind: cellKind(name, type) };
    expect(cellText(kind, value)).toBe(text);
    expect(exactText(kind, value)).toBe(exact);
  });

  it('lead to runs, spans and tasks', () => {
    const columns = [column('run_id', 'VARCHAR', ['a b']), column('span_id', 'VARCHAR', ['s']), column('task_id', 'VARCHAR', ['t']), column('name', 'VARCHAR', ['n'])];
    expect(columns.map((_, i) => cellTarget(columns, i, 0))).toEqual(['runs/a%20b', 'runs/a%20b?span=s', 'tasks/t', null]);
    expect(cellTarget([columns[1]], 0, 0)).toBeNull();
  });

  it('that hold JSON are opened', () => {
    expect(opened('{"a": 12345678901234567890}', parseJson)).toEqual({ a: 12_345_678_901_234_567_890n });
    expect(opened('{no json', parseJson)).toBe('{no json');
    expect(opened(3, parseJson)).toBe(3);
  });
});

describe('order', () => {
  const value = fc.oneof(fc.constant(null), fc.integer(), fc.double({ noNaN: true }));

  it('is that of values, null last, equal ones as they were', () => {
    fc.assert(
      fc.property(fc.array(value), fc.boolean(), (values, descending) => {
        const data = { rowCount: values.length, columns: [column('x', 'DOUBLE', values)] };
        const sorted = [...sortedRows(data, 0, descending)];
        expect([...sorted].sort((a, b) => a - b)).toEqual(rows(values.length));
        for (let i = 1; i < sorted.length; i++) {
          const [a, b] = [values[sorted[i - 1]], values[sorted[i]]];
          if (a === null) expect(b).toBeNull();
          else if (b !== null) expect(descending ? a >= b : a <= b).toBe(true);
          if (a === b) expect(sorted[i - 1]).toBeLessThan(sorted[i]);
        }
      }),
    );
  });

  it('compares decimals as numbers and mixes large integers with small ones', () => {
    const decimals = { rowCount: 3, columns: [column('d', 'DECIMAL(9,2)', ['10.00', '9.00', '-1.00'])] };
    expect([...sortedRows(decimals, 0, false)]).toEqual([2, 1, 0]);
    const integers = { rowCount: 3, columns: [column('n', 'BIGINT', [2n ** 60n, 3, -(2n ** 60n)])] };
    expect([...sortedRows(integers, 0, false)]).toEqual([2, 1, 0]);
  });
});

describe('window of columns', () => {
  it('holds every column that is in view, and the first of them', () => {
    const widths = fc.array(fc.integer({ min: 48, max: 400 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(widths, fc.nat(8000), fc.integer({ min: 100, max: 2000 }), (all, scrollLeft, width) => {
        const lefts = leftsOf(all);
        const { first, count } = windowColumns(lefts, scrollLeft, width);
        all.forEach((one, i) => {
          const visible = lefts[i] < scrollLeft + width && lefts[i] + one > scrollLeft;
          if (visible) expect(i >= first && i < first + count).toBe(true);
        });
        expect(first + count).toBeLessThanOrEqual(all.length);
      }),
    );
  });
});

describe('copying', () => {
  const columns = [column('a', 'INTEGER', [1, 2, 3]), column('b\tc', 'VARCHAR', ['x', 'tab\there', 'say "hi"'])];

  it('a cell is its text alone, cells have their names above', () => {
    expect(toTsv(columns, rows(3), { fromRow: 1, toRow: 1, fromColumn: 0, toColumn: 0 })).toBe('2');
    const range = { fromRow: 2, toRow: 1, fromColumn: 1, toColumn: 0 };
    expect(toTsv(columns, rows(3), range)).toBe('a\t"b\tc"\n2\t"tab\there"\n3\t"say ""hi"""');
  });

  it('takes rows in the order on screen', () => {
    expect(toTsv(columns, [2, 0, 1], { fromRow: 0, toRow: 2, fromColumn: 0, toColumn: 0 })).toBe('a\n3\n1\n2');
  });

  it('a range holds its corners, whichever way it was drawn', () => {
    const place = fc.nat(20);
    fc.assert(
      fc.property(place, place, place, place, (fromRow, toRow, fromColumn, toColumn) => {
        const range = { fromRow, toRow, fromColumn, toColumn };
        expect(contains(range, fromRow, fromColumn) && contains(range, toRow, toColumn)).toBe(true);
        const { fromRow: top, toRow: bottom } = normalised(range);
        expect(top).toBeLessThanOrEqual(bottom);
      }),
    );
  });
});
