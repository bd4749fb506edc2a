import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { selfTimes } from './selftime';
import { buildTree, linkTree } from './tree';

test('self time is what is left when each instant that a child covers is taken away', () => {
  fc.assert(
    fc.property(runs, fc.nat(6000), (spans, now) => {
      const short = spans.map((span, i) => ({ ...span, end_ns: i % 5 === 4 ? null : span.start_ns + ((span.end_ns ?? 0) % 40) }));
      const store = storeOf(short);
      const tree = linkTree(store, store);
      const endOf = (node: number) => (Number.isNaN(tree.end[node]) ? Math.max(now, tree.start[node]) : tree.end[node]);
      const self = selfTimes(tree, now);
      for (const node of tree.preorder) {
        const children = [...tree.preorder].filter((other) => tree.parent[other] === node);
        let alone = 0;
        const edges = [tree.start[node], endOf(node), ...children.flatMap((child) => [tree.start[child], endOf(child)])].sort((a, b) => a - b);
        edges.slice(1).forEach((edge, i) => {
          const middle = (edges[i] + edge) / 2;
          const inside = middle > tree.start[node] && middle < endOf(node);
          if (inside && !children.some((child) => tree.start[child] < middle && middle < endOf(child))) alone += edge - edges[i];
        });
        expect(self[node]).toBeCloseTo(alone, 6);
      }
    }),
  );
});

test('groups change nothing', () => {
  fc.assert(
    fc.property(runs, (spans) => {
      const store = storeOf(spans);
      expect([...selfTimes(buildTree(store), 0).subarray(0, store.count)]).toEqual([...selfTimes(linkTree(store, store), 0).subarray(0, store.count)]);
    }),
  );
});
