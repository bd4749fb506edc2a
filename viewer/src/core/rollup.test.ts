import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { rollUp } from './rollup';
import { buildTree } from './tree';

const sum = (figures: number[]) => figures.filter((figure) => !Number.isNaN(figure)).reduce((total, figure) => total + figure, 0);

describe('rollup', () => {
  it('of a node is the sum of its subtree', () => {
    fc.assert(
      fc.property(runs, (spans) => {
        const store = storeOf(spans);
        const tree = buildTree(store);
        const { whole, most } = rollUp(store, tree, 'cost', () => true);
        for (let node = 0; node < tree.nodeCount; node++) {
          const from = tree.place[node];
          const below = Array.from(tree.preorder.subarray(from, from + tree.size[node])).filter((other) => other < tree.spanCount);
          expect(whole[node] || 0).toBeCloseTo(sum(below.map((row) => store.cost[row])), 9);
          if (tree.parent[node] >= 0) expect(whole[node] || 0).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it('leaves out what is not counted, and stays unknown where nothing is known', () => {
    const store = storeOf([
      { span_id: 'a', name: 'a', kind: 'agent', status: 'completed', start_ns: 0, end_ns: 9, input_tokens: 12 },
      { span_id: 'b', parent_span_id: 'a', name: 'b', kind: 'llm', status: 'completed', start_ns: 1, end_ns: 2, input_tokens: 10, output_tokens: 2 },
      { span_id: 'c', parent_span_id: 'a', name: 'c', kind: 'tool', status: 'completed', start_ns: 3, end_ns: 4 },
    ]);
    const { own, whole } = rollUp(store, buildTree(store), 'tokens', (row) => row !== 0);
    expect([own[0], whole[0], whole[1], whole[2]]).toEqual([NaN, 12, 12, NaN]);
  });
});
