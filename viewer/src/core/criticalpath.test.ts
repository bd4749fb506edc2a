import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { criticalPath, passageOf, segmentsOf, type CriticalPath } from './criticalpath';
import { ancestors } from './rows';
import type { SpanSkeleton } from './spans';
import { buildTree } from './tree';

function pathOf(spans: readonly SpanSkeleton[]) {
  const store = storeOf(spans);
  const tree = buildTree(store);
  const root = tree.preorder.find((node) => node < tree.spanCount) ?? -1;
  return { store, tree, root, path: criticalPath(tree, root) };
}

const texts = ({ nodes, starts, ends }: CriticalPath, names: (row: number) => string) =>
  Array.from(nodes, (node, i) => `${names(node)} ${starts[i]}-${ends[i]}`);

const span = (name: string, parent: string | null, start_ns: number, end_ns: number): SpanSkeleton => ({
  span_id: name, name, parent_span_id: parent, kind: 'task', status: 'completed', start_ns, end_ns,
});

describe('the critical path', () => {
  it('follows its segments without gaps and sums to the wall time of the root', () => {
    fc.assert(
      fc.property(runs.filter((spans) => spans.length > 0), (spans) => {
        const { tree, root, path } = pathOf(spans);
        if (root < 0) return;
        let reached = tree.start[root];
        for (let i = 0; i < path.nodes.length; i++) {
          expect(path.starts[i]).toBe(reached);
          expect(path.ends[i]).toBeGreaterThan(reached);
          reached = path.ends[i];
        }
        expect(reached).toBe(tree.end[root]);
      }),
    );
  });

  it('stays inside each span and below the root', () => {
    fc.assert(
      fc.property(runs, (spans) => {
        const { tree, root, path } = pathOf(spans);
        path.nodes.forEach((node, i) => {
          expect(path.starts[i]).toBeGreaterThanOrEqual(tree.start[node]);
          expect(path.ends[i]).toBeLessThanOrEqual(tree.end[node]);
          expect(node === root || ancestors(tree, node).includes(root)).toBe(true);
          for (const above of [node, ...ancestors(tree, node)]) if (above < tree.spanCount) expect(passageOf(path, above)).not.toBeNull();
        });
      }),
    );
  });

  it('knows the segments of each span', () => {
    fc.assert(
      fc.property(runs, (spans) => {
        const { tree, path } = pathOf(spans);
        for (let row = 0; row < tree.spanCount; row++) {
          expect([...segmentsOf(path, row)]).toEqual([...path.nodes.keys()].filter((i) => path.nodes[i] === row));
        }
      }),
    );
  });

  it('takes the child that ended last before the next one began', () => {
    const { store, path } = pathOf([
      span('root', null, 0, 100),
      span('search', 'root', 10, 40),
      span('read', 'root', 12, 60),
      span('write', 'root', 65, 90),
    ]);
    expect(texts(path, (row) => store.nameOf(row))).toEqual(['root 0-12', 'read 12-60', 'root 60-65', 'write 65-90', 'root 90-100']);
    expect(passageOf(path, store.rowOf('read'))).toEqual([12, 60]);
  });

  it('cuts a child that outlives its parent', () => {
    const { store, path } = pathOf([span('root', null, 0, 50), span('late', 'root', 20, 80)]);
    expect(texts(path, (row) => store.nameOf(row))).toEqual(['root 0-20', 'late 20-50']);
  });
});
