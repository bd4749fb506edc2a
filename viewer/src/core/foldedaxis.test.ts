import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldedAxis, idleStretches } from './foldedaxis';

const END = 1e7;
const busy = fc.array(
  fc.tuple(fc.nat(END), fc.nat(20_000)).map(([start, length]) => ({ start, end: Math.min(END, start + length) })),
  { maxLength: 12 },
);
const times = fc.nat(END);

describe('a folded axis', () => {
  it('is monotone and spans the whole', () => {
    fc.assert(
      fc.property(busy, times, times, (stretches, a, b) => {
        const axis = foldedAxis(stretches, 0, END);
        expect(axis.place(0)).toBeCloseTo(0, 9);
        expect(axis.place(END)).toBeCloseTo(1, 9);
        if (a < b) expect(axis.place(a)).toBeLessThanOrEqual(axis.place(b));
      }),
    );
  });

  it('can be read both ways', () => {
    fc.assert(
      fc.property(busy, times, (stretches, time) => {
        const axis = foldedAxis(stretches, 0, END);
        const place = axis.place(time);
        expect(axis.place(axis.time(place))).toBeCloseTo(place, 6);
      }),
    );
  });

  it('folds waiting, never work', () => {
    fc.assert(
      fc.property(busy, (stretches) => {
        for (const fold of foldedAxis(stretches, 0, END).folds) {
          for (const { start, end } of stretches) expect(start >= fold.end || end <= fold.start).toBe(true);
        }
      }),
    );
  });

  it('gives seconds of work most of an hour of waiting', () => {
    const axis = foldedAxis([{ start: 0, end: 2_000 }, { start: 3_600_000, end: 3_602_000 }], 0, 3_602_000);
    expect(axis.folds).toEqual([{ start: 2_000, end: 3_600_000 }]);
    expect(axis.place(2_000)).toBeCloseTo(0.48, 2);
  });

  it('leaves an axis that is mostly work as it is', () => {
    const axis = foldedAxis([{ start: 0, end: 60_000 }], 0, 100_000);
    expect(axis.folds).toEqual([]);
    expect(axis.place(50_000)).toBeCloseTo(0.5, 9);
  });

  it('survives having nothing but waiting', () => {
    const axis = foldedAxis([], 0, 100_000);
    expect(axis.folds).toHaveLength(1);
    expect(axis.place(50_000)).toBeCloseTo(0.5, 9);
  });
});

it('idle and busy stretches cover the whole once', () => {
  fc.assert(
    fc.property(busy, times, (stretches, time) => {
      const idle = idleStretches(stretches, 0, END);
      const inIdle = idle.some(({ start, end }) => time > start && time < end);
      const inBusy = stretches.some(({ start, end }) => time > start && time < end);
      expect(inIdle && inBusy).toBe(false);
    }),
  );
});
