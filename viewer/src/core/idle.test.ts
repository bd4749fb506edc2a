import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storeOf } from './arbitraries';
import { idlenessOf, mostlyIdle } from './idle';
import type { SpanSkeleton } from './spans';
import { buildTree } from './tree';

const S = 1e9;
const step = (id: number, from: number, to: number | null, parent: number | null = 0): SpanSkeleton => ({
  span_id: id.toString(16).padStart(16, '0'),
  parent_span_id: parent === null ? null : parent.toString(16).padStart(16, '0'),
  name: 'step',
  kind: 'tool',
  status: to === null ? 'running' : 'completed',
  start_ns: from * S,
  end_ns: to === null ? null : to * S,
});

const idleness = (spans: SpanSkeleton[], until: number | null) => idlenessOf(buildTree(storeOf(spans)), until === null ? null : until * S);

describe('idle stretches', () => {
  it('lie between leaves; a parent that waits is no activity', () => {
    const found = idleness([step(0, 0, 100, null), step(1, 0, 10), step(2, 90, 100)], 100);
    expect(found.folds).toEqual([{ start: 10 * S, end: 90 * S }]);
    expect(found.share).toBeCloseTo(0.8, 9);
    expect(mostlyIdle(found)).toBe(true);
  });

  it('are folded only above five seconds and a fiftieth of the run', () => {
    expect(idleness([step(0, 0, 10, null), step(1, 0, 3), step(2, 7, 10)], 10).folds).toEqual([]);
    expect(idleness([step(0, 0, 1000, null), step(1, 0, 500), step(2, 515, 1000)], 1000).folds).toEqual([]);
  });

  it('at the end are folded only when the run has ended', () => {
    const spans = [step(0, 0, null, null), step(1, 0, 10)];
    expect(idleness(spans, null).folds).toEqual([]);
    expect(idleness(spans, 500).folds).toEqual([{ start: 10 * S, end: 500 * S }]);
  });

  it('do not begin before a leaf that is still at work', () => {
    expect(idleness([step(0, 0, null, null), step(1, 0, null), step(2, 400, 410)], null).folds).toEqual([]);
  });

  it('and the time at work make up the run', () => {
    const spans = fc.uniqueArray(
      fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(900), fc.nat(90)).map(([id, from, length]) => step(id, from, from + length, null)),
      { selector: (span) => span.span_id, minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(spans, (list) => {
        const tree = buildTree(storeOf(list));
        const busy = new Set<number>();
        for (const { start_ns, end_ns } of list) for (let t = start_ns / S; t < (end_ns as number) / S; t++) busy.add(t);
        const whole = (tree.lastTime - tree.firstStart) / S;
        const idle = idlenessOf(tree, tree.lastTime).share * Math.max(whole, 1e-9);
        expect(idle).toBeCloseTo(whole - busy.size, 6);
      }),
    );
  });
});
