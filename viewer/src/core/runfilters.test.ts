import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRunFilters, hasFilters, isNarrowed, noFilters, parseRunFilters, relaxations, STATUS_FILTERS, type RunFilters } from './runfilters';

const word = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text.isWellFormed());
const filters = fc
  .record({ q: word, status: fc.subarray([...STATUS_FILTERS]), name: word, agent: word, tag: word, text: word, from: word, min_cost_usd: word })
  .map((some) => ({ ...noFilters(), ...some }));

describe('filters', () => {
  it('are restored from an address', () => {
    fc.assert(fc.property(filters, (some) => void expect(parseRunFilters(formatRunFilters(some))).toEqual(some)));
  });

  it('say nothing that is the default', () => {
    expect(formatRunFilters(noFilters())).toBe('');
    expect(hasFilters({ ...noFilters(), sort: 'name' })).toBe(false);
  });

  it('narrow by anything but the time', () => {
    expect(isNarrowed({ ...noFilters(), from: 'now-1h' })).toBe(false);
    expect(isNarrowed({ ...noFilters(), q: 'x' })).toBe(true);
  });

  it('can each be taken away, until nothing is asked for', () => {
    fc.assert(
      fc.property(filters, (some) => {
        let left: RunFilters = some;
        for (let step = relaxations(left); step.length > 0; step = relaxations(left)) left = step[0].filters;
        expect(hasFilters(left)).toBe(false);
      }),
    );
  });
});
