import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketAt, niceMost, rangeOf, STACK, stackOf, statusesInWords, timeMarks, totals, type Bucket } from './histogram';
import { boundMs } from './timerange';

const bucket = fc
  .record(Object.fromEntries(STACK.map((status) => [status, fc.nat(50)])))
  .map((statuses): Bucket => ({
    start: '2026-11-21T00:00:00Z', statuses, runs: Object.values(statuses).reduce((a, b) => a + b, 0), cost_usd: 0, input_tokens: 1, output_tokens: 2,
  }));

describe('histogram', () => {
  it('stacks every status without gaps, none of them invisible', () => {
    fc.assert(
      fc.property(bucket, (one) => {
        const segments = stackOf(one, niceMost(one.runs), 100);
        expect(segments.map((segment) => segment.status)).toEqual(STACK.filter((status) => one.statuses[status] > 0));
        let floor = 100;
        for (const segment of segments) {
          expect(segment.y + segment.height).toBeCloseTo(floor);
          expect(segment.height).toBeGreaterThanOrEqual(1);
          floor = segment.y;
        }
      }),
    );
  });

  it('has an axis that ends at a round figure', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), (largest) => {
        expect(niceMost(largest)).toBeGreaterThanOrEqual(largest);
        expect(niceMost(largest)).toBeLessThanOrEqual(largest * 1.5 + 1);
      }),
    );
  });

  it('adds up', () => {
    fc.assert(fc.property(fc.array(bucket, { minLength: 1 }), (some) => {
      const all = totals(some);
      expect(all.runs).toBe(Object.values(all.statuses).reduce((a, b) => a + b, 0));
    }));
    expect(statusesInWords({ completed: 1200, failed: 3 })).toBe('3 failed, 1,200 completed');
  });

  it('brushes whole buckets in either direction', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.integer({ min: 1000, max: 1e7 }), (a, b, width) => {
        const range = rangeOf(1e12, width, a, b);
        expect(range).toEqual(rangeOf(1e12, width, b, a));
        expect((boundMs(range.to, 0) ?? 0) - (boundMs(range.from, 0) ?? 0)).toBe((Math.abs(a - b) + 1) * width);
      }),
    );
    expect([bucketAt(-5, 100, 10), bucketAt(55, 100, 10), bucketAt(200, 100, 10)]).toEqual([0, 5, 9]);
  });

  it('marks round times, not too many', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2e12 }), fc.integer({ min: 1000, max: 1e11 }), fc.integer({ min: 2, max: 12 }), (start, length, most) => {
        const marks = timeMarks(start, start + length, most);
        expect(marks.length).toBeLessThanOrEqual(most + 1);
        for (const mark of marks) expect(mark.at).toSatisfy((at: number) => at >= 0 && at <= 1);
      }),
    );
  });
});
