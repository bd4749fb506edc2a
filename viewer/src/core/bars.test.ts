import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeAxis } from './axis';
import { barAt, errorTicks, ERROR_TICK_GAP_PX, labelPlace, lowerBound, makeLane, mergeLane, MIN_BAR_PX, pixelsOf, upperBound, type Lane } from './bars';

const WIDTH = 200;
const view = { start: 100, end: 1100 };
const linear = makeAxis(view, WIDTH);
const folded = makeAxis(view, WIDTH, [{ start: 300, end: 700 }]);
const axes = fc.constantFrom(linear, folded);

const lanes: fc.Arbitrary<Lane> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 1200 }), fc.integer({ min: 0, max: 60 }), fc.nat(3)), { maxLength: 200 })
  .map((spans) => {
    spans.sort((a, b) => a[0] - b[0]);
    return makeLane(
      Float64Array.from(spans, ([start]) => start),
      Float64Array.from(spans, ([start, length]) => start + length),
      Uint8Array.from(spans, ([, , group]) => group),
      Float64Array.from(spans.filter(([, , group]) => group === 3), ([start]) => start),
    );
  });

function painted(ranges: Iterable<{ from: number; to: number }>): number[] {
  const pixels = new Set<number>();
  for (const { from, to } of ranges) for (let x = from; x < to; x++) pixels.add(x);
  return [...pixels].sort((a, b) => a - b);
}

function* singles(lane: Lane, axis = linear) {
  for (let i = 0; i < lane.starts.length; i++) {
    if (lane.ends[i] >= view.start && lane.starts[i] <= view.end) yield pixelsOf(lane, i, axis);
  }
}

describe('merged lanes', () => {
  it('cover exactly the pixels of the single spans', () => {
    fc.assert(fc.property(lanes, axes, (lane, axis) => void expect(painted(mergeLane(lane, axis))).toEqual(painted(singles(lane, axis)))));
  });

  it('count every span on screen once', () => {
    fc.assert(
      fc.property(lanes, (lane) => {
        const counted = mergeLane(lane, linear).reduce((sum, strip) => sum + strip.count, 0);
        expect(counted).toBe([...singles(lane)].length);
      }),
    );
  });

  it('give every strip shares that add up', () => {
    fc.assert(
      fc.property(lanes, (lane) => {
        for (const strip of mergeLane(lane, linear)) {
          expect(strip.shares.reduce((sum, [, share]) => sum + share, 0)).toBeCloseTo(1, 9);
        }
      }),
    );
  });

  it('never paint more strips than pixels, plus one per wide span', () => {
    const starts = Float64Array.from({ length: 50_000 }, (_, i) => i);
    const lane = makeLane(starts, starts.map((start) => start + 1), new Uint8Array(50_000));
    expect(mergeLane(lane, makeAxis({ start: 0, end: 50_000 }, WIDTH)).length).toBeLessThanOrEqual(WIDTH);
  });

  it('take the colour of a kind that fills 60 % of the time, else none', () => {
    const lane = (groups: number[]) =>
      makeLane(Float64Array.from(groups, (_, i) => i), Float64Array.from(groups, (_, i) => i + 1), Uint8Array.from(groups));
    const whole = makeAxis({ start: 0, end: 2000 }, WIDTH);
    expect(mergeLane(lane([1, 1, 2]), whole)[0].group).toBe(1);
    expect(mergeLane(lane([1, 2]), whole)[0].group).toBe(-1);
  });
});

describe('ticks of errors', () => {
  it('stand apart, and near every failed span', () => {
    fc.assert(
      fc.property(lanes, axes, (lane, axis) => {
        const ticks = errorTicks(lane, axis);
        for (let i = 1; i < ticks.length; i++) expect(ticks[i] - ticks[i - 1]).toBeGreaterThanOrEqual(ERROR_TICK_GAP_PX);
        for (const time of lane.failed) {
          if (time < view.start || time > view.end) continue;
          expect(ticks.some((tick) => tick <= axis.toX(time) && axis.toX(time) - tick < ERROR_TICK_GAP_PX)).toBe(true);
        }
      }),
    );
  });
});

describe('bars', () => {
  it('are at least two pixels wide and never far outside', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5000, max: 5000 }), fc.nat(5000), (start, length) => {
        const bar = barAt(linear, start, start + length);
        if (bar === null) return start > view.end || start + length < view.start;
        return bar.width >= MIN_BAR_PX && bar.x >= -MIN_BAR_PX && bar.x + bar.width <= WIDTH + 2 * MIN_BAR_PX;
      }),
    );
  });

  it('put their label where it is not clipped', () => {
    expect(labelPlace({ x: 0, width: 50 }, 40, WIDTH)).toBe('right');
    expect(labelPlace({ x: 0, width: 190 }, 40, WIDTH)).toBe('inside');
    expect(labelPlace({ x: 190, width: 10 }, 40, WIDTH)).toBe('left');
    expect(labelPlace({ x: 20, width: 30 }, 190, WIDTH)).toBe('none');
  });
});

describe('binary search', () => {
  it('agrees with a scan', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.integer({ min: -1, max: 51 }), (numbers, wanted) => {
        const sorted = Float64Array.from(numbers).sort();
        expect(lowerBound(sorted, wanted)).toBe(sorted.filter((n) => n < wanted).length);
        expect(upperBound(sorted, wanted)).toBe(sorted.filter((n) => n <= wanted).length);
      }),
    );
  });
});
