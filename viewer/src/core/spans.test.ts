import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ORIGIN, runs, storeOf } from './arbitraries';
import { STATUSES } from './kinds';
import { SpanStore, type SpanSkeleton } from './spans';

/** What a store holds, whatever order its rows came in. */
function picture(store: SpanStore) {
  const rows = store.ids.map((id, row) => [
    id,
    store.parents[row],
    store.nameOf(row),
    store.kindOf(row),
    STATUSES[store.status[row]],
    store.start[row],
    store.end[row],
    store.cost[row],
  ]);
  return rows.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

/** All reports the live stream may have made of a span before its end. */
function history(span: SpanSkeleton): SpanSkeleton[] {
  const running = { ...span, status: 'running', end_ns: null, cost_usd: null };
  return [running, { ...span, status: 'lost', cost_usd: null }, span];
}

const orders = fc.tuple(runs, fc.infiniteStream(fc.nat(1_000_000)));

describe('span store', () => {
  it('shows the same after any order of loads and live reports, with duplicates, as after a fresh load', () => {
    fc.assert(
      fc.property(orders, ([spans, stream]) => {
        const reports = spans.flatMap((span) => [...history(span), ...history(span)]);
        const keyed = reports.map((report) => ({ report, key: stream.next().value }));
        keyed.sort((a, b) => a.key - b.key);
        const store = new SpanStore();
        const middle = keyed.length >> 1;
        for (const { report } of keyed.slice(0, middle)) store.apply(ORIGIN, [report]);
        store.apply(ORIGIN, spans.map((span) => history(span)[0])); // a full load that is older than the messages
        for (const { report } of keyed.slice(middle)) store.apply(ORIGIN, [report]);
        expect(picture(store)).toEqual(picture(storeOf(spans)));
      }),
    );
  });

  it('places reports with different origins on one axis', () => {
    const store = storeOf([{ span_id: 'a', name: 'a', kind: 'task', status: 'running', start_ns: 5 }]);
    store.apply('2026-11-21T07:29:59.999999990Z', [{ span_id: 'b', name: 'b', kind: 'task', status: 'completed', start_ns: 0, end_ns: 20 }]);
    expect(store.start[store.rowOf('b')]).toBe(-10);
    expect(store.end[store.rowOf('b')]).toBe(10);
  });

  it('holds more spans than its first columns', () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({
      span_id: String(i), name: 'n', kind: 'task', status: 'completed', start_ns: i, end_ns: i + 1,
    }));
    const store = storeOf(many);
    expect(store.count).toBe(1000);
    expect(store.end[999]).toBe(1000);
  });

  it('does not grow its version when nothing changed', () => {
    const span = { span_id: 'a', name: 'a', kind: 'task', status: 'completed', start_ns: 0, end_ns: 1 };
    const store = storeOf([span]);
    const before = store.version;
    store.apply(ORIGIN, [{ ...span, status: 'running', end_ns: null }]);
    expect(store.version).toBe(before);
  });
});
