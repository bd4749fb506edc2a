import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeAxis } from './axis';
import { niceStep, tickLabel, ticks } from './ticks';

const S = 1e9;

describe('the ruler', () => {
  it('keeps its ticks apart, inside the window and outside folds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3600 }), fc.integer({ min: 1, max: 7200 }), fc.integer({ min: 200, max: 2000 }), (from, length, width) => {
        const fold = { start: 1000 * S, end: 3000 * S };
        const axis = makeAxis({ start: from * S, end: (from + length) * S }, width, [fold]);
        const marks = ticks(axis, 0);
        marks.forEach((mark, i) => {
          const x = axis.toX(mark.time);
          expect(x).toBeGreaterThan(-1e-6);
          expect(x).toBeLessThan(width + 1e-6);
          if (i > 0) expect(x - axis.toX(marks[i - 1].time)).toBeGreaterThan(94);
          if (axis.folds.length > 0) expect(mark.time <= fold.start || mark.time >= fold.end).toBe(true);
        });
      }),
    );
  });

  it('does not count through a fold', () => {
    const axis = makeAxis({ start: 0, end: 1e6 * S }, 1000, [{ start: 0.001 * S, end: 1e6 * S - 1 }]);
    expect(ticks(axis, 0).length).toBeLessThan(12);
  });

  it('speaks in round steps', () => {
    expect([3e6, 7e8, 11 * S, 100 * S, 5000 * S].map(niceStep)).toEqual([5e6, 1 * S, 15 * S, 120 * S, 7200 * S]);
    expect([tickLabel(0, S), tickLabel(1.5 * S, S / 2), tickLabel(125 * S, S), tickLabel(3720 * S, 60 * S)]).toEqual(['0', '1.5 s', '2:05', '1:02:00']);
  });
});
