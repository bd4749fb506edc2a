import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findRow, isDifferent, nextDifference, outlineOf, rowName, summaryFigures, visibleRows, type ComparedRow } from './compare';
import { frameOf, rowTimes, timeOfRow, wholeTime } from './comparetime';
import { formatCompareView, parseCompareView } from './compareview';
import { formatChange, formatDelta, isNotable } from './delta';
import { textPairs } from './difftext';

const side = (span_id: string) => fc.record({ start_ns: fc.integer({ min: 0, max: 1000 }), length: fc.integer({ min: 0, max: 500 }) })
  .map(({ start_ns, length }) => ({ span_id, status: 'completed', start_ns, duration_ms: length / 1e6 }));

/** Rows in reading order: no row is more than one level below the one before it. */
const rows: fc.Arbitrary<ComparedRow[]> = fc
  .array(fc.record({ down: fc.integer({ min: 0, max: 3 }), match: fc.constantFrom('a' as const, 'b' as const, 'both' as const), same: fc.boolean() }), { maxLength: 25 })
  .chain((drawn) => {
    let depth = -1;
    return fc.tuple(
      ...drawn.map(({ down, match, same }, i) => {
        depth = Math.max(0, depth + 1 - down);
        const here = depth;
        return fc.tuple(side(`a${i}`), side(`b${i}`)).map(([a, b]): ComparedRow => ({
          depth: here,
          name: `step ${i}`,
          kind: 'task',
          match,
          ...(match === 'b' ? {} : { a }),
          ...(match === 'a' ? {} : { b }),
          differs: match === 'both' ? (same ? [] : ['output']) : ['structure'],
        }));
      }),
    );
  });

describe('rows', () => {
  test('subtrees end where the depth falls back', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const { parent, end, differencesBelow } = outlineOf(all);
        all.forEach((row, i) => {
          const inside = all.slice(i + 1, end[i]);
          expect(inside.every((other) => other.depth > row.depth)).toBe(true);
          expect(end[i] === all.length || all[end[i]].depth <= row.depth).toBe(true);
          expect(differencesBelow[i]).toBe(inside.filter(isDifferent).length);
          if (parent[i] >= 0) expect(all[parent[i]].depth).toBe(row.depth - 1);
        });
      }),
    );
  });

  test('with only differences every difference is on screen, below all it is in', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const outline = outlineOf(all);
        const shown = visibleRows(all, outline, { collapsed: new Set(), onlyDifferences: true });
        expect(all.flatMap((row, i) => (isDifferent(row) ? [i] : [])).every((i) => shown.includes(i))).toBe(true);
        expect(shown.every((i) => outline.parent[i] < 0 || shown.includes(outline.parent[i]))).toBe(true);
        expect(visibleRows(all, outline, { collapsed: new Set(), onlyDifferences: false })).toHaveLength(all.length);
      }),
    );
  });

  test('next and previous difference undo each other', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const first = nextDifference(all, -1, false);
        if (!all.some(isDifferent)) return first === -1;
        expect(first).toBe(all.findIndex(isDifferent));
        return nextDifference(all, nextDifference(all, first, false), true) === first;
      }),
    );
  });

  test('every row is found by its name', () => {
    fc.assert(fc.property(rows, (all) => all.every((row, i) => findRow(all, rowName(row)) === i)));
  });
});

describe('time', () => {
  test('aligned by path, pairs begin together and lengths stay', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const open = { a: 0, b: 0 };
        const [byPath, byStart] = (['path', 'start'] as const).map((align) => rowTimes(all, outlineOf(all), align, open));
        all.forEach((row, i) => {
          if (row.a && row.b) expect(byPath.startA[i]).toBe(byPath.startB[i]);
          if (row.a) expect(byPath.endA[i] - byPath.startA[i]).toBeCloseTo(byStart.endA[i] - byStart.startA[i]);
        });
      }),
    );
  });

  test('everything lies within the whole, and a frame within it too', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const outline = outlineOf(all);
        const times = rowTimes(all, outline, 'path', { a: 0, b: 0 });
        const whole = wholeTime(times);
        for (const time of [...all.map((_, i) => timeOfRow(times, i)), frameOf(times, outline, all.map((_, i) => i))]) {
          if (time) expect(time.start >= whole.start && time.end <= whole.end && time.start <= time.end).toBe(true);
        }
      }),
    );
  });
});

