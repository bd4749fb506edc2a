import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { nearestIn, packLanes, stepFrom, type LaneMap, type Step } from './lanes';
import { buildTree, isGroup, type Tree } from './tree';

const all = () => true;

/** Runs whose spans are short, so that lanes are shared, with some spans still open. */
const busy = runs.map((spans) =>
  spans.map((span, i) => ({
    ...span,
    end_ns: i % 7 === 6 ? null : span.start_ns + ((span.end_ns ?? 0) % 300),
    status: i % 7 === 6 ? 'running' : span.status,
  })),
);

function lanes(map: LaneMap): number[][] {
  return Array.from({ length: map.count }, (_, lane) => [...map.nodes.subarray(map.first[lane], map.first[lane + 1])]);
}

const endOf = (tree: Tree, node: number) => (Number.isNaN(tree.end[node]) ? Infinity : tree.end[node]);

/** A node's block: when it begins and ends, and its lanes. */
function blockOf(tree: Tree, map: LaneMap, node: number) {
  const inside = [...tree.preorder.subarray(tree.place[node], tree.place[node] + tree.size[node])];
  return {
    from: Math.min(...inside.map((one) => tree.start[one])),
    to: Math.max(...inside.map((one) => endOf(tree, one))),
    top: map.laneOf[node],
    bottom: Math.max(...inside.map((one) => map.laneOf[one])),
  };
}

describe('packLanes', () => {
  test('gives every node one lane, in order of time, and never two at the same time', () => {
    fc.assert(
      fc.property(busy, (spans) => {
        const tree = buildTree(storeOf(spans));
        const map = packLanes(tree, all);
        expect([...map.nodes].sort((a, b) => a - b)).toEqual([...tree.preorder].sort((a, b) => a - b));
        for (const inLane of lanes(map)) {
          inLane.slice(1).forEach((node, i) => expect(tree.start[node]).toBeGreaterThanOrEqual(endOf(tree, inLane[i])));
          expect(inLane.length).toBeGreaterThan(0);
        }
      }),
    );
  });

  test('keeps blocks whole: below their parent, and apart from their siblings', () => {
    fc.assert(
      fc.property(busy, (spans) => {
        const tree = buildTree(storeOf(spans));
        const map = packLanes(tree, all);
        for (const node of tree.preorder) {
          if (tree.parent[node] >= 0) expect(map.laneOf[node]).toBeGreaterThan(map.laneOf[tree.parent[node]]);
          const block = blockOf(tree, map, node);
          for (const other of tree.preorder) {
            if (other === node || tree.parent[other] !== tree.parent[node]) continue;
            const sibling = blockOf(tree, map, other);
            const apart = block.to <= sibling.from || sibling.to <= block.from || block.bottom < sibling.top || sibling.bottom < block.top;
            expect(apart).toBe(true);
          }
        }
      }),
    );
  });

  test('puts work done one after the other into one lane', () => {
    const step = (i: number) => ({ span_id: `${i}`, name: 'n', kind: 'tool', status: 'completed', start_ns: i * 10, end_ns: i * 10 + 10 });
    const tree = buildTree(storeOf(Array.from({ length: 20 }, (_, i) => step(i))));
    expect(packLanes(tree, (node) => !isGroup(tree, node)).count).toBe(1);
  });

  test('leaves out what is not drawn, and keeps what is below it', () => {
    const root = { span_id: 'r', name: 'r', kind: 'agent', status: 'completed', start_ns: 0, end_ns: 100 };
    const group = { ...root, span_id: 'g', parent_span_id: 'r' };
    const leaf = { ...root, span_id: 'l', parent_span_id: 'g', start_ns: 10, end_ns: 20 };
    const tree = buildTree(storeOf([root, group, leaf]));
    const map = packLanes(tree, (node) => node !== 1);
    expect([...map.laneOf]).toEqual([0, -1, 1]);
    expect(map.count).toBe(2);
  });
});

describe('walking', () => {
  test('every step leads to a node, and steps along a lane reach its ends', () => {
    fc.assert(
      fc.property(busy.filter((spans) => spans.length > 0), fc.constantFrom<Step>('previous', 'next', 'up', 'down'), (spans, step) => {
        const tree = buildTree(storeOf(spans));
        const map = packLanes(tree, all);
        for (const node of map.nodes) {
          const next = stepFrom(map, tree, node, step);
          expect(map.laneOf[next]).toBeGreaterThanOrEqual(0);
          if (step === 'up') expect(map.laneOf[next]).toBeLessThanOrEqual(map.laneOf[node]);
          if (step === 'next' || step === 'previous') expect(map.laneOf[next]).toBe(map.laneOf[node]);
        }
      }),
    );
  });

  test('the nearest node of a lane is under the pointer where there is one', () => {
    fc.assert(
      fc.property(busy.filter((spans) => spans.length > 0), fc.integer({ min: 0, max: 1300 }), (spans, time) => {
        const tree = buildTree(storeOf(spans));
        const map = packLanes(tree, all);
        lanes(map).forEach((inLane, lane) => {
          const under = inLane.find((node) => tree.start[node] <= time && time < endOf(tree, node));
          const found = nearestIn(map, tree, lane, time);
          if (under !== undefined) expect(found).toBe(under);
          expect(inLane).toContain(found);
          expect(nearestIn(map, tree, lane, time, -1)).toBe(-1);
        });
      }),
    );
  });
});
