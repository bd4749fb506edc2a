import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { ancestors, deepestLevelWithin, hasRowsBelow, rowByKey, rowOfNode, scrolledTo, scrollScale, visibleRows, windowRows, withAncestors } from './rows';
import { buildTree, type Tree } from './tree';

describe('rows', () => {
  const hiddenBy = (tree: Tree, closed: Set<number>, node: number) => ancestors(tree, node).some((above) => closed.has(above));

  it('are the nodes outside collapsed ones, in order', () => {
    fc.assert(
      fc.property(runs, fc.array(fc.nat(40)), (spans, picks) => {
        const tree = buildTree(storeOf(spans));
        const closed = new Set(picks.filter((node) => node < tree.nodeCount));
        const rows = visibleRows(tree, { isCollapsed: (node) => closed.has(node) });
        expect(Array.from(rows)).toEqual(Array.from(tree.preorder).filter((node) => !hiddenBy(tree, closed, node)));
      }),
    );
  });

  it('find a node, or the nearest ancestor on screen', () => {
    fc.assert(
      fc.property(runs, fc.array(fc.nat(40)), (spans, picks) => {
        const tree = buildTree(storeOf(spans));
        const closed = new Set(picks.filter((node) => node < tree.nodeCount));
        const rows = visibleRows(tree, { isCollapsed: (node) => closed.has(node) });
        const list = Array.from(rows);
        for (let node = 0; node < tree.nodeCount; node++) {
          const expected = [node, ...ancestors(tree, node)].find((candidate) => list.includes(candidate));
          expect(rowOfNode(rows, tree, node)).toBe(list.indexOf(expected as number));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('of folded levels fit where they should', () => {
    fc.assert(
      fc.property(runs, fc.integer({ min: 1, max: 40 }), (spans, most) => {
        const tree = buildTree(storeOf(spans));
        const level = deepestLevelWithin(tree, most);
        const rows = visibleRows(tree, { isCollapsed: (node) => tree.depth[node] === level }).length;
        const oneMore = visibleRows(tree, { isCollapsed: (node) => tree.depth[node] === level + 1 }).length;
        expect(rows <= most || level === 0).toBe(true);
        expect(oneMore > most || oneMore === tree.nodeCount).toBe(true);
      }),
    );
  });

  it('mount only what is on screen', () => {
    expect(windowRows(240, 240, 24, 100_000)).toEqual({ first: 10, count: 11 });
    expect(windowRows(0, 240, 24, 3)).toEqual({ first: 0, count: 3 });
    expect(windowRows(9999, 240, 24, 3).count).toBe(0);
  });

  it('are walked by keys without leaving the list', () => {
    const keys = fc.array(fc.constantFrom('ArrowDown', 'ArrowUp', 'j', 'k', 'PageDown', 'PageUp', 'Home', 'End'));
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 90 }), fc.nat(20), (pressed, total, page) => {
        let here = -1;
        for (const key of pressed) {
          const to = rowByKey(key, here, total, page) ?? NaN;
          expect(to >= 0 && to < total).toBe(true);
          if (key === 'Home' || key === 'End') expect(to).toBe(key === 'Home' ? 0 : total - 1);
          here = to;
        }
      }),
    );
    expect([rowByKey('x', 3, 9, 4), rowByKey('j', -1, 0, 4), rowByKey('toString', 0, 9, 4)]).toEqual([null, null, null]);
    expect([rowByKey('j', -1, 9, 4), rowByKey('k', 3, 9, 4), rowByKey('PageDown', 3, 9, 4), rowByKey('PageUp', 8, 9, 4)]).toEqual([0, 2, 7, 4]);
  });

  it('are scrolled as little as brings one of them into view below the head', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(9000), fc.integer({ min: 60, max: 900 }), (row, from, height) => {
        const to = scrolledTo(row, 20, from, height);
        expect(row * 20 >= to && (row + 2) * 20 <= to + height).toBe(true);
        if (row * 20 >= from && (row + 2) * 20 <= from + height) expect(to).toBe(from);
      }),
    );
  });

  it('of a focused subtree are its rows alone', () => {
    fc.assert(
      fc.property(runs, fc.nat(40), (spans, pick) => {
        const tree = buildTree(storeOf(spans));
        fc.pre(pick < tree.nodeCount);
        const all = Array.from(visibleRows(tree, { isCollapsed: () => false }));
        const within = all.filter((node) => node === pick || ancestors(tree, node).includes(pick));
        expect(Array.from(visibleRows(tree, { isCollapsed: () => false, focus: pick }))).toEqual(within);
      }),
    );
  });

  it('of a filter are what passes and everything above it', () => {
    fc.assert(
      fc.property(runs, fc.uniqueArray(fc.nat(40)), (spans, picks) => {
        const tree = buildTree(storeOf(spans));
        const passing = picks.filter((row) => row < tree.spanCount);
        const kept = withAncestors(tree, (row) => passing.includes(row));
        const wanted = new Set(passing.flatMap((row) => [row, ...ancestors(tree, row)]));
        const rows = visibleRows(tree, { isCollapsed: () => false, kept });
        expect(new Set(rows)).toEqual(wanted);
        for (const node of rows) expect(hasRowsBelow(tree, kept, node)).toBe([...wanted].some((other) => tree.parent[other] === node));
      }),
    );
  });

  it('taller than an element can be are all reached by its scroll bar', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40_000_000 }), fc.integer({ min: 1, max: 2000 }), (listHeight, height) => {
        const scale = scrollScale(listHeight, height);
        const reach = Math.max(0, scale.tall - height);
        expect(scale.toOffset(reach)).toBeCloseTo(Math.max(0, listHeight - height), 3);
        expect(scale.toScrollTop(scale.toOffset(reach / 3))).toBeCloseTo(reach / 3, 3);
      }),
    );
  });
});
