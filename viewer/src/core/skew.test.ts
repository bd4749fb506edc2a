import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { skewedRuns, storeOf } from './arbitraries';
import { correctClocks, ownShift, SAME_CLOCK_NS } from './skew';
import type { SpanSkeleton } from './spans';
import { linkTree as buildTree } from './tree';

const MS = 1e6;

const span = (span_id: string, parent_span_id: string | null, service: string | null, from: number, to: number | null): SpanSkeleton => ({
  span_id, parent_span_id, service, name: span_id, kind: 'http', status: to === null ? 'running' : 'completed', start_ns: from * MS,
  end_ns: to === null ? null : to * MS,
});

/** What each span was shifted by, in milliseconds. */
function shifts(spans: SpanSkeleton[]): Record<string, number> {
  const store = storeOf(spans);
  const correction = correctClocks(store);
  return Object.fromEntries(spans.map(({ span_id }) => [span_id, (correction?.shift[store.rowOf(span_id)] ?? 0) / MS]));
}

describe('clocks', () => {
  it('are corrected by moving a service into the middle of its caller', () => {
    const spans = [span('call', null, 'web', 0, 100), span('serve', 'call', 'api', 1000, 1060), span('query', 'serve', 'api', 1010, 1020)];
    expect(shifts(spans)).toEqual({ call: 0, serve: -980, query: -980 });
  });

  it('carry a correction on to the services below', () => {
    const spans = [
      span('call', null, 'web', 0, 100),
      span('serve', 'call', 'api', 1000, 1100),
      span('store', 'serve', 'db', 1020, 1040), // agrees with api, and so is wrong by as much
    ];
    expect(shifts(spans)).toEqual({ call: 0, serve: -1000, store: -980 });
  });

  it('keep the order of two calls to one service', () => {
    const spans = [span('agent', null, 'web', 0, 100), span('one', 'agent', 'api', 200, 220), span('two', 'agent', 'api', 230, 260)];
    expect(shifts(spans)).toEqual({ agent: 0, one: -180, two: -180 });
  });

  it('stand where a child outlives its parent, unless it starts too early', () => {
    expect(shifts([span('a', null, 'web', 0, 100), span('b', 'a', 'api', 50, 400)])).toEqual({ a: 0, b: 0 });
    expect(shifts([span('a', null, 'web', 0, 100), span('b', 'a', 'api', -50, 400)])).toEqual({ a: 0, b: 50 });
  });

  it('stand for consumers of messages, who work when they get to it', () => {
    const consumer = { ...span('b', 'a', 'api', 500, 520), kind: 'messaging' };
    expect(shifts([span('a', null, 'web', 0, 100), consumer])).toEqual({ a: 0, b: 0 });
  });

  it('are corrected at the start only while something runs', () => {
    expect(shifts([span('a', null, 'web', 0, null), span('b', 'a', 'api', -50, -20)])).toEqual({ a: 0, b: 50 });
    expect(shifts([span('a', null, 'web', 0, 100), span('b', 'a', 'api', 120, null)])).toEqual({ a: 0, b: 0 });
  });

  it('are named with the services that were moved', () => {
    const store = storeOf([span('a', null, 'web', 0, 100), span('b', 'a', 'api', 500, 520), span('c', 'b', 'api', 505, 510)]);
    const tree = buildTree(store);
    const correction = correctClocks(store);
    expect(correction?.services).toEqual(['api']);
    expect(correction && [0, 1, 2].map((row) => ownShift(correction, tree, row) / MS)).toEqual([0, -460, 0]);
  });
});

describe('correction of any run', () => {
  const corrected = (spans: SpanSkeleton[]) => {
    const store = storeOf(spans);
    const tree = buildTree(store);
    return { store, tree, correction: correctClocks(store) };
  };

  it('moves nothing in a run of one service, or of none', () => {
    fc.assert(fc.property(skewedRuns, fc.option(fc.constant('one')), (spans, service) => {
      expect(corrected(spans.map((each) => ({ ...each, service }))).correction).toBeNull();
    }));
  });

  it('moves nothing when every child lies within its parent', () => {
    fc.assert(fc.property(skewedRuns, (spans) => {
      const { store, tree } = corrected(spans);
      const nested = spans.map((each) => {
        const depth = tree.depth[store.rowOf(each.span_id)];
        return { ...each, start_ns: depth * MS, end_ns: (1000 - depth) * MS };
      });
      expect(corrected(nested).correction).toBeNull();
    }));
  });

  it('moves spans of one service with their parent, and puts others inside it when they fit', () => {
    fc.assert(fc.property(skewedRuns, (spans) => {
      const { store, tree, correction } = corrected(spans);
      if (!correction) return;
      const { start, end, shift } = correction;
      for (let row = 0; row < store.count; row++) {
        const above = tree.parent[row];
        if (above < 0 || above >= store.count) expect(shift[row]).toBe(0);
        else if (store.service[row] === store.service[above]) expect(shift[row]).toBe(shift[above]);
        else if (end[row] - start[row] <= end[above] - start[above]) {
          expect(start[row]).toBeGreaterThanOrEqual(start[above] - SAME_CLOCK_NS);
          expect(end[row]).toBeLessThanOrEqual(end[above] + SAME_CLOCK_NS);
        }
      }
    }));
  });

  it('keeps every duration', () => {
    fc.assert(fc.property(skewedRuns, (spans) => {
      const { store, correction } = corrected(spans);
      correction?.shift.forEach((_, row) => {
        expect(correction.end[row] - correction.start[row]).toBe(store.end[row] - store.start[row]);
      });
    }));
  });
});
