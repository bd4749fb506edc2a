import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  brushed, bucketText, extentOf, labelPlace, spreadLabels, stacked, tickText, timeStep, timeTickText, timeTicks, valueTicks, walked, type ChartSeries,
} from './chart';
import { mixed } from './colour';
import { formatCost, formatTokens } from './format';
import { formatDuration, useTimeZone } from './time';

afterEach(() => void useTimeZone(null));

const series = (values: (number | null)[]): ChartSeries => ({ label: 'x', colour: 'accent', values });
const value = fc.double({ min: 0, max: 1e9, noNaN: true });

describe('value ticks', () => {
  it('are two to seven equal steps around all values, with 0 among them', () => {
    const any = fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((x) => (Math.abs(x) < 1e-6 ? 0 : x));
    fc.assert(
      fc.property(any, any, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const ticks = valueTicks(low, high);
        if (low === 0 && high === 0) return void expect(ticks).toEqual([0]);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(7);
        expect(ticks.some((tick) => Math.abs(tick) < 1e-9)).toBe(true);
        const hair = Math.max(high, -low) * 1e-6; // less than anybody sees, however near to 0 one of them is
        expect(ticks[0]).toBeLessThanOrEqual(low + hair);
        expect(ticks[ticks.length - 1]).toBeGreaterThanOrEqual(high - hair);
      }),
    );
  });

  it.each([
    [0.5, formatCost, '$0.5'],
    [1, formatCost, '$1'],
    [0, formatCost, '$0'],
    [4000, formatDuration, '4 s'],
    [0, formatDuration, '0'],
    [1_500_000, formatTokens, '1.5M'],
    [500_000, formatTokens, '500k'],
    [150_000, formatDuration, '2 min 30 s'],
  ])('%s reads %s', (tick, format, text) => expect(tickText(tick, format)).toBe(text));
});

describe('time ticks', () => {
  it('lie in the range, a step apart, and at midnight of the reader also where clocks change', () => {
    useTimeZone('Europe/Berlin');
    const day = 86_400_000;
    const from = Date.UTC(2026, 9, 23);
    const ticks = timeTicks(from, from + 5 * day, timeStep(20 * 3_600_000));
    expect(ticks.map((at) => timeTickText(at, day))).toEqual(['24 Oct', '25 Oct', '26 Oct', '27 Oct', '28 Oct']);
    expect(ticks[2] - ticks[1]).toBe(day + 3_600_000); // clocks go back on the 25th
  });

  it('are in order and not too many', () => {
    useTimeZone('UTC');
    const at = fc.integer({ min: 1.7e12, max: 1.9e12 });
    fc.assert(
      fc.property(at, fc.integer({ min: 60_000, max: 4e10 }), (from, length) => {
        const step = timeStep(length / 8);
        const ticks = timeTicks(from, from + length, step);
        expect(ticks.length).toBeLessThanOrEqual(9);
        for (const tick of ticks) expect(tick >= from && tick <= from + length).toBe(true);
        for (let i = 1; i < ticks.length; i++) expect(ticks[i] - ticks[i - 1]).toBe(step);
      }),
    );
  });

  it('name buckets with no more of the date than needed', () => {
    useTimeZone('UTC');
    const at = Date.UTC(2026, 10, 21, 14);
    expect(bucketText(at, 3_600_000)).toBe('21 Nov 14:00 – 15:00');
    expect(bucketText(at, 12 * 3_600_000)).toBe('21 Nov 14:00 – 22 Nov 02:00');
    expect(bucketText(Date.UTC(2026, 10, 21, 23), 3_600_000)).toBe('21 Nov 23:00 – 00:00');
    expect(bucketText(Date.UTC(2026, 10, 21), 86_400_000)).toBe('21 Nov');
    expect(bucketText(Date.UTC(2026, 10, 21), 7 * 86_400_000)).toBe('21 Nov – 27 Nov');
  });
});

describe('stacks', () => {
  it('reach as high as all values together', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.option(value), { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 6 }), (all) => {
        const sums = stacked(all.map(series));
        for (let i = 0; i < 4; i++) {
          expect(sums[sums.length - 1][i]).toBeCloseTo(all.reduce((sum, values) => sum + (values[i] ?? 0), 0), 3);
        }
        const { high } = extentOf({ kind: 'bar', axis: 'number', xs: [0, 1, 2, 3], series: all.map(series), stacked: true });
        expect(high).toBeCloseTo(Math.max(...sums[sums.length - 1]), 3);
      }),
    );
  });

  it('have their names where they are high, near the end', () => {
    expect(labelPlace([[9, 9, 9, 5, 6, 7, 8, 1]])).toBe(6);
    expect(labelPlace([[3]])).toBe(0);
  });
});

it('labels keep apart, in order and inside', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 10 }), (wanted) => {
      const places = spreadLabels(wanted, 15, 200);
      const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
      for (let i = 1; i < order.length; i++) expect(places[order[i]] - places[order[i - 1]]).toBeGreaterThanOrEqual(15 - 1e-9);
      for (const place of places) expect(place >= 0 && place <= 200).toBe(true);
      if (wanted.length === 1) expect(places).toEqual(wanted);
    }),
  );
});

it('keys walk within the chart', () => {
  const key = fc.constantFrom('ArrowLeft', 'ArrowRight', 'Home', 'End', 'PageUp', 'PageDown');
  fc.assert(
    fc.property(key, fc.integer({ min: -1, max: 30 }), fc.integer({ min: 1, max: 31 }), (pressed, here, count) => {
      const next = walked(pressed, Math.min(here, count - 1), count) as number;
      expect(next >= 0 && next < count).toBe(true);
    }),
  );
  expect(walked('x', 1, 5)).toBeNull();
  expect(walked('ArrowRight', 0, 0)).toBeNull();
});

it('a brush covers whole buckets', () => {
  const xs = [0, 10, 20, 30];
  expect(brushed(xs, 10, 12, 27)).toEqual({ from: 10, to: 30 });
  expect(brushed(xs, 10, 27, 12)).toEqual({ from: 10, to: 30 });
  expect(brushed(xs, 10, 41, 50)).toBeNull();
});

it('colours mix', () => {
  expect(mixed('#000000', '#ffffff', 0.5)).toBe('#808080');
  expect(mixed('#3065cc', '#fdfdff', 1)).toBe('#3065cc');
  expect(mixed('rgb(1 2 3)', '#ffffff', 0.5)).toBe('rgb(1 2 3)');
});
