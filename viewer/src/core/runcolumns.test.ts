import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COLUMNS, DEFAULT_COLUMNS, droppedColumn, magnitude, movedColumn, readColumns, sortedBy, toggledColumn, tokenBuckets, writeColumns } from './runcolumns';

const all = COLUMNS.map((column) => column.id);
const some = fc.shuffledSubarray(all, { minLength: 1 });
const ids = (text: string) => readColumns(text).map((column) => column.id);

describe('columns', () => {
  it('are restored from an address', () => {
    fc.assert(fc.property(some, (chosen) => void expect(ids(writeColumns(chosen))).toEqual(chosen)));
    expect(writeColumns(DEFAULT_COLUMNS)).toBe('');
    expect(ids('no_such,,')).toEqual(DEFAULT_COLUMNS);
  });

  it('are shown, hidden and shown again', () => {
    fc.assert(
      fc.property(some, fc.constantFrom(...all), (chosen, id) => {
        const toggled = toggledColumn(chosen, id);
        expect(toggled.includes(id)).toBe(!chosen.includes(id) || chosen.length === 1);
        expect(new Set(toggledColumn(toggled, id))).toEqual(new Set(chosen));
      }),
    );
    expect(toggledColumn(DEFAULT_COLUMNS, 'llm')).toEqual(DEFAULT_COLUMNS.toSpliced(6, 0, 'llm'));
  });

  it('are moved without being lost', () => {
    fc.assert(
      fc.property(some, fc.constantFrom(...all), fc.option(fc.constantFrom(...all)), fc.constantFrom(-1 as const, 1 as const), (chosen, id, before, by) => {
        for (const moved of [movedColumn(chosen, id, by), droppedColumn(chosen, id, before)]) expect(moved.toSorted()).toEqual(chosen.toSorted());
      }),
    );
    expect(droppedColumn(['a', 'b', 'c'], 'c', 'a')).toEqual(['c', 'a', 'b']);
    expect(movedColumn(['a', 'b', 'c'], 'a', 1)).toEqual(['b', 'a', 'c']);
  });

  it('sort figures by the largest first and names by the alphabet', () => {
    const [name, cost] = readColumns('name,cost');
    expect([sortedBy(name, ''), sortedBy(name, 'name')]).toEqual(['name', '-name']);
    expect([sortedBy(cost, ''), sortedBy(cost, '-cost_usd')]).toEqual(['-cost_usd', 'cost_usd']);
  });
});

describe('figures', () => {
  it('sum up to all tokens', () => {
    fc.assert(
      fc.property(fc.option(fc.nat()), fc.option(fc.nat()), fc.option(fc.nat()), (input_tokens, cache_read_tokens, output_tokens) => {
        const buckets = tokenBuckets({ input_tokens, cache_read_tokens, output_tokens });
        if (!buckets) return void expect([input_tokens, output_tokens]).toEqual([null, null]);
        expect(buckets.fresh + buckets.cached + buckets.output).toBe((input_tokens ?? 0) + (output_tokens ?? 0));
        expect(Math.min(...Object.values(buckets))).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('show as a share of the largest', () => {
    expect([magnitude(null, 5), magnitude(5, 5), magnitude(1, 4), magnitude(3, 0)]).toEqual([0, 1, 0.5, 0]);
  });
});
