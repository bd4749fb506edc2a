import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { excess, historyRows, isUnusual, placeOf, stripOf, type PathHistory, type Spread } from './history';

const row = (path: string[], more: Partial<PathHistory> = {}): PathHistory => ({ path, kind: 'task', run_id: 'r', span_id: 's', count: 1, run_count: 9, ...more });
const spread = (value: number | undefined): Spread => ({ value, low: 10, median: 12, p90: 18, p99: 19.8, high: 20 });

test('rows stand below their parents, missing ones among them', () => {
  const rows = [row(['run']), row(['run', 'a']), row(['run', 'b']), row(['run', 'a', 'x']), row(['run', 'a', 'gone'], { is_missing: true })];
  const ordered = historyRows(rows, { sort: 'order', onlyUnusual: false }).map(({ path }) => path.join('/'));
  expect(ordered).toEqual(['run', 'run/a', 'run/a/x', 'run/a/gone', 'run/b']);
});

test('every row is kept, whatever the order', () => {
  const paths = fc.uniqueArray(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }), { selector: (path) => path.join('/') });
  fc.assert(
    fc.property(paths, fc.constantFrom('order' as const, 'time' as const, 'cost' as const), (drawn, sort) => {
      const rows = drawn.map((path) => row(path));
      expect(new Set(historyRows(rows, { sort, onlyUnusual: false }))).toEqual(new Set(rows));
    }),
  );
});

describe('a value', () => {
  test('is placed among those before', () => {
    const places = [25, 20.1, 19.9, 19, 12, 9.95, 5, undefined].map((value) => placeOf(spread(value), 20));
    expect(places).toEqual(['above all', 'above p99', 'above p99', 'above p90', 'usual', 'usual', 'below all', 'unknown']);
    expect([placeOf(undefined, 20), placeOf(spread(19), 3), placeOf({ value: 7 }, 0)]).toEqual(['unknown', 'usual', 'unknown']);
  });

  test('is unusual outside of them, and so is what is new or missing', () => {
    expect([row(['a']), row(['a'], { is_new: true }), row(['a'], { cost_usd: spread(30) }), row(['a'], { duration_ms: spread(12) })].map(isUnusual)).toEqual([false, true, true, false]);
    expect([excess(spread(24)), excess({ value: 1, median: 0 }), excess({})]).toEqual([2, Infinity, NaN]);
  });

  test('most over the median comes first', () => {
    const rows = [row(['a'], { duration_ms: spread(12) }), row(['b'], { duration_ms: spread(40) }), row(['c'])];
    expect(historyRows(rows, { sort: 'time', onlyUnusual: false })[0].path).toEqual(['b']);
  });
});

test('marks of a strip keep their order and stay within it', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 5, maxLength: 5 }), fc.double({ min: 0, max: 1e6, noNaN: true }), (drawn, value) => {
      const [low, median, p90, p99, high] = [...drawn].sort((a, b) => a - b);
      const strip = stripOf({ value, low, median, p90, p99, high });
      if (!strip) return false;
      const marks = [0, strip.low, strip.median, strip.p90, strip.p99, strip.high, 1];
      return marks.every((mark, i) => i === 0 || marks[i - 1] <= mark) && (strip.value ?? 0) <= 1;
    }),
  );
  expect(stripOf({ value: 3 })).toBeNull();
});
