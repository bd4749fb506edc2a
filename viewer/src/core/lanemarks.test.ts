import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs, storeOf } from './arbitraries';
import { markNear, marksText, waitAt, waitsInLanes } from './lanemarks';
import { packLanes } from './lanes';
import type { SpanSkeleton } from './spans';
import { buildTree, isGroup } from './tree';

const lanesOf = (spans: readonly SpanSkeleton[]) => {
  const store = storeOf(spans);
  const tree = buildTree(store);
  const map = packLanes(tree, (node) => !isGroup(tree, node));
  return { store, tree, map, waits: waitsInLanes(map, tree, store) };
};

const tries = fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 30 }), fc.boolean()), { minLength: 2, maxLength: 8 });

function retried(steps: readonly (readonly [number, number, boolean])[]): SpanSkeleton[] {
  let time = 0;
  return steps.map(([pause, length, limited], i) => ({
    span_id: `${i}`, name: 'call', kind: 'llm', attempt: i + 1, start_ns: (time += pause), end_ns: (time += length),
    status: i === steps.length - 1 ? 'completed' : 'failed', error_type: limited ? 'RateLimitError' : 'TimeoutError',
  }));
}

describe('waits in lanes', () => {
  it('fill the time between tries, each before the try that it led to', () => {
    fc.assert(
      fc.property(tries, (steps) => {
        const { tree, map, waits } = lanesOf(retried(steps));
        const pauses = steps.slice(1).filter(([pause]) => pause > 0).map(([pause]) => pause);
        expect(waits.map(({ end, from }) => end - from)).toEqual(pauses);
        for (const wait of waits) expect([tree.start[wait.next], map.laneOf[wait.next]]).toEqual([wait.end, wait.lane]);
      }),
    );
  });

  it('never lie over a span of their lane, in any run', () => {
    fc.assert(
      fc.property(runs, tries, (others, steps) => {
        const { tree, map, waits } = lanesOf([...others.map((span) => ({ ...span, span_id: `o${span.span_id}` })), ...retried(steps)]);
        for (const { lane, from, end } of waits) {
          expect(from).toBeLessThan(end);
          for (const node of map.nodes.subarray(map.first[lane], map.first[lane + 1])) {
            expect(tree.end[node] <= from || tree.start[node] >= end).toBe(true);
          }
        }
      }),
    );
  });

  it('are found where they are drawn', () => {
    fc.assert(
      fc.property(tries, (steps) => {
        const { waits } = lanesOf(retried(steps));
        for (const wait of waits) expect(waitAt(waits, wait.lane, (wait.from + wait.end) / 2, 0)).toBe(wait);
        expect(waitAt(waits, 0, -1, 0)).toBeNull();
      }),
    );
  });
});

describe('marks on a span', () => {
  it('are told in words, the gravest of them by number', () => {
    const dots = { times: [1, 2, 3], weights: ['plain', 'error', 'warning'] as const };
    expect(marksText([5], dots)).toEqual(['1 checkpoint', '3 events (1 error, 1 warning)']);
    expect(marksText([], { times: [1], weights: ['plain'] })).toEqual(['1 event']);
    expect(marksText([], null)).toEqual([]);
  });

  it('are found by the nearest within reach', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300)), fc.nat(300), (times, x) => {
        const least = Math.min(...times.map((time) => Math.abs(time - x)));
        const found = markNear(times, (time) => time, x, 5);
        expect(found === null ? Infinity : Math.abs(found - x)).toBe(least <= 5 ? least : Infinity);
      }),
    );
  });
});
