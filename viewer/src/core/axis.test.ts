import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BREAK_PX, breaksOf, makeAxis, panAxis, zoomAxis, type Axis } from './axis';
import type { Stretch } from './foldedaxis';

const WIDTH = 1000;
const LIMITS = { start: 0, end: 7_200_000 };

/** Stretches in order, apart from each other. */
const folds: fc.Arbitrary<Stretch[]> = fc
  .uniqueArray(fc.integer({ min: 0, max: LIMITS.end }), { maxLength: 12 })
  .map((times) => {
    times.sort((a, b) => a - b);
    const found: Stretch[] = [];
    for (let i = 0; i + 1 < times.length; i += 2) found.push({ start: times[i], end: times[i + 1] });
    return found;
  });

const windows = fc
  .tuple(fc.integer({ min: 0, max: LIMITS.end - 2000 }), fc.integer({ min: 1000, max: LIMITS.end }))
  .map(([start, length]) => ({ start, end: Math.min(start + length, LIMITS.end) }));

const axes: fc.Arbitrary<Axis> = fc.tuple(windows, folds).map(([view, stretches]) => makeAxis(view, WIDTH, stretches));
const time = fc.integer({ min: LIMITS.start, max: LIMITS.end });

describe('the time axis', () => {
  it('never goes back', () => {
    fc.assert(
      fc.property(axes, time, time, (axis, a, b) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)];
        const scale = Math.abs(axis.toX(late)) + Math.abs(axis.toX(early)) + 1;
        expect(axis.toX(late) - axis.toX(early)).toBeGreaterThanOrEqual(-1e-9 * scale);
      }),
    );
  });

  it('can be read both ways', () => {
    fc.assert(fc.property(axes, time, (axis, at) => void expect(Math.abs(axis.toTime(axis.toX(at)) - at)).toBeLessThan(0.01)));
  });

  it('shows the window from edge to edge', () => {
    fc.assert(
      fc.property(axes, (axis) => {
        expect(axis.toX(axis.view.start)).toBeCloseTo(0, 6);
        expect(axis.toX(axis.view.end)).toBeCloseTo(WIDTH, 6);
      }),
    );
  });

  it('leaves most of the screen to time that is not folded', () => {
    fc.assert(
      fc.property(axes, (axis) => {
        const breaks = breaksOf(axis);
        for (const each of breaks) expect(each.width).toBeLessThanOrEqual(BREAK_PX + 1e-6);
        const inside = breaks.map((each) => Math.min(each.x + each.width, WIDTH) - Math.max(each.x, 0));
        expect(inside.reduce((sum, width) => sum + width, 0)).toBeLessThanOrEqual(0.4 * WIDTH + 1e-6);
      }),
    );
  });

  it('shows the time inside a fold when the window lies in it', () => {
    const axis = makeAxis({ start: 200, end: 300 }, WIDTH, [{ start: 100, end: 10_000 }]);
    expect(axis.toX(250)).toBe(500);
    expect(breaksOf(axis)).toEqual([]);
  });

  it('folds what the other folds leave too much room for', () => {
    const stretches = [{ start: 100, end: 3_600_000 }, { start: 3_600_100, end: 3_610_000 }];
    expect(makeAxis({ start: 0, end: 3_610_100 }, WIDTH, stretches).folds).toEqual(stretches);
  });

  it('does not fold what is narrower than its break', () => {
    expect(makeAxis({ start: 0, end: 1000 }, WIDTH, [{ start: 10, end: 20 }]).folds).toEqual([]);
  });
});

describe('moving along the axis', () => {
  it('stays within the limits', () => {
    fc.assert(
      fc.property(axes, fc.integer({ min: -5000, max: 5000 }), (axis, by) => {
        const view = panAxis(axis, by, LIMITS);
        expect(view.start).toBeGreaterThanOrEqual(LIMITS.start);
        expect(view.end).toBeLessThanOrEqual(LIMITS.end);
        expect(view.end).toBeGreaterThan(view.start);
      }),
    );
  });

  it('there and back again shows the same, where nothing is in the way', () => {
    const axis = makeAxis({ start: 1_000_000, end: 4_000_000 }, WIDTH, [{ start: 2_000_000, end: 3_500_000 }]);
    const there = makeAxis(panAxis(axis, 200, LIMITS), WIDTH, axis.folds);
    const back = panAxis(there, -200, LIMITS);
    expect(back.start).toBeCloseTo(1_000_000, 0);
    expect(back.end).toBeCloseTo(4_000_000, 0);
  });

  it('zooms at the pointer also between folds', () => {
    const stretches = [{ start: 1_000_000, end: 2_000_000 }, { start: 2_400_000, end: 5_000_000 }];
    const axis = makeAxis({ start: 0, end: 6_000_000 }, WIDTH, stretches);
    const x = axis.toX(2_200_000);
    const zoomed = makeAxis(zoomAxis(axis, 0.7, x, LIMITS), WIDTH, stretches);
    expect(zoomed.toX(2_200_000)).toBeCloseTo(x, 0);
    expect(zoomed.view.end - zoomed.view.start).toBeLessThan(6_000_000);
  });
});
