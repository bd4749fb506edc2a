import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { gapBetween, snapTo, sumsAsText, sumsOf } from './area';
import { makeAxis } from './axis';
import { buildTree } from './tree';

const cuts = fc.tuple(fc.integer({ min: 0, max: 2500 }), fc.integer({ min: 0, max: 2500 }));

describe('an area', () => {
  it('side by side with the rest makes up the whole: time, cost and spans once each', () => {
    fc.assert(
      fc.property(runs, fc.integer({ min: 1, max: 5000 }), (spans, cut) => {
        const store = storeOf(spans);
        const tree = buildTree(store);
        const sums = (start: number, end: number) => sumsOf({ start, end, nodes: null }, tree, store, (row) => tree.end[row]);
        const total = (list: ReturnType<typeof sums>, of: 'sum' | 'cost') => list.reduce((sum, entry) => sum + (Number.isNaN(entry[of]) ? 0 : entry[of]), 0);
        const [left, right, whole] = [sums(-1, cut), sums(cut, 6000), sums(-1, 6000)];
        expect(total(left, 'sum') + total(right, 'sum')).toBeCloseTo(total(whole, 'sum'), 6);
        expect(total(left, 'cost') + total(right, 'cost')).toBeCloseTo(total(whole, 'cost'), 6);
        expect(whole.reduce((sum, entry) => sum + entry.count, 0)).toBe(spans.length);
      }),
    );
  });

  it('has averages between its least and its most', () => {
    fc.assert(
      fc.property(runs, cuts, (spans, [from, length]) => {
        const store = storeOf(spans);
        const tree = buildTree(store);
        for (const entry of sumsOf({ start: from, end: from + length, nodes: null }, tree, store, (row) => tree.end[row])) {
          expect(entry.least).toBeLessThanOrEqual(entry.sum / entry.count + 1e-6);
          expect(entry.sum / entry.count).toBeLessThanOrEqual(entry.most + 1e-6);
          expect(entry.most).toBeLessThanOrEqual(length);
        }
      }),
    );
  });

  it('of some rows holds what is folded in them and nothing else', () => {
    const span = (name: string, parent: string | null, start_ns: number) => ({ span_id: name, name, parent_span_id: parent, kind: 'tool', status: 'completed', start_ns, end_ns: start_ns + 10 });
    const store = storeOf([span('root', null, 0), span('a', 'root', 1), span('a1', 'a', 2), span('b', 'root', 3)]);
    const tree = buildTree(store);
    const rows: [number, number] = [store.rowOf('a'), store.rowOf('a')];
    const names = sumsOf({ start: 0, end: 100, nodes: rows }, tree, store, (row) => tree.end[row]).map((entry) => entry.name);
    expect(names.sort()).toEqual(['a', 'a1']);
  });

  it('snaps to the nearest edge in reach', () => {
    const axis = makeAxis({ start: 0, end: 1000 }, 1000);
    expect(snapTo(104, [90, 100, 110], axis, 8)).toBe(100);
    expect(snapTo(104, [90, 120], axis, 8)).toBe(104);
  });

  it('is copied with a heading', () => {
    const text = sumsAsText([{ name: 'read', kind: 'tool', count: 2, sum: 3e9, least: 1e9, most: 2e9, cost: NaN, tokens: 12 }]);
    expect(text.split('\n')[1]).toBe('read\t2\t3.000000\t1.500000\t1.000000\t2.000000\t\t12');
  });
});

describe('the gap of two spans', () => {
  it('is the same from either side, but for who began', () => {
    const extents = fc.tuple(fc.nat(100), fc.nat(100)).map(([start, length]) => [start, start + length] as const);
    fc.assert(
      fc.property(extents, extents, (one, other) => {
        const [a, b] = [gapBetween(one, other), gapBetween(other, one)];
        expect([a.kind, a.to - a.from, a.startToStart]).toEqual([b.kind, b.to - b.from, b.startToStart]);
        expect(a.to).toBeGreaterThanOrEqual(a.from);
      }),
    );
  });

  it('is what lies between them, or what they share', () => {
    expect(gapBetween([0, 10], [15, 20])).toMatchObject({ kind: 'gap', from: 10, to: 15 });
    expect(gapBetween([0, 10], [4, 20])).toMatchObject({ kind: 'overlap', from: 4, to: 10, startToStart: 4 });
  });
});
