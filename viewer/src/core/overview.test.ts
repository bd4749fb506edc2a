import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeAxis } from './axis';
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
        const overview = buildOverview(store, tree, groupOf, KIND_GROUPS.length, makeAxis(limits, buckets), limits.end);
        const bucket = (limits.end - limits.start) / buckets;
        const leaves = store.ids.map((_, row) => row).filter((row) => tree.size[row] === 1);
        const wanted = leaves.reduce((sum, row) => sum + store.end[row] - store.start[row], 0);
        const painted = overview.active.reduce((sum, level) => sum + level * bucket, 0);
        expect(painted).toBeCloseTo(wanted, 4);
        expect(overview.errors.reduce((sum, n) => sum + n, 0)).toBe(store.status.slice(0, store.count).filter((s) => s === FAILED).length);
      }),
    );
  });

  it('counts a span for the pixels it covers, also where time is folded', () => {
    fc.assert(
      fc.property(runs, (spans) => {
        const store = storeOf(spans);
        const tree = buildTree(store);
        const axis = makeAxis(limits, 300, [{ start: 1500, end: 4000 }]);
        const overview = buildOverview(store, tree, () => 0, 1, axis, limits.end);
        const leaves = store.ids.map((_, row) => row).filter((row) => tree.size[row] === 1);
        const wanted = leaves.reduce((sum, row) => sum + axis.toX(store.end[row]) - axis.toX(store.start[row]), 0);
        expect(overview.active.reduce((sum, level) => sum + level, 0)).toBeCloseTo(wanted, 4);
      }),
    );
  });
});
