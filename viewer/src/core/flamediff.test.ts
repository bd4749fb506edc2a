import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Flame, FlameNode } from './flame';
import { layoutFlame, nodeOfPath, pathOf } from './flame';
import { changeOf, diffEntries, isDiff, mergeFlames, periodBefore } from './flamediff';

const NAMES = ['plan', 'search', 'write'];

/** Trees as the collector sends them, in which a few names come again and again, and the table of their names. */
const flames: fc.Arbitrary<Pick<Flame, 'nodes' | 'table' | 'run_count'>> = fc
  .tuple(fc.array(fc.tuple(fc.nat(), fc.constantFrom(...NAMES), fc.integer({ min: 1, max: 9 })), { maxLength: 25 }), fc.integer({ min: 1, max: 5 }))
  .map(([drawn, run_count]) => {
    const nodes: FlameNode[] = [];
    for (const [above, name, own] of drawn) {
      const parent = above % (nodes.length + 1) === 0 ? undefined : (above % (nodes.length + 1)) - 1;
      if (nodes.some((node) => node.parent === parent && node.name === name)) continue;
      nodes.push({ name, kind: 'task', own, value: own, count: 1, parent });
    }
    for (let i = nodes.length - 1; i >= 0; i--) if (nodes[i].parent !== undefined) nodes[nodes[i].parent as number].value += nodes[i].value;
    const table = NAMES.map((name) => {
      const own = nodes.filter((node) => node.name === name).reduce((sum, node) => sum + (node.own ?? 0), 0);
      return { name, kind: 'task', own, total: own, count: 1 };
    }).filter(({ own }) => own > 0);
    return { nodes, table, run_count };
  });

/** Every path with its figure per run. */
function byPath({ nodes, run_count }: Pick<Flame, 'nodes' | 'run_count'>): Map<string, number> {
  const paths: string[] = [];
  nodes.forEach((node) => paths.push(`${node.parent === undefined ? '' : paths[node.parent]}/${node.name}`));
  return new Map(nodes.map((node, i) => [paths[i], node.value / run_count]));
}

describe('two pictures as one', () => {
  test('hold every path of either once, with what it is and what it was', () => {
    fc.assert(
      fc.property(flames, flames, (before, after) => {
        const layout = layoutFlame(mergeFlames(before, after));
        const [was, is] = [byPath(before), byPath(after)];
        const paths = layout.nodes.map((_, i) => `/${pathOf(layout, i).join('/')}`);
        expect(new Set(paths)).toEqual(new Set([...was.keys(), ...is.keys()]));
        expect(new Set(paths).size).toBe(paths.length);
        layout.nodes.forEach((node, i) => {
          expect(isDiff(node) && [node.before, node.after]).toEqual([was.get(paths[i]) ?? 0, is.get(paths[i]) ?? 0]);
          expect(nodeOfPath(layout, pathOf(layout, i))).toBe(i);
        });
      }),
    );
  });

  test('are as wide as the newer one, parents before children, nothing outside its parent', () => {
    fc.assert(
      fc.property(flames, flames, (before, after) => {
        const layout = layoutFlame(mergeFlames(before, after));
        expect(layout.total).toBe(layoutFlame(after.nodes).total);
        layout.nodes.forEach((node, i) => {
          expect((node.parent ?? -1) < i).toBe(true);
          if (layout.total > 0) expect(layout.to[i] - layout.from[i]).toBeCloseTo(node.value / layout.total, 9);
        });
      }),
    );
  });

  test('do not differ where they are the same, and differ the other way when they change places', () => {
    fc.assert(
      fc.property(flames, flames, (before, after) => {
        for (const node of mergeFlames(after, after)) expect(changeOf(node)).toBe(0);
        for (const { delta } of diffEntries(before, before)) expect(delta).toBe(0);
        const there = new Map(diffEntries(before, after).map(({ name, delta }) => [name, delta]));
        for (const { name, delta } of diffEntries(after, before)) expect(delta + (there.get(name) ?? NaN)).toBeCloseTo(0, 12);
        for (const node of mergeFlames(before, after)) expect(Math.abs(changeOf(node))).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('the table adds up to the whole difference, the largest first', () => {
    fc.assert(
      fc.property(flames, flames, (before, after) => {
        const entries = diffEntries(before, after);
        const sum = (flame: typeof before) => flame.table.reduce((all, { own }) => all + own, 0) / flame.run_count;
        expect(entries.reduce((all, { delta }) => all + delta, 0)).toBeCloseTo(sum(after) - sum(before), 9);
        entries.slice(1).forEach(({ delta }, i) => expect(Math.abs(delta)).toBeLessThanOrEqual(Math.abs(entries[i].delta)));
      }),
    );
  });
});

test('the time before is as long and ends where this one begins', () => {
  expect(periodBefore('now-24h', '')).toEqual({ from: 'now-48h', to: 'now-24h' });
  expect(periodBefore('2026-11-02T00:00:00Z', '2026-11-03T00:00:00Z')).toEqual({ from: '2026-11-01T00:00:00.000Z', to: '2026-11-02T00:00:00Z' });
  expect(periodBefore('', '')).toEqual({ from: '', to: '' });
});
