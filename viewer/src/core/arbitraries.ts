/** Generators for property tests. */

import fc from 'fast-check';
import { STATUSES } from './kinds';
import { SpanStore, type SpanSkeleton } from './spans';

export const ORIGIN = '2026-11-21T07:30:00.000000000Z';

const ended = STATUSES.filter((status) => status !== 'running' && status !== 'lost');
const ids = fc.integer({ min: 0, max: 30 }).map((n) => n.toString(16).padStart(16, '0'));

/** Runs of up to 31 spans: any parents, so that orphans, self-parents and cycles occur. */
export const runs: fc.Arbitrary<SpanSkeleton[]> = fc.uniqueArray(
  fc.record({
    span_id: ids,
    name: fc.constantFrom('plan', 'parse', 'call', 'read'),
    kind: fc.constantFrom('agent', 'task', 'llm', 'tool', 'http'),
    status: fc.constantFrom(...ended),
    start_ns: fc.integer({ min: 0, max: 1000 }),
    end_ns: fc.integer({ min: 1000, max: 5000 }),
    parent_span_id: fc.option(ids),
    cost_usd: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    attempt: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 1 }),
  }),
  { selector: (span) => span.span_id, maxLength: 31 },
);

export function storeOf(spans: readonly SpanSkeleton[]): SpanStore {
  const store = new SpanStore();
  store.apply(ORIGIN, spans);
  return store;
}

/** Finished runs of three services, whose clocks need not agree; times in milliseconds. */
export const skewedRuns: fc.Arbitrary<SpanSkeleton[]> = fc.uniqueArray(
  fc
    .record({ span_id: ids, parent_span_id: fc.option(ids), service: fc.constantFrom('web', 'api', 'db'), from: fc.nat(2000), length: fc.nat(500) })
    .map(({ from, length, ...rest }) => ({
      ...rest, name: 'step', kind: 'http', status: 'completed', start_ns: from * 1e6, end_ns: (from + length) * 1e6,
    })),
  { selector: (span) => span.span_id, maxLength: 20 },
);
