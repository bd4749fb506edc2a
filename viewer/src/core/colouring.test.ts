import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { colourScale, legendOf, rampLimits } from './colouring';
import { COLOURINGS } from './runview';

describe('colours', () => {
  it('are defined for every span in every meaning, and the legend counts each span once', () => {
    fc.assert(
      fc.property(runs, fc.constantFrom(...COLOURINGS), (spans, colouring) => {
        const store = storeOf(spans);
        const scale = colourScale(colouring, store, () => 0);
        for (let row = 0; row < store.count; row++) expect(scale.colours[scale.of(row)]).toBeDefined();
        expect(legendOf(scale, store.count).reduce((sum, entry) => sum + entry.count, 0)).toBe(store.count);
      }),
    );
  });

  it('keep red for errors', () => {
    const store = storeOf([]);
    for (const colouring of COLOURINGS) {
      const red = colourScale(colouring, store, () => 0).colours.filter(({ token }) => token === 'error');
      expect(red.map(({ label }) => label)).toEqual(colouring === 'status' ? ['failed'] : []);
    }
  });

  it('darken with the value, never the other way', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 2, maxLength: 30 }), (costs) => {
        const store = storeOf(costs.map((cost_usd, i) => ({ span_id: `${i}`, name: 'call', kind: 'llm', status: 'completed', start_ns: i, end_ns: i + 1, cost_usd })));
        const scale = colourScale('cost', store, () => 0);
        const steps = costs.map((cost, row) => [cost, scale.of(row)]).sort((a, b) => a[0] - b[0]);
        for (let i = 1; i < steps.length; i++) expect(steps[i][1]).toBeGreaterThanOrEqual(steps[i - 1][1]);
        if (costs.some((cost) => cost > 0)) expect(steps[steps.length - 1][1]).toBe(5);
      }),
    );
  });

  it('have round limits', () => {
    expect(rampLimits(0.077)).toEqual([0.001, 0.003, 0.01, 0.03]);
    expect(rampLimits(0.03)).toEqual([0.0003, 0.001, 0.003, 0.01]);
    expect(rampLimits(1)).toEqual([0.01, 0.03, 0.1, 0.3]);
    expect(rampLimits(0)).toEqual([]);
  });
});
