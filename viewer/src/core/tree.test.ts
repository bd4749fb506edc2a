import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { FAILED } from './kinds';
import type { SpanSkeleton } from './spans';
import { buildTree, linkTree, nodeId, nodeOf, spanAbove } from './tree';

const span = (span_id: string, parent_span_id: string | null, start_ns: number, status = 'completed'): SpanSkeleton => ({
  span_id, parent_span_id, name: span_id, kind: 'task', status, start_ns, end_ns: start_ns + 10,
});

function outline(spans: SpanSkeleton[]): string[] {
  const store = storeOf(spans);
  const tree = buildTree(store);
  return Array.from(tree.preorder, (node) => '  '.repeat(tree.depth[node]) + nodeId(tree, store, node));
}

describe('span tree', () => {
  it('orders siblings by start, then id', () => {
    expect(outline([span('root', null, 0), span('c', 'root', 2), span('b', 'root', 1), span('a', 'root', 2)])).toEqual([
      'root', '  b', '  a', '  c',
    ]);
  });

  it('hangs spans whose parent is missing under one placeholder', () => {
    expect(outline([span('a', 'gone', 5), span('b', 'gone', 6), span('r', null, 0)])).toEqual(['r', 'gone', '  a', '  b']);
  });

  it('has one placeholder per missing parent, from its first child to its last', () => {
    fc.assert(
      fc.property(runs, (spans) => {
        const store = storeOf(spans);
        const tree = buildTree(store);
        const known = new Set(store.ids);
        const missing = new Set(spans.map((each) => each.parent_span_id).filter((id) => id != null && !known.has(id)));
        const waitingFor = tree.synthetic.filter((node) => node.type === 'missing').map((node) => node.id);
        expect(new Set(waitingFor)).toEqual(missing);
        expect(waitingFor).toHaveLength(missing.size);
        waitingFor.forEach((id, i) => {
          const children = spans.filter((each) => each.parent_span_id === id);
          expect(tree.start[tree.spanCount + i]).toBe(Math.min(...children.map((each) => each.start_ns)));
          expect(tree.end[tree.spanCount + i]).toBe(Math.max(...children.map((each) => each.end_ns ?? NaN)));
        });
      }),
    );
  });

  it('leaves a placeholder open while a child runs', () => {
    const tree = buildTree(storeOf([span('a', 'gone', 5), { ...span('b', 'gone', 6, 'running'), end_ns: null }]));
    expect(tree.end[2]).toBeNaN();
  });

  it('keeps the place when the parent arrives', () => {
    const children = [span('a', 'late', 5), span('b', 'late', 6), span('r', null, 0)];
    expect(outline([...children, span('late', null, 5)])).toEqual(outline(children));
  });

  it('cuts a cycle at its first member', () => {
    expect(outline([span('a', 'c', 2), span('b', 'a', 1), span('c', 'b', 3)])).toEqual(['b', '  c', '    a']);
    expect(outline([span('self', 'self', 0)])).toEqual(['self']);
  });

  it('contains every span once, parents before children, sizes adding up, whatever the links', () => {
    fc.assert(fc.property(runs, (spans) => holdsTogether(spans)));
  });

  it('does not depend on the order of arrival', () => {
    fc.assert(
      fc.property(runs, (spans) => {
        expect(outline([...spans].reverse())).toEqual(outline(spans));
      }),
    );
  });

  it('has the spans above each other that their links name, whatever groups are between', () => {
    fc.assert(
      fc.property(runs, (spans) => {
        const store = storeOf(spans);
        const [tree, plain] = [buildTree(store), linkTree(store)];
        for (let node = 0; node < plain.nodeCount; node++) expect(spanAbove(tree, node)).toBe(plain.parent[node]);
      }),
    );
  });

  it('finds every node by its id', () => {
    fc.assert(
      fc.property(runs, (spans) => {
        const store = storeOf(spans);
        const tree = buildTree(store);
        for (const node of tree.preorder) expect(nodeOf(tree, store, nodeId(tree, store, node))).toBe(node);
      }),
    );
  });

  it('survives a chain of 100,000 spans', () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => span(String(i), i ? String(i - 1) : null, i));
    const tree = buildTree(storeOf(chain));
    expect(tree.depth[99_999]).toBe(99_999);
    expect(tree.size[0]).toBe(100_000);
  });
});

function holdsTogether(spans: SpanSkeleton[]): void {
  const store = storeOf(spans);
  const tree = buildTree(store);
  expect(new Set(tree.preorder).size).toBe(tree.nodeCount);
  let failed = 0;
  let below = 0;
  for (let node = 0; node < tree.nodeCount; node++) {
    if (tree.parent[node] >= 0) expect(tree.place[tree.parent[node]]).toBeLessThan(tree.place[node]);
    else below += tree.errorsBelow[node] + (node < store.count && store.status[node] === FAILED ? 1 : 0);
    if (node < store.count && store.status[node] === FAILED) failed++;
  }
  expect(below).toBe(failed);
  expect(Array.from(tree.preorder).filter((node) => tree.parent[node] < 0).reduce((sum, node) => sum + tree.size[node], 0)).toBe(
    tree.nodeCount,
  );
}
