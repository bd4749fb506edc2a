import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { before, follow, LONGEST_TRAIL, type Trail } from './zoomtrail';

const windows = fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 1000 })).map(([start, length]) => ({ start, end: start + length }));
const moves = fc.array(fc.tuple(fc.option(windows), fc.boolean()), { maxLength: 30 });

describe('the trail of zooms', () => {
  it('ends at the window on screen, and every step lies inside the one before', () => {
    fc.assert(
      fc.property(moves, (steps) => {
        let trail: Trail = [];
        for (const [view, sameMove] of steps) {
          trail = follow(trail, view, sameMove);
          expect(trail.at(-1) ?? null).toEqual(view);
          expect(trail.length).toBeLessThanOrEqual(LONGEST_TRAIL);
          for (let i = 1; i < trail.length; i++) {
            expect(trail[i].start).toBeGreaterThanOrEqual(trail[i - 1].start - 0.01);
            expect(trail[i].end).toBeLessThanOrEqual(trail[i - 1].end + 0.01);
          }
        }
      }),
    );
  });

  it('takes one turn of the wheel for one step', () => {
    let trail = follow([], { start: 0, end: 900 }, false);
    for (const end of [600, 400, 250]) trail = follow(trail, { start: 0, end }, end < 600);
    expect(trail).toEqual([{ start: 0, end: 900 }, { start: 0, end: 250 }]);
    expect(before(trail)).toEqual({ start: 0, end: 900 });
    expect(before(follow(trail, { start: 0, end: 900 }, false))).toBeNull();
  });
});
