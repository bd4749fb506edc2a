import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStore } from './events';
import { formatIsoNs } from './time';

const events = fc.array(fc.nat(40).map((n) => ({ time: formatIsoNs(BigInt(n >> 1)), kind: 'log', message: String(n) })));

describe('event store', () => {
  it('holds each event once, in time order, however they arrive', () => {
    fc.assert(
      fc.property(events, (some) => {
        const forward = new EventStore();
        forward.apply(some);
        const backward = new EventStore();
        for (const event of [...some, ...some].reverse()) backward.apply([event]);
        expect(backward.all()).toEqual(forward.all());
        expect(forward.all().length).toBe(new Set(some.map((event) => event.message)).size);
      }),
    );
  });
});
