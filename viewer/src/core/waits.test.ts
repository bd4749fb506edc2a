import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storeOf } from './arbitraries';
import type { SpanSkeleton } from './spans';
import { buildTree } from './tree';
import { isLimit, waitsBetween } from './waits';

const attempt = (i: number, start_ns: number, end_ns: number, error_type: string | null = null): SpanSkeleton => ({
  span_id: `${i}`, name: 'call', kind: 'llm', status: error_type ? 'failed' : 'completed', start_ns, end_ns, error_type,
});

describe('waits between tries', () => {
  it('never overlap a try, and none is negative', () => {
    const tries = fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(tries, (steps) => {
        let time = 0;
        const spans = steps.map(([pause, length], i) => attempt(i, (time += pause), (time += length)));
        const store = storeOf(spans);
        const waits = waitsBetween(spans.map((_, i) => i), store, buildTree(store));
        const pauses = steps.slice(1).filter(([pause]) => pause > 0);
        expect(waits.map((wait) => wait.end - wait.start)).toEqual(pauses.map(([pause]) => pause));
      }),
    );
  });

  it('say when a limit had been hit', () => {
    const store = storeOf([attempt(0, 0, 10, 'RateLimitError'), attempt(1, 20, 30, 'TimeoutError'), attempt(2, 50, 60)]);
    expect(waitsBetween([0, 1, 2], store, buildTree(store)).map((wait) => wait.kind)).toEqual(['limited', 'backoff']);
  });

  it('know a limit by any of its names', () => {
    for (const name of ['openai.RateLimitError', 'HTTP 429', '429', 'TooManyRequests', 'ThrottlingException', 'RESOURCE_EXHAUSTED']) expect(isLimit(name)).toBe(true);
    for (const name of ['TimeoutError', 'E14290', null]) expect(isLimit(name)).toBe(false);
  });
});
