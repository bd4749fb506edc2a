import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edgePath, layersOf, layoutGraph, type GraphEdge } from './graph';

const SIZES = { width: 100, height: 20, gapX: 40, gapY: 10 };
const named = (n: number) => `t${n}`;
/** Any graph without cycles: edges go from smaller to larger numbers. */
const dags = fc.integer({ min: 1, max: 14 }).chain((size) =>
  fc.record({
    nodes: fc.constant(Array.from({ length: size }, (_, n) => ({ id: named(n) }))),
    edges: fc.array(
      fc.tuple(fc.nat(size - 1), fc.nat(size - 1)).filter(([a, b]) => a < b).map(([a, b]): GraphEdge => ({ from: named(a), to: named(b) })),
      { maxLength: size > 1 ? 25 : 0 },
    ),
  }),
);

describe('a drawing of dependencies', () => {
  it('has every edge going right', () => {
    fc.assert(
      fc.property(dags, ({ nodes, edges }) => {
        const layout = layoutGraph(nodes, edges, SIZES);
        const at = new Map(layout.nodes.map((node) => [node.id, node]));
        expect(layout.edges).toHaveLength(edges.length);
        for (const edge of edges) expect(at.get(edge.from)!.x).toBeLessThan(at.get(edge.to)!.x);
      }),
    );
  });

  it('has every node once, apart from the others and inside', () => {
    fc.assert(
      fc.property(dags, ({ nodes, edges }) => {
        const layout = layoutGraph(nodes, edges, SIZES);
        expect(layout.nodes.map((node) => node.id).sort()).toEqual(nodes.map((node) => node.id).sort());
        for (const a of layout.nodes) {
          expect(a.x >= 0 && a.x + SIZES.width <= layout.width && a.y >= 0 && a.y + SIZES.height <= layout.height).toBe(true);
          for (const b of layout.nodes) if (a !== b && a.x === b.x) expect(Math.abs(a.y - b.y)).toBeGreaterThanOrEqual(SIZES.height);
        }
      }),
    );
  });

  it('does not cross two chains', () => {
    const edges = [{ from: 'a', to: 'd' }, { from: 'b', to: 'c' }];
    const layout = layoutGraph(['a', 'b', 'c', 'd'].map((id) => ({ id })), edges, SIZES);
    const row = new Map(layout.nodes.map((node) => [node.id, node.row]));
    expect(row.get('a')! < row.get('b')!).toBe(row.get('d')! < row.get('c')!);
  });

  it('ends on a cycle and on edges to nowhere', () => {
    const edges = [{ from: 'a', to: 'b' }, { from: 'b', to: 'a' }, { from: 'a', to: 'gone' }];
    expect(layoutGraph([{ id: 'a' }, { id: 'b' }], edges, SIZES).nodes).toHaveLength(2);
    expect(layersOf(['a'], []).get('a')).toBe(0);
  });

  it('draws curves from right sides to left sides', () => {
    const [from, to] = layoutGraph([{ id: 'a' }, { id: 'b' }], [{ from: 'a', to: 'b' }], SIZES).nodes;
    expect(edgePath(from, to, SIZES)).toBe('M100 10C120 10 120 10 140 10');
  });
});
