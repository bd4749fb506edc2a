import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPEC_KINDS, buildChart, buildHeat, fitted, formatSpec, guessSpec, parseSpec, type ChartSpec } from './chartspec';
import { cellKind, type GridColumn, type GridData } from './grid';

function grid(columns: Record<string, [type: string, values: unknown[]]>): GridData {
  const made = Object.entries(columns).map(([name, [type, values]]): GridColumn => ({ name, type, kind: cellKind(name, type), at: (row) => values[row] ?? null }));
  return { columns: made, rowCount: Math.max(...Object.values(columns).map(([, values]) => values.length)) };
}

const day = (n: number) => BigInt(Date.UTC(2026, 10, n)) * 1_000_000n;
const costs = grid({
  day: ['TIMESTAMP', [day(2), day(1), day(2)]],
  model: ['VARCHAR', ['b', 'a', 'a']],
  cost_usd: ['DOUBLE', [1, 2, 4]],
});

describe('chart specs', () => {
  it('survive the address', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.isWellFormed());
    const spec = fc.record({ kind: fc.constantFrom(...SPEC_KINDS), x: name, y: fc.array(name, { minLength: 1, maxLength: 4 }), by: fc.option(name) });
    fc.assert(fc.property(spec, (one) => void expect(parseSpec(formatSpec(one))).toEqual(one)));
    for (const bad of ['', 'pie(a;b;c)', 'line(a;b)', 'line(%;b;)']) expect(parseSpec(bad)).toBeNull();
  });

  it('are guessed from what a result has', () => {
    expect(guessSpec(costs)).toEqual({ kind: 'line', x: 'day', y: ['cost_usd'], by: 'model' });
    expect(guessSpec(grid({ name: ['VARCHAR', ['a']], n: ['BIGINT', [1]] }))).toEqual({ kind: 'bar', x: 'name', y: ['n'], by: null });
    expect(guessSpec(grid({ a: ['BIGINT', [1]], b: ['BIGINT', [1]] }))?.kind).toBe('scatter');
    expect(guessSpec(grid({ a: ['VARCHAR', ['x']] }))).toBeNull();
  });

  it('lose columns that a result does not have', () => {
    const spec: ChartSpec = { kind: 'line', x: 'day', y: ['cost_usd', 'gone'], by: 'gone' };
    expect(fitted(spec, costs)).toEqual({ ...spec, y: ['cost_usd'], by: null });
    expect(fitted({ ...spec, x: 'gone' }, costs)).toBeNull();
  });
});

describe('charts of results', () => {
  it('have times in order and a series for each value', () => {
    const { chart, notes } = buildChart({ kind: 'line', x: 'day', y: ['cost_usd'], by: 'model' }, costs);
    expect(chart.xs).toEqual([Date.UTC(2026, 10, 1), Date.UTC(2026, 10, 2)]);
    expect(chart.series.map((one) => [one.label, one.values])).toEqual([['a', [2, 4]], ['b', [null, 1]]]);
    expect(notes).toEqual([]);
  });

  it('add up rows of the same place, and stand on each other as bars', () => {
    const { chart } = buildChart({ kind: 'bar', x: 'model', y: ['cost_usd'], by: 'day' }, costs);
    expect(chart.categories).toEqual(['b', 'a']);
    expect(chart.stacked).toBe(true);
    expect(chart.series.flatMap((one) => one.values).reduce((sum: number, one) => sum + (one ?? 0), 0)).toBe(7);
  });

  it('of points have one for each row that has figures', () => {
    const points = grid({ a: ['BIGINT', [3, 1, null, 2]], b: ['DOUBLE', [30, 10, 5, NaN]] });
    const { chart } = buildChart({ kind: 'scatter', x: 'a', y: ['b'], by: null }, points);
    expect(chart.xs).toEqual([1, 2, 3]);
    expect(chart.series[0].values).toEqual([10, null, 30]);
  });

  it('say what they leave out', () => {
    const many = grid({ name: ['VARCHAR', Array.from({ length: 500 }, (_, i) => `n${i}`)], n: ['BIGINT', Array.from({ length: 500 }, () => 1)] });
    const { chart, notes } = buildChart({ kind: 'bar', x: 'name', y: ['n'], by: null }, many);
    expect(chart.xs.length).toBe(400);
    expect(notes).toEqual(['the first 400 of 500 values']);
  });

  it('as heat maps have a cell for each pair', () => {
    const heat = buildHeat({ kind: 'heat', x: 'day', y: ['model'], by: 'cost_usd' }, costs);
    expect(heat.ys).toEqual(['b', 'a']);
    expect(heat.cells).toEqual([[1, null], [4, 2]]);
    expect(heat.most).toBe(4);
  });
});
