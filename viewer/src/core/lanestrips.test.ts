import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { packLanes } from './lanes';
import { LaneScanner, thinned } from './lanestrips';
import { buildTree, isGroup } from './tree';

const WIDTH = 120;

const scenes = fc.tuple(runs, fc.integer({ min: 0, max: 4000 }), fc.integer({ min: 1, max: 6000 })).map(([spans, from, length]) => {
  const short = spans.map((span) => ({ ...span, end_ns: span.start_ns + ((span.end_ns ?? 0) % 60) }));
  const tree = buildTree(storeOf(short));
  const view = { start: from, end: from + length };
  const toX = (time: number) => ((time - view.start) / length) * WIDTH;
  return { map: packLanes(tree, () => true), tree, scale: { view, width: WIDTH, toX }, now: 0, colourOf: (node: number) => node % 3, colours: 3 };
});

function pixels(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

test('strips cover exactly the pixels of their spans', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const { map, tree, scale } = scene;
      for (let lane = 0; lane < map.count; lane++) {
        const painted = new Set<number>();
        new LaneScanner(scene, (from, to) => pixels(from, to).forEach((pixel) => painted.add(pixel))).scan(lane);
        const wanted = new Set<number>();
        for (const node of map.nodes.subarray(map.first[lane], map.first[lane + 1])) {
          if (tree.end[node] < scale.view.start || tree.start[node] > scale.view.end) continue;
          const from = Math.min(Math.max(Math.floor(scale.toX(tree.start[node])), 0), WIDTH - 1);
          pixels(from, Math.max(Math.min(Math.ceil(scale.toX(tree.end[node])), WIDTH), from + 1)).forEach((pixel) => wanted.add(pixel));
        }
        expect(painted).toEqual(wanted);
      }
    }),
  );
});

test('a strip has the colour of most of its time, or none', () => {
  const span = (i: number, start: number, end: number) => ({ span_id: `${i}`, name: 'n', kind: 'tool', status: 'completed', start_ns: start, end_ns: end });
  const tree = buildTree(storeOf([span(0, 0, 70), span(1, 70, 100), span(2, 4000, 4050), span(3, 4050, 4100), span(4, 9000, 12000)]));
  const scale = { view: { start: 0, end: 12_000 }, width: WIDTH, toX: (time: number) => time / 100 };
  const found: number[][] = [];
  const scene = { map: packLanes(tree, (node) => !isGroup(tree, node)), tree, scale, now: 0, colourOf: (node: number) => node % 2, colours: 2 };
  new LaneScanner(scene, (...strip) => found.push(strip)).scan(0);
  expect(found).toEqual([
    [0, 1, 0, -1],
    [40, 41, -1, -1],
    [90, 120, 0, 4],
  ]);
});

test('places are thinned to a distance', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300)), (places) => {
      const sorted = places.sort((a, b) => a - b);
      const kept = thinned(sorted, 3);
      kept.slice(1).forEach((place, i) => expect(place - kept[i]).toBeGreaterThanOrEqual(3));
      for (const place of sorted) expect(kept.some((one) => one <= place && place - one < 3)).toBe(true);
    }),
  );
});