test('what an address carries comes back from it', () => {
  const id = fc.option(fc.stringMatching(/^[0-9a-f]{1,32}$/));
  const view = fc.record({
    a: id, b: id, run: id, span: id,
    last: fc.constantFrom(10, 20, 50),
    align: fc.constantFrom('start' as const, 'path' as const),
    onlyDifferences: fc.boolean(),
    onlyUnusual: fc.constant(false),
    frame: fc.option(fc.boolean()),
    window: fc.option(fc.tuple(fc.integer({ min: -500, max: 500 }), fc.integer({ min: 1, max: 500 })).map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length }))),
    sort: fc.constantFrom('order' as const, 'time' as const),
  });
  fc.assert(fc.property(view, (drawn) => {
    const last = drawn.run ? drawn.last : 20;
    expect(parseCompareView(formatCompareView(drawn))).toEqual({ ...drawn, last });
  }));
});

test('differences carry a sign, and their part of what there was', () => {
  expect([formatDelta(1240, 'time'), formatDelta(-0.0031, 'cost'), formatDelta(0, 'count'), formatDelta(null, 'cost'), formatDelta(4.321e-5, 'cost')]).toEqual(['+1.24 s', '−$0.0031', '±0', '–', '+$0.00004']);
  expect([formatChange(100, 112), formatChange(100, 96.6), formatChange(1, 5200), formatChange(0, 5), formatChange(10_000, 10_001)]).toEqual(['+12 %', '−3.4 %', '×5,200', '', '+<0.1 %']);
  expect([isNotable(100, 109), isNotable(100, 120), isNotable(null, 3), isNotable(0, 0)]).toEqual([false, true, false, false]);
});

test('tokens of runs are parted into buckets that do not overlap', () => {
  const run = { duration_ms: 1, cost_usd: null, input_tokens: 100, output_tokens: 20, cache_read_tokens: 60, cache_write_tokens: null, reasoning_tokens: 5, error_count: 0, span_count: 3, live_span_count: 0 };
  const figures = summaryFigures(run as never, { ...run, cache_read_tokens: 400 } as never);
  expect(figures.map(({ label, a, b }) => [label, a, b])).toEqual([
    ['Wall', 1, 1], ['Cost', null, null], ['Input', 40, 100], ['Cache read', 60, 400], ['Output', 15, 15], ['Reasoning', 5, 5], ['Errors', 0, 0], ['Spans', 3, 3],
  ]);
});

test('what spans were given and returned is told as text, and what is cut is told', () => {
  const bodies = { run_id: 'r', span_id: 's', name: 'n', status: 'failed', messages: null, error_type: 'Boom', error_message: null };
  const message = { message_id: 'm1', role: 'user', bytes: 4, parts: ['hello'] };
  const pairs = textPairs({
    a: { ...bodies, input: { bytes: 9, value: { x: 1 } }, output: { bytes: 900, head: '"lo' }, error_type: null },
    b: { ...bodies, input: null, output: null, messages: { input: [message, { message_id: 'm2', role: 'tool', bytes: 2000 }], output: [] } },
  });
  expect(pairs).toEqual([
    { title: 'Messages sent', a: null, b: '── user\nhello\n── tool\n[2.00 KB, not loaded: m2]', cutBytes: 2000 },
    { title: 'Input', a: '{\n  "x": 1\n}', b: null, cutBytes: 0 },
    { title: 'Output', a: '"lo…', b: null, cutBytes: 900 },
    { title: 'Error', a: null, b: 'Boom', cutBytes: 0 },
  ]);
});
