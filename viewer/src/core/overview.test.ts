import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { FAILED, KIND_GROUPS, kindGroup } from './kinds';
import { buildOverview } from './overview';
import { buildTree } from './tree';

const limits = { start: 0, end: 5000 };

describe('overview', () => {
  it('adds up to the time that leaf spans were at work', () => {
    fc.assert(
      fc.property(runs, fc.integer({ min: 1, max: 97 }), (spans, buckets) => {
        const store = storeOf(spans);
        const tree = buildTree(store);
        const groupOf = (row: number) => KIND_GROUPS.indexOf(kindGroup(store.kindOf(row)));
        const overview = buildOverview(store, tree, groupOf, limits, limits.end, buckets);
        const bucket = (limits.end - limits.start) / buckets;
        const leaves = store.ids.map((_, row) => row).filter((row) => tree.size[row] === 1);
        const wanted = leaves.reduce((sum, row) => sum + store.end[row] - store.start[row], 0);
        const painted = overview.active.reduce((sum, level) => sum + level * bucket, 0);
        expect(painted).toBeCloseTo(wanted, 4);
        expect(overview.errors.reduce((sum, n) => sum + n, 0)).toBe(store.status.slice(0, store.count).filter((s) => s === FAILED).length);
      }),
    );
  });
});
