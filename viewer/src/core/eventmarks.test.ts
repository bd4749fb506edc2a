import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLUSTER_PX, clusters, DotStore, weightOf, type EventDots } from './eventmarks';

const dots: fc.Arbitrary<EventDots> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.constantFrom('plain' as const, 'warning' as const, 'error' as const)), { maxLength: 60 })
  .map((list) => {
    list.sort((a, b) => a[0] - b[0]);
    return { times: list.map(([time]) => time), weights: list.map(([, weight]) => weight) };
  });

describe('marks of events', () => {
  it('count every event once and stand apart', () => {
    fc.assert(
      fc.property(dots, (events) => {
        const marks = clusters(events, (time) => time / 2, 500);
        expect(marks.reduce((sum, mark) => sum + mark.count, 0)).toBe(events.times.length);
        for (let i = 1; i < marks.length; i++) expect(marks[i].x - marks[i - 1].x).toBeGreaterThanOrEqual(CLUSTER_PX);
      }),
    );
  });

  it('show the gravest event they hold', () => {
    fc.assert(
      fc.property(dots, (events) => {
        const errors = clusters(events, () => 10, 500).filter((mark) => mark.weight === 'error').length;
        expect(errors).toBe(events.weights.includes('error') ? 1 : 0);
      }),
    );
  });

  it('weigh by severity, and exceptions always as errors', () => {
    expect([weightOf('log', 'info'), weightOf('log', 'warn'), weightOf('log', 'fatal'), weightOf('exception', null)]).toEqual(['plain', 'warning', 'error', 'error']);
  });

  it('are the same in whatever order and however often events arrive', () => {
    const events = fc.array(fc.tuple(fc.constantFrom('a', 'b', null), fc.nat(50), fc.constantFrom('log', 'exception')), { maxLength: 30 });
    const held = (list: [string | null, number, string][]) => {
      const store = new DotStore();
      for (const [span, time, kind] of list) store.put(span, time, kind, 'info');
      return ['a', 'b', null].map((span) => store.of(span)?.times ?? []);
    };
    fc.assert(fc.property(events, events, (list, again) => void expect(held([...list, ...again])).toEqual(held([...again, ...again, ...list].reverse()))));
  });
});
