import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { makeAxis } from './axis';
import { easeWindow, frameOf, needsFrame } from './frame';
import { buildTree } from './tree';

const limits = { start: 0, end: 5000 };
const nobody = () => false;

describe('the frame around rows', () => {
  it('holds every row on screen that is not open above others, and stays within the run', () => {
    fc.assert(
      fc.property(runs, fc.nat(30), fc.integer({ min: 1, max: 10 }), (spans, first, count) => {
        const tree = buildTree(storeOf(spans));
        const extentOf = (node: number) => [tree.start[node], tree.end[node]] as const;
        const frame = frameOf(tree, { rows: tree.preorder, first, count }, nobody, extentOf, limits);
        const nodes = tree.preorder.subarray(first, first + count);
        expect(frame === null).toBe(nodes.length === 0);
        if (frame === null) return;
        expect(frame.start).toBeGreaterThanOrEqual(limits.start);
        expect(frame.end).toBeLessThanOrEqual(limits.end);
        for (const node of nodes) {
          if (tree.size[node] > 1) continue;
          expect(frame.start).toBeLessThanOrEqual(tree.start[node]);
          expect(frame.end).toBeGreaterThanOrEqual(tree.end[node]);
        }
      }),
    );
  });

  it('is needed when most bars are slivers', () => {
    const axis = makeAxis({ start: 0, end: 1000 }, 1000);
    const shown = { rows: Int32Array.of(0, 1, 2), first: 0, count: 3 };
    const long = (node: number) => [0, node === 0 ? 1000 : 2] as const;
    expect(needsFrame(axis, shown, long)).toBe(true);
    expect(needsFrame(axis, shown, () => [0, 500])).toBe(false);
    expect(needsFrame(axis, { ...shown, count: 0 }, long)).toBe(false);
  });

  it('is reached from the window before, and never overshot', () => {
    const [from, to] = [{ start: 0, end: 1000 }, { start: 400, end: 500 }];
    expect(easeWindow(from, to, 0)).toEqual(from);
    expect(easeWindow(from, to, 1.5)).toEqual(to);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (k) => {
        const { start, end } = easeWindow(from, to, k);
        expect(start >= 0 && start <= 400 && end <= 1000 && end >= 500).toBe(true);
      }),
    );
  });
});
