import { describe, expect, it } from 'vitest';
import { storeOf } from './arbitraries';
import { groupFacts } from './groupfacts';
import type { SpanSkeleton } from './spans';
import { buildTree } from './tree';

const read = (i: number, length: number | null, status = 'completed'): SpanSkeleton => ({
  span_id: `s${i}`, name: 'read', kind: 'tool', status, start_ns: i * 100, end_ns: length === null ? null : i * 100 + length,
});

describe('facts of a group', () => {
  it('are about its members that have ended', () => {
    const store = storeOf([read(0, 10), read(1, 40), read(2, 20, 'failed'), read(3, 30), read(4, null, 'running')]);
    const tree = buildTree(store);
    expect(groupFacts(store, tree, tree.spanCount)).toEqual({
      members: [0, 1, 2, 3, 4], durations: { least: 10, median: 25, most: 40, sum: 100 }, failed: 1, running: 1,
    });
  });

  it('have no durations before one has ended', () => {
    const store = storeOf([0, 1, 2, 3, 4].map((i) => read(i, null, 'running')));
    const tree = buildTree(store);
    expect(groupFacts(store, tree, tree.spanCount)).toMatchObject({ durations: null, running: 5 });
  });
});
